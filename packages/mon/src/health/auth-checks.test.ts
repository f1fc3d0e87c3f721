import { type EntityAuth, parseCryptoKey } from '@spirula/auth';
import type { HealthCheck } from '@spirula/messages';
import { expect, test } from 'vitest';
import { checkAuth, findBadCaps } from './auth-checks.ts';

const key = parseCryptoKey('AQBvVmFnAAAAABAAxyzxyzxyzxyzxyzxyzxyzw==');

function entity(caps: Partial<Record<'mon' | 'osd' | 'mgr', string>>): EntityAuth {
  return { key, caps: new Map(Object.entries(caps) as ['mon' | 'osd' | 'mgr', string][]) };
}

function check(entities: Readonly<Record<string, EntityAuth>>): Map<string, HealthCheck> {
  const checks = new Map<string, HealthCheck>();
  checkAuth(findBadCaps(new Map(Object.entries(entities))), (code, severity, summary, count, detail = []) => {
    checks.set(code, { severity, summary, count, detail });
  });
  return checks;
}

test('entities with capabilities that do not parse are named, with what is wrong', () => {
  const bad = { 'client.bad': entity({ mon: 'allow zz', osd: 'allow rw' }), 'client.good': entity({ mon: 'allow r' }) };

  expect(check(bad).get('AUTH_BAD_CAPS')).toEqual({
    severity: 'HEALTH_ERR',
    summary: '1 auth entities have invalid capabilities',
    count: 1,
    detail: ["client.bad mon capability parse failed, stopped at 'allow zz' of 'allow zz'"],
  });
  expect(check({ 'client.good': entity({ mon: 'allow r', osd: 'allow *' }) }).size).toBe(0);
});
