import type { Keyring } from '@spirula/auth';
import { problemOfCaps } from '../caps-problem.ts';
import type { Raise } from './raise.ts';

/** Entities with capabilities that do not parse: they grant nothing (AuthMonitor::encode_pending). */
export function checkAuth(entities: Keyring, raise: Raise): void {
  const detail: string[] = [];
  let count = 0;
  for (const [name, { caps }] of entities) {
    const problems = [...caps].flatMap(([service, text]) => problemOfCaps(service, text) ?? []);
    if (problems.length > 0) count += 1;
    for (const problem of problems) detail.push(`${name} ${problem}`);
  }
  if (count > 0)
    raise('AUTH_BAD_CAPS', 'HEALTH_ERR', `${count} auth entities have invalid capabilities`, count, detail);
}
