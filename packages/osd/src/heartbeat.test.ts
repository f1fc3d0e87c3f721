import type { Epoch, OsdId } from '@spirula/encoding';
import { emptyOsdMap, type OsdMap, OsdState } from '@spirula/maps';
import type { Message } from '@spirula/messages';
import { SECOND, type WorldEvent } from '@spirula/world';
import { expect, test } from 'vitest';
import { Heartbeat, type HeartbeatHost } from './heartbeat.ts';
import { ToyNetwork, type ToyNode } from './toy-network.test-support.ts';

interface Report {
  readonly target: OsdId;
  readonly failedForUs: number;
  readonly immediate: boolean;
  readonly alive: boolean;
}

interface Watcher {
  readonly node: ToyNode;
  readonly heartbeat: Heartbeat;
  readonly reports: Report[];
  readonly heard: string[];
  pgPeers: ReadonlySet<OsdId>;
  map?: OsdMap;
}

function hostOf(whoami: OsdId, node: ToyNode, watcher: () => Watcher): HeartbeatHost {
  return {
    whoami,
    world: node.world,
    get map() {
      return watcher().map;
    },
    get isActive() {
      return watcher().map !== undefined;
    },
    pgPeers: () => watcher().pgPeers,
    reportFailure: (target, failedForUs, immediate) =>
      watcher().reports.push({ target, failedForUs, immediate, alive: false }),
    withdrawFailure: (target) => watcher().reports.push({ target, failedForUs: 0, immediate: false, alive: true }),
    wantMap: (epoch) => watcher().heard.push(`newer ${epoch}`),
    onOlderPeer: (osd, epoch) => watcher().heard.push(`osd.${osd} has ${epoch}`),
  };
}

function dispatch(heartbeat: Heartbeat, event: WorldEvent<Message>): void {
  if (event.kind === 'accepted') heartbeat.onAccepted(event.session);
  else if (event.kind === 'message') heartbeat.onMessage(event.session, event.message);
  else if (event.kind === 'reset') heartbeat.onReset(event.session, event.reason);
  else if (event.kind === 'timer') heartbeat.onTimer(event.name);
}

function learn(watcher: Watcher, map: OsdMap): void {
  watcher.map = map;
  watcher.heartbeat.updatePeers();
}

/** A map in which the nodes given are up. */
function mapOf(epoch: Epoch, nodes: readonly (ToyNode | undefined)[], upFrom: Epoch = 1): OsdMap {
  const addrs = (endpoint: string) => nodes.map((node) => node?.addrs(endpoint) ?? []);
  return {
    ...emptyOsdMap(new Uint8Array(16)),
    epoch,
    maxOsd: nodes.length,
    osdState: nodes.map((node) => OsdState.exists | (node ? OsdState.up : 0)),
    osdInfo: nodes.map((node) => ({
      lastCleanBegin: 0,
      lastCleanEnd: 0,
      upFrom,
      upThru: 0,
      downAt: node ? 0 : epoch,
      lostAt: 0,
    })),
    clientAddrs: addrs('public'),
    clusterAddrs: addrs('cluster'),
    hbFrontAddrs: addrs('hb_front'),
    hbBackAddrs: addrs('hb_back'),
  };
}

function cluster(count: number, minPeers = 10) {
  const network = new ToyNetwork(count);
  const watchers: Watcher[] = [];
  for (let osd = 0; osd < count; osd++) {
    const node = network.addNode({ type: 'osd', id: String(osd) }, 100 + osd, { osd_heartbeat_min_peers: minPeers });
    const reports: Report[] = [];
    const heard: string[] = [];
    const watcher: Watcher = {
      node,
      heartbeat: new Heartbeat(hostOf(osd, node, () => watcher)),
      reports,
      heard,
      pgPeers: new Set(),
    };
    node.onEvent = (event) => dispatch(watcher.heartbeat, event);
    watchers.push(watcher);
  }
  const map = mapOf(
    5,
    watchers.map(({ node }) => node),
  );
  for (const watcher of watchers) {
    learn(watcher, map);
    watcher.heartbeat.start();
  }
  return { network, watchers, map };
}

test('nobody is reported while all answer', () => {
  const { network, watchers } = cluster(3);

  network.run(120 * SECOND);

  expect(watchers.flatMap(({ reports }) => reports)).toEqual([]);
  expect(watchers[0]!.heartbeat.peers).toEqual([1, 2]);
});

test('a dead OSD is reported at once, because it refuses connections', () => {
  const { network, watchers } = cluster(3);
  network.run(10 * SECOND);

  network.kill(watchers[2]!.node);
  network.run(SECOND);

  expect(watchers[0]!.reports[0]).toEqual({ target: 2, failedForUs: 0, immediate: true, alive: false });
});

test('a hung OSD is reported after the grace, and withdrawn when it answers again', () => {
  const { network, watchers } = cluster(3);
  network.run(10 * SECOND);

  watchers[2]!.node.hung = true;
  network.run(19 * SECOND);
  expect(watchers[0]!.reports).toEqual([]);
  network.run(15 * SECOND);
  expect(watchers[0]!.reports[0]).toMatchObject({ target: 2, immediate: false, alive: false });
  expect(watchers[0]!.reports[0]!.failedForUs).toBeGreaterThanOrEqual(20 * SECOND);

  watchers[2]!.node.hung = false;
  network.run(10 * SECOND);
  expect(watchers[0]!.reports.at(-1)).toMatchObject({ target: 2, alive: true });
});

test('an OSD that is down in the map is no longer pinged', () => {
  const { network, watchers } = cluster(3);
  network.run(10 * SECOND);

  learn(watchers[0]!, mapOf(9, [watchers[0]!.node, watchers[1]!.node, undefined]));
  expect(watchers[0]!.heartbeat.peers).toEqual([1]);
});

test('peers tell one another that there are newer maps', () => {
  const { network, watchers, map } = cluster(3);

  learn(watchers[0]!, { ...map, epoch: 8 });
  network.run(10 * SECOND);

  expect(watchers[0]!.heard).toContain('osd.1 has 5');
  expect(watchers[1]!.heard).toContain('newer 8');
});

test('PG peers and both neighbours are pinged, then others up to the minimum', () => {
  const { watchers } = cluster(12, 4);

  expect(watchers[5]!.heartbeat.peers).toEqual([4, 6, 7, 8]);
  watchers[5]!.pgPeers = new Set([0, 1, 2]);
  watchers[5]!.heartbeat.updatePeers();
  expect(watchers[5]!.heartbeat.peers).toEqual([0, 1, 2, 4, 6]);
});

test('a new incarnation starts with a clean record', () => {
  const { network, watchers } = cluster(3);
  watchers[2]!.node.hung = true;
  network.run(40 * SECOND);
  expect(watchers[0]!.reports.length).toBeGreaterThan(0);

  network.kill(watchers[2]!.node);
  const node = network.addNode({ type: 'osd', id: '2' }, 777);
  const reborn: Watcher = {
    node,
    heartbeat: new Heartbeat(hostOf(2, node, () => reborn)),
    reports: [],
    heard: [],
    pgPeers: new Set(),
  };
  node.onEvent = (event) => dispatch(reborn.heartbeat, event);
  const map = mapOf(12, [watchers[0]!.node, watchers[1]!.node, node], 12);
  for (const watcher of [watchers[0]!, watchers[1]!, reborn]) learn(watcher, map);
  reborn.heartbeat.start();
  watchers[0]!.reports.length = 0;
  network.run(60 * SECOND);

  expect(watchers[0]!.reports).toEqual([]);
});
