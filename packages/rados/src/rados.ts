/**
 * A cluster handle with promises, driven by a World as daemons are: a promise is settled by an event and by nothing
 * else, so that it works under virtual time too.
 */
import { CephxCredentials, type CryptoKey } from '@spirula/auth';
import {
  type AddrVec,
  type Bytes,
  EMPTY,
  type EntityName,
  Errno,
  MalformedInput,
  type OsdId,
  type PgId,
  type PoolId,
  type Uuid,
} from '@spirula/encoding';
import { decodeMgrMap, type MgrMap, type MonMap, type OsdMap } from '@spirula/maps';
import type { LogEntry, LogMessage, Message, PoolStat } from '@spirula/messages';
import { type CommandResult, MonClient } from '@spirula/mon-client';
import { Objecter } from '@spirula/objecter';
import { type Daemon, type Instant, seconds, type World, type WorldEvent } from '@spirula/world';
import { DaemonCommands } from './daemon-commands.ts';
import { IoCtx } from './ioctx.ts';
import { MgrClient } from './mgr-client.ts';
import { RadosError } from './rados-error.ts';
import { PoolSnapshots } from './snapshots.ts';
import { WatchWork } from './watch.ts';

const CONNECT_TIMER = 'rados connect';
const DEFAULT_MGR_TIMEOUT_SECONDS = 60;

export interface RadosOptions {
  /** One address vector a monitor; more are learnt from the MonMap. */
  readonly monAddrs: readonly AddrVec[];
  /** Who this is, and its secret key: it authenticates by cephx. */
  readonly auth?: { readonly entity: EntityName; readonly key: CryptoKey } | undefined;
  /** When given, a monitor of another cluster is not listened to. */
  readonly fsid?: Uuid;
  /** Endpoint to dial from: `public` when left out. */
  readonly endpoint?: string;
  /** `connect` fails with ETIMEDOUT after so long: client_mount_timeout when left out. */
  readonly connectTimeoutUs?: Instant;
  readonly mgrTimeoutUs?: Instant;
  readonly hostname?: string;
}

export interface ClusterStats {
  readonly kb: number;
  readonly kbUsed: number;
  readonly kbAvail: number;
  readonly objects: number;
}

export interface PoolStats {
  readonly stats: ReadonlyMap<string, PoolStat>;
  /** Whether the stores account for each pool: if not, `allocated` says nothing. */
  readonly perPool: boolean;
}

export type CommandLine = string | Readonly<Record<string, unknown>>;

export class Rados implements Daemon<Message> {
  readonly auth: CephxCredentials | undefined;
  readonly #world: World<Message>;
  readonly #options: RadosOptions;
  readonly #mon: MonClient;
  readonly #mgr: MgrClient;
  readonly #daemonCommands: DaemonCommands;
  readonly #objecter: Objecter;
  readonly #watchWork = new WatchWork();
  readonly #connecting: { readonly resolve: () => void; readonly reject: (error: RadosError) => void }[] = [];
  #logWatch: { readonly what: string; readonly listener: (entry: LogEntry) => void; version: number } | undefined;
  #mgrMap: MgrMap | undefined;
  #started = false;

  constructor(world: World<Message>, options: RadosOptions) {
    const endpoint = options.endpoint ?? 'public';
    this.#world = world;
    this.#options = options;
    this.auth = options.auth && new CephxCredentials(world, options.auth.entity, options.auth.key);
    this.#mon = new MonClient({
      world,
      credentials: this.auth,
      onRefused: (code) => this.#settleConnect(new RadosError(code, 'authenticating')),
      endpoint,
      monAddrs: options.monAddrs,
      ...(options.fsid && { fsid: options.fsid }),
      ...(options.hostname !== undefined && { hostname: options.hostname }),
      onMessage: (message) => this.#onMonMessage(message),
      onMonMap: () => this.#checkConnected(),
    });
    this.#mgr = new MgrClient(world, endpoint);
    this.#daemonCommands = new DaemonCommands(world, endpoint, () => this.#objecter.map);
    this.#objecter = new Objecter({ world, endpoint, mon: this.#mon, onOsdMap: () => this.#checkConnected() });
  }

  /** Starts hunting for a monitor. The world calls it; `connect` does too. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#objecter.start();
    this.#mon.subscribe('mgrmap', 0);
    this.#mon.start();
  }

  handle(event: WorldEvent<Message>): void {
    if (event.kind === 'terminate') {
      this.shutdown();
      this.#world.lifecycle.stop('asked to stop');
      return;
    }
    if (event.kind === 'timer' && event.name === CONNECT_TIMER) {
      this.#settleConnect(new RadosError(Errno.ETIMEDOUT, 'connecting to the cluster'));
      return;
    }
    if (this.#mon.handle(event) || this.#objecter.handle(event)) return;
    if (this.#daemonCommands.handle(event)) return;
    this.#mgr.handle(event);
  }

  /**
   * Resolves once the maps of monitors and OSDs are known.
   *
   * @throws RadosError ETIMEDOUT; EACCES when the monitors do not take the key
   */
  connect(): Promise<void> {
    this.start();
    return new Promise((resolve, reject) => {
      const timeout = this.#options.connectTimeoutUs ?? seconds(this.#world.config.client_mount_timeout);
      if (this.#connecting.length === 0) this.#world.clock.arm(CONNECT_TIMER, this.#world.clock.now() + timeout);
      this.#connecting.push({ resolve, reject });
      this.#checkConnected();
    });
  }

  /** Closes every session. What is not answered yet is rejected with ESHUTDOWN. */
  shutdown(): void {
    this.#objecter.shutdown();
    this.#mgr.shutdown();
    this.#daemonCommands.shutdown();
    this.#mon.shutdown();
    this.#settleConnect(new RadosError(Errno.ESHUTDOWN, 'connecting to the cluster'));
  }

  get objecter(): Objecter {
    return this.#objecter;
  }

  /** The newest maps known; undefined before `connect` has resolved. */
  get osdMap(): OsdMap | undefined {
    return this.#objecter.map;
  }

  get monMap(): MonMap | undefined {
    return this.#mon.monMap;
  }

  get mgrMap(): MgrMap | undefined {
    return this.#mgrMap;
  }

  /** @throws RadosError ESHUTDOWN before `connect`. */
  getFsid(): Uuid {
    const map = this.#mon.monMap;
    if (!map) throw new RadosError(Errno.ESHUTDOWN, 'getting the fsid before connecting');
    return map.fsid;
  }

  /** Runs a command on the monitors. A refusal is a result, not an exception. */
  monCommand(cmd: CommandLine, data: Bytes = EMPTY): Promise<CommandResult> {
    return new Promise((resolve) => this.#mon.command(cmd, data, resolve));
  }

  /** Runs a command on the active manager; ETIMEDOUT when there is none. */
  mgrCommand(cmd: CommandLine, data: Bytes = EMPTY): Promise<CommandResult> {
    return this.#askMgr(cmd, data, false);
  }

  /** Runs a command of the daemon itself, such as `config show`, on the active manager (`tell mgr`). */
  tellMgr(cmd: CommandLine, data: Bytes = EMPTY): Promise<CommandResult> {
    return this.#askMgr(cmd, data, true);
  }

  #askMgr(cmd: CommandLine, data: Bytes, told: boolean): Promise<CommandResult> {
    const line = typeof cmd === 'string' ? cmd : JSON.stringify(cmd);
    const timeout = this.#options.mgrTimeoutUs ?? seconds(DEFAULT_MGR_TIMEOUT_SECONDS);
    return new Promise((resolve) => this.#mgr.command({ line, data, told }, timeout, resolve));
  }

  /** Runs a command on the OSD that leads a PG; ENOENT without such a pool, ETIMEDOUT when no OSD answers. */
  async pgCommand(pgid: PgId, cmd: CommandLine): Promise<CommandResult> {
    await this.waitForLatestMap();
    const line = typeof cmd === 'string' ? cmd : JSON.stringify(cmd);
    return new Promise((resolve) => this.#daemonCommands.command({ to: 'pg', pgid }, line, EMPTY, resolve));
  }

  /** Runs a command on one OSD; ENOENT when there is none of that number, ETIMEDOUT when it does not answer. */
  async osdCommand(osd: OsdId, cmd: CommandLine, data: Bytes = EMPTY): Promise<CommandResult> {
    await this.waitForLatestMap();
    const line = typeof cmd === 'string' ? cmd : JSON.stringify(cmd);
    return new Promise((resolve) => this.#daemonCommands.command({ to: 'osd', osd }, line, data, resolve));
  }

  /** Runs a command on one monitor, whoever leads; ENOENT when there is none of that name. */
  monitorCommand(name: string, cmd: CommandLine, data: Bytes = EMPTY): Promise<CommandResult> {
    const addrs = this.#mon.monMap?.mons.get(name)?.addrs;
    if (addrs === undefined) return Promise.resolve({ code: Errno.ENOENT, status: '', data: EMPTY });
    const line = typeof cmd === 'string' ? cmd : JSON.stringify(cmd);
    return new Promise((resolve) => this.#daemonCommands.command({ to: 'mon', addrs }, line, data, resolve));
  }

  /** Names of the pools, by pool number. */
  poolList(): string[] {
    const names = this.#objecter.map?.poolNames ?? new Map<PoolId, string>();
    return [...names].sort(([a], [b]) => a - b).map(([, name]) => name);
  }

  /** Undefined: our map has no such pool. */
  poolName(id: PoolId): string | undefined {
    return this.#objecter.map?.poolNames.get(id);
  }

  /**
   * A context for I/O on a pool, named or numbered. One that is not in our map is looked for in the monitors' newest.
   *
   * @throws RadosError ENOENT
   */
  async ioctx(pool: string | PoolId): Promise<IoCtx> {
    let id = this.#lookUpPool(pool);
    if (id === undefined) {
      await this.waitForLatestMap();
      id = this.#lookUpPool(pool);
    }
    if (id === undefined) throw new RadosError(Errno.ENOENT, `pool ${pool}`);
    return new IoCtx(this.#objecter, this.#watchWork, id);
  }

  /** Resolves when the callbacks of all notifies that have come by now are over (rados_watch_flush). */
  watchFlush(): Promise<void> {
    return this.#watchWork.flush();
  }

  /** Snapshots of a pool of our map. */
  snapshots(pool: PoolId): PoolSnapshots {
    return new PoolSnapshots(this.#mon, this.#objecter, pool);
  }

  /** Resolves when our OSDMap is as new as the monitors' was at the time of the call. */
  waitForLatestMap(): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#objecter.waitForLatestMap((code) => {
        if (code < 0) reject(new RadosError(code, 'waiting for the newest OSDMap'));
        else resolve();
      }),
    );
  }

  /** Capacity and use of the whole cluster, or with `pool`, of what that pool may use. */
  clusterStats(pool?: PoolId): Promise<ClusterStats> {
    return new Promise((resolve, reject) =>
      this.#mon.request(
        (tid, fsid) => ({ type: 'statfs', tid, fsid, pool }),
        (reply) => {
          if (reply?.type === 'statfs_reply') resolve(reply);
          else reject(new RadosError(Errno.ESHUTDOWN, 'statfs'));
        },
      ),
    );
  }

  /** Statistics of the pools named; a pool nobody has reported on yet is missing. */
  poolStats(names: readonly string[]): Promise<PoolStats> {
    return new Promise((resolve, reject) =>
      this.#mon.request(
        (tid, fsid) => ({ type: 'get_pool_stats', tid, fsid, pools: names }),
        (reply) => {
          if (reply?.type === 'get_pool_stats_reply') resolve(reply);
          else reject(new RadosError(Errno.ESHUTDOWN, 'get_pool_stats'));
        },
      ),
    );
  }

  /** Calls `listener` with the newest line of the cluster log of at least `level`, and all that come; one at a time. */
  watchLog(level: 'debug' | 'info' | 'sec' | 'warn' | 'error', listener: (entry: LogEntry) => void): void {
    if (this.#logWatch !== undefined) this.#mon.unsubscribe(this.#logWatch.what);
    this.#logWatch = { what: `log-${level}`, listener, version: 0 };
    this.#mon.subscribe(this.#logWatch.what, 0);
  }

  #lookUpPool(pool: string | PoolId): PoolId | undefined {
    const map = this.#objecter.map;
    if (!map) return undefined;
    if (typeof pool === 'number') return map.pools.has(pool) ? pool : undefined;
    for (const [id, name] of map.poolNames) if (name === pool) return id;
    return undefined;
  }

  #onMonMessage(message: Message): void {
    switch (message.type) {
      case 'osd_map':
        this.#objecter.handleOsdMap(message);
        return;
      case 'mgr_map':
        this.#onMgrMap(message.mgrmap);
        return;
      case 'log':
        this.#onLog(message);
        return;
      default:
    }
  }

  #onLog({ version, entries }: LogMessage): void {
    const watch = this.#logWatch;
    // Sent again by a monitor that does not know what another has sent.
    if (watch === undefined || version <= watch.version) return;
    watch.version = version;
    this.#mon.gotMap(watch.what, version);
    for (const entry of entries) watch.listener(entry);
  }

  #onMgrMap(encoded: Bytes): void {
    try {
      const map = decodeMgrMap(encoded);
      this.#mon.gotMap('mgrmap', map.epoch);
      if (this.#mgrMap && this.#mgrMap.epoch >= map.epoch) return;
      this.#mgrMap = map;
      this.#mgr.handleMgrMap(map);
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      this.#world.log.warn('a MgrMap does not parse', { error: error.message });
    }
  }

  #checkConnected(): void {
    if (this.#connecting.length > 0 && this.#mon.monMap && this.#objecter.map) this.#settleConnect(undefined);
  }

  #settleConnect(error: RadosError | undefined): void {
    this.#world.clock.disarm(CONNECT_TIMER);
    for (const waiting of this.#connecting.splice(0)) {
      if (error) waiting.reject(error);
      else waiting.resolve();
    }
  }
}
