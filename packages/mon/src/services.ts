/** The services of a monitor together: who serves which request, and what subscribers are sent. */
import type { Keyring } from '@spirula/auth';
import { type AddrVec, type Bytes, Errno, sameAddrVec } from '@spirula/encoding';
import { type MonMap, osdExists, osdUp } from '@spirula/maps';
import type {
  CommandDescription,
  ConnectedPeers,
  LogEntry,
  Message,
  MonCommand,
  PoolOpMessage,
} from '@spirula/messages';
import { AuthMonitor } from './auth-monitor.ts';
import type { CommandContext, QuorumView } from './commands/command.ts';
import { descriptionsOf, runCommand } from './commands/command-table.ts';
import { ConfigMonitor } from './config-monitor.ts';
import { computeHealth, type HealthReport } from './health.ts';
import { KvMonitor } from './kv-monitor.ts';
import { LogMonitor, LogPriority } from './log-monitor.ts';
import { mayOperate, maySay } from './message-caps.ts';
import { MgrMonitor } from './mgr-monitor.ts';
import { MgrStatMonitor } from './mgr-stat-monitor.ts';
import { MonMetadataService } from './mon-metadata.ts';
import type { MonTransaction } from './mon-store.ts';
import { OsdMonitor } from './osd-monitor.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';
import { refusedPoolOp, runPoolOp } from './pool-ops.ts';
import type { Request, Requester } from './requester.ts';
import { RotatingSecretsMonitor } from './rotating-secrets.ts';
import type { MonSession } from './session.ts';
import { serveSubscriptions } from './subscriptions.ts';
import type { TimeCheckView } from './time-check.ts';

export interface ServicesContext extends Omit<ServiceContext, 'clusterLog'> {
  readonly monmap: MonMap;
  readonly name: string;
  readonly rank: number;
  readonly keyring: Keyring;
  quorum(): QuorumView;
  timeCheck(): TimeCheckView;
  /** Who is connected to this monitor. */
  connected(): readonly ConnectedPeers[];
}

export class Services {
  readonly #context: ServicesContext;
  readonly osd: OsdMonitor;
  readonly mgr: MgrMonitor;
  readonly mgrStat: MgrStatMonitor;
  readonly monMetadata: MonMetadataService;
  readonly auth: AuthMonitor;
  readonly rotating: RotatingSecretsMonitor;
  readonly log: LogMonitor;
  readonly kv: KvMonitor;
  readonly config: ConfigMonitor;
  readonly #all: readonly PaxosService[];
  #leadingEpoch = -1;
  #logSeq = 0;
  #lastHealth = '';

  constructor(context: ServicesContext) {
    this.#context = context;
    const { fsid, ranks } = context.monmap;
    const shared: ServiceContext = {
      ...context,
      clusterLog: (level, text) => this.#logLine(LogPriority[level], text),
    };
    this.osd = new OsdMonitor(shared, fsid);
    this.mgr = new MgrMonitor(shared, fsid);
    this.mgrStat = new MgrStatMonitor(shared);
    this.monMetadata = new MonMetadataService(shared);
    this.auth = new AuthMonitor(shared, context.rank, ranks.length, context.keyring);
    this.rotating = new RotatingSecretsMonitor(shared, context.keyring.size > 0);
    this.log = new LogMonitor(shared);
    this.kv = new KvMonitor(shared);
    this.config = new ConfigMonitor(shared, this.kv);
    this.#all = [
      this.osd,
      this.mgr,
      this.mgrStat,
      this.monMetadata,
      this.auth,
      this.rotating,
      this.log,
      this.config,
      this.kv,
    ];
  }

  /** Whether the services have begun to lead under the quorum at hand. */
  get leading(): boolean {
    return this.#context.quorum().role === 'leader' && this.#leadingEpoch === this.#context.quorum().epoch;
  }

  get dirty(): boolean {
    return this.#all.some((service) => service.dirty);
  }

  refresh(): void {
    for (const service of this.#all) service.refresh();
  }

  onLeading(): void {
    const quorum = this.#context.quorum();
    this.#leadingEpoch = quorum.epoch;
    for (const service of this.#all) service.onLeading();
    const names = quorum.ranks.map((rank) => this.#context.monmap.ranks[rank]).join(',');
    this.#logLine(
      LogPriority.info,
      `mon.${this.#context.name} is new leader, mons ${names} in quorum (ranks ${quorum.ranks.join(',')})`,
    );
  }

  afterCommit(): void {
    this.osd.afterCommit();
  }

  encodePending(transaction: MonTransaction): void {
    for (const service of this.#all) if (service.dirty) service.encodePending(transaction);
  }

  tick(): void {
    this.osd.tick();
    const { digest } = this.mgrStat;
    if (digest) this.osd.snaps.prune(digest.purgedSnaps, this.#context.config.mon_max_snap_prune_per_epoch);
    this.osd.updateQuotas((pool) => digest?.pools.get(pool)?.sum);
    this.mgr.tick();
    this.auth.tick();
    this.rotating.tick();
    this.#logHealth();
  }

  #logLine(priority: number, text: string): void {
    this.#logSeq += 1;
    const entry: LogEntry = {
      name: { type: 'mon', id: this.#context.name },
      stamp: this.#context.wall(),
      seq: this.#logSeq,
      priority,
      text,
      channel: 'cluster',
    };
    this.log.append([entry]);
  }

  #logHealth(): void {
    const { status } = this.health();
    if (this.#lastHealth !== '' && status !== this.#lastHealth) {
      if (status === 'HEALTH_OK') this.#logLine(LogPriority.info, 'Cluster is now healthy');
      else this.#logLine(LogPriority.warn, `Health is now ${status}: ${[...this.health().checks.keys()].join(' ')}`);
    }
    this.#lastHealth = status;
  }

  health(): HealthReport {
    const { config, monmap } = this.#context;
    return computeHealth({
      map: this.osd.map,
      monmap,
      quorum: this.#context.quorum().ranks,
      clocks: this.#context.timeCheck().readings,
      config,
      mgrDown: this.mgr.downSeverity(
        this.osd.map.osdState.some((_, osd) => osdExists(this.osd.map, osd)),
        monmap.created,
      ),
      mgrChecks: this.mgrStat.checks,
      defaultPoolSize: config.osd_pool_default_size,
      warnNoRedundancy: config.mon_warn_on_pool_no_redundancy,
    });
  }

  /** Sends what the session subscribed to and has not been sent yet. `send` tells whether there is room for more. */
  serveSubscriptions(session: MonSession, send: (message: Message) => boolean): void {
    const { osd, mgr, log, config } = this;
    serveSubscriptions(session, { monmap: this.#context.monmap, osd, mgr, log, config }, send);
  }

  // Requests, on the leader

  /** Serves a request. `afterCommit` takes what is to be done once the changes made for it are committed. */
  serve({ from, message }: Request, afterCommit: (finish: () => void) => void): void {
    if (!maySay(from.rights, message.type)) return from.done();
    switch (message.type) {
      case 'mon_command':
        return this.#serveCommand(from, message, afterCommit);
      case 'mon_get_version': {
        const [newest, oldest] = this.#versions(message.what);
        from.reply({ type: 'mon_get_version_reply', tid: message.tid, handle: message.handle, newest, oldest });
        return;
      }
      case 'statfs': {
        const { digest } = this.mgrStat;
        const { kb = 0, kbUsed = 0, kbAvail = 0 } = digest ?? {};
        const pool = message.pool === undefined ? undefined : digest?.pools.get(message.pool);
        const objects = pool?.sum.objects ?? digest?.total.objects ?? 0;
        const version = this.osd.map.epoch;
        from.reply({
          type: 'statfs_reply',
          tid: message.tid,
          fsid: message.fsid,
          version,
          kb,
          kbUsed,
          kbAvail,
          objects,
        });
        return;
      }
      case 'get_pool_stats': {
        const names = new Map([...this.osd.map.poolNames].map(([id, name]) => [name, id]));
        const stats = new Map(
          message.pools.flatMap((name) => {
            const stat = this.mgrStat.digest?.pools.get(names.get(name) ?? -1);
            return stat === undefined ? [] : [[name, stat] as const];
          }),
        );
        from.reply({ type: 'get_pool_stats_reply', tid: message.tid, fsid: message.fsid, stats, perPool: true });
        return;
      }
      case 'pool_op':
        return this.#servePoolOp(from, message, afterCommit);
      case 'log':
        if (from.entity.type !== 'client') this.log.append(message.entries);
        return from.done();
      case 'mgr_beacon':
        if (from.entity.type === 'mgr') this.mgr.onBeacon(message);
        return from.done();
      case 'mon_mgr_report':
        if (this.#isActiveMgr(from, message.gid)) this.mgrStat.onReport(message);
        return from.done();
      case 'osd_boot':
        if (this.#isOsd(from, message.osd, message.publicAddrs)) this.osd.onBoot(message);
        return from.done();
      case 'osd_failure':
        if (this.#isCurrentOsd(from, message.reporter)) this.osd.onFailure(message);
        return from.done();
      case 'osd_alive':
        if (this.#isCurrentOsd(from, message.osd)) this.osd.onAlive(message);
        return from.done();
      case 'osd_pgtemp':
        if (this.#isCurrentOsd(from, message.osd)) this.osd.onPgTemp(message);
        return from.done();
      case 'osd_beacon':
        if (this.#isCurrentOsd(from, message.osd)) this.osd.onBeacon(message);
        return from.done();
      case 'osd_mark_me_down':
        if (!this.#isCurrentOsd(from, message.osd)) return from.done();
        this.osd.onMarkMeDown(message);
        if (!message.ack) return from.done();
        return afterCommit(() => from.reply({ ...message, epoch: this.osd.map.epoch }));
      default:
        return from.done();
    }
  }

  #serveCommand(from: Requester, message: MonCommand, afterCommit: (finish: () => void) => void): void {
    const outcome = runCommand(message.cmd[0] ?? '', this.#commandContext(from, message.data));
    const { code, status, data } = outcome;
    const answer = () =>
      from.reply({ type: 'mon_command_ack', tid: message.tid, code, status, cmd: message.cmd, data });
    if (outcome.commit) afterCommit(answer);
    else answer();
  }

  #commandContext({ rights }: Requester, input: Bytes): CommandContext {
    const { config, name, monmap } = this.#context;
    return {
      config,
      name,
      monmap,
      quorum: this.#context.quorum(),
      timeCheck: this.#context.timeCheck(),
      osd: this.osd,
      mgr: this.mgr,
      mgrStat: this.mgrStat,
      monMetadata: this.monMetadata,
      log: this.log,
      configs: this.config,
      kv: this.kv,
      auth: this.auth,
      input,
      rights,
      connected: () => [...this.#context.connected(), ...this.monMetadata.connected],
      health: () => this.health(),
      wallSeconds: () => this.#context.wall().sec,
      randomUuid: () => this.#context.crypto.randomBytes(16),
      descriptions: (): readonly CommandDescription[] => descriptionsOf(this.mgr.commands),
    };
  }

  #versions(what: string): [newest: number, oldest: number] {
    switch (what) {
      case 'osdmap':
        return [this.osd.map.epoch, this.osd.first];
      case 'monmap':
        return [this.#context.monmap.epoch, 1];
      case 'mgrmap':
        return [this.mgr.map.epoch, 1];
      default:
        return [0, 0];
    }
  }

  #servePoolOp(from: Requester, message: PoolOpMessage, afterCommit: (finish: () => void) => void): void {
    const isAllowed = mayOperate(from.rights, message, this.osd.map.poolNames.get(message.pool), this.auth);
    const maker = { osd: this.osd, config: this.#context.config, wallSeconds: () => this.#context.wall().sec };
    const outcome = isAllowed ? runPoolOp(message, maker) : refusedPoolOp(Errno.EPERM);
    const { code, response, commit } = outcome;
    const { tid, fsid } = message;
    const answer = () => from.reply({ type: 'pool_op_reply', tid, fsid, code, epoch: this.osd.map.epoch, response });
    if (commit) afterCommit(answer);
    else answer();
  }

  #isActiveMgr(from: Requester, gid: bigint): boolean {
    return from.entity.type === 'mgr' && gid === this.mgr.map.activeGid && this.mgr.isManager(from.addrs);
  }

  /** Whether a connection is the OSD it says it is, with these addresses. */
  #isOsd(from: Requester, osd: number, addrs: AddrVec): boolean {
    return from.entity.type === 'osd' && from.entity.id === String(osd) && sameAddrVec(from.addrs, addrs);
  }

  #isCurrentOsd(from: Requester, osd: number): boolean {
    const { map } = this.osd;
    return osdExists(map, osd) && osdUp(map, osd) && this.#isOsd(from, osd, map.clientAddrs[osd]!);
  }
}
