/** Levels of the cluster log, lowest first, and how they are shown (clog_type, common/LogEntry.h). */
import type { HealthCheck } from '@spirula/messages';

export type LogLevel = 'debug' | 'info' | 'sec' | 'warn' | 'error';

export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'sec', 'warn', 'error'];

const TAGS = ['[DBG]', '[INF]', '[SEC]', '[WRN]', '[ERR]'] as const;

/** The number that a level goes by in messages; -1: there is no such level. */
export function priorityOf(level: string): number {
  return (LOG_LEVELS as readonly string[]).indexOf(level);
}

/** `[INF]`; what has no name is `???`. */
export function levelTag(priority: number): string {
  return TAGS[priority] ?? '???';
}

/** The level at which health is spoken of. */
export function levelOfHealth(severity: 'HEALTH_OK' | HealthCheck['severity']): LogLevel {
  if (severity === 'HEALTH_OK') return 'info';
  return severity === 'HEALTH_WARN' ? 'warn' : 'error';
}
