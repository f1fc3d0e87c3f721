import type { Epoch, OsdId } from '@spirula/encoding';
import { emptyOsdMap, type OsdMap, OsdState } from '@spirula/maps';
import type { Message } from '@spirula/messages';
import { type Config, SECOND, type WorldEvent } from '@spirula/world';
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
  isPinging: boolean;
  isAnswering: boolean;
  map?: OsdMap;
}

function hostOf(whoami: OsdId, node: ToyNode, watcher: () => Watcher): HeartbeatHost {
  return {
    whoami,
    world: node.world,
    get map() {
      return watcher().map;
    },
    get isPinging() {
      return watcher().isPinging;
    },
    get isAnswering() {
      return watcher().isAnswering;
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
  if (event.kind === 'accepted') heartbeat.onAccepted(event.session, event.peer);
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

function watch(osd: OsdId, node: ToyNode): Watcher {
  const watcher: Watcher = {
    node,
    heartbeat: new Heartbeat(hostOf(osd, node, () => watcher)),
    reports: [],
    heard: [],
    pgPeers: new Set(),
    isPinging: true,
    isAnswering: true,
  };
  node.onEvent = (event) => dispatch(watcher.heartbeat, event);
  return watcher;
}

function cluster(count: number, options: Partial<Config> = {}, seed = count) {
  const network = new ToyNetwork(seed);
  const watchers = Array.from({ length: count }, (_, osd) =>
    watch(osd, network.addNode({ type: 'osd', id: String(osd) }, 100 + osd, options)),
  );
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

test('who is silent is reported once every osd_mon_report_interval, no earlier', () => {
  const { network, watchers } = cluster(3, { osd_mon_report_interval: 60 });
  watchers[2]!.node.hung = true;
  network.run(58 * SECOND);
  expect(watchers[0]!.reports).toEqual([]);

  network.run(65 * SECOND);
  expect(watchers[0]!.reports.length).toBe(2);
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
  const { watchers } = cluster(12, { osd_heartbeat_min_peers: 4 });

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
  const reborn = watch(2, node);
  const map = mapOf(12, [watchers[0]!.node, watchers[1]!.node, node], 12);
  for (const watcher of [watchers[0]!, watchers[1]!, reborn]) learn(watcher, map);
  reborn.heartbeat.start();
  watchers[0]!.reports.length = 0;
  network.run(60 * SECOND);

  expect(watchers[0]!.reports).toEqual([]);
});

test('an OSD that was stopped blames nobody when it goes on', () => {
  const { network, watchers } = cluster(3);
  // Peers that are slow, but answer in time.
  network.latency = 2.5 * SECOND;
  network.run(20 * SECOND);

  for (let i = 0; i < 20; i++) {
    watchers[0]!.node.hung = true;
    network.run((2 + i) * SECOND);
    watchers[0]!.node.hung = false;
    network.run(network.below(8) * SECOND);
  }

  expect(watchers[0]!.reports).toEqual([]);
});

test('broken connections blame nobody', () => {
  const { network, watchers } = cluster(3);
  network.latency = SECOND / 5;

  for (let i = 0; i < 100; i++) {
    network.breakOneSession();
    network.run(network.below(6 * SECOND));
  }

  expect(watchers.flatMap(({ reports }) => reports)).toEqual([]);
});

test('pings that were lost do not count once a later one is answered', () => {
  const { network, watchers } = cluster(3);
  const { node, heartbeat } = watchers[2]!;
  const pings = [new Set<number>(), new Set<number>()];
  node.onEvent = (event) => {
    if (event.kind === 'message' && event.message.type === 'osd_ping' && event.message.op === 'ping') {
      const { osd, stamp } = event.message;
      if (pings[osd]!.add(stamp).size % 2 === 0) return;
    }
    dispatch(heartbeat, event);
  };
  network.run(300 * SECOND);

  expect(pings[0]!.size).toBeGreaterThan(50);
  expect(watchers.flatMap(({ reports }) => reports)).toEqual([]);
});

test('a peer that answers on one network only is reported', () => {
  const { network, watchers } = cluster(3);
  network.run(10 * SECOND);
  const { node, heartbeat } = watchers[2]!;
  node.onEvent = (event) => {
    if (event.kind === 'accepted' && event.endpoint === 'hb_back') return;
    dispatch(heartbeat, event);
  };
  for (let i = 0; i < 20; i++) network.breakOneSession();
  network.run(60 * SECOND);

  expect(watchers[0]!.reports[0]).toMatchObject({ target: 2, alive: false });
  expect(watchers[1]!.reports[0]).toMatchObject({ target: 2, alive: false });
});

test('silence is measured however long the grace is', () => {
  const { network, watchers } = cluster(3, { osd_heartbeat_grace: 900 });
  network.run(10 * SECOND);
  watchers[2]!.node.hung = true;
  network.run(890 * SECOND);
  expect(watchers[0]!.reports).toEqual([]);
  network.run(20 * SECOND);

  expect(watchers[0]!.reports[0]).toMatchObject({ target: 2 });
});

const seeds = Array.from({ length: 40 }, (_, i) => 700 + i);

test.each(seeds)(
  'whoever is stopped, those who run are never blamed, and who is stopped for long is (seed %i)',
  (seed) => {
    const count = 3 + (seed % 3);
    const { network, watchers } = cluster(count, {}, seed);
    network.latency = [500, SECOND / 2, 2 * SECOND][seed % 3]!;
    network.run(20 * SECOND);
    const running = watchers.slice(0, 2);
    const troubled = watchers.slice(2);

    for (let i = 0; i < 30; i++) {
      for (const { node } of troubled) node.hung = network.below(2) === 0;
      network.run(network.below(25 * SECOND));
    }
    for (const { node } of troubled) node.hung = false;
    network.run(40 * SECOND);
    const blamed = new Set(watchers.flatMap(({ reports }) => reports.map(({ target }) => target)));
    expect([...blamed].filter((osd) => osd < running.length)).toEqual([]);
    // Every report was withdrawn when its target answered again.
    for (const { reports } of watchers) {
      for (const osd of blamed) expect(reports.findLast(({ target }) => target === osd)?.alive ?? true).toBe(true);
    }

    troubled[0]!.node.hung = true;
    for (const { reports } of running) reports.length = 0;
    // To the first ping that is open, the grace, to the next round of reports.
    network.run((6.5 + 20 + 7) * SECOND + network.latency);
    for (const { reports } of running) expect(reports[0]).toMatchObject({ target: 2, immediate: false, alive: false });
  },
);

test('pings are answered before an OSD is up, and not while its own work is stuck', () => {
  const { network, watchers } = cluster(3);
  watchers[2]!.isPinging = false;
  network.run(60 * SECOND);
  expect(watchers[0]!.reports).toEqual([]);

  watchers[2]!.isAnswering = false;
  network.run(40 * SECOND);

  expect(watchers[0]!.reports[0]).toMatchObject({ target: 2, alive: false });
});

test('an OSD that is down is answered, and told of the map that has it down', () => {
  const { network, watchers } = cluster(3);
  network.run(5 * SECOND);
  for (const watcher of watchers.slice(0, 2)) {
    learn(watcher, mapOf(9, [watchers[0]!.node, watchers[1]!.node, undefined]));
  }
  const said = new Set<string>();
  watchers[2]!.node.onEvent = (event) => {
    if (event.kind === 'message' && event.message.type === 'osd_ping') said.add(event.message.op);
    dispatch(watchers[2]!.heartbeat, event);
  };
  network.run(60 * SECOND);

  expect([...said].sort()).toEqual(['pingReply', 'youDied']);
  expect(watchers[2]!.heard).toContain('newer 9');
  expect(watchers[2]!.reports).toEqual([]);
});

test('peers count as healthy once they have answered on both networks, and no longer than that', () => {
  const { network, watchers } = cluster(4);
  const [self, ...others] = watchers;
  expect(self!.heartbeat.hasHealthyPeers).toBe(false);
  network.run(10 * SECOND);
  expect(self!.heartbeat.hasHealthyPeers).toBe(true);
  self!.heartbeat.restart();
  expect(self!.heartbeat.hasHealthyPeers).toBe(false);
  network.run(SECOND);
  expect(self!.heartbeat.hasHealthyPeers).toBe(true);

  // One in three is enough, none is not.
  for (const { node } of others.slice(1)) node.hung = true;
  network.run(40 * SECOND);
  expect(self!.heartbeat.hasHealthyPeers).toBe(true);
  others[0]!.node.hung = true;
  network.run(40 * SECOND);
  expect(self!.heartbeat.hasHealthyPeers).toBe(false);
});

test('a peer that speaks for another is not listened to', () => {
  const { network, watchers } = cluster(3);
  const liar = network.addNode({ type: 'osd', id: '7' }, 55);
  const session = liar.world.net.open('hb_front', { type: 'osd', addrs: watchers[0]!.node.addrs('hb_front') });
  liar.world.net.send(session, { type: 'osd_ping', op: 'ping', osd: 1, epoch: 3, stamp: 1 });
  const answers: Message[] = [];
  liar.onEvent = (event) => void (event.kind === 'message' && answers.push(event.message));
  network.run(SECOND);

  expect(answers).toEqual([]);
  expect(watchers[0]!.heard).toEqual([]);
});
