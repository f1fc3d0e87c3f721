import { EMPTY, type OsdId } from '@spirula/encoding';
import { emptyOsdMap, MIN_HOBJECT, type OsdInfo, type OsdMap, OsdState, osdUp } from '@spirula/maps';
import type { Message, OsdPeerMessage } from '@spirula/messages';
import { SECOND, type WorldEvent } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import { PeerLinks } from './peer-links.ts';
import { ToyNetwork, type ToyNode } from './toy-network.test-support.ts';

const OSDS = 3;
/** More than there are in a test: two epochs go into one number. */
const EPOCHS = 4096;

function dispatch(links: PeerLinks, event: WorldEvent<Message>): void {
  if (event.kind === 'accepted') links.onAccepted(event.session, event.peer);
  else if (event.kind === 'message') links.onMessage(event.session, event.message);
  else if (event.kind === 'reset') links.onReset(event.session, event.reason);
  else if (event.kind === 'drained') links.onDrained(event.session);
  else if (event.kind === 'timer') links.onTimer(event.name);
}

interface Record {
  readonly from: OsdId;
  readonly fromUp: number;
  readonly to: OsdId;
  readonly toUp: number;
  readonly n: number;
}

interface Process {
  readonly osd: OsdId;
  readonly node: ToyNode;
  readonly links: PeerLinks;
  map: OsdMap;
}

/** Three OSDs that come and go, and the maps that say so, which reach each of them when it suits the seed. */
class Cluster {
  readonly network: ToyNetwork;
  readonly sent: Record[] = [];
  readonly received: Record[] = [];
  readonly processes: (Process | undefined)[] = [];
  onLeases: (epoch: number) => void = () => {};
  onPush: (seed: number) => void = () => {};
  readonly #nodes: (ToyNode | undefined)[] = [];
  readonly #upFrom: number[] = [];
  #nonce = 100;
  #count = 0;
  map: OsdMap = emptyOsdMap(new Uint8Array(16));

  constructor(seed: number) {
    this.network = new ToyNetwork(seed);
    for (let osd = 0; osd < OSDS; osd++) this.boot(osd);
  }

  #publish(): void {
    const epoch = this.map.epoch + 1;
    const info = (upFrom: number): OsdInfo => ({
      lastCleanBegin: 0,
      lastCleanEnd: 0,
      upFrom,
      upThru: 0,
      downAt: 0,
      lostAt: 0,
    });
    const map: OsdMap = {
      ...this.map,
      epoch,
      maxOsd: OSDS,
      osdState: Array.from({ length: OSDS }, (_, osd) => OsdState.exists | (this.#nodes[osd] ? OsdState.up : 0)),
      osdInfo: Array.from({ length: OSDS }, (_, osd) => info(this.#upFrom[osd] ?? 0)),
      clusterAddrs: Array.from({ length: OSDS }, (_, osd) => this.#nodes[osd]?.addrs('cluster') ?? []),
    };
    this.map = map;
    for (const process of this.processes) {
      if (process) this.network.at(this.network.now + this.network.below(200_000), () => this.#learn(process, map));
    }
  }

  #learn(process: Process, map: OsdMap): void {
    if (map.epoch <= process.map.epoch || process.node.dead) return;
    process.map = map;
    process.links.onMap(map);
    process.links.deliverEarly();
  }

  markDown(osd: OsdId): void {
    this.#nodes[osd] = undefined;
    this.#publish();
  }

  /** Marks the process up that runs. */
  markUp(osd: OsdId): void {
    const process = this.processes[osd];
    if (!process || this.#nodes[osd]) return;
    this.#nodes[osd] = process.node;
    this.#upFrom[osd] = this.map.epoch + 1;
    this.#publish();
  }

  kill(osd: OsdId): void {
    const process = this.processes[osd];
    if (!process) return;
    this.network.kill(process.node);
    this.processes[osd] = undefined;
  }

  boot(osd: OsdId): void {
    if (this.processes[osd]) return;
    const node = this.network.addNode({ type: 'osd', id: String(osd) }, ++this.#nonce);
    const host = {
      whoami: osd,
      world: node.world,
      get map() {
        return process.map.epoch === 0 ? undefined : process.map;
      },
      onPeerMessage: (from: OsdId, message: OsdPeerMessage) => this.#onDelivered(process, from, message),
      onPeerMaps: () => {},
      wantMap: () => {},
      onStalePeer: () => {},
      onRefused: () => {},
    };
    const process: Process = { osd, node, map: this.map, links: new PeerLinks(host) };
    node.onEvent = (event) => dispatch(process.links, event);
    if (this.map.epoch > 0) process.links.onMap(this.map);
    this.processes[osd] = process;
    if (this.#nodes[osd]) this.markDown(osd);
    this.markUp(osd);
  }

  send(from: OsdId, to: OsdId): void {
    const process = this.processes[from];
    if (!process) return;
    const { map } = process;
    const [fromUp, toUp] = [map.osdInfo[from]?.upFrom ?? 0, map.osdInfo[to]?.upFrom ?? 0];
    if (!osdUp(map, from) || !osdUp(map, to)) return;
    // A process that has not seen its own boot yet does not speak.
    if (map.clusterAddrs[from]![0]!.nonce !== process.node.nonce) return;
    const n = ++this.#count;
    this.sent.push({ from, fromUp, to, toUp, n });
    process.links.send(to, { type: 'pg_remove', pgid: { pool: fromUp * EPOCHS + toUp, seed: n }, epoch: map.epoch });
  }

  #onDelivered(process: Process, from: OsdId, message: OsdPeerMessage): void {
    if (message.type === 'pg_leases') this.onLeases(message.epoch);
    if (message.type === 'pg_push') this.onPush(message.pgid.seed);
    if (message.type === 'pg_leases' || message.type === 'pg_lease_acks' || message.type === 'pg_push') return;
    if (message.type !== 'pg_remove') throw new Error(`a ${message.type} nobody sent`);
    const { pool, seed: n } = message.pgid;
    const [fromUp, toUp] = [Math.floor(pool / EPOCHS), pool % EPOCHS];
    expect(message.epoch, 'no message is ahead of the map').toBeLessThanOrEqual(process.map.epoch);
    this.received.push({ from, fromUp, to: process.osd, toUp, n });
  }
}

function between(records: readonly Record[], of: Omit<Record, 'n'>): number[] {
  return records
    .filter((r) => r.from === of.from && r.to === of.to && r.fromUp === of.fromUp && r.toUp === of.toUp)
    .map((r) => r.n);
}

function misbehave(cluster: Cluster): void {
  const { network } = cluster;
  const osd = network.below(OSDS);
  switch (network.below(24)) {
    case 0:
      cluster.kill(osd);
      break;
    case 1:
    case 2:
      cluster.boot(osd);
      break;
    case 3:
      cluster.markDown(osd);
      break;
    case 4:
    case 5:
      cluster.markUp(osd);
      break;
    case 6:
    case 7:
    case 8:
      network.breakOneSession();
      break;
    default:
      for (let i = network.below(30); i >= 0; i--) cluster.send(osd, (osd + 1 + network.below(OSDS - 1)) % OSDS);
  }
}

describe('links between OSDs', () => {
  const seeds = Array.from({ length: 60 }, (_, i) => 500 + i);

  test.each(seeds)('deliver once and in order whatever breaks (seed %i)', (seed) => {
    const cluster = new Cluster(seed);
    cluster.network.run(SECOND);
    for (let i = 0; i < 250; i++) {
      misbehave(cluster);
      cluster.network.run(cluster.network.below(60_000));
    }
    for (let osd = 0; osd < OSDS; osd++) cluster.boot(osd);
    for (let osd = 0; osd < OSDS; osd++) cluster.markUp(osd);
    cluster.network.run(5 * SECOND);
    for (let i = 0; i < 20; i++) cluster.send(i % OSDS, (i + 1) % OSDS);
    cluster.network.run(5 * SECOND);

    expect(cluster.received.length).toBeGreaterThan(100);
    for (const record of cluster.received) {
      const sent = between(cluster.sent, record);
      const received = between(cluster.received, record);
      expect(received).toEqual(sent.slice(0, received.length));
    }
    for (let from = 0; from < OSDS; from++) {
      for (let to = 0; to < OSDS; to++) {
        const living = { from, to, fromUp: cluster.map.osdInfo[from]!.upFrom, toUp: cluster.map.osdInfo[to]!.upFrom };
        expect(between(cluster.received, living)).toEqual(between(cluster.sent, living));
      }
    }
  });

  test('what a peer does not read is bounded: leases are sent anew only when the last have arrived', () => {
    const cluster = new Cluster(1);
    cluster.network.run(SECOND);
    const { links } = cluster.processes[0]!;
    const heard: number[] = [];
    cluster.onLeases = (epoch) => heard.push(epoch);
    cluster.send(0, 1);
    cluster.network.run(SECOND);
    cluster.processes[1]!.node.hung = true;

    for (let round = 1; round <= 1000; round++) {
      links.send(1, { type: 'pg_leases', epoch: cluster.map.epoch, leases: [] });
      links.send(1, { type: 'pg_lease_acks', epoch: cluster.map.epoch, acks: [] });
      cluster.network.run(SECOND);
    }
    expect(links.unacked).toBe(2);

    cluster.processes[1]!.node.hung = false;
    cluster.network.run(SECOND);
    expect([links.unacked, heard.length]).toEqual([0, 1]);
    links.send(1, { type: 'pg_leases', epoch: cluster.map.epoch, leases: [] });
    cluster.network.run(SECOND);
    expect(heard.length).toBe(2);
  });

  test('what a peer has not read goes when it is marked down', () => {
    const cluster = new Cluster(1);
    cluster.network.run(SECOND);
    const { links } = cluster.processes[0]!;
    cluster.processes[1]!.node.hung = true;
    for (let i = 0; i < 500; i++) cluster.send(0, 1);
    const maps = { incrementals: new Map([[4, EMPTY]]), fulls: new Map(), gapRemovedSnaps: new Map() };
    links.send(1, { type: 'osd_map', fsid: EMPTY, oldest: 1, newest: 4, ...maps });
    expect([links.unacked, links.mapsSentTo(1)]).toEqual([501, 4]);
    cluster.markDown(1);
    cluster.network.run(SECOND);

    expect([links.unacked, links.mapsSentTo(1)]).toEqual([0, 0]);
  });

  test('what is ahead of the map is kept up to a bound; the rest comes again when the map is there', () => {
    const cluster = new Cluster(1);
    cluster.network.run(SECOND);
    const { network } = cluster;
    const ahead = cluster.map.epoch + 1;
    const part = { oid: MIN_HOBJECT, version: { epoch: 1, version: 1 }, extents: [], size: 0, first: true, last: true };
    const rest = { attrs: new Map(), omapHeader: EMPTY, omap: new Map() };
    const data = new Uint8Array(1 << 20);
    const push = (seed: number): OsdPeerMessage => ({
      type: 'pg_push',
      pgid: { pool: 1, seed },
      epoch: ahead,
      part: { ...part, ...rest, data },
      next: { offset: data.length, omapAfter: undefined },
    });
    const got: number[] = [];
    cluster.onPush = (seed) => got.push(seed);
    for (let seed = 0; seed < 200; seed++) cluster.processes[0]!.links.send(1, push(seed));
    network.run(20 * SECOND);
    expect(got).toEqual([]);
    // Taken in are as many as there is room for.
    expect(cluster.processes[0]!.links.unacked).toBe(200 - 64);

    cluster.processes[1]!.map = { ...cluster.map, epoch: ahead };
    cluster.processes[1]!.links.deliverEarly();
    network.run(20 * SECOND);
    expect(got).toEqual(Array.from({ length: 200 }, (_, seed) => seed));
  });

  test('messages to an OSD that is down are dropped', () => {
    const cluster = new Cluster(1);
    cluster.network.run(SECOND);
    cluster.markDown(1);
    cluster.network.run(SECOND);

    cluster.processes[0]!.links.send(1, { type: 'pg_remove', pgid: { pool: 0, seed: 0 }, epoch: 0 });
    cluster.network.run(SECOND);

    expect(cluster.received).toEqual([]);
  });
});
