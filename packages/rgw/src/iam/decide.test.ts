import { describe, expect, test } from 'vitest';
import { bucketArn } from './arn.ts';
import { decide } from './decide.ts';
import type { Identity } from './identity.ts';
import { type Access, type Policy, parsePolicy, type Verdict } from './policy.ts';

const roleOf = (sessionPolicies: readonly Policy[]) => ({
  id: 'f3e42db1-a676-436f-b00e-f7fa8fac7168',
  tenant: '',
  path: '/app/',
  name: 'reader',
  session: 'sess',
  sessionPolicies,
  issuedAt: '2026-11-30T12:00:00Z',
});
const ROLE = 'arn:aws:iam:::role/app/reader';
const SESSION = 'arn:aws:sts:::assumed-role/reader/sess';
const OTHER_SESSION = 'arn:aws:sts:::assumed-role/reader/other';
const ASSUMER = 'arn:aws:iam:::user/bob';

function policyOf(verdict: Verdict, principal?: string): Policy {
  const statement = {
    Effect: verdict === 'Deny' ? 'Deny' : 'Allow',
    Action: verdict === 'pass' ? 's3:PutObject' : 's3:GetObject',
    Resource: '*',
    ...(principal !== undefined && { Principal: { AWS: principal } }),
  };
  const text = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  return parsePolicy(text, principal === undefined ? 'identity' : 'bucket', '');
}

function decisionOf(identity: Pick<Identity, 'policies' | 'role'>, bucket: Policy | undefined, isRestricted = false) {
  const access: Access = {
    caller: { id: { tenant: '', ns: '', id: 'bob' }, role: identity.role },
    action: 's3:GetObject',
    resource: bucketArn('', 'photos', 'k'),
    environment: new Map(),
  };
  return decide(identity, bucket && { policy: bucket, isRestricted }, access);
}

describe("of a user's policies and a bucket's", () => {
  test.each([
    ['pass', 'pass', 'undecided'],
    ['pass', 'Allow', 'allowed'],
    ['pass', 'Deny', 'denied'],
    ['Allow', 'pass', 'allowed'],
    ['Allow', 'Allow', 'allowed'],
    ['Allow', 'Deny', 'denied'],
    ['Deny', 'pass', 'denied'],
    ['Deny', 'Allow', 'denied'],
    ['Deny', 'Deny', 'denied'],
  ] as const)('%s and %s: %s', (own, buckets, expected) => {
    expect(decisionOf({ policies: [policyOf(own)] }, policyOf(buckets, ASSUMER))).toBe(expected);
  });

  test('one of several that denies decides', () => {
    const policies = (['Allow', 'pass', 'Deny', 'Allow'] as const).map((verdict) => policyOf(verdict));

    expect(decisionOf({ policies }, undefined)).toBe('denied');
    expect(decisionOf({ policies: policies.slice(0, 2) }, undefined)).toBe('allowed');
  });

  test('what a restricted bucket allows counts for nothing, what it denies does', () => {
    expect(decisionOf({ policies: [] }, policyOf('Allow', '*'), true)).toBe('undecided');
    expect(decisionOf({ policies: [policyOf('Allow')] }, policyOf('Deny', '*'), true)).toBe('denied');
  });
});

describe("of a role's policies, a bucket's and a session's", () => {
  test.each([
    // The session is held to its policy, whoever allows the rest.
    ['Allow', undefined, 'Allow', 'allowed'],
    ['Allow', undefined, 'pass', 'denied'],
    ['Allow', undefined, 'Deny', 'denied'],
    ['pass', undefined, 'Allow', 'denied'],
    ['pass', ROLE, 'Allow', 'allowed'],
    ['pass', ROLE, 'pass', 'denied'],
    ['pass', '*', 'pass', 'denied'],
    ['pass', '*', 'Allow', 'allowed'],
    // A bucket may let in this very session, or who began it.
    ['pass', SESSION, 'pass', 'allowed'],
    ['pass', SESSION, 'Deny', 'denied'],
    ['Deny', SESSION, 'pass', 'denied'],
    ['pass', ASSUMER, 'pass', 'allowed'],
    ['pass', OTHER_SESSION, 'Allow', 'denied'],
    // No policy of a session: it has what its role has.
    ['Allow', undefined, undefined, 'allowed'],
    ['pass', undefined, undefined, 'undecided'],
    ['pass', ROLE, undefined, 'allowed'],
    ['pass', SESSION, undefined, 'allowed'],
    ['pass', OTHER_SESSION, undefined, 'undecided'],
    ['Deny', ROLE, undefined, 'denied'],
  ] as const)('%s, allowed for %s, %s: %s', (own, principal, session, expected) => {
    const role = roleOf(session === undefined ? [] : [policyOf(session)]);

    expect(decisionOf({ policies: [policyOf(own)], role }, principal && policyOf('Allow', principal))).toBe(expected);
  });

  test("what denies the session, its role or who assumed it in the bucket's policy decides", () => {
    const identity = { policies: [policyOf('Allow')], role: roleOf([policyOf('Allow')]) };

    for (const principal of [SESSION, ROLE, ASSUMER, '*'])
      expect(decisionOf(identity, policyOf('Deny', principal)), principal).toBe('denied');
    expect(decisionOf(identity, policyOf('Deny', OTHER_SESSION))).toBe('allowed');
    // Tenants' users do not act in roles.
    expect(decisionOf({ policies: [], role: roleOf([]) }, policyOf('Allow', 'arn:aws:iam:::root'))).toBe('undecided');
  });
});
