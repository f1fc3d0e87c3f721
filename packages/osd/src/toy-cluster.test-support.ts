/** Whole OSDs against clients that know what they wrote, for tests in virtual time. */
import { compareVersions, crc32c, formatPgId, type OsdId, toHex } from '@spirula/encoding';
import { type HObject, mapPg, type Pool, PoolFlag, PoolType } from '@spirula/maps';
import { createObjectStore, type ObjectStore, UnreadableObject } from '@spirula/objectstore';
import { type Config, SECOND } from '@spirula/world';
import { expect } from 'vitest';
import { isPgMeta } from './object-id.ts';
import { Osd } from './osd.ts';
import { ToyClient } from './toy-client.test-support.ts';
import { ToyDisk } from './toy-disk.test-support.ts';
import { FSID, ToyMonitor } from './toy-monitor.test-support.ts';
import { ToyNetwork, type ToyNode } from './toy-network.test-support.ts';

const POOL = 1;

export interface ClusterShape {
  readonly osds: number;
  readonly size: number;
  readonly minSize: number;
  readonly pgNum?: number;
  readonly clients?: number;
  /** Of each client. */
  readonly objects?: number;
  readonly options?: Partial<Config>;
}

function replicatedPool({ size, minSize, pgNum = 8 }: ClusterShape): Pool {
  const version = { epoch: 0, version: 0 };
  return {
    type: PoolType.replicated,
    size,
    minSize,
    crushRule: 0,
    objectHash: 2,
    pgNum,
    pgpNum: pgNum,
    pgNumTarget: pgNum,
    pgpNumTarget: pgNum,
    pgNumPending: pgNum,
    lastChange: 1,
    snapSeq: 0n,
    snapEpoch: 0,
    snaps: new Map(),
    removedSnaps: [],
    auid: 0n,
    flags: PoolFlag.hashpspool,
    quotaMaxBytes: 0,
    quotaMaxObjects: 0,
    tiers: [],
    tierOf: -1,
    cacheMode: 0,
    readTier: -1,
    writeTier: -1,
    properties: new Map(),
    hitSetParams: Uint8Array.of(1, 1, 1, 0, 0, 0, 0),
    hitSetPeriod: 0,
    hitSetCount: 0,
    stripeWidth: 0,
    targetMaxBytes: 0,
    targetMaxObjects: 0,
    cacheTargetDirtyRatioMicro: 0,
    cacheTargetFullRatioMicro: 0,
    cacheMinFlushAge: 0,
    cacheMinEvictAge: 0,
    erasureCodeProfile: '',
    lastForceResendPreluminous: 0,
    minReadRecencyForPromote: 0,
    expectedNumObjects: 0,
    cacheTargetDirtyHighRatioMicro: 0,
    minWriteRecencyForPromote: 0,
    useGmtHitset: true,
    fastRead: false,
    hitSetGradeDecayRate: 0,
    hitSetSearchLastN: 0,
    opts: new Map(),
    lastForceResendPrenautilus: 0,
    applicationMetadata: new Map(),
    createTime: { sec: 1, nsec: 0 },
    lastForceResend: 0,
    pgAutoscaleMode: 0,
    lastPgMergeMeta: {
      sourcePgid: { pool: 0, seed: 0 },
      readyEpoch: 0,
      lastEpochStarted: 0,
      lastEpochClean: 0,
      sourceVersion: version,
      targetVersion: version,
    },
  };
}

/** Of what a world offers the store asks for checksums; for hashes only with names longer than these tests have. */
const crypto = { crc32c };

export interface Place {
  readonly disk: ToyDisk;
  node: ToyNode | undefined;
  osd: Osd | undefined;
  store: ObjectStore | undefined;
  /** When it last hung or was started. */
  troubledAt: number;
}

/** OSDs, a monitor, and clients that know what they wrote. */
export class Cluster {
  readonly network: ToyNetwork;
  readonly monitor: ToyMonitor;
  readonly places: Place[];
  readonly clients: ToyClient[];
  readonly history: string[] = [];
  /** Of OSDs that ran and answered. */
  readonly falseReports: string[] = [];
  readonly #options: Partial<Config>;
  readonly #pgNum: number;
  #nonce = 100;

  constructor(seed: number, shape: ClusterShape) {
    const { osds, pgNum = 8, clients = 2, objects = 6, options = {} } = shape;
    this.network = new ToyNetwork(seed);
    this.#options = options;
    this.#pgNum = pgNum;
    this.monitor = new ToyMonitor(this.network, osds, new Map([[POOL, replicatedPool(shape)]]));
    const latency = 200 << this.network.below(8);
    this.places = Array.from({ length: osds }, () => ({
      disk: new ToyDisk(this.network, latency),
      node: undefined,
      osd: undefined,
      store: undefined,
      troubledAt: 0,
    }));
    this.monitor.onReport = ({ reporter, target, targetAddrs }) => {
      const { node, troubledAt } = this.places[target]!;
      const isWell =
        node?.nonce === targetAddrs[0]?.nonce && !node?.hung && this.network.now - troubledAt > 10 * SECOND;
      if (isWell) this.falseReports.push(`${this.network.now / SECOND}: osd.${target} by osd.${reporter}`);
    };
    for (let osd = 0; osd < osds; osd++) this.boot(osd);
    this.clients = Array.from(
      { length: clients },
      (_, i) => new ToyClient(this.network, this.monitor, i + 1, POOL, objects),
    );
  }

  note(what: string): void {
    this.history.push(`${(this.network.now / SECOND).toFixed(3)} ${what}`);
  }

  boot(id: OsdId): void {
    const place = this.places[id]!;
    if (place.osd) return;
    this.note(`boot osd.${id}`);
    const lifecycle = { stop: () => this.crash(id) };
    const node = this.network.addNode({ type: 'osd', id: String(id) }, ++this.#nonce, this.#options, (self) => ({
      ...place.disk.attach(self),
      crypto: crypto as never,
      lifecycle,
    }));
    place.node = node;
    place.troubledAt = this.network.now;
    place.store = createObjectStore(node.world);
    const osd = new Osd(node.world, {
      id,
      uuid: new Uint8Array(16).fill(id + 1),
      fsid: FSID,
      monAddrs: [this.monitor.addrs],
      crushLocation: new Map(),
      store: place.store,
    });
    place.osd = osd;
    node.onEvent = (event) => {
      osd.handle(event);
      osd.checkPgInvariants();
    };
    osd.start();
  }

  crash(id: OsdId): void {
    const place = this.places[id]!;
    if (!place.node) return;
    this.note(`crash osd.${id}`);
    this.network.kill(place.node);
    place.disk.crash();
    place.node = undefined;
    place.osd = undefined;
  }

  get running(): number {
    return this.places.filter(({ node }) => node && !node.hung).length;
  }

  misbehave(mayLose: number): void {
    const { network } = this;
    const id = network.below(this.places.length);
    const node = this.places[id]!.node;
    switch (network.below(10)) {
      case 0:
      case 1:
        if (this.places.length - this.running < mayLose) this.crash(id);
        break;
      case 2:
        if (this.places.length - this.running < mayLose && node) {
          this.note(`hang osd.${id}`);
          node.hung = true;
        }
        break;
      case 3:
        if (node?.hung) this.wake(id);
        break;
      case 4:
      case 5:
        this.boot(id);
        break;
      case 6:
        for (let i = network.below(6); i >= 0; i--) network.breakOneSession();
        break;
      case 7:
        // What was just acknowledged is durable, or else it is lost now.
        this.clients[0]!.onceWritten = () => this.failPower();
        break;
      case 8:
        this.note(`mark osd.${id} down`);
        this.monitor.markDown(id);
        break;
      default:
        this.note(`reweight osd.${id}`);
        this.monitor.setWeight(id, network.below(3) === 0 ? 0 : 0x10000);
    }
  }

  failPower(): void {
    this.note('power fails everywhere');
    for (let id = 0; id < this.places.length; id++) this.crash(id);
    for (let id = 0; id < this.places.length; id++) this.boot(id);
  }

  wake(id: OsdId): void {
    const node = this.places[id]!.node;
    if (!node?.hung) return;
    this.note(`wake osd.${id}`);
    this.places[id]!.troubledAt = this.network.now;
    node.hung = false;
  }

  heal(): void {
    this.clients[0]!.onceWritten = undefined;
    this.note('heal');
    for (let id = 0; id < this.places.length; id++) {
      this.wake(id);
      this.boot(id);
      this.monitor.setWeight(id, 0x10000);
    }
  }

  /** PGs whose primary does not have them clean. */
  unclean(): string[] {
    const unclean: string[] = [];
    for (let seed = 0; seed < this.#pgNum; seed++) {
      const pgid = { pool: POOL, seed };
      const { actingPrimary } = mapPg(this.monitor.map, pgid);
      const pg = this.places[actingPrimary]?.osd?.inspect().pgs.find((each) => each.pgid === formatPgId(pgid));
      if (pg?.state !== 'active+clean') unclean.push(`${formatPgId(pgid)} on osd.${actingPrimary}: ${pg?.state}`);
    }
    return unclean;
  }

  /** Objects of which two OSDs have different copies, or one has none. A copy that cannot be read is not compared. */
  differences(): string[] {
    const found: string[] = [];
    for (let seed = 0; seed < this.#pgNum; seed++) {
      const pgid = { pool: POOL, seed };
      const { acting } = mapPg(this.monitor.map, pgid);
      const copies = acting.map((osd) => describeCopies(this.places[osd]!.store!, formatPgId(pgid)));
      for (const name of new Set(copies.flatMap((each) => [...each.keys()]))) {
        const readable = copies.map((each) => each.get(name) ?? 'none').filter((copy) => copy !== UNREADABLE);
        if (readable.some((copy) => copy !== readable[0])) found.push(`${formatPgId(pgid)}: ${readable.join(' | ')}`);
      }
    }
    return found;
  }

  /** Objects reported as unfound, and those of them of which an OSD that serves their PG has the very copy that is sought. */
  unfound(): { readonly count: number; readonly wronged: readonly string[] } {
    const wronged: string[] = [];
    let count = 0;
    for (const { osd } of this.places) {
      for (const { pgid, acting, unfound } of osd?.inspect().pgs ?? []) {
        for (const { oid, need } of unfound()) {
          count += 1;
          for (const member of acting) {
            const { store, osd: other } = this.places[member]!;
            const objects = other!
              .inspect()
              .pgs.find((pg) => pg.pgid === pgid)!
              .objects();
            const copy = objects.find((each) => each.oid.name === oid.name)?.version;
            const isSought = copy !== undefined && compareVersions(copy, need) === 0;
            if (isSought && describeCopy(store!, pgid, oid) !== UNREADABLE) {
              wronged.push(`${pgid}: osd.${member} has ${oid.name}`);
            }
          }
        }
      }
    }
    return { count, wronged };
  }

  /** Names of objects with a copy that cannot be read, once for each. */
  unreadable(): string[] {
    const names: string[] = [];
    for (let seed = 0; seed < this.#pgNum; seed++) {
      const pgid = { pool: POOL, seed };
      for (const osd of mapPg(this.monitor.map, pgid).acting) {
        const copies = describeCopies(this.places[osd]!.store!, formatPgId(pgid));
        for (const [name, copy] of copies) if (copy === UNREADABLE) names.push(name);
      }
    }
    return names;
  }
}

const UNREADABLE = 'unreadable';

/** By name. */
function describeCopies(store: ObjectStore, cid: string): Map<string, string> {
  const copies = new Map<string, string>();
  for (const oid of store.list(cid, undefined, 10_000)) {
    if (!isPgMeta(oid)) copies.set(oid.name, describeCopy(store, cid, oid));
  }
  return copies;
}

function describeCopy(store: ObjectStore, cid: string, oid: HObject): string {
  const { size } = store.stat(cid, oid)!;
  try {
    const digest = crc32c(store.read(cid, oid, 0, size), 0);
    const attrs = [...store.getAttrs(cid, oid)].map(([name, value]) => `${name}=${toHex(value)}`).sort();
    const omap = [...store.omapList(cid, oid, '', 100_000)].map(([key, value]) => `${key}=${toHex(value)}`);
    const header = toHex(store.omapHeader(cid, oid));
    return `${oid.pool} ${oid.name} ${size} ${digest} ${attrs.join()} ${header} ${omap.join()}`;
  } catch (error) {
    if (error instanceof UnreadableObject) return UNREADABLE;
    throw error;
  }
}

/** Waits until all PGs are clean, so many seconds at most. */
export function settle(cluster: Cluster, seconds: number): void {
  for (let i = 0; i < seconds && cluster.unclean().length > 0; i++) cluster.network.run(SECOND);
}

/** What must hold when all of the copies of some objects may have been lost: what is served is right, the rest reported. */
export function checkReported(cluster: Cluster, seed: number): 'whole' | 'unfound' {
  const { count, wronged } = cluster.unfound();
  if (count === 0) {
    check(cluster, seed);
    return 'whole';
  }
  const story = `seed ${seed}\n${cluster.history.slice(-60).join('\n')}`;
  for (const client of cluster.clients) client.stopped = true;
  cluster.network.run(5 * SECOND);
  for (const client of cluster.clients) client.readAll();
  cluster.network.run(5 * SECOND);
  expect(wronged, story).toEqual([]);
  const unclean = cluster.unclean();
  expect(unclean.length, story).toBeGreaterThan(0);
  expect(
    unclean.filter((line) => !line.includes('recovery_unfound')),
    story,
  ).toEqual([]);
  expect(
    cluster.clients.flatMap((client) => client.violations),
    story,
  ).toEqual([]);
  return 'unfound';
}

/** What must hold once nothing is in the way any more: all is clean, served, and the same on every member. */
export function check(cluster: Cluster, seed: number): void {
  const story = `seed ${seed}\n${cluster.history.slice(-60).join('\n')}`;
  expect(cluster.unclean(), story).toEqual([]);
  expect(cluster.falseReports, story).toEqual([]);
  for (const client of cluster.clients) client.stopped = true;
  cluster.network.run(5 * SECOND);
  expect(
    cluster.clients.map((client) => client.inflight),
    story,
  ).toEqual(cluster.clients.map(() => 0));
  for (const client of cluster.clients) client.readAll();
  cluster.network.run(5 * SECOND);
  expect(
    cluster.clients.map((client) => client.inflight),
    story,
  ).toEqual(cluster.clients.map(() => 0));
  expect(
    cluster.clients.flatMap((client) => client.violations),
    story,
  ).toEqual([]);
  expect(cluster.differences(), story).toEqual([]);
}
