/** Structures recorded from a radosgw 16.2.15 are read, and written back to the byte. */
import { readFileSync } from 'node:fs';
import { type Bytes, type Decoder, type Encoder, fromHex, MalformedInput, toHex } from '@spirula/encoding';
import { describe, expect, test } from 'vitest';
import { AclGroup, decodeAcl, encodeAcl, FULL_CONTROL, groupGrant, Permission, privateAcl, userGrant } from './acl.ts';
import { decodeBucketEntryPoint, encodeBucketEntryPoint } from './bucket-entry-point.ts';
import { BucketFlag, decodeBucketInfo, encodeBucketInfo } from './bucket-info.ts';
import { BucketIndexType, newBucketLayout } from './bucket-layout.ts';
import { decodeCompression, encodeCompression } from './compression.ts';
import { CorsMethod, decodeCors, encodeCors } from './cors.ts';
import { decoded, encoded } from './encoded.ts';
import { decodeExpiryHint, encodeExpiryHint } from './expiry-hint.ts';
import { decodeLifecycle, encodeLifecycle } from './lifecycle.ts';
import { decodeManifest, encodeManifest } from './manifest.ts';
import {
  decodeBucketNotifications,
  decodeQueuedEvent,
  decodeTopics,
  encodeBucketNotifications,
  encodeQueuedEvent,
  encodeTopics,
} from './notification.ts';
import { decodeLegalHold, decodeObjectRetention, encodeLegalHold, encodeObjectRetention } from './object-lock.ts';
import { decodeRole, encodeRole } from './role.ts';
import { decodeSessionToken, encodeSessionToken } from './session-token.ts';
import { decodeTags, encodeTags } from './tags.ts';
import { decodeUploadInfo, decodeUploadPart, encodeUploadInfo, encodeUploadPart } from './upload.ts';
import { formatUserId, parseUserId } from './user-id.ts';
import { decodeUserObject, encodeUserObject } from './user-info.ts';
import { decodeUserPolicies, encodeUserPolicies } from './user-policies.ts';
import { decodeZoneParams, encodeZoneParams } from './zone.ts';
import { decodeZonegroup, encodeZonegroup } from './zonegroup.ts';

const recorded = JSON.parse(readFileSync(new URL('./recorded.json', import.meta.url), 'utf8')) as Record<
  string,
  Record<string, string>
>;
function vector(kind: string, name: string): Bytes {
  return fromHex(recorded[kind]![name]!);
}

interface Codec {
  readonly encode: (to: Encoder, value: never) => void;
  readonly decode: (from: Decoder) => unknown;
}
const codecs: Readonly<Record<string, Codec>> = {
  user: { encode: encodeUserObject, decode: decodeUserObject },
  entryPoint: { encode: encodeBucketEntryPoint, decode: decodeBucketEntryPoint },
  bucketInfo: { encode: encodeBucketInfo, decode: decodeBucketInfo },
  manifest: { encode: encodeManifest, decode: decodeManifest },
  acl: { encode: encodeAcl, decode: decodeAcl },
  cors: { encode: encodeCors, decode: decodeCors },
  lifecycle: { encode: encodeLifecycle, decode: decodeLifecycle },
  tags: { encode: encodeTags, decode: decodeTags },
  retention: { encode: encodeObjectRetention, decode: decodeObjectRetention },
  legalHold: { encode: encodeLegalHold, decode: decodeLegalHold },
  compression: { encode: encodeCompression, decode: decodeCompression },
  zoneCompressed: { encode: encodeZoneParams, decode: decodeZoneParams },
  zoneWithClasses: { encode: encodeZoneParams, decode: decodeZoneParams },
  zonegroupWithClasses: { encode: encodeZonegroup, decode: decodeZonegroup },
  expiryHint: { encode: encodeExpiryHint, decode: decodeExpiryHint },
  topics: { encode: encodeTopics, decode: decodeTopics },
  bucketNotifications: { encode: encodeBucketNotifications, decode: decodeBucketNotifications },
  queuedEvent: { encode: encodeQueuedEvent, decode: decodeQueuedEvent },
  uploadInfo: { encode: encodeUploadInfo, decode: decodeUploadInfo },
  uploadPart: { encode: encodeUploadPart, decode: decodeUploadPart },
  role: { encode: encodeRole, decode: decodeRole },
  sessionToken: { encode: encodeSessionToken, decode: decodeSessionToken },
  userPolicies: { encode: encodeUserPolicies, decode: decodeUserPolicies },
};
const cases = Object.keys(codecs).flatMap((kind) =>
  Object.keys(recorded[kind] ?? {}).map((name) => ({ kind, name, ...codecs[kind]! })),
);

describe.each(cases)('$kind of $name', ({ kind, name, encode, decode }) => {
  test('is written as it was read', () => {
    const bytes = vector(kind, name);

    expect(toHex(encoded(encode, decoded(decode, bytes) as never))).toBe(toHex(bytes));
  });

  test('cut short anywhere is refused', () => {
    const bytes = vector(kind, name);

    for (let length = 0; length < bytes.length; length++) {
      expect(() => decoded(decode, bytes.subarray(0, length)), `${length} bytes`).toThrow(MalformedInput);
    }
  });
});

const alice = { tenant: '', ns: '', id: 'alice' };
const zone = 'a299feab-f646-48de-ab31-b815d3f26b8c';

test('what a user has is where it belongs', () => {
  const user = decoded(decodeUserObject, vector('user', 'alice'));

  expect(user).toMatchObject({
    id: alice,
    displayName: 'Alice A',
    email: 'a@x.org',
    suspended: false,
    maxBuckets: 1000,
  });
  expect([...user.accessKeys.keys()]).toEqual(['AK0', 'AK1']);
  expect(user.swiftKeys.get('alice:ro')).toEqual({ id: 'alice:ro', secret: 'SWIFTRO', subuser: 'ro' });
  expect(user.subusers.get('swift')).toEqual({ name: 'swift', permissions: FULL_CONTROL });
  expect([...user.caps]).toEqual([
    ['buckets', 1],
    ['users', 3],
  ]);
  expect(user.userQuota).toEqual({ enabled: true, checkOnRaw: false, maxSize: 1n << 30n, maxObjects: 100n });
  expect(decoded(decodeUserObject, vector('user', 'sys')).system).toBe(true);
  expect(decoded(decodeUserObject, vector('user', 'acme$bob')).id).toEqual({ tenant: 'acme', ns: '', id: 'bob' });
});

test('what a bucket has is where it belongs', () => {
  const info = decoded(decodeBucketInfo, vector('bucketInfo', 'locked'));

  expect(info.bucket).toMatchObject({ name: 'locked', marker: `${zone}.4139.3`, bucketId: `${zone}.4139.3` });
  expect(info.owner).toEqual(alice);
  expect(info.flags).toBe(BucketFlag.objectLockEnabled | BucketFlag.versioned);
  expect(info.objectLock).toEqual({ enabled: true, rule: { mode: 'GOVERNANCE', days: 3, years: 0 } });
  expect(info.layout).toEqual(newBucketLayout(BucketIndexType.normal, 11));
  expect(decoded(decodeBucketInfo, vector('bucketInfo', 'web')).requesterPays).toBe(true);
  expect(decoded(decodeBucketInfo, vector('bucketInfo', 'acme:tbucket')).owner.tenant).toBe('acme');
  expect(decoded(decodeBucketEntryPoint, vector('entryPoint', 'acme/tbucket'))).toMatchObject({
    bucket: { tenant: 'acme', name: 'tbucket' },
    owner: { tenant: 'acme', id: 'bob' },
    linked: true,
  });
});

test('an ACL is its owner and grants, and sums are made of them', () => {
  const everyone = groupGrant(AclGroup.allUsers, Permission.read);
  const owner = { id: alice, displayName: 'Alice A' };

  expect(decoded(decodeAcl, vector('acl', 'private'))).toEqual(privateAcl(alice, 'Alice A'));
  expect(decoded(decodeAcl, vector('acl', 'public-read'))).toEqual({
    owner,
    grants: [everyone, userGrant(alice, 'Alice A', FULL_CONTROL)],
  });
  expect(encoded(encodeAcl, { owner, grants: [userGrant(alice, 'Alice A', FULL_CONTROL), everyone] })).toEqual(
    vector('acl', 'public-read'),
  );
});

test('rules of CORS and of lifecycles are read', () => {
  const [first, second] = decoded(decodeCors, vector('cors', 'plain'));
  const [expiring, tagged] = decoded(decodeLifecycle, vector('lifecycle', 'plain'));

  expect(first).toEqual({
    id: 'one',
    maxAgeSeconds: 60,
    methods: CorsMethod.GET | CorsMethod.PUT,
    allowedHeaders: ['x-*'],
    allowedOrigins: ['http://*.example.com', 'https://b'],
    exposedHeaders: ['etag'],
  });
  expect(second).toMatchObject({ maxAgeSeconds: undefined, allowedOrigins: ['*'] });
  expect(expiring).toMatchObject({
    id: 'r1',
    status: 'Enabled',
    expiration: { days: '7' },
    multipartExpiration: { days: '3' },
    filter: { prefix: 'logs/' },
  });
  expect(tagged).toMatchObject({ filter: { prefix: 't/', tags: new Map([['k', 'v']]) } });
});

test('a user of a namespace is not taken for one of a tenant', () => {
  const users = [
    alice,
    { tenant: 'acme', ns: '', id: 'bob' },
    { tenant: '', ns: 'oidc', id: 'x' },
    { tenant: 'acme', ns: 'oidc', id: 'x' },
  ];

  expect(users.map(formatUserId)).toEqual(['alice', 'acme$bob', '$oidc$x', 'acme$oidc$x']);
  expect(users.map((user) => parseUserId(formatUserId(user)))).toEqual(users);
});

test('what a later release adds behind a structure is passed over', () => {
  const bytes = vector('tags', 'object');
  const longer = new Uint8Array([9, 1, ...bytes.subarray(2), 7, 7]);
  new DataView(longer.buffer).setUint32(2, bytes.length - 6 + 2, true);

  expect(decoded(decodeTags, longer)).toEqual(decoded(decodeTags, bytes));
});

test('what is to be removed, and when', () => {
  expect(decoded(decodeExpiryHint, vector('expiryHint', 'tenanted'))).toMatchObject({
    tenant: 'acme',
    bucketName: 'tenanted',
    name: 'o',
    instance: '',
    deleteAt: { sec: 1893456001, nsec: 0 },
  });
  const version = decoded(decodeExpiryHint, vector('expiryHint', 'version'));
  expect([version.name, version.instance]).toEqual(['v', 'Zie9Kq9.aJDjh8CwrOB7JxgJG22-PIh']);
  expect(decoded(decodeExpiryHint, vector('expiryHint', 'after')).deleteAt).toEqual({
    sec: 1796076131,
    nsec: 250404193,
  });
});
