/** A whole cluster in a simulation: its daemons, with those that run at hand for checkers. */
import type { AddrVec, OsdId, PgId, PoolId, RawString, Uuid } from '@spirula/encoding';
import { type MonMap, mapPg, type OsdMap, objectToPg } from '@spirula/maps';
import type { Message } from '@spirula/messages';
import { Mgr } from '@spirula/mgr';
import { Monitor } from '@spirula/mon';
import { createObjectStore, type ObjectStore } from '@spirula/objectstore';
import { Osd } from '@spirula/osd';
import type { ClockProfile, DiskProfile, Endpoints, ProcessSpec, SimProcess, Simulation } from '@spirula/sim-world';
import { type Config, type Daemon, type Instant, makeConfig, SECOND, type World } from '@spirula/world';
import { inSeconds } from './scenario.ts';
import { ClusterWork } from './workloads/cluster-work.ts';
import { WorkloadClient } from './workloads/workload-client.ts';
import type { WorkloadSpec } from './workloads/workload-spec.ts';

export interface ClusterConfig {
  readonly mons: number;
  readonly osds: number;
  readonly mgrs: number;
  readonly clients: number;
  readonly size: number;
  readonly minSize: number;
  readonly pgNum: number;
  readonly options: Partial<Config>;
  readonly disk: DiskProfile;
  /** One disk in so many takes longer for every flush, by this factor; 0: none does. */
  readonly slowDiskOneIn: number;
  readonly slowDiskFactor: number;
  /** How far wall clocks may be off, and by how much clocks may run fast or slow. */
  readonly wallSkewUs: Instant;
  readonly driftPpm: number;
  readonly timerSlackUs: Instant;
  readonly workloads: readonly WorkloadSpec[];
}

export interface MonPlace {
  readonly process: SimProcess;
  /** Of the current or the last run. */
  daemon: Monitor | undefined;
}

export interface OsdPlace {
  readonly id: OsdId;
  readonly process: SimProcess;
  daemon: Osd | undefined;
  store: ObjectStore | undefined;
}

export interface ClientPlace {
  readonly process: SimProcess;
  daemon: WorkloadClient | undefined;
}

const MON_PORT = 3300;
const OSD_ENDPOINTS: Endpoints = { public: 6800, cluster: 6801, hb_front: 6802, hb_back: 6803 };
const MGR_PORT = 6810;
const OSD_DEVICE_BYTES = 1 << 30;
/** How long after its end a daemon is started again. */
const RESTART_DELAY: Instant = 5 * SECOND;

export class SimCluster {
  readonly simulation: Simulation;
  readonly config: ClusterConfig;
  readonly mons: MonPlace[] = [];
  readonly osds: OsdPlace[] = [];
  readonly mgrs: SimProcess[] = [];
  readonly clients: ClientPlace[] = [];
  /** What clients do, and were told. */
  readonly work: ClusterWork;
  readonly fsid: Uuid;
  /** The pool that the clients use; set when the cluster is up. */
  pool: PoolId = 0;
  /** Called when a client is told that its write, of so many bytes, is done. */
  onAcknowledged: (object: RawString, bytes: number) => void = () => {};
  /** Whether a daemon that ends by itself is started again, as an init system does. */
  restarts = true;

  constructor(simulation: Simulation, config: ClusterConfig) {
    this.simulation = simulation;
    this.config = config;
    this.work = new ClusterWork(config.workloads, () => inSeconds(simulation.now));
    this.fsid = this.#drawUuid('fsid');
    for (let rank = 0; rank < config.mons; rank++) this.#addMon(rank);
    for (let id = 0; id < config.osds; id++) this.#addOsd(id);
    for (let i = 0; i < config.mgrs; i++) this.#addMgr(String.fromCharCode('x'.charCodeAt(0) + i));
    for (let i = 0; i < config.clients; i++) this.#addClient(i);
    simulation.onProcessExit((process, reason) => this.#onExit(process, reason));
  }

  get daemons(): readonly SimProcess[] {
    return [...this.mons, ...this.osds].map(({ process }) => process).concat(this.mgrs);
  }

  /** The newest map that a monitor which runs has. */
  get osdMap(): OsdMap | undefined {
    let newest: OsdMap | undefined;
    for (const { process, daemon } of this.mons) {
      const map = process.state === 'stopped' ? undefined : daemon?.inspect().osdMap;
      if (map && map.epoch > (newest?.epoch ?? 0)) newest = map;
    }
    return newest;
  }

  /** Who serves an object, the primary first, as the newest map has it. */
  actingFor(object: RawString): readonly OsdPlace[] {
    const pgid = this.osdMap && objectToPg(this.osdMap, this.pool, { name: object, key: '', nspace: '' });
    return pgid ? this.actingOf(pgid) : [];
  }

  /** Who serves a PG, the primary first, as the newest map has it. */
  actingOf(pgid: PgId): readonly OsdPlace[] {
    if (this.osdMap === undefined) return [];
    const { acting, actingPrimary } = mapPg(this.osdMap, pgid);
    const others = acting.filter((osd) => osd !== actingPrimary);
    return [actingPrimary, ...others].flatMap((osd) => this.osds[osd] ?? []);
  }

  #onExit(process: SimProcess, reason: string): void {
    const { entity } = process.spec;
    if (entity.type === 'client') this.work.onClientGone(clientName(entity.id));
    if (!this.restarts || reason === 'crash' || reason === 'powerLoss') return;
    const { simulation } = this;
    simulation.after(RESTART_DELAY, () => {
      if (process.state === 'stopped') process.start();
    });
  }

  // Daemons

  #addMon(rank: number): void {
    const name = String.fromCharCode('a'.charCodeAt(0) + rank);
    const place: MonPlace = {
      daemon: undefined,
      process: this.#addProcess({
        entity: { type: 'mon', id: name },
        gid: BigInt(rank),
        endpoints: { public: MON_PORT },
        make: (world) => {
          place.daemon = new Monitor(world, { name, monmap: this.#firstMonMap() });
          return place.daemon;
        },
      }),
    };
    this.mons.push(place);
  }

  #addOsd(id: OsdId): void {
    const place: OsdPlace = {
      id,
      daemon: undefined,
      store: undefined,
      process: this.#addProcess({
        entity: { type: 'osd', id: String(id) },
        gid: BigInt(id),
        endpoints: OSD_ENDPOINTS,
        deviceBytes: OSD_DEVICE_BYTES,
        make: (world) => {
          place.store = createObjectStore(world);
          place.daemon = new Osd(world, {
            id,
            uuid: this.uuidOf(id),
            fsid: this.fsid,
            monAddrs: this.#monAddrs(),
            crushLocation: new Map([
              ['root', 'default'],
              ['host', `host${id}`],
            ]),
            store: place.store,
          });
          return place.daemon;
        },
      }),
    };
    this.osds.push(place);
  }

  #addMgr(name: string): void {
    this.mgrs.push(
      this.#addProcess({
        entity: { type: 'mgr', id: name },
        endpoints: { public: MGR_PORT },
        make: (world) => new Mgr(world, { name, fsid: this.fsid, monAddrs: this.#monAddrs() }),
      }),
    );
  }

  #addClient(number: number): void {
    const { simulation } = this;
    const random = simulation.random(`workload ${number}`);
    const place: ClientPlace = {
      daemon: undefined,
      process: this.#addProcess({
        entity: { type: 'client', id: `${number}` },
        endpoints: { public: 'dial' },
        make: (world) => {
          place.daemon = new WorkloadClient(world, {
            name: clientName(`${number}`),
            monAddrs: this.#monAddrs(),
            fsid: this.fsid,
            work: this.work,
            random,
            onViolation: (problem) => simulation.addViolation(problem),
            onAcknowledged: (object, bytes) => this.onAcknowledged(object, bytes),
          });
          return place.daemon;
        },
      }),
    };
    this.clients.push(place);
  }

  #addProcess(
    spec: Pick<ProcessSpec, 'entity' | 'gid' | 'endpoints'> & {
      readonly deviceBytes?: number;
      readonly make: (world: World<Message>) => Daemon<Message>;
    },
  ): SimProcess {
    const { options } = this.config;
    const name = `${spec.entity.type}.${spec.entity.id}`;
    return this.simulation.addProcess({
      deviceBytes: 0,
      ...spec,
      config: makeConfig(options),
      disk: this.#drawDisk(name),
      clock: this.#drawClock(name),
    });
  }

  #drawDisk(name: string): DiskProfile {
    const { disk, slowDiskOneIn, slowDiskFactor } = this.config;
    if (!this.simulation.random(`disk profile ${name}`).oneIn(slowDiskOneIn)) return disk;
    const [min, max] = disk.flushUs;
    return { ...disk, flushUs: [min * slowDiskFactor, max * slowDiskFactor] };
  }

  #drawClock(name: string): ClockProfile {
    const { wallSkewUs, driftPpm, timerSlackUs } = this.config;
    const random = this.simulation.random(`clock ${name}`);
    return {
      wallSkewUs: random.between(-wallSkewUs, wallSkewUs),
      driftPpm: random.between(-driftPpm, driftPpm),
      timerSlackUs,
    };
  }

  #monAddrs(): AddrVec[] {
    return this.mons.map(({ process }) => process.addrs('public'));
  }

  #firstMonMap(): MonMap {
    const stamp = { sec: 0, nsec: 0 };
    return {
      fsid: this.fsid,
      epoch: 1,
      lastChanged: stamp,
      created: stamp,
      persistentFeatures: 0xffn,
      optionalFeatures: 0n,
      mons: new Map(
        this.mons.map(({ process }) => {
          const name = process.spec.entity.id;
          const addrs = process.addrs('public');
          return [name, { name, addrs, priority: 0, weight: 0, crushLocation: new Map() }];
        }),
      ),
      ranks: this.mons.map(({ process }) => process.spec.entity.id),
      minMonRelease: 16,
      removedRanks: [],
      electionStrategy: 1,
      disallowedLeaders: [],
      stretchMode: false,
      tiebreaker: '',
      stretchMarkedDown: [],
    };
  }

  uuidOf(id: OsdId): Uuid {
    return this.#drawUuid(`uuid osd.${id}`);
  }

  #drawUuid(name: string): Uuid {
    const random = this.simulation.random(name);
    return Uint8Array.from({ length: 16 }, () => random.below(256));
  }
}

/** As a client marks what it writes. */
function clientName(id: string): string {
  return `c${id}`;
}
