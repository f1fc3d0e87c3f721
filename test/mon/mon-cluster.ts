/** Monitors in the simulator, and peers of theirs that say what a test wants said. */
import { type AddrVec, EMPTY, type EntityName, fromUtf8, type OsdId } from '@spirula/encoding';
import { applyIncremental, decodeIncremental, decodeOsdMap, type MonMap, type OsdMap } from '@spirula/maps';
import type { Message, OsdMapMessage } from '@spirula/messages';
import { Monitor } from '@spirula/mon';
import { type CommandResult, LogClient, MonClient } from '@spirula/mon-client';
import { type DiskProfile, EXACT_CLOCK, QUICK_DISK, type SimProcess, Simulation } from '@spirula/sim-world';
import { type Config, type Daemon, makeConfig, SECOND, type World, type WorldEvent } from '@spirula/world';

const FSID = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const NEVER = { sec: 0, nsec: 0 };

export interface Answer {
  readonly code: number;
  readonly status: string;
  readonly text: string;
}

/** Somebody with a session to the monitors: a client, or an OSD or manager as far as the monitors can see. */
class Talker implements Daemon<Message> {
  readonly world: World<Message>;
  readonly mon: MonClient;
  /** Its lines in the cluster log. */
  readonly log: LogClient;
  readonly heard: Message[] = [];
  /** Kept up to date while `osdmap` is subscribed to. */
  map: OsdMap | undefined;

  constructor(world: World<Message>, monAddrs: readonly AddrVec[], name: EntityName) {
    this.world = world;
    this.mon = new MonClient({
      ...{ world, endpoint: 'public', monAddrs },
      onMessage: (message) => this.#onMessage(message),
      onSession: () => this.log.onSession(),
    });
    const addrs = () => world.net.endpoint('public');
    this.log = new LogClient({ world, mon: this.mon, fsid: FSID, name, rank: 0n, addrs });
  }

  start(): void {
    this.mon.start();
  }

  handle(event: WorldEvent<Message>): void {
    if (!this.mon.handle(event) && event.kind === 'timer') this.log.onTimer(event.name);
  }

  #onMessage(message: Message): void {
    this.heard.push(message);
    if (message.type === 'osd_map') this.#follow(message);
    else if (message.type === 'log_ack') this.log.onAck(message);
  }

  #follow({ fulls, incrementals }: OsdMapMessage): void {
    for (const [epoch, bytes] of fulls) if (epoch > (this.map?.epoch ?? 0)) this.map = decodeOsdMap(bytes);
    for (const [epoch, bytes] of incrementals) {
      if (this.map && epoch === this.map.epoch + 1) this.map = applyIncremental(this.map, decodeIncremental(bytes));
    }
    if (this.map) this.mon.gotMap('osdmap', this.map.epoch);
  }
}

export interface MonPlace {
  readonly name: string;
  readonly process: SimProcess;
  daemon: Monitor;
  /** Its disk was replaced by an empty one: at its next start nothing is there. */
  wiped: boolean;
  /** The map it is told to join with, when it is none of the first. */
  monmap: MonMap | undefined;
}

export interface TalkerPlace {
  readonly process: SimProcess;
  daemon: Talker;
}

export interface MonClusterSpec {
  readonly mons?: number;
  /** Monitors that may be added later; they are not started. */
  readonly spares?: number;
  readonly seed?: number;
  readonly options?: Partial<Config>;
  readonly disk?: DiskProfile;
  readonly buggify?: boolean;
}

export class MonCluster {
  readonly simulation: Simulation;
  readonly mons: MonPlace[] = [];
  readonly admin: TalkerPlace;
  readonly #count: number;
  readonly #options: Partial<Config>;
  readonly #disk: DiskProfile;

  constructor({
    mons = 3,
    spares = 0,
    seed = 1,
    options = {},
    disk = QUICK_DISK,
    buggify = false,
  }: MonClusterSpec = {}) {
    this.simulation = new Simulation({ seed, buggify });
    this.#options = options;
    this.#disk = disk;
    this.#count = mons;
    for (let rank = 0; rank < mons + spares; rank++) this.#addMon(rank);
    this.admin = this.addTalker({ type: 'client', id: 'admin' });
  }

  /** Starts all monitors and the administrator, and waits for a quorum of all. */
  start(): this {
    for (const { process } of this.#first) process.start();
    this.admin.process.start();
    this.until('all monitors are in quorum', () => this.quorum.length === this.#count);
    return this;
  }

  /** Those of the map that the cluster is founded with. */
  get #first(): readonly MonPlace[] {
    return this.mons.slice(0, this.#count);
  }

  addTalker(entity: EntityName): TalkerPlace {
    const place = {} as { process: SimProcess; daemon: Talker };
    place.process = this.#addProcess(entity, (world) => {
      place.daemon = new Talker(world, this.monAddrs, entity);
      return place.daemon;
    });
    return place;
  }

  /** An OSD as the monitors see one, registered and started; it is up after `boot`. */
  addOsd(id: OsdId): ToyOsd {
    const osd = new ToyOsd(this, id);
    this.succeed({ prefix: 'osd new', uuid: osd.uuid, id });
    this.succeed({
      prefix: 'osd crush create-or-move',
      id,
      weight: 1,
      args: ['root=default', `host=host${id}`],
    });
    osd.place.process.start();
    return osd;
  }

  /** OSDs that are up and in. */
  addOsds(count: number): ToyOsd[] {
    const osds = Array.from({ length: count }, (_, id) => this.addOsd(id));
    for (const osd of osds) osd.boot();
    this.until('all OSDs are up', () => osds.every(({ isUp }) => isUp));
    return osds;
  }

  get monAddrs(): AddrVec[] {
    return this.mons.map(({ process }) => process.addrs('public'));
  }

  /** Ranks in quorum, as its leader says; empty while nobody leads. */
  get quorum(): readonly number[] {
    return this.leader?.daemon.inspect().quorum ?? [];
  }

  /** The leader of the newest quorum. */
  get leader(): MonPlace | undefined {
    const leaders = this.mons.filter(
      ({ process, daemon }) => process.state === 'running' && daemon.inspect().role === 'leader',
    );
    return leaders.sort((a, b) => b.daemon.inspect().epoch - a.daemon.inspect().epoch)[0];
  }

  get osdMap(): OsdMap {
    return this.leader!.daemon.inspect().osdMap;
  }

  run(seconds: number): void {
    this.simulation.runFor(seconds * SECOND);
    this.check();
  }

  /** @throws Error when it takes more than `within` seconds. */
  until(what: string, holds: () => boolean, within = 60): number {
    const begin = this.simulation.now;
    while (!holds()) {
      if (this.simulation.now - begin > within * SECOND) throw new Error(`not within ${within} s: ${what}`);
      this.simulation.runFor(SECOND / 100);
      this.check();
    }
    return (this.simulation.now - begin) / SECOND;
  }

  check(): void {
    if (this.simulation.violations.length > 0) throw new Error(this.simulation.violations[0]);
  }

  /** Runs a command, and returns its answer. */
  command(command: Readonly<Record<string, unknown>>, from = this.admin): Answer {
    let result: CommandResult | undefined;
    from.process.call(() => {
      from.daemon.mon.command(command, EMPTY, (reply) => {
        result = reply;
      });
    });
    this.until(`"${command['prefix']}" is answered`, () => result !== undefined, 120);
    return { code: result!.code, status: result!.status, text: fromUtf8(result!.data) };
  }

  /** Runs a command that must not fail. */
  succeed(command: Readonly<Record<string, unknown>>): Answer {
    const answer = this.command(command);
    if (answer.code !== 0) throw new Error(`"${command['prefix']}": ${answer.code} ${answer.status}`);
    return answer;
  }

  // biome-ignore lint/suspicious/noExplicitAny: the shape is for each test to say
  json(prefix: string, args: Readonly<Record<string, unknown>> = {}): any {
    return JSON.parse(this.succeed({ prefix, format: 'json', ...args }).text);
  }

  /** Cuts these machines off from all others, or mends everything. */
  cutOff(names: readonly string[]): void {
    const { paths } = this.simulation.network;
    const all = this.simulation.processes.map(({ name }) => name);
    for (const inside of names) {
      for (const outside of all) {
        if (names.includes(outside)) continue;
        paths.cut(inside, outside);
        paths.cut(outside, inside);
      }
    }
  }

  mend(): void {
    this.simulation.network.paths.mendAll();
  }

  #addMon(rank: number): void {
    const name = String.fromCharCode('a'.charCodeAt(0) + rank);
    const place = { name, wiped: false, monmap: undefined } as {
      -readonly [Field in keyof MonPlace]: MonPlace[Field];
    };
    place.process = this.#addProcess(
      { type: 'mon', id: name },
      (world) => {
        if (place.wiped) world.kv.submit([{ op: 'delRange', start: Uint8Array.of(0), end: Uint8Array.of(0xff) }], 0);
        place.wiped = false;
        place.daemon = new Monitor(world, { name, monmap: place.monmap ?? this.#monmap() });
        return place.daemon;
      },
      3300,
    );
    this.mons.push(place);
  }

  #addProcess(entity: EntityName, make: (world: World<Message>) => Daemon<Message>, port = 6800): SimProcess {
    const dials = entity.type === 'client';
    return this.simulation.addProcess({
      entity,
      ...(dials ? {} : { gid: BigInt(Number.parseInt(entity.id, 36)) }),
      endpoints: dials
        ? { public: 'dial' }
        : entity.type === 'osd'
          ? { public: port, cluster: 6801, hb_front: 6802, hb_back: 6803 }
          : { public: port },
      deviceBytes: 0,
      config: makeConfig(this.#options),
      disk: this.#disk,
      clock: EXACT_CLOCK,
      make,
    });
  }

  #monmap(): MonMap {
    const ranks = this.#first.map(({ name }) => name);
    return {
      fsid: FSID,
      epoch: 1,
      lastChanged: NEVER,
      created: NEVER,
      persistentFeatures: 0xffn,
      optionalFeatures: 0n,
      mons: new Map(
        this.#first.map(({ name, process }) => [
          name,
          { name, addrs: process.addrs('public'), priority: 0, weight: 0, crushLocation: new Map() },
        ]),
      ),
      ranks,
      minMonRelease: 16,
      removedRanks: [],
      electionStrategy: 1,
      disallowedLeaders: [],
      stretchMode: false,
      tiebreaker: '',
      stretchMarkedDown: [],
    };
  }
}

export class ToyOsd {
  readonly id: OsdId;
  readonly uuid: string;
  readonly place: TalkerPlace;
  readonly #cluster: MonCluster;

  constructor(cluster: MonCluster, id: OsdId) {
    this.#cluster = cluster;
    this.id = id;
    this.uuid = `00000000-0000-0000-0000-${String(id + 1).padStart(12, '0')}`;
    this.place = cluster.addTalker({ type: 'osd', id: String(id) });
  }

  get isUp(): boolean {
    return (this.#cluster.osdMap.osdState[this.id]! & 2) !== 0;
  }

  get isIn(): boolean {
    return this.#cluster.osdMap.osdWeight[this.id]! > 0;
  }

  say(message: Message): void {
    this.place.process.call(() => this.place.daemon.mon.send(message));
  }

  boot(): void {
    this.place.process.call(() => {
      const { net } = this.place.daemon.world;
      this.place.daemon.mon.subscribe('osdmap', 0);
      this.place.daemon.mon.send({
        type: 'osd_boot',
        osd: this.id,
        uuid: Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? this.id + 1 : 0)),
        publicAddrs: net.endpoint('public'),
        clusterAddrs: net.endpoint('cluster'),
        hbBackAddrs: net.endpoint('hb_back'),
        hbFrontAddrs: net.endpoint('hb_front'),
        bootEpoch: 1,
        cleanBegin: 0,
        cleanEnd: 0,
        metadata: new Map([['hostname', `host${this.id}`]]),
      });
    });
  }

  /** Reports another OSD. */
  report(target: ToyOsd, failedFor: number, { immediate = false, alive = false } = {}): void {
    const map = this.#cluster.osdMap;
    this.say({
      type: 'osd_failure',
      reporter: this.id,
      target: target.id,
      targetAddrs: map.clientAddrs[target.id]!,
      epoch: map.epoch,
      failedFor,
      immediate,
      alive,
    });
  }
}
