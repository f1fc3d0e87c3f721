/**
 * What the monitors agree on about health (mon/HealthMonitor.cc): which alerts are muted, and which were told of in the cluster
 * log. The checks themselves the leader computes from what the other services hold.
 *
 *   mute --> raised or not, it is not told of --(its time is over; unless sticky: cleared, count up, summary changed)--> gone
 *
 * A mute ends by the leader's monotonic clock: docs/decisions/2026-11-30-mutes-end-by-the-leaders-clock.md.
 */
import { Decoder, Encoder, type UTime } from '@spirula/encoding';
import { formatStamp } from '@spirula/formatter';
import type { HealthCheck } from '@spirula/messages';
import { type Instant, SECOND } from '@spirula/world';
import type { MonTransaction } from '../mon-store.ts';
import type { PaxosService, ServiceContext } from '../paxos-service.ts';
import type { HealthChecks } from './health-input.ts';
import { HealthLog, type ToldChecks } from './health-log.ts';
import { decodeMutes, encodeMutes, type HealthMute, type HealthMutes, NO_TTL } from './mute.ts';

const PREFIX = 'health';
/** A new leader knows how much time a mute has left to this part of its whole. */
const CHECKPOINTS = 16;
const NEVER_IS: UTime = { sec: 0xffff_ffff, nsec: 0 };

export class HealthMonitor implements PaxosService {
  readonly #context: ServiceContext;
  readonly #log: HealthLog;
  #version = 0;
  #mutes: HealthMutes = new Map();
  #told: ToldChecks = new Map();
  #pendingMutes: HealthMutes | undefined;
  #pendingTold: ToldChecks | undefined;
  /** The leader's: when each mute ends. */
  readonly #ends = new Map<string, Instant>();

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#log = new HealthLog(context);
  }

  get mutes(): HealthMutes {
    return this.#mutes;
  }

  get dirty(): boolean {
    return this.#pendingMutes !== undefined || this.#pendingTold !== undefined;
  }

  refresh(): void {
    const { store } = this.#context;
    const version = store.getNumber(PREFIX, 'version');
    if (version === this.#version) return;
    this.#version = version;
    const mutes = store.get(PREFIX, 'mutes');
    this.#mutes = mutes === undefined ? new Map() : decodeMutes(mutes);
    const told = store.get(PREFIX, 'told');
    this.#told = told === undefined ? new Map() : decodeTold(told);
  }

  onLeading(): void {
    this.#pendingMutes = undefined;
    this.#pendingTold = undefined;
    this.#ends.clear();
    for (const mute of this.#mutes.values()) this.#startClock(mute);
    this.#log.onLeading();
  }

  encodePending(transaction: MonTransaction): void {
    if (this.#pendingMutes !== undefined) transaction.put(PREFIX, 'mutes', encodeMutes(this.#pendingMutes));
    if (this.#pendingTold !== undefined) transaction.put(PREFIX, 'told', encodeTold(this.#pendingTold));
    transaction.putNumber(PREFIX, 'version', this.#version + 1);
    this.#pendingMutes = undefined;
    this.#pendingTold = undefined;
  }

  /** `check` undefined: the mute is sticky. `forSeconds` undefined: without end. */
  mute(code: string, forSeconds: number | undefined, check: HealthCheck | undefined): void {
    const lifetime = Math.min(forSeconds ?? 0, NEVER_IS.sec);
    const { sec, nsec } = this.#context.wall();
    const end = lifetime > 0 ? { sec: sec + lifetime, nsec } : NO_TTL;
    const mute: HealthMute = {
      ...{ code, lifetime, left: lifetime, sticky: check === undefined },
      ttl: end.sec > NEVER_IS.sec ? NEVER_IS : end,
      ...{ summary: check?.summary ?? '', count: check?.count ?? 0 },
    };
    this.#startClock(mute);
    this.#setMutes(new Map([...this.#newest, [code, mute]]));
  }

  /** Every alert without `code`. */
  unmute(code: string | undefined): void {
    this.#setMutes(new Map(code === undefined ? [] : [...this.#newest].filter(([each]) => each !== code)));
  }

  /** The leader's, now and then. */
  tick(checks: HealthChecks): void {
    this.#reviewMutes(checks);
    this.#log.tick(checks, this.#mutes, (mute) => this.#leftOf(mute) ?? 0);
  }

  /** The leader's, when anything may have changed: tells of what has. */
  onChecks(checks: HealthChecks): void {
    const told = this.#log.tell(checks, this.#pendingTold ?? this.#told);
    if (told === undefined) return;
    this.#pendingTold = told;
    this.#context.changed();
  }

  /** Pending changes included; in the order of their codes. */
  get #newest(): HealthMutes {
    return this.#pendingMutes ?? this.#mutes;
  }

  #setMutes(mutes: HealthMutes): void {
    this.#pendingMutes = new Map([...mutes].sort(([a], [b]) => (a < b ? -1 : 1)));
    this.#context.changed();
  }

  #startClock({ code, left }: HealthMute): void {
    if (left > 0) this.#ends.set(code, this.#context.now() + left * SECOND);
    else this.#ends.delete(code);
  }

  #reviewMutes(checks: HealthChecks): void {
    const kept = new Map<string, HealthMute>();
    let hasChanged = false;
    for (const [code, mute] of this.#newest) {
      const why = this.#endOf(mute, checks);
      if (why !== undefined) this.#context.clusterLog('info', `Health alert mute ${code} cleared (${why})`);
      else kept.set(code, this.#brought(mute, checks));
      hasChanged ||= kept.get(code) !== mute;
    }
    if (hasChanged) this.#setMutes(kept);
  }

  /** In seconds; undefined: it does not end. */
  #leftOf({ code }: HealthMute): number | undefined {
    const end = this.#ends.get(code);
    return end === undefined ? undefined : (end - this.#context.now()) / SECOND;
  }

  /** Why a mute is over; undefined while it is not. */
  #endOf(mute: HealthMute, checks: HealthChecks): string | undefined {
    const { code, ttl, sticky, count, summary } = mute;
    const left = this.#leftOf(mute);
    if (left !== undefined && left <= 0) return `passed TTL ${formatStamp(ttl)}`;
    if (sticky) return undefined;
    const check = checks.get(code);
    if (check === undefined) return 'health alert cleared';
    if (count === 0) return summary === check.summary ? undefined : 'summary changed';
    return check.count > count ? `count increased from ${count} to ${check.count}` : undefined;
  }

  /** Up to date: of an alert that has become less the lower count holds from now on. */
  #brought(mute: HealthMute, checks: HealthChecks): HealthMute {
    const left = Math.max(1, Math.ceil(this.#leftOf(mute) ?? 0));
    const isDue = mute.left > left && (mute.left - left) * CHECKPOINTS >= mute.lifetime;
    const count = mute.count === 0 ? 0 : Math.min(mute.count, checks.get(mute.code)?.count ?? mute.count);
    return isDue || count !== mute.count ? { ...mute, left, count } : mute;
  }
}

function encodeTold(told: ToldChecks): Uint8Array {
  const to = new Encoder(128);
  to.list([...told], ([code, { severity, summary }]) => {
    to.string(code);
    to.bool(severity === 'HEALTH_ERR');
    to.string(summary);
  });
  return to.finish();
}

function decodeTold(bytes: Uint8Array): ToldChecks {
  const from = new Decoder(bytes);
  return new Map(
    from.list('told', 9, () => {
      const code = from.string('told.code');
      const severity = from.bool('told.severity') ? 'HEALTH_ERR' : 'HEALTH_WARN';
      return [code, { severity, summary: from.string('told.summary') }] as const;
    }),
  );
}
