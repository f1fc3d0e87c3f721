export { builtinClasses } from './builtin-classes.ts';
export { ClassRegistry, type ResolvedMethod } from './class-registry.ts';
export { type EntityInst, entityNameText } from './entity-inst.ts';
export {
  decodeLockInfo,
  decodeLockNames,
  encodeBreakInput,
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
  type CheckMtimeInput,
  type CheckXattrsInput,
  encodeCheckMtimeInput,
  encodeCheckXattrsInput,
  encodeRemoveObjectInput,
  encodeStorePgVersionInput,
  MtimeCheck,
} from './rgw/object-checks.ts';
export { NO_OBJECT_KEY, type ObjectKey, sameObjectKey } from './rgw/object-key.ts';
export type { ZonesTrace } from './rgw/zones-trace.ts';
