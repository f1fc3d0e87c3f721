/**
 * A manager (ceph-mgr): gathers what OSDs report, gives the monitors a digest of it, and answers the commands that need
 * the PG map.
 *
 *            MgrMap names our gid active                     another gid
 *   standby ----------------------------------> active ------------------------> standby
 *   beacons                                     beacons, takes reports, digests, commands
 */
import { AdminSocket, PerfCounters } from '@spirula/admin-socket';
import { CephxCredentials, type CryptoKey } from '@spirula/auth';
import { DaemonConfig } from '@spirula/config';
import {
  type AddrVec,
  type Bytes,
  concatBytes,
  EMPTY,
  Errno,
  fromUtf8,
  MalformedInput,
  sameAddrVec,
  type Uuid,
  utf8,
} from '@spirula/encoding';
import { decodeMgrMap, type MgrMap, nextOsdMap, type OsdMap, osdUp, RELEASE_METADATA } from '@spirula/maps';
import type { Command, Message, MgrCommand, OsdMapMessage, PgStats } from '@spirula/messages';
import { LogClient, MonClient } from '@spirula/mon-client';
import {
  type AuthDecision,
  type Authentication,
  type AuthRequest,
  type Daemon,
  type Instant,
  type Peer,
  SECOND,
  type SessionId,
  seconds,
  type World,
  type WorldEvent,
} from '@spirula/world';
import { ClientRights } from './client-rights.ts';
import { type Asked, type CommandContext, type CommandOutcome, refuse } from './commands/command.ts';
import { describeCommands, runCommand } from './commands/command-table.ts';
import { DaemonQuestions } from './daemon-questions.ts';
import { computeDigest } from './digest.ts';
import { computeHealthChecks } from './health-checks.ts';
import { type HttpRequest, type HttpResponse, handleHttp } from './http.ts';
import { IoHistory } from './io-rates.ts';
import type { ClusterStatus } from './metrics.ts';
import type { MgrModule } from './mgr-module.ts';
import { OsdPerfQueries } from './osd-perf-queries.ts';
import { type Now, PgMap } from './pg-map.ts';

const ENDPOINT = 'public';
const BEACON_TIMER = 'mgr beacon';
const TICK_TIMER = 'mgr tick';
const DIGEST_TIMER = 'mgr digest';
/** After a change the digest waits so long for more of them. */
const DIGEST_DEBOUNCE: Instant = SECOND / 10;
const LATE_DIGEST: Instant = 2 * SECOND;
/** Reports held back per session until our OSDMap knows their sender. */
const MAX_HELD = 64;

export interface MgrOptions {
  /** Without `mgr.`. */
  readonly name: string;
  readonly fsid: Uuid;
  /** One address vector a monitor. */
  readonly monAddrs: readonly AddrVec[];
  /** Its secret key: it authenticates by cephx. */
  readonly key?: CryptoKey | undefined;
  /** What is known of the machine, under Ceph's names: `hostname`, `arch` … */
  readonly host?: ReadonlyMap<string, string>;
  /** Service name -> URL, as `ceph mgr services` shows them. */
  readonly services?: ReadonlyMap<string, string>;
  readonly modules?: readonly MgrModule[];
}

interface Client {
  readonly peer: Peer;
  readonly rights: ClientRights;
  /** Reports of an OSD that our map does not show yet. */
  held: PgStats[];
  /** An OSD that reports here. */
  isReporting: boolean;
}

export class Mgr implements Daemon<Message> {
  readonly auth: Authentication | undefined;
  readonly #world: World<Message>;
  readonly #options: MgrOptions;
  readonly #config: DaemonConfig;
  readonly #admin: AdminSocket;
  readonly #mon: MonClient;
  readonly #clusterLog: LogClient;
  readonly #questions: DaemonQuestions;
  readonly #gid: bigint;
  readonly #modules: readonly MgrModule[];
  readonly #clients = new Map<SessionId, Client>();
  readonly #io = new IoHistory();
  readonly #perf = new OsdPerfQueries(() => this.#configureOsds());
  #pgMap = new PgMap();
  #map: OsdMap | undefined;
  #mgrMap: MgrMap | undefined;
  #active = false;
  #digestArmed = false;
  #statusAsked = false;
  #services: ReadonlyMap<string, string>;
  /** What the monitors last said of the cluster. */
  #status: ClusterStatus = { health: undefined, quorum: [] };

  constructor(world: World<Message>, options: MgrOptions) {
    this.#world = world;
    this.#options = options;
    this.#config = new DaemonConfig(world.config, { cluster: 'ceph', type: 'mgr', id: options.name });
    this.#admin = this.#makeAdmin();
    this.#questions = new DaemonQuestions(world, ENDPOINT, options.fsid);
    this.#services = options.services ?? new Map();
    // Tells this run of the manager from others of its name.
    this.#gid = (BigInt(world.random.u32() & 0x7fff_ffff) << 32n) | BigInt(world.random.u32());
    this.#modules = options.modules ?? [];
    const credentials = options.key && new CephxCredentials(world, { type: 'mgr', id: options.name }, options.key);
    this.auth = credentials && this.#authentication(credentials);
    this.#mon = new MonClient({
      world,
      credentials,
      endpoint: ENDPOINT,
      monAddrs: options.monAddrs,
      fsid: options.fsid,
      hostname: options.host?.get('hostname') ?? '',
      onMessage: (message) => this.#onMonMessage(message),
      onSession: () => {
        this.#sendBeacon();
        this.#clusterLog.onSession();
      },
    });
    this.#clusterLog = new LogClient({
      ...{ world, mon: this.#mon, fsid: options.fsid, name: { type: 'mgr', id: options.name }, rank: this.#gid },
      addrs: () => world.net.endpoint(ENDPOINT),
    });
  }

  /** Modules that are clients of the cluster have tickets of their own. */
  #authentication(credentials: CephxCredentials): Authentication {
    return {
      connect: (session, to) => {
        const own = this.#modules.map((module) => module.authenticationOf(session)).find((each) => each !== undefined);
        return (own ?? credentials).connect(session, to);
      },
      accept: (endpoint, peerType) => credentials.accept(endpoint, peerType),
    };
  }

  get active(): boolean {
    return this.#active;
  }

  start(): void {
    this.#mon.subscribe('mgrmap', 0);
    this.#mon.subscribe('osdmap', 0);
    this.#mon.subscribe('config', 0);
    this.#mon.start();
    this.#armBeacon();
  }

  authorize(request: AuthRequest): AuthDecision {
    return { kind: 'accept', globalId: request.globalId };
  }

  handle(event: WorldEvent<Message>): void {
    if (this.#mon.handle(event) || this.#questions.handle(event)) return;
    if (this.#modules.some((module) => module.handle(event))) return;
    switch (event.kind) {
      case 'timer':
        if (!this.#clusterLog.onTimer(event.name)) this.#onTimer(event.name);
        return;
      case 'accepted':
        this.#clients.set(event.session, {
          peer: event.peer,
          rights: rightsOf(event.peer),
          held: [],
          isReporting: false,
        });
        return;
      case 'message':
        this.#onClientMessage(event.session, event.message);
        return;
      case 'reset':
        this.#clients.delete(event.session);
        return;
      case 'terminate':
        for (const module of this.#modules) module.shutdown();
        this.#mon.shutdown();
        this.#world.lifecycle.stop('asked to stop');
        return;
      default:
    }
  }

  /** Answers a request of the HTTP face: `/metrics`. Reads only. */
  handleHttp(request: HttpRequest): HttpResponse {
    return handleHttp(request, {
      active: this.#active,
      name: this.#options.name,
      monMap: this.#mon.monMap,
      mgrMap: this.#mgrMap,
      status: this.#status,
      context: this.#context(),
    });
  }

  /** Names the URL of a service; goes out with the next beacon. */
  setServices(services: ReadonlyMap<string, string>): void {
    this.#services = services;
    this.#sendBeacon();
  }

  #context(): CommandContext | undefined {
    if (!this.#active || !this.#map) return undefined;
    const { clock, config } = this.#world;
    return { map: this.#map, pgMap: this.#pgMap, io: this.#io, now: clock.wall(), config };
  }

  #onTimer(name: string): void {
    switch (name) {
      case BEACON_TIMER:
        if (!this.#world.buggify('mgr leaves out a beacon')) this.#sendBeacon();
        this.#armBeacon();
        return;
      case TICK_TIMER:
        this.#onTick();
        return;
      case DIGEST_TIMER:
        this.#digestArmed = false;
        this.#sendDigest();
        return;
      default:
    }
  }

  // ---- towards the monitors

  #armBeacon(): void {
    const { clock, config } = this.#world;
    clock.arm(BEACON_TIMER, clock.now() + seconds(config.mgr_tick_period));
  }

  #sendBeacon(): void {
    this.#mon.send(
      {
        type: 'mgr_beacon',
        name: this.#options.name,
        gid: this.#gid,
        fsid: this.#options.fsid,
        addrs: this.#world.net.endpoint(ENDPOINT),
        available: this.#active && this.#map !== undefined,
        // Long, and once the map shows this manager as available its monitors have them.
        commandDescriptions: this.#isShownAvailable ? [] : describeCommands(this.#modules),
        services: this.#services,
        metadata: new Map([...(this.#options.host ?? []), ...RELEASE_METADATA]),
      },
      'drop',
    );
  }

  get #isShownAvailable(): boolean {
    return this.#mgrMap?.available === true && this.#mgrMap.activeGid === this.#gid;
  }

  #onMonMessage(message: Message): void {
    if (message.type === 'osd_map') this.#onOsdMaps(message);
    else if (message.type === 'mgr_map') this.#onMgrMap(message.mgrmap);
    else if (message.type === 'log_ack') this.#clusterLog.onAck(message);
    else if (message.type === 'config') this.#config.applyMon(message.config);
  }

  #onMgrMap(encoded: Bytes): void {
    const map = this.#decode(() => decodeMgrMap(encoded));
    if (!map || (this.#mgrMap && this.#mgrMap.epoch >= map.epoch)) return;
    this.#mgrMap = map;
    this.#mon.gotMap('mgrmap', map.epoch);
    const named = map.activeGid === this.#gid;
    if (named && !this.#active) this.#becomeActive();
    else if (!named && this.#active) this.#becomeStandby();
  }

  #becomeActive(): void {
    this.#world.log.info('active now');
    this.#active = true;
    this.#pgMap = new PgMap();
    this.#io.clear();
    if (this.#map) this.#pgMap.applyMap(this.#map, this.#now);
    this.#sendBeacon();
    this.#armTick();
    for (const module of this.#modules) module.becomeActive({ perf: this.#perf });
  }

  #becomeStandby(): void {
    this.#world.log.info('another manager is active');
    this.#active = false;
    for (const module of this.#modules) module.becomeStandby();
    this.#perf.clear();
    this.#world.clock.disarm(TICK_TIMER);
    this.#world.clock.disarm(DIGEST_TIMER);
    this.#digestArmed = false;
    // Whoever reports here must find the other one.
    for (const session of this.#clients.keys()) this.#world.net.close(session);
    this.#clients.clear();
  }

  #onOsdMaps(message: OsdMapMessage): void {
    const had = this.#map !== undefined;
    let changed = false;
    const nextMap = () => this.#decode(() => nextOsdMap(this.#map, message));
    for (let next = nextMap(); next; next = nextMap()) {
      this.#map = next;
      changed = true;
    }
    const map = this.#map;
    this.#mon.gotMap('osdmap', map?.epoch ?? 0);
    if ((map?.epoch ?? 0) < message.newest) {
      this.#mon.unsubscribe('osdmap');
      this.#mon.subscribe('osdmap', map ? map.epoch + 1 : 0);
    }
    if (!changed || !map || !this.#active) return;
    if (!had) this.#sendBeacon();
    this.#pgMap.applyMap(map, this.#now);
    for (const [session, client] of this.#clients) {
      for (const report of client.held.splice(0)) this.#onReport(session, client, report);
    }
    this.#armDigest();
  }

  /** Undefined, and a line in the log, when what a monitor sent does not parse. */
  #decode<T>(decode: () => T): T | undefined {
    try {
      return decode();
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      this.#world.log.warn('a map does not parse', { error: error.message });
      return undefined;
    }
  }

  get #now(): Now {
    const { clock } = this.#world;
    return { wall: clock.wall(), at: clock.now() };
  }

  #armTick(): void {
    const { clock, config } = this.#world;
    clock.arm(TICK_TIMER, clock.now() + seconds(config.mgr_tick_period));
  }

  #onTick(): void {
    if (!this.#active) return;
    this.#armTick();
    if (this.#map) {
      const pools = new Map([...this.#pgMap.poolStats(this.#map)].map(([id, { sum }]) => [id, sum]));
      this.#io.record(this.#world.clock.now(), this.#pgMap.total(), pools);
    }
    this.#sendDigest();
    this.#askStatus();
  }

  /** After a change: soon, together with what else changes meanwhile. */
  #armDigest(): void {
    if (this.#digestArmed || !this.#active) return;
    this.#digestArmed = true;
    const late = this.#world.buggify('mgr sends its digest late');
    const { clock } = this.#world;
    clock.arm(DIGEST_TIMER, clock.now() + (late ? LATE_DIGEST : DIGEST_DEBOUNCE));
  }

  #sendDigest(): void {
    if (!this.#active || !this.#map) return;
    const { clock, config } = this.#world;
    this.#mon.send(
      {
        type: 'mon_mgr_report',
        gid: this.#gid,
        digest: computeDigest(this.#pgMap, this.#map, this.#io.rates()),
        checks: computeHealthChecks(this.#pgMap, this.#map, clock.now(), config),
      },
      'drop',
    );
  }

  /** The monitors' view of health and quorum, for `/metrics`. */
  #askStatus(): void {
    if (!this.#mon.connected || this.#statusAsked) return;
    this.#statusAsked = true;
    this.#mon.command({ prefix: 'status', format: 'json' }, EMPTY, ({ code, data }) => {
      this.#statusAsked = false;
      if (code === 0) this.#status = parseStatus(data) ?? this.#status;
    });
  }

  // ---- towards OSDs and clients

  #onClientMessage(session: SessionId, message: Message): void {
    const client = this.#clients.get(session);
    if (!client) return;
    switch (message.type) {
      case 'mgr_open':
        this.#onOpen(session, client);
        return;
      case 'osd_perf_reports':
        if (this.#isOsd(client.peer)) this.#perf.onReports(message.reports);
        return;
      case 'pg_stats':
        this.#onReport(session, client, message);
        return;
      case 'mgr_command':
      case 'command':
        this.#onCommand(session, client, message);
        return;
      default:
    }
  }

  #onOpen(session: SessionId, client: Client): void {
    if (client.peer.entity.type !== 'osd' || !this.#active) return;
    client.isReporting = true;
    if (this.#perf.all.length > 0) this.#configure(session);
  }

  /** Whether the map shows it. */
  #isOsd({ entity, addrs }: Peer): boolean {
    return this.#map !== undefined && entity.type === 'osd' && isListed(this.#map, Number(entity.id), addrs);
  }

  #configureOsds(): void {
    for (const [session, { isReporting }] of this.#clients) if (isReporting) this.#configure(session);
  }

  #configure(session: SessionId): void {
    this.#world.net.send(session, { type: 'mgr_configure', perfQueries: this.#perf.all });
  }

  #onReport(session: SessionId, client: Client, report: PgStats): void {
    const { entity, addrs } = client.peer;
    if (entity.type !== 'osd' || Number(entity.id) !== report.osd || !this.#active) {
      this.#drop(session);
      return;
    }
    const map = this.#map;
    if (!map || !isListed(map, report.osd, addrs)) {
      // It may have booted in a map we are yet to get. Beyond the bound it must come again, with everything.
      if (client.held.length >= MAX_HELD || (map && map.epoch >= report.epoch)) this.#drop(session);
      else client.held.push(report);
      return;
    }
    if (this.#pgMap.applyReport(report, map, this.#world.clock.now())) this.#armDigest();
  }

  #drop(session: SessionId): void {
    this.#clients.delete(session);
    this.#world.net.close(session);
  }

  /** Answers a request that came over the admin socket. */
  admin(request: Bytes): Bytes {
    return this.#admin.serve(request);
  }

  #makeAdmin(): AdminSocket {
    return new AdminSocket({
      config: this.#config,
      perf: new PerfCounters({
        mgr: {
          num_sessions: { kind: 'gauge', description: 'open sessions', priority: 5, read: () => this.#clients.size },
        },
      }),
      commands: [],
    });
  }

  /** `isTold`: it came by `tell`. */
  #run(line: string, { rights, peer }: Client, isTold: boolean): ReturnType<typeof runCommand> {
    if (!this.#active) return refuse(Errno.EAGAIN, 'this manager is on standby');
    if (isTold && !rights.allowsAll) return refuse(Errno.EACCES, '');
    const onAsked = (isAllowed: boolean) => this.#audit(line, peer, isAllowed);
    return runCommand(line, this.#context(), rights, onAsked, this.#modules);
  }

  /** As in Ceph: what it is asked, and by whom, the address left out. */
  #audit(line: string, { entity: { type, id }, globalId }: Peer, isAllowed: boolean): void {
    const from = `from='${type}.${globalId} -' entity='${type}.${id}'`;
    const became = isAllowed ? ' dispatch' : '  access denied';
    this.#clusterLog.say(isAllowed ? 'debug' : 'info', `${from} cmd=[${line}]:${became}`, 'audit');
  }

  #ask({ ask, command, answer }: Asked, done: (outcome: CommandOutcome) => void): void {
    const line = JSON.stringify(command);
    const dot = ask.indexOf('.');
    const [type, id] = [ask.slice(0, dot), ask.slice(dot + 1)];
    if (type === 'mgr' && id === this.#options.name) return done(answer(this.#admin.run(line)));
    const osd = /^\d+$/.test(id) ? Number(id) : -1;
    const isUp = this.#map !== undefined && type === 'osd' && osdUp(this.#map, osd);
    const addrs = isUp
      ? this.#map?.clientAddrs[osd]
      : type === 'mon'
        ? this.#mon.monMap?.mons.get(id)?.addrs
        : undefined;
    if (addrs === undefined) return done(answer(undefined));
    this.#questions.ask(type === 'mon' ? 'mon' : 'osd', addrs, line, (result) => done(answer(result)));
  }

  #onCommand(session: SessionId, client: Client, message: MgrCommand | Command): void {
    const { rights } = client;
    const line = message.cmd[0] ?? '';
    // What is told is for this manager itself, active or not, where it has such a command.
    if (message.type === 'command' && rights.allowsAll && this.#admin.prefixOf(line) !== undefined) {
      this.#world.net.send(session, { type: 'command_reply', tid: message.tid, ...this.#admin.run(line) });
      return;
    }
    const outcome = this.#run(line, client, message.type === 'command');
    const reply = (code: number, status: string, data: Bytes) => {
      const type = message.type === 'command' ? 'command_reply' : 'mgr_command_reply';
      // Whoever asked may have left while the monitors were at it.
      if (this.#clients.has(session)) this.#world.net.send(session, { type, tid: message.tid, code, status, data });
    };
    if ('delegate' in outcome) {
      const own = utf8(outcome.output ?? '');
      this.#mon.command(outcome.delegate, EMPTY, ({ code, status, data }) =>
        reply(code, status, concatBytes([own, data])),
      );
      return;
    }
    if ('ask' in outcome) {
      this.#ask(outcome, ({ code, status, output }) => reply(code, status, utf8(output)));
      return;
    }
    if (outcome instanceof Promise) {
      void outcome.then(({ code, status, output }) => reply(code, status, utf8(output)));
      return;
    }
    reply(outcome.code, outcome.status, utf8(outcome.output));
  }
}

/** A monitor may do everything: of what it passes on it has seen to it that the asker may. */
function rightsOf({ entity, caps }: Peer): ClientRights {
  return new ClientRights(entity.type === 'mon' ? undefined : caps);
}

/** Whether the map shows this OSD up at an address of the peer's. */
function isListed(map: OsdMap, osd: number, addrs: AddrVec): boolean {
  if (!osdUp(map, osd)) return false;
  const known = [map.clientAddrs[osd], map.clusterAddrs[osd]];
  return known.some((each) => each !== undefined && sameAddrVec(each, addrs));
}

function parseStatus(data: Bytes): ClusterStatus | undefined {
  try {
    const status = JSON.parse(fromUtf8(data)) as {
      health?: { status?: string };
      quorum_names?: string[];
    };
    return { health: status.health?.status, quorum: status.quorum_names ?? [] };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
