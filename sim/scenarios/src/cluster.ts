/** A whole cluster in a simulation: its daemons, with those that run at hand for checkers. */
import type { Keyring } from '@spirula/auth';
import {
  type AddrVec,
  EMPTY,
  type OsdId,
  type PgId,
  type PoolId,
  parsePgId,
  type RawString,
  type Uuid,
} from '@spirula/encoding';
import { type MonMap, mapPg, type OsdMap, objectToPg } from '@spirula/maps';
import type { Message } from '@spirula/messages';
import { Mgr } from '@spirula/mgr';
import { Monitor } from '@spirula/mon';
import type { CommandResult } from '@spirula/mon-client';
import { createObjectStore, type ObjectStore } from '@spirula/objectstore';
import { Osd, type PgInspection } from '@spirula/osd';
import type { RadosOptions } from '@spirula/rados';
import {
  type ClockProfile,
  type DiskProfile,
  type Endpoints,
  Layers,
  type ProcessSpec,
  type SimProcess,
  type Simulation,
  toTraceValue,
  type Undo,
} from '@spirula/sim-world';
import { type Config, type Daemon, type Instant, makeConfig, SECOND, type World } from '@spirula/world';
import { ClusterKeys } from './cluster-keys.ts';
import type { ClusterSpec } from './cluster-spec.ts';
import { MonOperator, type MonPlace } from './mon-operator.ts';
import { diskOf } from './profiles.ts';
import { inSeconds } from './span.ts';
import { ClusterWork } from './workloads/cluster-work.ts';
import { WorkloadClient } from './workloads/workload-client.ts';

export interface OsdPlace {
  readonly id: OsdId;
  /** How many OSDs have had this number before. */
  generation: number;
  /** Its disk is gone, and none has taken its place: it is not started. */
  isDiskless: boolean;
  readonly process: SimProcess;
  daemon: Osd | undefined;
  store: ObjectStore | undefined;
}

export interface ClientPlace {
  readonly process: SimProcess;
  daemon: WorkloadClient | undefined;
}

/** A request of a client that was answered. */
export interface Answer {
  readonly client: string;
  readonly kind: 'write' | 'read';
  /** How long the client waited. */
  readonly tookUs: Instant;
}

const MON_PORT = 3300;
const OSD_ENDPOINTS: Endpoints = { public: 6800, cluster: 6801, hb_front: 6802, hb_back: 6803 };
const MGR_PORT = 6810;
/** How long after its end a daemon is started again. */
const RESTART_DELAY: Instant = 5 * SECOND;

export class SimCluster {
  readonly simulation: Simulation;
  readonly spec: ClusterSpec;
  readonly mons: MonPlace[] = [];
  readonly osds: OsdPlace[] = [];
  readonly mgrs: SimProcess[] = [];
  readonly clients: ClientPlace[] = [];
  readonly gateways: SimProcess[] = [];
  /** What clients do, and were told. */
  readonly work: ClusterWork;
  readonly fsid: Uuid;
  /** Adds and removes monitors. */
  readonly monOperator: MonOperator;
  readonly #keys: ClusterKeys;
  /** The pool that the clients use; set when the cluster is up. */
  pool: PoolId = 0;
  /** Called when a client is told that its write, of so many bytes, is done. */
  onAcknowledged: (object: RawString, bytes: number) => void = () => {};
  #answers: Answer[] = [];
  /** Processes that were told to stop, and do so until somebody starts them. */
  readonly #atRest = new Set<SimProcess>();
  /** Those that were struck down, by as many as have not let go. */
  readonly #holds = new Map<SimProcess, Layers<true>>();

  constructor(simulation: Simulation, spec: ClusterSpec) {
    this.simulation = simulation;
    this.spec = spec;
    this.work = new ClusterWork(spec.workloads, () => inSeconds(simulation.now));
    this.fsid = this.#drawUuid('fsid');
    this.#keys = new ClusterKeys(spec.cluster.auth, (name) => simulation.random(name));
    const { mons, spareMons, osds, mgrs, clients } = spec.cluster;
    for (let number = 0; number < mons + spareMons; number++) this.#addMon(number, number < mons);
    this.monOperator = new MonOperator(this);
    for (let id = 0; id < osds; id++) this.#addOsd(id);
    for (let i = 0; i < mgrs; i++) this.#addMgr(String.fromCharCode('x'.charCodeAt(0) + i));
    for (let i = 0; i < clients; i++) this.#addClient(i);
    simulation.onProcessExit((process, reason) => this.#onExit(process, reason));
  }

  /** Requests that were answered since this was last asked. */
  takeAnswers(): readonly Answer[] {
    const answers = this.#answers;
    if (answers.length > 0) this.#answers = [];
    return answers;
  }

  get daemons(): readonly SimProcess[] {
    return [...this.mons, ...this.osds].map(({ process }) => process).concat(this.mgrs);
  }

  /** The newest monitor map that is in force anywhere, or was before it stopped. */
  get monMap(): MonMap {
    let newest: MonMap | undefined;
    for (const { daemon } of this.mons) {
      const map = daemon?.inspect().monmap;
      if (map && map.epoch > (newest?.epoch ?? 0)) newest = map;
    }
    return newest ?? this.#firstMonMap();
  }

  /**
   * A monitor is to begin with an empty store, at another time than the first. Where that first map has it alone, it would found
   * another cluster: then whoever makes its store gives it the map as it is.
   */
  remakeMon(process: SimProcess): void {
    const place = this.mons.find((each) => each.process === process);
    if (place && (place.firstMap ?? this.#firstMonMap()).mons.size === 1) place.firstMap = this.monMap;
  }

  /** The monitors of that map. */
  get monMembers(): readonly MonPlace[] {
    const { mons } = this.monMap;
    return this.mons.filter(({ process }) => mons.has(process.spec.entity.id));
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

  /** Gives the monitors a command, at the first client; `then` learns what they say. */
  command(command: Readonly<Record<string, unknown>>, then: (reply: CommandResult) => void): void {
    const { process, daemon } = this.clients[0]!;
    process.call(() => daemon!.mon.command(command, EMPTY, then));
  }

  /** Who serves an object, the primary first, as the newest map has it. */
  actingFor(object: RawString): readonly OsdPlace[] {
    const pgid = this.pgOf(object);
    return pgid ? this.actingOf(pgid) : [];
  }

  /** Where an object of the pool that clients use belongs; undefined while there is no such pool. */
  pgOf(object: RawString): PgId | undefined {
    return this.osdMap && objectToPg(this.osdMap, this.pool, { name: object, key: '', nspace: '' });
  }

  /** Who serves a PG, the primary first, as the newest map has it. */
  actingOf(pgid: PgId): readonly OsdPlace[] {
    if (this.osdMap === undefined) return [];
    const { acting, actingPrimary } = mapPg(this.osdMap, pgid);
    const others = acting.filter((osd) => osd !== actingPrimary);
    return [actingPrimary, ...others].flatMap((osd) => this.osds[osd] ?? []);
  }

  /** An OSD's disk is gone for good, and nobody replaces it. */
  loseDisk(process: SimProcess): void {
    const place = this.osds.find((each) => each.process === process);
    if (place === undefined) return;
    place.isDiskless = true;
    process.crash();
    process.disk.wipe();
  }

  /** Nobody waits any more for what has not been answered: time must not go on after this. */
  abandonRequests(): void {
    for (const { process } of this.clients) this.work.onClientGone(clientName(process.spec.entity.id));
  }

  /** What the primary of a PG (`1.7`) says of it; undefined while none runs. */
  primaryViewOf(name: string): PgInspection | undefined {
    const pgid = parsePgId(name);
    const [primary] = pgid === undefined ? [] : this.actingOf(pgid);
    if (primary?.process.state !== 'running') return undefined;
    return primary.daemon?.inspect().pgs.find((pg) => pg.pgid === name);
  }

  /** An orderly stop, which lasts: the init system does not start it again. */
  stop(process: SimProcess): void {
    this.#atRest.add(process);
    process.terminate();
  }

  /** Whoever has struck a process down keeps it so until what is returned is called; when the last lets go, it recovers. */
  hold(process: SimProcess): Undo {
    let holds = this.#holds.get(process);
    if (holds === undefined) {
      holds = new Layers((left) => {
        if (left.length === 0) this.recover(process);
      });
      this.#holds.set(process, holds);
    }
    return holds.add(true);
  }

  /** Sets going what hangs or is stopped, however it came to be so. */
  recover(process: SimProcess): void {
    this.#atRest.delete(process);
    if (process.state === 'hung') process.resume();
    else if (process.state === 'stopped' && !this.isOutOfService(process)) process.start();
  }

  /** Where an OSD stands in the CRUSH tree, as its configuration says. */
  #locationOf(id: OsdId): ReadonlyMap<string, string> {
    const { osdsPerHost, hostsPerRack } = this.spec.cluster;
    const host = Math.floor(id / osdsPerHost);
    const rack: [string, string][] =
      hostsPerRack === undefined ? [] : [['rack', `rack${Math.floor(host / hostsPerRack)}`]];
    return new Map([['root', 'default'], ...rack, ['host', `host${host}`]]);
  }

  #onExit(process: SimProcess, reason: string): void {
    const { simulation, spec } = this;
    const { entity } = process.spec;
    if (entity.type === 'client') this.work.onClientGone(clientName(entity.id));
    if (!spec.cluster.restarts || reason === 'crash' || reason === 'powerLoss') return;
    simulation.after(RESTART_DELAY, () => {
      if (process.state === 'stopped' && !this.#atRest.has(process) && !this.isOutOfService(process)) process.start();
    });
  }

  /** Whether a process must not be started: what is on its disk is nobody's, or it is no part of the cluster. */
  isOutOfService(process: SimProcess): boolean {
    return (
      this.osds.some((place) => place.process === process && place.isDiskless) ||
      this.mons.some((place) => place.process === process && place.isRetired)
    );
  }

  // Daemons

  #addMon(number: number, isFounder: boolean): void {
    const name = String.fromCharCode('a'.charCodeAt(0) + number);
    const place: MonPlace = {
      isFounder,
      isRetired: !isFounder,
      firstMap: undefined,
      daemon: undefined,
      process: this.#addProcess({
        entity: { type: 'mon', id: name },
        gid: BigInt(number),
        endpoints: { public: MON_PORT },
        make: (world) => {
          const monmap = place.firstMap ?? this.#firstMonMap();
          place.daemon = new Monitor(world, { name, monmap, keyring: this.#firstKeyring() });
          return place.daemon;
        },
      }),
    };
    this.mons.push(place);
  }

  #addOsd(id: OsdId): void {
    const place: OsdPlace = {
      id,
      generation: 0,
      isDiskless: false,
      daemon: undefined,
      store: undefined,
      process: this.#addProcess({
        entity: { type: 'osd', id: String(id) },
        gid: BigInt(id),
        endpoints: OSD_ENDPOINTS,
        deviceBytes: this.spec.cluster.deviceBytes,
        ...rackOf(this.#locationOf(id)),
        make: (world) => {
          place.store = createObjectStore(world);
          place.daemon = new Osd(world, {
            id,
            uuid: this.uuidOf(id),
            fsid: this.fsid,
            monAddrs: this.#monAddrs(),
            key: this.#keys.of(`osd.${id}`),
            crushLocation: this.#locationOf(id),
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
        make: (world) =>
          new Mgr(world, { name, fsid: this.fsid, monAddrs: this.#monAddrs(), key: this.#keys.of(`mgr.${name}`) }),
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
            id: `${number}`,
            monAddrs: this.#monAddrs(),
            key: this.#keys.of(`client.${number}`),
            fsid: this.fsid,
            work: this.work,
            random,
            onViolation: (problem) => simulation.addViolation(problem),
            onAcknowledged: (object, bytes) => this.onAcknowledged(object, bytes),
            onRequest: (id, object, ops) => {
              const daemon = place.process.name;
              const { tracer } = simulation;
              tracer?.record({ kind: 'client', daemon, what: 'request', id, object, ops: toTraceValue(ops) });
            },
            onAnswer: ({ id, object, kind, result, tookUs }) => {
              const daemon = place.process.name;
              if (tookUs !== undefined) this.#answers.push({ client: daemon, kind, tookUs });
              simulation.tracer?.record({ kind: 'client', daemon, what: 'answer', id, object, result });
            },
          });
          return place.daemon;
        },
      }),
    };
    this.clients.push(place);
  }

  /** An object gateway: a client beside those of the workload; it is started. */
  addGateway(...[name, make]: Parameters<SimCluster['addTools']>): SimProcess {
    this.addTools(name, make);
    const process = this.simulation.processes.at(-1)!;
    this.gateways.push(process);
    return process;
  }

  /** A client beside those of the workload, such as an operator's tools; it is started. Promises may hang on its events. */
  addTools<T extends Daemon<Message>>(
    id: string,
    make: (world: World<Message>, monAddrs: AddrVec[], auth: RadosOptions['auth']) => T,
  ): T {
    const key = this.#keys.of('client.admin');
    const auth = key && { entity: { type: 'client', id: 'admin' } as const, key };
    let tools: T | undefined;
    const process = this.#addProcess({
      entity: { type: 'client', id },
      endpoints: { public: 'dial' },
      promises: true,
      make: (world) => {
        tools = make(world, this.#monAddrs(), auth);
        return tools;
      },
    });
    process.start();
    return tools!;
  }

  #addProcess(
    spec: Pick<ProcessSpec, 'entity' | 'gid' | 'endpoints' | 'promises' | 'rack'> & {
      readonly deviceBytes?: number;
      readonly make: (world: World<Message>) => Daemon<Message>;
    },
  ): SimProcess {
    const { options, cpu } = this.spec.cluster;
    const name = `${spec.entity.type}.${spec.entity.id}`;
    return this.simulation.addProcess({
      deviceBytes: 0,
      ...spec,
      ...(cpu !== undefined && { cpu }),
      config: makeConfig(options as Partial<Config>),
      disk: this.#drawDisk(name),
      clock: this.#drawClock(name),
    });
  }

  #drawDisk(name: string): DiskProfile {
    const { slowDiskOneIn, slowDiskFactor } = this.spec.cluster;
    const disk = diskOf(this.spec.cluster);
    if (!this.simulation.random(`disk profile ${name}`).oneIn(slowDiskOneIn)) return disk;
    const [min, max] = disk.flushUs;
    return { ...disk, flushUs: [min * slowDiskFactor, max * slowDiskFactor] };
  }

  #drawClock(name: string): ClockProfile {
    const { wallSkewUs, driftPpm, timerSlackUs } = this.spec.cluster;
    const random = this.simulation.random(`clock ${name}`);
    return {
      wallSkewUs: random.between(-wallSkewUs, wallSkewUs),
      driftPpm: random.between(-driftPpm, driftPpm),
      timerSlackUs,
    };
  }

  #firstKeyring(): Keyring {
    const daemons = [...this.osds, ...this.clients].map(({ process }) => process).concat(this.mgrs);
    return this.#keys.keyring(daemons.map(({ name }) => name));
  }

  get #founders(): readonly MonPlace[] {
    return this.mons.filter(({ isFounder }) => isFounder);
  }

  #monAddrs(): AddrVec[] {
    return this.#founders.map(({ process }) => process.addrs('public'));
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
        this.#founders.map(({ process }) => {
          const name = process.spec.entity.id;
          const addrs = process.addrs('public');
          return [name, { name, addrs, priority: 0, weight: 0, crushLocation: new Map() }];
        }),
      ),
      ranks: this.#founders.map(({ process }) => process.spec.entity.id),
      minMonRelease: 16,
      removedRanks: [],
      electionStrategy: 1,
      disallowedLeaders: [],
      stretchMode: false,
      tiebreaker: '',
      stretchMarkedDown: [],
    };
  }

  /** Of the OSD that has this number now. */
  uuidOf(id: OsdId): Uuid {
    const generation = this.osds[id]?.generation;
    return this.#drawUuid(generation ? `uuid osd.${id} number ${generation}` : `uuid osd.${id}`);
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

function rackOf(location: ReadonlyMap<string, string>): { readonly rack?: string } {
  const rack = location.get('rack');
  return rack === undefined ? {} : { rack };
}
