/** All about a bucket but its attributes (RGWBucketInfo, rgw_common.h): what its instance object holds. */
import {
  type Bytes,
  type Decoder,
  decodeUTime,
  type Encoder,
  encodeUTime,
  type RawString,
  type UTime,
} from '@spirula/encoding';
import { ascending } from './ascending.ts';
import { type Bucket, decodeBucket, encodeBucket } from './bucket.ts';
import { type BucketLayout, decodeBucketLayout, encodeBucketLayout, newBucketLayout } from './bucket-layout.ts';
import { decodeObjectLock, encodeObjectLock, type ObjectLock } from './object-lock.ts';
import { decodePlacementRule, encodePlacementRule, type PlacementRule } from './placement-rule.ts';
import { decodeQuota, encodeQuota, NO_QUOTA, type Quota } from './quota.ts';
import type { UserId } from './user-id.ts';
import { decodeWebsite, encodeWebsite, type Website } from './website.ts';

/** RGWBucketFlags. */
export const BucketFlag = {
  suspended: 0x1,
  versioned: 0x2,
  versionsSuspended: 0x4,
  datasyncDisabled: 0x8,
  mfaEnabled: 0x10,
  objectLockEnabled: 0x20,
} as const;

export interface BucketInfo {
  readonly bucket: Bucket;
  readonly owner: UserId;
  /** `BucketFlag`s. */
  readonly flags: number;
  /** By its id. */
  readonly zonegroup: RawString;
  readonly created: UTime;
  readonly placement: PlacementRule;
  readonly hasInstanceObject: boolean;
  readonly quota: Quota;
  readonly requesterPays: boolean;
  readonly website: Website | undefined;
  /** Where Swift's versioning puts what is overwritten; undefined without it. */
  readonly swiftVersionsLocation: RawString | undefined;
  readonly metadataSearch: ReadonlyMap<RawString, number>;
  /** cls_rgw_reshard_status: 0 not resharding, 1 in progress, 2 done. */
  readonly reshardStatus: number;
  readonly newBucketInstanceId: RawString;
  /** Of a bucket with `BucketFlag.objectLockEnabled`. */
  readonly objectLock: ObjectLock | undefined;
  /** rgw_sync_policy_info, as it came: nothing here reads it. */
  readonly syncPolicy: Bytes | undefined;
  readonly layout: BucketLayout;
}

/** A new bucket: what it is not told, it has not. */
export function newBucketInfo(
  given: Pick<BucketInfo, 'bucket' | 'owner' | 'zonegroup' | 'created' | 'placement' | 'layout'> & Partial<BucketInfo>,
): BucketInfo {
  return {
    flags: 0,
    hasInstanceObject: false,
    quota: NO_QUOTA,
    requesterPays: false,
    website: undefined,
    swiftVersionsLocation: undefined,
    metadataSearch: new Map(),
    reshardStatus: 0,
    newBucketInstanceId: '',
    objectLock: undefined,
    syncPolicy: undefined,
    ...given,
  };
}

export function encodeBucketInfo(to: Encoder, info: BucketInfo): void {
  to.struct(23, 4, () => {
    encodeBucket(to, info.bucket);
    to.rawString(info.owner.id);
    to.u32(info.flags);
    to.rawString(info.zonegroup);
    to.u64(info.created.sec);
    encodePlacementRule(to, info.placement);
    to.bool(info.hasInstanceObject);
    encodeQuota(to, info.quota);
    to.bool(info.requesterPays);
    to.rawString(info.owner.tenant);
    to.optional(info.website, (website) => encodeWebsite(to, website));
    to.optional(info.swiftVersionsLocation, (location) => to.rawString(location));
    encodeUTime(to, info.created);
    to.map(
      ascending(info.metadataSearch),
      (key) => to.rawString(key),
      (type) => to.u32(type),
    );
    to.u8(info.reshardStatus);
    to.rawString(info.newBucketInstanceId);
    if (hasObjectLock(info.flags)) encodeObjectLock(to, info.objectLock ?? { enabled: true, rule: undefined });
    to.optional(info.syncPolicy, (policy) => to.raw(policy));
    encodeBucketLayout(to, info.layout);
    to.rawString(info.owner.ns);
  });
}

function hasObjectLock(flags: number): boolean {
  return (flags & BucketFlag.objectLockEnabled) !== 0;
}

/** @throws MalformedInput */
export function decodeBucketInfo(from: Decoder): BucketInfo {
  return from.struct('bucket info', 23, (version) => {
    if (version < 13) from.fail('bucket info', `of version ${version}, from before tenants`);
    const bucket = decodeBucket(from);
    const ownerId = from.rawString('owner');
    const flags = from.u32('flags');
    const zonegroup = from.rawString('zonegroup');
    const createdSeconds = from.u64('creation time');
    const placement = decodePlacementRule(from);
    const hasInstanceObject = from.bool('has an instance object');
    const quota = decodeQuota(from);
    // The layout says these from version 22 on.
    const shardCount = version < 22 ? from.u32('shards') : 0;
    if (version < 22) from.u8('hash type');
    const requesterPays = from.bool('requester pays');
    const tenant = from.rawString('tenant');
    const website = version >= 14 ? from.optional('website', () => decodeWebsite(from)) : undefined;
    const indexType = version >= 15 && version < 22 ? from.u32('index type') : 0;
    const swiftVersionsLocation =
      version >= 16 ? from.optional('swift versions', () => from.rawString('location')) : undefined;
    const created = version >= 17 ? decodeUTime(from, 'creation time') : { sec: createdSeconds, nsec: 0 };
    const metadataSearch =
      version >= 18
        ? from.map(
            'metadata search',
            8,
            () => from.rawString('key'),
            () => from.u32('type'),
          )
        : new Map<RawString, number>();
    const reshardStatus = version >= 19 ? from.u8('reshard status') : 0;
    const newBucketInstanceId = version >= 19 ? from.rawString('new bucket instance id') : '';
    const objectLock = version >= 20 && hasObjectLock(flags) ? decodeObjectLock(from) : undefined;
    const syncPolicy = version >= 21 ? from.optional('sync policy', () => structBytes(from, 'sync policy')) : undefined;
    const layout = version >= 22 ? decodeBucketLayout(from) : newBucketLayout(indexType, shardCount);
    const owner = { tenant, id: ownerId, ns: version >= 23 ? from.rawString('namespace of the owner') : '' };
    return {
      bucket,
      owner,
      flags,
      zonegroup,
      created,
      placement,
      hasInstanceObject,
      quota,
      requesterPays,
      website,
      swiftVersionsLocation,
      metadataSearch,
      reshardStatus,
      newBucketInstanceId,
      objectLock,
      syncPolicy,
      layout,
    };
  });
}

/** A struct as it came: version, compat, length, body. */
function structBytes(from: Decoder, field: string): Bytes {
  const start = from.offset;
  from.u8(field);
  from.u8(field);
  from.raw(from.u32(field), field);
  return from.bytes.slice(start, from.offset);
}

/** New objects become versions of their own: what is overwritten or removed stays. */
export function keepsVersions({ flags }: BucketInfo): boolean {
  return (flags & (BucketFlag.versioned | BucketFlag.versionsSuspended)) === BucketFlag.versioned;
}

/** It has, or had, versions. */
export function isVersioned({ flags }: BucketInfo): boolean {
  return (flags & BucketFlag.versioned) !== 0;
}
