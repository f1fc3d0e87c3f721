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
