export { builtinClasses } from './builtin-classes.ts';
export { ClassRegistry, type ResolvedMethod } from './class-registry.ts';
export { type EntityInst, entityNameText } from './entity-inst.ts';
export {
  decodeLockInfo,
  decodeLockNames,
  encodeBreakInput,
  encodeCookieInput,
  encodeHeldInput,
  encodeInfoInput,
  encodeLockInput,
  encodeUnlockInput,
  type Locker,
  LockFlag,
  type LockInfo,
  LockType,
  lockTypeText,
} from './lock/lock-codec.ts';
export type { MethodContext, ObjectStat, OmapKeys, OmapPage, OmapPageRequest, Watcher } from './method-context.ts';
export {
  ClassError,
  type ClassMethod,
  decodeStored,
  MethodFlag,
  type MethodOutcome,
  method,
  NOTHING,
  type ObjectClass,
  rawMethod,
  runMethod,
} from './object-class.ts';
export { decodeQueueList, type QueueEntry, type QueueList } from './queue/queue-codec.ts';
export {
  BitVector as RbdBitVector,
  decodeBitVector as decodeRbdBitVector,
  encodeBitVector as encodeRbdBitVector,
} from './rbd/bit-vector-codec.ts';
export {
  DISABLE_ONLY_FEATURES as RBD_DISABLE_ONLY_FEATURES,
  Feature as RbdFeature,
  OperationFeature as RbdOperationFeature,
} from './rbd/features.ts';
export {
  decodeGroup as decodeImageGroup,
  decodeGroupImageStatus,
  decodeGroupSnapshot,
  encodeGroup as encodeImageGroup,
  encodeGroupImage,
  encodeGroupImageStatus,
  encodeGroupSnapshot,
  type GroupImage,
  type GroupImageStatus,
  type GroupSnapshot,
} from './rbd/groups-codec.ts';
export { NO_POOL, NOSNAP } from './rbd/header-keys.ts';
export {
  decodeMigration as decodeRbdMigration,
  encodeMigration as encodeRbdMigration,
  HeaderType as MigrationHeader,
  type Migration as RbdMigration,
  MigrationState,
} from './rbd/migration.ts';
export {
  decodeMirrorImage,
  decodeMirrorPeers,
  decodeSiteStatus,
  encodeMirrorImage,
  encodeMirrorPeer,
  type MirrorImage,
  MirrorImageState,
  type MirrorPeer,
  PeerDirection as MirrorPeerDirection,
  type SiteStatus as MirrorSiteStatus,
} from './rbd/mirror-codec.ts';
export {
  type Child as RbdChild,
  decodeChildren as decodeRbdChildren,
  decodeImageSnapshot,
  decodeSnapshotInfo,
  encodeNamespace as encodeSnapshotNamespace,
  type ImageSnapshot,
  type MirrorSnapshot,
  MirrorSnapshotState,
  parentExists as imageSnapshotExists,
  type SnapshotInfo as RbdSnapshotInfo,
  type SnapshotNamespace as RbdSnapshotNamespace,
  SnapshotType as RbdSnapshotType,
} from './rbd/snapshot-codec.ts';
export {
  decodeTrashedImage,
  encodeTrashedImage,
  type TrashedImage,
  TrashSource,
  TrashState,
} from './rbd/trash-codec.ts';
export { encodeReferenceInput } from './refcount.ts';
export {
  type BiEntry,
  type BiGetInput,
  type BiListInput,
  type BiListReply,
  BiType,
  decodeBiEntry,
  decodeBiListReply,
  encodeBiEntry,
  encodeBiGetInput,
  encodeBiListInput,
} from './rgw/bi-codec.ts';
export {
  BILOG_VERSIONED,
  type BilogEntry,
  type BilogListInput,
  type BilogListReply,
  type BilogTrimInput,
  decodeBilogListReply,
  encodeBilogListInput,
  encodeBilogTrimInput,
} from './rgw/bilog-codec.ts';
export { type EncodedChange, encodeChangesInput } from './rgw/bucket-changes.ts';
export {
  type CheckIndexReply,
  type CompleteInput,
  decodeCheckIndexReply,
  decodeListReply,
  encodeCompleteInput,
  encodeListInput,
  encodePrepareInput,
  encodeSuggestInput,
  encodeTagTimeoutInput,
  encodeUpdateStatsInput,
  type ListInput,
  type ListReply,
  type PrepareInput,
  SUGGEST_LOG_OP,
  SuggestedOp,
  type Suggestion,
  type UpdateStatsInput,
} from './rgw/bucket-codec.ts';
export {
  type DirEntry,
  decodeDirEntry,
  EntryFlag,
  type EntryMeta,
  encodeDirEntry,
  isDeleteMarker,
  isVisible,
  ModifyOp,
  NO_ENTRY,
  NO_META,
  ObjectCategory,
  type PendingChange,
  PendingState,
} from './rgw/dir-entry.ts';
export {
  accountEntry,
  addStats,
  type BucketStats,
  type CategoryStats,
  type DirHeader,
  decodeDirHeader,
  NO_DIR_HEADER,
  NO_STATS,
  type ReshardState,
  ReshardStatus,
  roundedSize,
} from './rgw/dir-header.ts';
export { type EntryVersion, NO_ENTRY_VERSION } from './rgw/entry-version.ts';
export {
  decodeGcListReply,
  encodeGcDeferInput,
  encodeGcListInput,
  encodeGcRemoveInput,
  encodeGcSetInput,
  type GcDeferInput,
  type GcEntry,
  type GcListInput,
  type GcListReply,
  type GcObject,
  type GcSetInput,
} from './rgw/gc-codec.ts';
export { encodeGcQueueInitInput, encodeGcQueueRemoveInput } from './rgw/gc-queue.ts';
export {
  decodeLifecycleEntryReply,
  decodeLifecycleHeadReply,
  decodeLifecycleListReply,
  encodeLifecycleEntryInput,
  encodeLifecycleHeadInput,
  encodeLifecycleListInput,
  encodeLifecycleMarkerInput,
  type LifecycleEntry,
  type LifecycleHead,
  type LifecycleListReply,
} from './rgw/lifecycle-codec.ts';
export {
  type CheckMtimeInput,
  type CheckXattrsInput,
  encodeCheckMtimeInput,
  encodeCheckXattrsInput,
  encodeRemoveObjectInput,
  encodeStorePgVersionInput,
  MtimeCheck,
} from './rgw/object-checks.ts';
export { NO_OBJECT_KEY, type ObjectKey, sameObjectKey } from './rgw/object-key.ts';
export {
  type ClearOlhInput,
  decodeOlhEntry,
  decodeOlhLogReply,
  encodeClearOlhInput,
  encodeLinkOlhInput,
  encodeOlhEntry,
  encodeOlhLogInput,
  encodeUnlinkInstanceInput,
  type LinkOlhInput,
  type OlhEntry,
  type OlhLog,
  type OlhLogEntry,
  type OlhLogInput,
  type OlhLogReply,
  OlhOp,
  type UnlinkInstanceInput,
} from './rgw/olh-codec.ts';
export {
  decodeReshardEntryReply,
  decodeReshardListReply,
  decodeReshardStateReply,
  encodeReshardEmptyInput,
  encodeReshardEntryInput,
  encodeReshardGuardInput,
  encodeReshardListInput,
  encodeReshardRemoveInput,
  encodeReshardStateInput,
  type ReshardEntry,
  type ReshardListInput,
  type ReshardListReply,
  type ReshardRemoveInput,
} from './rgw/reshard-codec.ts';
export {
  type BucketUsage,
  decodeReadUsageReply,
  encodeAddUsageInput,
  encodeReadUsageInput,
  encodeTrimUsageInput,
  NO_USAGE,
  type ReadUsageInput,
  type ReadUsageReply,
  type Usage,
  type UsageEntry,
  type UsageRange,
} from './rgw/usage-codec.ts';
export type { ZonesTrace } from './rgw/zones-trace.ts';
export { encodeTimeListInput, type TimeListInput } from './time-key.ts';
export {
  decodeTimeindexListReply,
  encodeTimeindexAddInput,
  encodeTimeindexTrimInput,
  type TimeindexEntry,
  type TimeindexListReply,
  type TimeindexTrimInput,
} from './timeindex.ts';
export {
  decodeReserveReply as decodeQueueReserveReply,
  encodeAbortInput as encodeQueueAbortInput,
  encodeCommitInput as encodeQueueCommitInput,
  encodeExpireInput as encodeQueueExpireInput,
  encodeQueueInitInput,
  encodeQueueListInput,
  encodeQueueRemoveInput,
  encodeReserveInput as encodeQueueReserveInput,
} from './two-phase-queue/two-phase-queue-codec.ts';
export {
  type BucketEntry as UserBucketEntry,
  decodeHeaderReply as decodeUserHeaderReply,
  decodeListReply as decodeUserBucketsReply,
  encodeListInput as encodeUserBucketsInput,
  encodeRemoveInput as encodeRemoveUserBucketInput,
  encodeSetBucketsInput as encodeSetUserBucketsInput,
  encodeTimeInput as encodeUserTimeInput,
  type UserBucket,
  type UserHeader,
} from './user/user-codec.ts';
