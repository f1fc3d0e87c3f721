import type { Epoch } from '@spirula/encoding';
import { emptyOsdMap, type OsdMap, OsdState } from '@spirula/maps';
import type { OsdFailure } from '@spirula/messages';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { Heartbeat } from './heartbeat.ts';
import { ToyNetwork, type ToyNode } from './toy-network.ts';

interface Watcher {
  readonly node: ToyNode;
  readonly heartbeat: Heartbeat;
  readonly reports: OsdFailure[];
  readonly heard: string[];
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
    const reports: OsdFailure[] = [];
    const heard: string[] = [];
    const heartbeat = new Heartbeat({
      world: node.world,
      whoami: osd,
      report: (failure) => reports.push(failure),
      onPeerEpoch: (peer, epoch) => heard.push(`${peer}:${epoch}`),
      onYouDied: () => heard.push('youDied'),
    });
    node.onEvent = (event) => heartbeat.handle(event);
    watchers.push({ node, heartbeat, reports, heard });
  }
  const map = mapOf(
    5,
    watchers.map(({ node }) => node),
  );
  for (const { heartbeat } of watchers) {
    heartbeat.onMap(map);
    heartbeat.start();
  }
  return { network, watchers, map };
}

test('nobody is reported while all answer', () => {
  const { network, watchers } = cluster(3);

  network.run(120 * SECOND);

  expect(watchers.flatMap(({ reports }) => reports)).toEqual([]);
  expect(watchers[0]!.heartbeat.peers).toEqual([1, 2]);
  expect(watchers[0]!.heard).toContain('2:5');
});

test('a dead OSD is reported at once, because it refuses connections', () => {
  const { network, watchers, map } = cluster(3);
  network.run(10 * SECOND);

  network.kill(watchers[2]!.node);
  network.run(SECOND);

  expect(watchers[0]!.reports[0]).toEqual({
    type: 'osd_failure',
    reporter: 0,
    target: 2,
    targetAddrs: map.clientAddrs[2],
    epoch: 5,
    failedFor: 21,
    immediate: true,
    alive: false,
  });
});

test('a hung OSD is reported after the grace, once, and withdrawn when it answers again', () => {
  const { network, watchers } = cluster(3);
  network.run(10 * SECOND);

  watchers[2]!.node.hung = true;
  network.run(19 * SECOND);
  expect(watchers[0]!.reports).toEqual([]);
  network.run(15 * SECOND);
  expect(watchers[0]!.reports).toHaveLength(1);
  expect(watchers[0]!.reports[0]).toMatchObject({ target: 2, immediate: false, alive: false });
  expect(watchers[0]!.reports[0]!.failedFor).toBeGreaterThanOrEqual(20);

  watchers[2]!.node.hung = false;
  network.run(10 * SECOND);
  expect(watchers[0]!.reports[1]).toMatchObject({ target: 2, alive: true });
  expect(watchers[0]!.reports).toHaveLength(2);
  // The one that hung blames nobody for it.
  expect(watchers[2]!.reports).toEqual([]);
});

test('another monitor is told again what the one before was told', () => {
  const { network, watchers } = cluster(3);
  watchers[2]!.node.hung = true;
  network.run(40 * SECOND);

  watchers[0]!.heartbeat.onMonSession();
  network.run(6 * SECOND);

  expect(watchers[0]!.reports.map(({ target, alive }) => [target, alive])).toEqual([
    [2, false],
    [2, false],
  ]);
});

test('an OSD that is down in the map is no longer watched, and told so when it pings', () => {
  const { network, watchers } = cluster(3);
  network.run(10 * SECOND);

  const down = mapOf(9, [watchers[0]!.node, watchers[1]!.node, undefined]);
  watchers[0]!.heartbeat.onMap(down);
  network.run(10 * SECOND);

  expect(watchers[0]!.heartbeat.peers).toEqual([1]);
  expect(watchers[2]!.heard).toContain('youDied');
});

test('PG peers and both neighbours are watched, then others up to the minimum', () => {
  const { watchers } = cluster(12, 4);

  expect(watchers[5]!.heartbeat.peers).toEqual([4, 6, 7, 8]);
  watchers[5]!.heartbeat.setPgPeers(new Set([0, 1, 2]));
  expect(watchers[5]!.heartbeat.peers).toEqual([0, 1, 2, 4, 6]);
});

test('a new incarnation starts with a clean record', () => {
  const { network, watchers } = cluster(3);
  watchers[2]!.node.hung = true;
  network.run(40 * SECOND);
  expect(watchers[0]!.reports).toHaveLength(1);

  network.kill(watchers[2]!.node);
  const reborn = network.addNode({ type: 'osd', id: '2' }, 777);
  const again = new Heartbeat({ world: reborn.world, whoami: 2, report() {}, onPeerEpoch() {}, onYouDied() {} });
  reborn.onEvent = (event) => again.handle(event);
  const map = mapOf(12, [watchers[0]!.node, watchers[1]!.node, reborn], 12);
  for (const { heartbeat } of watchers.slice(0, 2)) heartbeat.onMap(map);
  watchers[0]!.reports.length = 0;
  network.run(60 * SECOND);

  expect(watchers[0]!.reports).toEqual([]);
});
