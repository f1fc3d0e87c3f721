import type { Keyring } from '@spirula/auth';
import { problemOfCaps } from '../caps-problem.ts';
import type { Raise } from './raise.ts';

/** By entity: what is wrong with its capabilities. */
export type BadCaps = ReadonlyMap<string, readonly string[]>;

/** Entities with capabilities that do not parse: they grant nothing. */
export function findBadCaps(entities: Keyring): BadCaps {
  const bad = new Map<string, readonly string[]>();
  for (const [name, { caps }] of entities) {
    const problems = [...caps].flatMap(([service, text]) => problemOfCaps(service, text) ?? []);
    if (problems.length > 0) bad.set(name, problems);
  }
  return bad;
}

/** AuthMonitor::encode_pending. */
export function checkAuth(bad: BadCaps, raise: Raise): void {
  if (bad.size === 0) return;
  const detail = [...bad].flatMap(([name, problems]) => problems.map((problem) => `${name} ${problem}`));
  raise('AUTH_BAD_CAPS', 'HEALTH_ERR', `${bad.size} auth entities have invalid capabilities`, bad.size, detail);
}
