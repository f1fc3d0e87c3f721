/** What the leader writes of health to the cluster log (Monitor::log_health, do_health_to_clog; mon/Monitor.cc). */
import type { HealthCheck } from '@spirula/messages';
import { type Instant, seconds } from '@spirula/world';
import { levelOfHealth } from '../log-level.ts';
import type { ServiceContext } from '../paxos-service.ts';
import type { HealthChecks } from './health-input.ts';
import { healthPhrases, makeHealth, printHealth, type TimeLeft } from './health-text.ts';
import type { HealthMutes } from './mute.ts';

/** Checks as they were last told of. */
export type ToldChecks = ReadonlyMap<string, Pick<HealthCheck, 'severity' | 'summary'>>;

export class HealthLog {
  readonly #context: ServiceContext;
  /** When this leader last told of a check. */
  readonly #toldAt = new Map<string, Instant>();
  #lastHead = '';
  #tickAt: Instant = 0;
  #overallAt: Instant = 0;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** The next tick gives an overview. */
  onLeading(): void {
    this.#toldAt.clear();
    this.#tickAt = 0;
    this.#overallAt = 0;
  }

  /** Tells of what is new, different or gone. Returns what is told of now; undefined: as before. */
  tell(checks: HealthChecks, told: ToldChecks): ToldChecks | undefined {
    const next = new Map(told);
    let hasChanged = false;
    for (const [code, { severity, summary }] of checks) {
      const before = told.get(code);
      if (before?.severity === severity && before.summary === summary) continue;
      if (before?.severity === severity && this.#wasToldOfLately(code)) continue;
      this.#say(levelOfHealth(severity), `Health check ${before ? 'update' : 'failed'}: ${summary} (${code})`);
      this.#toldAt.set(code, this.#context.now());
      next.set(code, { severity, summary });
      hasChanged = true;
    }
    for (const [code, { summary }] of told) {
      if (checks.has(code)) continue;
      this.#say('info', code === 'OSD_FLAGS' ? 'OSD flags cleared' : `Health check cleared: ${code} (was: ${summary})`);
      this.#toldAt.delete(code);
      next.delete(code);
      hasChanged = true;
    }
    if (hasChanged && next.size === 0) this.#say('info', 'Cluster is now healthy');
    return hasChanged ? next : undefined;
  }

  /** Overviews: of what has changed, and in any case every mon_health_to_clog_interval. */
  tick(checks: HealthChecks, mutes: HealthMutes, leftOf: TimeLeft): void {
    const { config } = this.#context;
    const now = this.#context.now();
    const isOverview = this.#overallAt <= now && config.mon_health_to_clog_interval > 0;
    if (!isOverview && this.#tickAt > now) return;
    this.#tickAt = now + seconds(config.mon_health_to_clog_tick_interval);
    if (isOverview) this.#overallAt = now + seconds(config.mon_health_to_clog_interval);
    const health = makeHealth(checks, mutes);
    const overall = printHealth(health, false, leftOf);
    const head = [health.status, ...healthPhrases(health, () => 0)].join('\n');
    const isNew = head !== this.#lastHead;
    if (!isOverview && !isNew) return;
    this.#lastHead = head;
    const { status } = health;
    const isDetailed = isNew && status !== 'HEALTH_OK' && config.mon_health_detail_to_clog;
    const text = isDetailed ? `Health detail: ${printHealth(health, true, leftOf)}` : `overall ${overall}`;
    for (const line of text.split('\n')) if (line !== '') this.#say(levelOfHealth(status), line);
  }

  #wasToldOfLately(code: string): boolean {
    const at = this.#toldAt.get(code);
    return at !== undefined && this.#context.now() - at < seconds(this.#context.config.mon_health_log_update_period);
  }

  #say(level: ReturnType<typeof levelOfHealth>, text: string): void {
    if (this.#context.config.mon_health_to_clog) this.#context.clusterLog(level, text);
  }
}
