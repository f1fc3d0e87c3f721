/** How levels of the cluster log are shown. */
import type { HealthCheck, LogLevel } from '@spirula/messages';

const TAGS = ['[DBG]', '[INF]', '[SEC]', '[WRN]', '[ERR]'] as const;

/** `[INF]`; what has no name is `???`. */
export function levelTag(priority: number): string {
  return TAGS[priority] ?? '???';
}

/** The level at which health is spoken of. */
export function levelOfHealth(severity: 'HEALTH_OK' | HealthCheck['severity']): LogLevel {
  if (severity === 'HEALTH_OK') return 'info';
  return severity === 'HEALTH_WARN' ? 'warn' : 'error';
}
