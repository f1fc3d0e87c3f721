import type { HealthCheck } from '@spirula/messages';

/** Notes one health check: its code, how bad it is, what is said of it, how often it holds, and of what. */
export type Raise = (
  code: string,
  severity: HealthCheck['severity'],
  summary: string,
  count: number,
  detail?: readonly string[],
) => void;
