/** Health as `health` and `status` show it (HealthMonitor::get_health_status). */
import type { UTime } from '@spirula/encoding';
import { formatSpan, formatStamp, secondsOf } from '@spirula/formatter';
import type { HealthChecks } from './health-input.ts';
import type { HealthMute, HealthMutes } from './mute.ts';

export interface Health {
  /** The worst of what is not muted. */
  readonly status: 'HEALTH_OK' | 'HEALTH_WARN' | 'HEALTH_ERR';
  readonly checks: HealthChecks;
  readonly mutes: HealthMutes;
}

/** Seconds that a mute which ends has left. */
export type TimeLeft = (mute: HealthMute) => number;

/** What a wall clock says of it, as Ceph shows it to people. */
export function leftByWall(now: UTime): TimeLeft {
  return ({ ttl }) => secondsOf(ttl) - secondsOf(now);
}

export function makeHealth(checks: HealthChecks, mutes: HealthMutes): Health {
  return { status: statusOf(checks, mutes), checks, mutes };
}

function statusOf(checks: HealthChecks, mutes: HealthMutes): Health['status'] {
  const severities = [...checks].filter(([code]) => !mutes.has(code)).map(([, { severity }]) => severity);
  if (severities.includes('HEALTH_ERR')) return 'HEALTH_ERR';
  return severities.length > 0 ? 'HEALTH_WARN' : 'HEALTH_OK';
}

/** The JSON of it, with `detail` for `health detail`. */
export function dumpHealth({ status, checks, mutes }: Health, detail: boolean): unknown {
  return {
    status,
    checks: Object.fromEntries(
      [...checks].map(([code, check]) => [
        code,
        {
          severity: check.severity,
          summary: { message: check.summary, count: check.count },
          ...(detail ? { detail: check.detail.map((message) => ({ message })) } : {}),
          muted: mutes.has(code),
        },
      ]),
    ),
    mutes: [...mutes.values()].map(({ code, ttl, sticky, summary, count }) => ({
      code,
      ...(ttl.sec > 0 ? { ttl: formatStamp(ttl) } : {}),
      ...{ sticky, summary, count },
    })),
  };
}

/** What stands behind the status: summaries of what is not muted, and what is muted. */
export function healthPhrases({ checks, mutes }: Health, leftOf: TimeLeft): readonly string[] {
  const summaries = [...checks].filter(([code]) => !mutes.has(code)).map(([, { summary }]) => summary);
  if (mutes.size === 0) return summaries;
  const muted = [...mutes.values()].map(
    (mute) => ` ${mute.code}${mute.ttl.sec > 0 ? `(${shownLeft(mute, leftOf)})` : ''}`,
  );
  return [...summaries, `(muted:${muted.join('')})`];
}

/** The text of `ceph health` and `ceph health detail`. */
export function printHealth(health: Health, detail: boolean, leftOf: TimeLeft): string {
  const { status, checks, mutes } = health;
  const phrases = healthPhrases(health, leftOf).join('; ');
  const head = [status, phrases].filter((part) => part !== '').join(' ');
  const lines = [...checks].flatMap(([code, { severity, summary, detail: details }]) => {
    const mute = mutes.get(code);
    const tag = severity === 'HEALTH_ERR' ? 'ERR' : 'WRN';
    return [
      `${mute ? describeMute(mute, leftOf) : ''}[${tag}] ${code}: ${summary}`,
      ...details.map((each) => `    ${each}`),
    ];
  });
  return `${[head, ...(detail ? lines : [])].join('\n')}\n`;
}

/** `(MUTED ttl 5m, STICKY) `; 16.2 leaves out a word and a space where the time is over. */
function describeMute(mute: HealthMute, leftOf: TimeLeft): string {
  const left = shownLeft(mute, leftOf);
  const ttl = mute.ttl.sec === 0 ? '' : leftOf(mute) > 0 ? ` ttl ${left}` : left;
  return `(MUTED${ttl}${mute.sticky ? ', STICKY' : ''}) `;
}

function shownLeft(mute: HealthMute, leftOf: TimeLeft): string {
  return formatSpan(Math.max(0, leftOf(mute)));
}
