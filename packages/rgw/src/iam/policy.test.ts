import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketArn } from './arn.ts';
import { globMatches } from './glob.ts';
import { type Access, evaluate, isPublic, MalformedPolicy, parseNewPolicy, parsePolicy } from './policy.ts';

const alice = { tenant: '', ns: '', id: 'alice' };
const bob = { tenant: 'acme', ns: '', id: 'bob' };

const statement = {
  Effect: 'Allow',
  Principal: '*',
  Action: 's3:GetObject',
  Resource: 'arn:aws:s3:::photos/*',
};
const access: Access = {
  caller: { id: alice },
  action: 's3:GetObject',
  resource: bucketArn('', 'photos', 'cats/1'),
  environment: new Map(),
};

const policyOf = (...statements: readonly object[]) =>
  parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), 'bucket', '');
const verdict = (change: object, asked: Partial<Access> = {}) =>
  evaluate([policyOf({ ...statement, ...change })], { ...access, ...asked });

describe('a statement', () => {
  test.each([
    [{}, {}, 'Allow'],
    [{ Effect: 'Deny' }, {}, 'Deny'],
    [{ Action: 's3:*' }, {}, 'Allow'],
    [{ Action: ['s3:PutObject', 's3:GetObj?ct'] }, {}, 'Allow'],
    [{ Action: 'S3:getobject' }, {}, 'Allow'],
    [{ Action: 's3:PutObject' }, {}, 'pass'],
    [{ Action: undefined, NotAction: 's3:PutObject' }, {}, 'Allow'],
    [{ Action: undefined, NotAction: 's3:Get*' }, {}, 'pass'],
    [{ Resource: '*' }, {}, 'Allow'],
    [{ Resource: 'arn:aws:s3:::photos' }, {}, 'pass'],
    [{ Resource: ['arn:aws:s3:::other/*', 'arn:aws:s3:::pho*/cats/?'] }, {}, 'Allow'],
    [{ Resource: undefined, NotResource: 'arn:aws:s3:::photos/dogs/*' }, {}, 'Allow'],
    [{}, { resource: bucketArn('acme', 'photos', 'cats/1') }, 'pass'],
    [{}, { caller: undefined }, 'Allow'],
    [{ Principal: { AWS: 'arn:aws:iam:::user/alice' } }, {}, 'Allow'],
    [
      { Principal: { AWS: ['arn:aws:iam:::user/carol', 'arn:aws:iam::acme:user/bob'] } },
      { caller: { id: bob } },
      'Allow',
    ],
    [{ Principal: { AWS: 'arn:aws:iam::acme:root' } }, { caller: { id: bob } }, 'Allow'],
    [{ Principal: { AWS: 'acme' } }, { caller: { id: bob } }, 'Allow'],
    [{ Principal: { AWS: 'arn:aws:iam:::user/bob' } }, { caller: { id: bob } }, 'pass'],
    [{ Principal: { AWS: 'arn:aws:iam:::user/alice' } }, { caller: undefined }, 'pass'],
    [{ Principal: undefined, NotPrincipal: { AWS: 'arn:aws:iam:::user/alice' } }, {}, 'pass'],
    [{ Principal: undefined, NotPrincipal: { AWS: 'arn:aws:iam:::user/alice' } }, { caller: { id: bob } }, 'Allow'],
  ] as const)('%j of %j: %s', (change, asked, expected) => {
    expect(verdict(change, asked)).toBe(expected);
  });

  test('that denies decides, wherever it stands', () => {
    const denies = { ...statement, Effect: 'Deny', Resource: 'arn:aws:s3:::photos/cats/*' };

    for (const statements of [
      [denies, statement],
      [statement, denies],
    ]) {
      expect(evaluate([policyOf(...statements)], access)).toBe('Deny');
      expect(evaluate([policyOf(...statements)], { ...access, resource: bucketArn('', 'photos', 'x') })).toBe('Allow');
    }
  });
});

describe('a condition', () => {
  const environment = new Map([
    ['aws:sourceip', ['192.0.2.17']],
    ['s3:prefix', ['Home/alice']],
    ['s3:max-keys', ['10']],
    ['aws:securetransport', ['false']],
    ['aws:currenttime', ['2026-11-30T12:00:00Z']],
    ['s3:requestobjecttagkeys', ['a', 'b']],
    ['s3:existingobjecttag/Team', ['red']],
  ]);

  test.each([
    [{ StringEquals: { 's3:prefix': 'Home/alice' } }, true],
    [{ StringEquals: { 's3:prefix': ['x', 'Home/alice'] } }, true],
    [{ StringEquals: { 'S3:Prefix': 'home/alice' } }, false],
    [{ StringEqualsIgnoreCase: { 's3:prefix': 'home/ALICE' } }, true],
    [{ StringNotEquals: { 's3:prefix': ['x', 'Home/alice'] } }, false],
    [{ StringNotEquals: { 's3:prefix': ['x', 'y'] } }, true],
    [{ StringNotEquals: { 's3:none': 'x' } }, true],
    [{ StringLike: { 's3:prefix': 'Home/*' } }, true],
    [{ StringNotLike: { 's3:prefix': 'Home/*' } }, false],
    [{ StringEquals: { 's3:none': 'x' } }, false],
    [{ StringEqualsIfExists: { 's3:none': 'x' } }, true],
    [{ NumericLessThanEquals: { 's3:max-keys': 10 } }, true],
    [{ NumericGreaterThan: { 's3:max-keys': '10' } }, false],
    [{ NumericEquals: { 's3:prefix': '10' } }, false],
    [{ Bool: { 'aws:SecureTransport': false } }, true],
    [{ Bool: { 'aws:SecureTransport': 'true' } }, false],
    [{ Null: { 's3:none': 'true' } }, true],
    [{ Null: { 's3:prefix': 'true' } }, false],
    [{ Null: { 's3:prefix': 'false' } }, true],
    [{ IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } }, true],
    [{ IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '192.0.2.17'] } }, true],
    [{ IpAddress: { 'aws:SourceIp': '2001:db8::/32' } }, false],
    [{ IpAddress: { 'aws:SourceIp': 'nonsense' } }, false],
    [{ NotIpAddress: { 'aws:SourceIp': '192.0.2.0/24' } }, false],
    [{ NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, true],
    [{ DateLessThan: { 'aws:CurrentTime': '2026-12-01T00:00:00Z' } }, true],
    [{ DateGreaterThan: { 'aws:CurrentTime': '1796000000' } }, true],
    [{ DateGreaterThan: { 'aws:CurrentTime': '2026-12-01T00:00:00Z' } }, false],
    [{ 'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': ['a', 'b', 'c'] } }, true],
    [{ 'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': ['a'] } }, false],
    [{ 'ForAllValues:StringEquals': { 's3:none': ['a'] } }, true],
    [{ 'ForAnyValue:StringEquals': { 's3:RequestObjectTagKeys': ['b', 'z'] } }, true],
    [{ 'ForAnyValue:StringEquals': { 's3:RequestObjectTagKeys': ['z'] } }, false],
    [{ StringEquals: { 's3:ExistingObjectTag/Team': 'red' } }, true],
    [{ StringEquals: { 's3:ExistingObjectTag/team': 'red' } }, false],
    [{ StringLike: { 's3:prefix': 'Home/*' }, Bool: { 'aws:SecureTransport': 'true' } }, false],
    [{ StringLike: { 's3:prefix': 'Home/*', 's3:max-keys': '1*' } }, true],
  ])('%j: %s', (condition, expected) => {
    expect(verdict({ Condition: condition }, { environment })).toBe(expected ? 'Allow' : 'pass');
  });
});

test.each([
  ['{', /no JSON/],
  ['[]', /The policy is no object/],
  ['{}', /no Statement/],
  [{ Version: '2013-10-17' }, /Version/],
  [{ Statement: [] }, /no Statement/],
  [{ Statement: { ...statement, Effect: 'allow' } }, /Statement 1: Effect is/],
  [{ Statement: { ...statement, Principal: undefined } }, /Statement 1 has no Principal/],
  [{ Statement: { ...statement, Principal: { AWS: 'arn:aws:iam:::group/x' } } }, /names nobody/],
  [{ Statement: { ...statement, Principal: { Service: 'x' } } }, /no field Service/],
  [{ Statement: { ...statement, NotPrincipal: '*' } }, /exclude each other/],
  [{ Statement: { ...statement, Action: 's3:Fly' } }, /no action s3:Fly/],
  [{ Statement: { ...statement, Action: [] } }, /Action is empty/],
  [{ Statement: { ...statement, Action: undefined } }, /no Action/],
  [{ Statement: { ...statement, Resource: 'photos' } }, /is no ARN/],
  [{ Statement: { ...statement, Resource: 'arn:aws:s3::acme:photos' } }, /of another tenant/],
  [{ Statement: { ...statement, Condition: { Equals: { a: 'b' } } } }, /no operator Equals/],
  [{ Statement: { ...statement, Condition: { StringEquals: { a: {} } } } }, /give texts/],
  [{ Statement: { ...statement, Color: 'red' } }, /no field Color/],
])('%j is no policy', (given, problem) => {
  const text = typeof given === 'string' ? given : JSON.stringify(given);

  expect(() => parsePolicy(text, 'bucket', '')).toThrow(MalformedPolicy);
  expect(() => parsePolicy(text, 'bucket', '')).toThrow(problem);
});

test.each([
  [{}, true],
  [{ Effect: 'Deny' }, false],
  [{ Principal: { AWS: 'arn:aws:iam:::user/alice' } }, false],
  [{ Principal: undefined, NotPrincipal: { AWS: 'arn:aws:iam:::user/alice' } }, true],
  [{ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }, false],
  [{ Condition: { IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } } }, true],
  [{ Condition: { StringLike: { 's3:prefix': 'x' } } }, true],
])('%j lets in everybody: %s', (change, expected) => {
  expect(isPublic(policyOf({ ...statement, ...change }))).toBe(expected);
});

test('patterns match as regular expressions would, and in no longer time for many stars', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 8 }).map((all) => all.join(''));
  fc.assert(
    fc.property(letters, fc.array(fc.constantFrom('a', 'b'), { maxLength: 8 }), (pattern, text) => {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
      expect(globMatches(pattern, text.join(''))).toBe(expression.test(text.join('')));
    }),
  );

  expect(globMatches(`${'*a'.repeat(1000)}b`, 'a'.repeat(10_000))).toBe(false);
});

test('a new policy has no two statements of one name; one that is kept already may', () => {
  const document = (...sids: readonly string[]) =>
    JSON.stringify({ Statement: sids.map((Sid) => ({ ...statement, Principal: undefined, Sid })) });

  expect(parseNewPolicy(document('a', 'b', '', ''), 'identity', '').statements).toHaveLength(4);
  expect(() => parseNewPolicy(document('a', 'b', 'a'), 'identity', '')).toThrow('Two statements have the Sid a');
  expect(parsePolicy(document('a', 'a'), 'identity', '').statements).toHaveLength(2);
});

test('what a policy of a user or role says of principals is not heeded; a new one of a user must not say it', () => {
  const policy = JSON.stringify({ Statement: [{ ...statement, Principal: 'arn:aws:iam:::user/bob' }] });

  expect(evaluate([parsePolicy(policy, 'identity', '')], access)).toBe('Allow');
  expect(evaluate([parseNewPolicy(policy, 'role', '')], access)).toBe('Allow');
  expect(() => parseNewPolicy(policy, 'identity', '')).toThrow('Policies of users name no Principal');
});

test('a new policy lets in nobody by not naming them', () => {
  const policy = (Effect: string) =>
    JSON.stringify({
      Statement: [{ ...statement, Effect, Principal: undefined, NotPrincipal: { AWS: 'arn:aws:iam:::user/bob' } }],
    });

  expect(() => parseNewPolicy(policy('Allow'), 'bucket', '')).toThrow('Allow does not go with NotPrincipal');
  expect(parseNewPolicy(policy('Deny'), 'bucket', '').statements).toHaveLength(1);
  expect(evaluate([parsePolicy(policy('Allow'), 'bucket', '')], access)).toBe('Allow');
});
