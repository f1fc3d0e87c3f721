export { createObjectStore, type StoreWorld } from './extent-store.ts';
export {
  bytesOfExtents,
  type Extent,
  type Extents,
  extent,
  intersectExtents,
  subtractExtents,
  unionOfExtents,
} from './extents.ts';
export {
  type Cid,
  type DamagedBlock,
  type FsckReport,
  type ObjectStat,
  type ObjectStore,
  type StoreIdentity,
  type StoreStatfs,
  type Transaction,
  type TransactionOp,
  UnreadableObject,
} from './object-store.ts';
export { BLOCK_BYTES } from './onode.ts';
export { IncompatibleStore } from './superblock.ts';
