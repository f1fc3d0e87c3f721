export { AdminError } from './admin/admin-error.ts';
export { ADMIN_COMMANDS, findAdminCommand, REFUSED_ADMIN_COMMANDS, runAdminCommand } from './admin/commands.ts';
export { type ArchiveEntry, type ArchiveFormat, type Archives, MalformedArchive } from './archives.ts';
export type { Decompression } from './decompression.ts';
export type { FaultRule } from './faults/fault-rule.ts';
export { FaultRuleError } from './faults/fault-rule-error.ts';
export type { FaultReport } from './faults/faults.ts';
export { parseS3Fault } from './faults/s3-fault.ts';
export { GranteeType, granteeOf, refererGrant } from './formats/acl.ts';
export { decodePool, type ExplicitPlacement, encodePool, type Pool } from './formats/bucket.ts';
export { BucketFlag } from './formats/bucket-info.ts';
export { BUCKET_HASH_MOD, type IndexLayout, type IndexShards, type LogLayout } from './formats/bucket-layout.ts';
export type { CompressedBlock } from './formats/compression.ts';
export { type LifecycleExpiration, type LifecycleTransition, NO_EXPIRATION } from './formats/lifecycle.ts';
export { tailObject } from './formats/manifest-stripes.ts';
export type { ObjectKey } from './formats/object.ts';
export type { DefaultRetention } from './formats/object-lock.ts';
export { formatPlacementRule, parsePlacementRule, STANDARD_STORAGE_CLASS } from './formats/placement-rule.ts';
export { roundedKib } from './formats/quota.ts';
export {
  type AccessKey,
  ALL_OPS,
  DEFAULT_MAX_BUCKETS,
  decodeUserInfo,
  encodeUserInfo,
  newUserInfo,
  OpMask,
  type Subuser,
  USER_TYPE_RGW,
} from './formats/user-info.ts';
export type { Redirect, RoutingRule } from './formats/website.ts';
export {
  DEFAULT_PLACEMENT,
  DEFAULT_ZONE,
  type StorageClass,
  type ZonePlacement,
  type ZonePool,
} from './formats/zone.ts';
export { DEFAULT_INDEX_SHARDS } from './formats/zonegroup.ts';
export { Gateway } from './gateway.ts';
export { ConnectionCut, type HttpRequest, type HttpResponse } from './http.ts';
export { newRole } from './iam/role.ts';
export { FIRST_SUBUSER, type FirstUser, RgwDaemon, type RgwOptions } from './rgw-daemon.ts';
export { formatHttpDate } from './s3/http-date.ts';
export { S3Error } from './s3/s3-error.ts';
export { indexHeaders, sumOfStats } from './store/bucket-index.ts';
export { BucketAttr, BucketStore } from './store/buckets.ts';
export { type Entropy, randomUpper } from './store/entropy.ts';
export { MULTIPART_NS, NULL_INSTANCE, SHADOW_NS } from './store/layout.ts';
export { RoleStore } from './store/roles.ts';
export { Store } from './store/store.ts';
export { oidsOfObject } from './store/stripes.ts';
export { IndexConflict } from './store/user-index.ts';
export { UserStore } from './store/users.ts';
export { openZone, type Zone } from './store/zone.ts';
export { UsageLog } from './usage/usage-log.ts';
