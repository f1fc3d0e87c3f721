export {
  type Cid,
  type ObjectStat,
  type ObjectStore,
  type StoreIdentity,
  type StoreStatfs,
  type Transaction,
  type TransactionOp,
  UnreadableObject,
} from './object-store.ts';
