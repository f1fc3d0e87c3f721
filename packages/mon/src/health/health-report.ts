/** Everything that is not well, under Ceph's codes (the check_health of each service; HealthMonitor::gather_all_health_checks). */
import { checkFullness, checkOsds } from '@spirula/maps';
import type { HealthCheck } from '@spirula/messages';
import { checkAuth } from './auth-checks.ts';
import type { HealthChecks, HealthInput } from './health-input.ts';
import { checkMons } from './mon-checks.ts';

/** In the order of their codes. */
export function computeHealth(input: HealthInput): HealthChecks {
  const checks = new Map<string, HealthCheck>(input.mgrChecks);
  const raise = (code: string, severity: HealthCheck['severity'], summary: string, count: number, detail = NONE) =>
    void checks.set(code, { severity, summary, count, detail });
  checkMons(input, raise);
  if (input.mgrDown !== undefined) raise('MGR_DOWN', input.mgrDown, 'no active mgr', 0);
  checkAuth(input.badCaps, raise);
  checkOsds(input.map, input.config, raise);
  checkFullness(input.map, input.config, raise);
  return new Map([...checks].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const NONE: readonly string[] = [];
