/**
 * Statistics for the active manager (MgrClient, OSD::get_mgr_client stats): every PG this OSD is primary of, whole when a
 * session begins and every mgr_stats_period, and those that changed soon after they did.
 */
import { type AddrVec, comparePgIds, type Epoch, type OsdId, type PgId, sameAddrVec } from '@spirula/encoding';
import { decodeMgrMap, type PgKey, pgKey, pgOfKey } from '@spirula/maps';
import type { Message, MgrMapMessage, OsdStat, PgStat } from '@spirula/messages';
import { type Instant, SECOND, type SessionId, seconds, type World } from '@spirula/world';
import type { DynamicPerfStats } from './dynamic-perf-stats.ts';

const REPORT_TIMER = 'osd mgr report';
const CHANGES_TIMER = 'osd mgr changes';
const CONNECT_TIMER = 'osd mgr connect';
/** Changes of state gather for so long. */
const DEBOUNCE: Instant = SECOND / 20;
const RETRY: Instant = SECOND;
const LATE: Instant = 3 * SECOND;
/** Numbers of reports in one life of an OSD. */
const LIFE_REPORTS = 2 ** 32;

export interface MgrReportsHost {
  readonly whoami: OsdId;
  readonly world: World<Message>;
  readonly epoch: number;
  /** Whether the map has this OSD up: a manager hears nobody else. */
  readonly isActive: boolean;
  /** Since which map it is up. */
  readonly upFrom: Epoch;
  osdStat(): OsdStat;
  /** PGs this OSD is primary of. */
  primaryPgs(): readonly PgId[];
  /** Undefined: this OSD is not primary of it any more. */
  pgStat(pgid: PgId): PgStat | undefined;
  readonly perf: DynamicPerfStats;
}

export class MgrReports {
  readonly #host: MgrReportsHost;
  #addrs: AddrVec = [];
  #session: SessionId | undefined;
  readonly #changed = new Set<PgKey>();
  /** Reports of this life. */
  #reports = 0;
  #changesArmed = false;

  constructor(host: MgrReportsHost) {
    this.#host = host;
  }

  /** Number of the last report; later lives have greater ones (OSDService::get_osd_stat_seq). */
  get seq(): number {
    return this.#host.upFrom * LIFE_REPORTS + this.#reports;
  }

  /** Reports everything now: what has happened counts once the manager has a report of number `seq`. */
  flush(): void {
    this.#report(true);
  }

  onMgrMap(message: MgrMapMessage): void {
    const map = decodeMgrMap(message.mgrmap);
    const addrs = map.available ? map.activeAddrs : [];
    if (sameAddrVec(addrs, this.#addrs) && (this.#session !== undefined || addrs.length === 0)) return;
    if (this.#session !== undefined) this.#host.world.net.close(this.#session);
    this.#onSessionEnd();
    this.#addrs = addrs;
    this.#connect();
  }

  #connect(): void {
    const { world, whoami, isActive } = this.#host;
    if (this.#session !== undefined || this.#addrs.length === 0 || !isActive) return;
    this.#session = world.net.open('public', { type: 'mgr', addrs: this.#addrs });
    world.net.send(this.#session, { type: 'mgr_open', entity: { type: 'osd', id: String(whoami) } });
    this.#report(true);
  }

  /** The map has this OSD up now. */
  onActive(): void {
    this.#connect();
  }

  /** Returns whether the session belongs here. */
  owns(session: SessionId): boolean {
    return session === this.#session;
  }

  /** Returns whether the session belongs here. */
  onMessage(session: SessionId, message: Message): boolean {
    if (session !== this.#session) return false;
    if (message.type === 'mgr_configure') this.#host.perf.setQueries(message.perfQueries);
    return true;
  }

  #onSessionEnd(): void {
    this.#session = undefined;
    // The next manager says itself what it wants to know.
    this.#host.perf.setQueries([]);
  }

  onReset(session: SessionId): boolean {
    if (session !== this.#session) return false;
    this.#onSessionEnd();
    const { clock } = this.#host.world;
    clock.arm(CONNECT_TIMER, clock.now() + RETRY);
    return true;
  }

  pgChanged(pgid: PgId): void {
    this.#changed.add(pgKey(pgid));
    if (this.#changesArmed || this.#session === undefined) return;
    this.#changesArmed = true;
    const { clock } = this.#host.world;
    const late = this.#host.world.buggify('osd reports changes late');
    clock.arm(CHANGES_TIMER, clock.now() + (late ? LATE : DEBOUNCE));
  }

  /** Returns whether the timer belongs here. */
  onTimer(name: string): boolean {
    if (name === CONNECT_TIMER) this.#connect();
    else if (name === REPORT_TIMER) this.#report(true);
    else if (name === CHANGES_TIMER) {
      this.#changesArmed = false;
      this.#report(false);
    } else return false;
    return true;
  }

  #reportPerf(session: SessionId): void {
    const { perf, world } = this.#host;
    const reports = perf.takeReports();
    if (reports.length > 0) world.net.send(session, { type: 'osd_perf_reports', reports });
  }

  #report(full: boolean): void {
    const { world, whoami, epoch } = this.#host;
    if (full) {
      world.clock.arm(REPORT_TIMER, world.clock.now() + seconds(world.config.mgr_stats_period));
    }
    if (this.#session === undefined) return;
    const pgids = full ? this.#host.primaryPgs() : [...this.#changed].map(pgOfKey);
    this.#changed.clear();
    const pgs: PgStat[] = [];
    for (const pgid of [...pgids].sort(comparePgIds)) {
      const stat = this.#host.pgStat(pgid);
      if (stat) pgs.push(stat);
    }
    if (pgs.length === 0 && !full) return;
    this.#reports += 1;
    const osdStat = this.#host.osdStat();
    world.net.send(this.#session, { type: 'pg_stats', osd: whoami, epoch, osdStat, pgs, full });
    if (full) this.#reportPerf(this.#session);
  }
}
