/** The services of a monitor together: who serves which request, and what subscribers are sent. */
import type { Keyring } from '@spirula/auth';
import { type AddrVec, type Bytes, Errno, formatUuid, sameAddrVec } from '@spirula/encoding';
import { osdExists, osdUp } from '@spirula/maps';
import type {
  CommandDescription,
  ConnectedPeers,
  LogEntry,
  LogMessage,
  Message,
  MonCommand,
  PoolOpMessage,
} from '@spirula/messages';
import { type LogLevel, priorityOf } from '@spirula/messages';
import { type AuditLine, auditDispatch, auditFinished } from './audit.ts';
import { AuthMonitor } from './auth-monitor.ts';
import { ClusterLog, type LogChannel } from './cluster-log.ts';
import type { CommandContext, QuorumView } from './commands/command.ts';
import { descriptionsOf, findCommand, type NamedCommand, runCommand } from './commands/command-table.ts';
import { ConfigMonitor } from './config-monitor.ts';
import { HealthMonitor } from './health/health-monitor.ts';
import { computeHealth } from './health/health-report.ts';
import { type Health, makeHealth } from './health/health-text.ts';
import { KvMonitor } from './kv-monitor.ts';
import { LogMonitor } from './log-monitor.ts';
import { describeMgrMap, describeMonMap, describeOsdMap } from './map-lines.ts';
import type { Membership } from './membership.ts';
import { mayOperate, maySay } from './message-caps.ts';
import { MgrMonitor } from './mgr-monitor.ts';
import { MgrStatMonitor } from './mgr-stat-monitor.ts';
import { MonMetadataService } from './mon-metadata.ts';
import type { MonTransaction } from './mon-store.ts';
import { MonmapMonitor } from './monmap-monitor.ts';
import { OsdMonitor } from './osd-monitor.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';
import { refusedPoolOp, runPoolOp } from './pool-ops.ts';
import type { Request, Requester } from './requester.ts';
import { RotatingSecretsMonitor } from './rotating-secrets.ts';
import type { MonSession } from './session.ts';
import { serveSubscriptions } from './subscriptions.ts';
import type { TimeCheckView } from './time-check.ts';

export interface ServicesContext extends Omit<ServiceContext, 'clusterLog'> {
  readonly membership: Membership;
  readonly keyring: Keyring;
  quorum(): QuorumView;
  timeCheck(): TimeCheckView;
  /** Who is connected to this monitor. */
  connected(): readonly ConnectedPeers[];
  /** Begins to compare the stores of the quorum; false when that is under way. */
  scrub(): boolean;
  /** Sends lines to the leader, while there is another one. */
  sendLog(entries: readonly LogEntry[]): void;
}

export class Services {
  readonly #context: ServicesContext;
  readonly monmap: MonmapMonitor;
  readonly osd: OsdMonitor;
  readonly mgr: MgrMonitor;
  readonly mgrStat: MgrStatMonitor;
  readonly monMetadata: MonMetadataService;
  readonly auth: AuthMonitor;
  readonly rotating: RotatingSecretsMonitor;
  readonly log: LogMonitor;
  readonly healthMonitor: HealthMonitor;
  readonly kv: KvMonitor;
  readonly config: ConfigMonitor;
  readonly #all: readonly PaxosService[];
  readonly #ownLog: ClusterLog;
  #leadingEpoch = -1;
  /** Epochs of the maps that this leader last wrote of. */
  #toldOf = { osdmap: 0, mgrmap: 0 };

  constructor(context: ServicesContext) {
    this.#context = context;
    const { membership } = context;
    const { fsid } = membership.monmap;
    const shared: ServiceContext = {
      ...context,
      clusterLog: (level, text) => this.say(level, text),
    };
    this.monmap = new MonmapMonitor(shared, membership);
    this.#ownLog = new ClusterLog(membership, () => context.wall());
    this.osd = new OsdMonitor(shared, fsid);
    this.mgr = new MgrMonitor(shared, fsid);
    this.mgrStat = new MgrStatMonitor(shared);
    this.monMetadata = new MonMetadataService(shared);
    this.auth = new AuthMonitor(shared, membership.rank, membership.size, context.keyring);
    this.rotating = new RotatingSecretsMonitor(shared, context.keyring.size > 0);
    this.log = new LogMonitor(shared, (entries) => this.#ownLog.onCommitted(entries));
    this.healthMonitor = new HealthMonitor(shared);
    this.kv = new KvMonitor(shared);
    this.config = new ConfigMonitor(shared, this.kv);
    const first = [this.monmap, this.osd, this.mgr, this.mgrStat, this.monMetadata, this.auth, this.rotating];
    this.#all = [...first, this.healthMonitor, this.log, this.config, this.kv];
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

  /** The monitors are others, or in another order. */
  onMembership(): void {
    const { rank, size } = this.#context.membership;
    this.auth.reconfigure(rank, size);
  }

  onLeading(): void {
    const quorum = this.#context.quorum();
    this.#leadingEpoch = quorum.epoch;
    for (const service of this.#all) service.onLeading();
    const names = quorum.ranks.map((rank) => this.#context.membership.nameOf(rank)).join(',');
    // What was said before this election, and may not have reached the last leader.
    this.log.append([...(this.log.version === 0 ? [this.#firstLine()] : []), ...this.#ownLog.waiting]);
    this.say(
      'info',
      `mon.${this.#context.membership.name} is new leader, mons ${names} in quorum (ranks ${quorum.ranks.join(',')})`,
    );
    this.say('debug', describeMonMap(this.#context.membership.monmap));
    this.#toldOf = { osdmap: 0, mgrmap: 0 };
  }

  #firstLine(): LogEntry {
    const { name, rank, monmap } = this.#context.membership;
    return {
      ...{ name: { type: 'mon', id: name }, rank: BigInt(rank), addrs: [], channel: '', seq: 0 },
      ...{ stamp: this.#context.wall(), priority: priorityOf('info'), text: `mkfs ${formatUuid(monmap.fsid)}` },
    };
  }

  afterCommit(): void {
    this.osd.afterCommit();
    this.#tellOfMaps();
    this.healthMonitor.onChecks(this.health().checks);
  }

  #tellOfMaps(): void {
    const { osd, mgr } = this;
    if (osd.map.epoch !== this.#toldOf.osdmap) this.say('debug', describeOsdMap(osd.map));
    if (mgr.map.epoch !== this.#toldOf.mgrmap) this.say('debug', describeMgrMap(mgr.map, mgr.activeForSeconds));
    this.#toldOf = { osdmap: osd.map.epoch, mgrmap: mgr.map.epoch };
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
    const { checks } = this.health();
    this.healthMonitor.onChecks(checks);
    this.healthMonitor.tick(checks);
  }

  /** A line of this monitor's in the cluster log: in its own turn, or once there is a leader. */
  say(level: LogLevel, text: string, channel: LogChannel = 'cluster'): void {
    const entry = this.#ownLog.add(level, channel, text);
    if (this.leading) this.log.append([entry]);
    else this.#context.sendLog([entry]);
  }

  /** On a peon: says again what is not known to stand in the log. */
  sayAgain(): void {
    if (this.#ownLog.waiting.length > 0) this.#context.sendLog([...this.#ownLog.waiting]);
  }

  #audit(line: AuditLine | undefined): void {
    if (line !== undefined) this.say(line.level, line.text, 'audit');
  }

  /** On a peon: a command came in, and goes to the leader. */
  onForwarded({ from, message }: Request): void {
    if (message.type !== 'mon_command') return;
    const found = findCommand(message.cmd[0] ?? '');
    if (found !== undefined) this.onCommand(found, from, message.cmd);
  }

  /** A command came in. */
  onCommand(found: NamedCommand, from: Requester, cmd: readonly string[]): void {
    this.#audit(auditDispatch(found, from, cmd));
  }

  health(): Health {
    const { config } = this.#context;
    const { monmap } = this.#context.membership;
    const checks = computeHealth({
      map: this.osd.map,
      monmap,
      quorum: this.#context.quorum().ranks,
      clocks: this.#context.timeCheck().readings,
      config,
      downOutIntervalOf: (name) => this.#downOutIntervalOf(name),
      badCaps: this.auth.badCaps,
      mgrDown: this.mgr.downSeverity(
        this.osd.map.osdState.some((_, osd) => osdExists(this.osd.map, osd)),
        monmap.created,
      ),
      mgrChecks: this.mgrStat.checks,
    });
    return makeHealth(checks, this.healthMonitor.mutes);
  }

  /** Of another monitor by what is set for it centrally. */
  #downOutIntervalOf(name: string): number {
    const { config, membership } = this.#context;
    if (name === membership.name) return config.mon_osd_down_out_interval;
    const set = this.config.valuesFor({ type: 'mon', id: name }, this.osd.map, '').get('mon_osd_down_out_interval');
    return set === undefined ? config.mon_osd_down_out_interval : Number(set);
  }

  /** Sends what the session subscribed to and has not been sent yet. `send` tells whether there is room for more. */
  serveSubscriptions(session: MonSession, send: (message: Message) => boolean): void {
    const { osd, mgr, log, config } = this;
    const { monmap, name, rank } = this.#context.membership;
    const skipped = (from: number, to: number): LogEntry => ({
      ...{ name: { type: 'mon', id: name }, rank: BigInt(rank), addrs: [], channel: 'cluster', seq: 0 },
      ...{ stamp: this.#context.wall(), priority: priorityOf('warn') },
      text: `skipped log messages from ${from} to ${to}`,
    });
    serveSubscriptions(session, { monmap, osd, mgr, log, config, skipped }, send);
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
        return this.#serveLog(from, message, afterCommit);
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
      case 'osd_full':
        if (this.#isCurrentOsd(from, message.osd)) this.osd.onFull(message);
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
    const { cmd, tid } = message;
    const found = findCommand(cmd[0] ?? '');
    if (found !== undefined) this.onCommand(found, from, cmd);
    const outcome = runCommand(cmd[0] ?? '', this.#commandContext(from, message.data));
    const { code, status, data } = outcome;
    const answer = () => from.reply({ type: 'mon_command_ack', tid, code, status, cmd, data });
    if (!outcome.commit || found === undefined) return answer();
    afterCommit(() => {
      this.#audit(auditFinished(found, from, cmd));
      answer();
    });
  }

  /** Lines of daemons are acknowledged when they stand in the log; monitors see that themselves. */
  #serveLog(from: Requester, { fsid, entries }: LogMessage, afterCommit: (finish: () => void) => void): void {
    const { type } = from.entity;
    const last = entries.at(-1)?.seq;
    if (type !== 'client') this.log.append(entries);
    if (type === 'client' || type === 'mon' || last === undefined) return from.done();
    const acknowledge = () => from.reply({ type: 'log_ack', fsid, last });
    if (this.log.dirty) afterCommit(acknowledge);
    else acknowledge();
  }

  #commandContext(from: Requester, input: Bytes): CommandContext {
    const { config } = this.#context;
    const { name, monmap } = this.#context.membership;
    return {
      config,
      name,
      monmap,
      quorum: this.#context.quorum(),
      timeCheck: this.#context.timeCheck(),
      monmaps: this.monmap,
      osd: this.osd,
      mgr: this.mgr,
      mgrStat: this.mgrStat,
      monMetadata: this.monMetadata,
      log: this.log,
      configs: this.config,
      kv: this.kv,
      auth: this.auth,
      healthMonitor: this.healthMonitor,
      input,
      scrub: () => this.#context.scrub(),
      connected: () => [...this.#context.connected(), ...this.monMetadata.connected],
      rights: from.rights,
      asker: from,
      health: () => this.health(),
      wall: () => this.#context.wall(),
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
        return [this.#context.membership.monmap.epoch, 1];
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
