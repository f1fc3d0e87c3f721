import {
  type Bytes,
  bytesFromRaw,
  EMPTY,
  fromUtf8,
  MalformedInput,
  type RawString,
  rawFromBytes,
  rawFromText,
} from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import { DeviceError, invariant, type Token, type World, type WorldEvent } from '@spirula/world';
import { Allocator } from './allocator.ts';
import { CommitQueue } from './commit-queue.ts';
import { DeferredWrites } from './deferred-writes.ts';
import type { Extents } from './extents.ts';
import { checkStore } from './fsck.ts';
import {
  afterPrefix,
  COLLECTION_PREFIX,
  collectionKey,
  OMAP_PREFIX,
  ONODE_PREFIX,
  objectOfOrder,
  objectOrder,
  onodePrefix,
  readU32,
  SHARD_PREFIX,
  SUPERBLOCK_KEY,
  shardKey,
  shardPrefix,
  storedKey,
} from './key-space.ts';
import { ObjectData } from './object-data.ts';
import type {
  Cid,
  FsckReport,
  ObjectStat,
  ObjectStore,
  StoreIdentity,
  StoreStatfs,
  Transaction,
  TransactionOp,
} from './object-store.ts';
import { Omap } from './omap.ts';
import {
  BLOCK_BYTES,
  decodeOnode,
  decodeShard,
  encodeOnode,
  encodeShard,
  newOnode,
  type Onode,
  type Shard,
  wholeKeyOf,
} from './onode.ts';
import { OnodeCache } from './onode-cache.ts';
import { StagedKv } from './staged-kv.ts';
import {
  checkLabel,
  decodeSuperblock,
  encodeSuperblock,
  IncompatibleStore,
  REPLACE,
  writeLabel,
} from './superblock.ts';

/** What a store needs of its daemon's world; `kv` and `block` are its own. */
export type StoreWorld = Pick<World, 'kv' | 'block' | 'crypto' | 'log' | 'buggify' | 'memory'>;

/** Shards of onodes kept in memory: about 20 MB. */
const CACHED_SHARDS = 32_768;
/** errno ENOSPC. */
const ENOSPC = -28;

/** The object store on a world's key-value store and block device. */
export function createObjectStore(world: StoreWorld): ObjectStore {
  return new ExtentStore(world);
}

/** What a transaction in the making has done beside the batch. */
interface OpenTransaction {
  /** Onodes to write at its end, and which of their shards. */
  readonly dirty: Map<Onode, Set<number>>;
  /** Blocks that committed metadata may refer to until it commits. */
  readonly freed: number[];
}

class ExtentStore implements ObjectStore {
  readonly #world: StoreWorld;
  readonly #kv: StagedKv;
  readonly #queue: CommitQueue;
  readonly #cache = new OnodeCache(CACHED_SHARDS);
  readonly #collections = new Map<Cid, number>();
  /** What was found last: transactions and requests ask for one object again and again. Let go of with each transaction. */
  #lastFound: { readonly cid: Cid; readonly oid: HObject; readonly onode: Onode } | undefined;
  readonly #omap: Omap;
  #deferred: DeferredWrites;
  #allocator = new Allocator(0);
  #data: ObjectData;
  /** Free, but a mount would replay a deferred write to them. */
  readonly #unreleased = new Set<number>();
  /** Flushes under way, and the last deferred write each covers. */
  readonly #flushes = new Map<Token, number>();
  #lastFlush = 0;
  #lastNid = 0;
  #lastCollection = 0;
  #metadataBytes = 0;
  #open: OpenTransaction = { dirty: new Map(), freed: [] };

  constructor(world: StoreWorld) {
    this.#world = world;
    this.#kv = new StagedKv(world.kv);
    this.#queue = new CommitQueue(world.kv, this.#kv);
    this.#omap = new Omap(this.#kv, world.crypto);
    this.#deferred = new DeferredWrites(world.block);
    this.#data = this.#makeData();
  }

  mount(): StoreIdentity | undefined {
    const { kv, block, crypto, log } = this.#world;
    const superblock = kv.get(bytesFromRaw(SUPERBLOCK_KEY));
    if (superblock === undefined) return undefined;
    const { fsid, whoami, blockCount } = decodeSuperblock(superblock);
    checkLabel(block, superblock, crypto);
    this.#useDevice(blockCount);
    const objects = this.#loadOrRefuse();
    this.#deferred.replay(kv, blockCount);
    for (const pending of this.#deferred.outstandingBlocks()) {
      if (this.#allocator.claim(pending)) this.#unreleased.add(pending);
    }
    if (this.#deferred.isOwing) this.#flush();
    log.info('object store mounted', { objects, freeBlocks: this.#allocator.freeBlocks });
    return { fsid, whoami };
  }

  mkfs(identity: StoreIdentity): void {
    const { block, crypto } = this.#world;
    const blockCount = Math.floor(block.size / BLOCK_BYTES);
    const superblock = encodeSuperblock({ ...identity, blockCount });
    this.#useDevice(blockCount);
    writeLabel(block, superblock, crypto);
    this.#kv.put(SUPERBLOCK_KEY, superblock);
    this.#queue.add({ batch: this.#kv.takeBatch(), awaits: this.#flush(), owner: undefined, onCommitted: () => {} });
  }

  submit(transaction: Transaction, token: Token): void {
    this.#trimCache();
    this.#checkSpace(transaction);
    if (this.#world.buggify('store allocates from the start')) this.#allocator.startOver();
    for (const op of transaction) this.#apply(op);
    for (const [onode, shards] of this.#open.dirty) this.#writeOnode(onode, shards);
    const { freed } = this.#open;
    this.#open = { dirty: new Map(), freed: [] };
    const deferredSeq = this.#deferred.takeRecord(this.#kv);
    const awaits = this.#data.takeWroteDirectly() ? this.#flush() : undefined;
    const onCommitted = () => this.#onCommitted(freed, deferredSeq);
    this.#queue.add({ batch: this.#kv.takeBatch(), awaits, owner: token, onCommitted });
  }

  /** Between transactions: an onode that is being changed must stay the only one of its object. */
  #trimCache(): void {
    this.#lastFound = undefined;
    this.#cache.trim();
  }

  onEvent(event: WorldEvent): readonly Token[] {
    if (event.kind === 'committed') {
      const owner = this.#queue.onCommitted(event.token);
      return owner === undefined ? [] : [owner];
    }
    if (event.kind === 'flushed') this.#onFlushed(event.token);
    return [];
  }

  collections(): readonly Cid[] {
    return [...this.#collections.keys()].sort();
  }

  list(cid: Cid, start: HObject | undefined, max: number): readonly HObject[] {
    const collection = this.#collections.get(cid);
    if (collection === undefined || start?.max || max <= 0) return [];
    const prefix = onodePrefix(collection);
    const from = start === undefined ? prefix : prefix + objectOrder(start);
    const found: HObject[] = [];
    for (const [whole] of this.#kv.scanWhole(from, afterPrefix(prefix), wholeKeyOf)) {
      found.push(objectOfOrder(whole.slice(prefix.length)));
      if (found.length === max) break;
    }
    return found;
  }

  stat(cid: Cid, oid: HObject): ObjectStat | undefined {
    const onode = this.#find(cid, oid);
    return onode && { size: onode.size };
  }

  read(cid: Cid, oid: HObject, offset: number, length: number): Bytes {
    this.#trimCache();
    const onode = this.#find(cid, oid);
    if (onode === undefined) return EMPTY;
    const bytes = this.#data.read(onode, offset, length);
    this.#cache.weigh(onode);
    return bytes;
  }

  extents(cid: Cid, oid: HObject, offset: number, length: number): Extents {
    this.#trimCache();
    const onode = this.#find(cid, oid);
    if (onode === undefined) return [];
    const found = this.#data.extents(onode, offset, length);
    this.#cache.weigh(onode);
    return found;
  }

  getAttr(cid: Cid, oid: HObject, name: RawString): Bytes | undefined {
    return this.#find(cid, oid)?.attrs.get(name);
  }

  getAttrs(cid: Cid, oid: HObject): ReadonlyMap<RawString, Bytes> {
    return new Map(this.#find(cid, oid)?.attrs);
  }

  omapHeader(cid: Cid, oid: HObject): Bytes {
    const onode = this.#find(cid, oid);
    return onode?.hasOmap ? this.#omap.header(onode.nid) : EMPTY;
  }

  omapGet(cid: Cid, oid: HObject, keys: Iterable<RawString>): ReadonlyMap<RawString, Bytes> {
    const onode = this.#find(cid, oid);
    return onode?.hasOmap ? this.#omap.get(onode.nid, keys) : new Map();
  }

  omapList(cid: Cid, oid: HObject, start: RawString, max: number): ReadonlyMap<RawString, Bytes> {
    const onode = this.#find(cid, oid);
    return onode?.hasOmap ? this.#omap.list(onode.nid, start, max) : new Map();
  }

  statfs(): StoreStatfs {
    const { blockCount, freeBlocks } = this.#allocator;
    return {
      total: blockCount * BLOCK_BYTES,
      available: freeBlocks * BLOCK_BYTES,
      data: Math.max(0, blockCount - freeBlocks - 1) * BLOCK_BYTES,
      omap: this.#omap.storedBytes,
      metadata: this.#metadataBytes,
    };
  }

  fsck(): FsckReport {
    return checkStore({
      kv: this.#kv,
      collections: this.#collections,
      allocator: this.#allocator,
      unreleased: this.#unreleased,
      loadOnode: (key, value) => this.#cache.get(key) ?? decodeOnode(key, value),
      loadShard: (onode, index) => onode.shards.get(index) ?? this.#loadShard(onode, index),
      damagedBlocks: (onode) => this.#data.damagedBlocks(onode),
    });
  }

  #makeData(): ObjectData {
    return new ObjectData({
      block: this.#world.block,
      crypto: this.#world.crypto,
      memory: this.#world.memory,
      allocator: this.#allocator,
      deferred: this.#deferred,
      loadShard: (onode, index) => this.#loadShard(onode, index),
      markShard: (onode, index) => this.#markDirty(onode).add(index),
      free: (block) => this.#open.freed.push(block),
    });
  }

  #useDevice(blockCount: number): void {
    this.#allocator = new Allocator(blockCount);
    // Block 0 is the label.
    this.#allocator.claim(0);
    this.#data = this.#makeData();
  }

  /** Nothing may be written to a device of which it is not certain what is free. */
  #loadOrRefuse(): number {
    try {
      return this.#load();
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      throw new IncompatibleStore(`the object store's metadata are damaged (${error.message}). ${REPLACE}`);
    }
  }

  /** Reads all metadata: collections, which blocks are taken, the sizes of things. Returns the number of objects. */
  #load(): number {
    for (const [key, value] of this.#kv.scan(COLLECTION_PREFIX, afterPrefix(COLLECTION_PREFIX))) {
      if (value.length !== 4) throw new MalformedInput('collection', 0, `has ${value.length} bytes, not 4`);
      const collection = readU32(rawFromBytes(value), 0);
      this.#collections.set(fromUtf8(bytesFromRaw(key.slice(1))), collection);
      this.#lastCollection = Math.max(this.#lastCollection, collection);
    }
    let objects = 0;
    const claim = (shard: Shard | undefined) => {
      if (shard === undefined) return;
      for (let i = 0; i < shard.length; i++) {
        const block = shard.blockAt(i);
        if (block === 0 || this.#allocator.claim(block)) continue;
        if (!this.#allocator.isTaken(block)) {
          throw new MalformedInput('shard', 0, `has device block ${block}, which is beyond the device`);
        }
        this.#allocator.share(block);
      }
    };
    for (const [key, value] of this.#kv.scan(ONODE_PREFIX, afterPrefix(ONODE_PREFIX))) {
      const onode = decodeOnode(key, value);
      claim(onode.shards.get(0));
      this.#lastNid = Math.max(this.#lastNid, onode.nid);
      this.#metadataBytes += value.length;
      objects += 1;
    }
    for (const [, value] of this.#kv.scan(SHARD_PREFIX, afterPrefix(SHARD_PREFIX))) {
      claim(decodeShard(value));
    }
    for (const [key, value] of this.#kv.scan(OMAP_PREFIX, afterPrefix(OMAP_PREFIX))) this.#omap.count(key, value);
    return objects;
  }

  /** @throws DeviceError ENOSPC when the data might not fit; nothing has changed then. */
  #checkSpace(transaction: Transaction): void {
    let blocks = 0;
    let { isSharing } = this.#allocator;
    for (const op of transaction) {
      if (op.op === 'write') blocks += Math.ceil(((op.offset % BLOCK_BYTES) + op.data.length) / BLOCK_BYTES);
      else if (op.op === 'clone') isSharing = true;
      // The blocks at both ends change, and may be another object's as well.
      else if (isSharing && (op.op === 'zero' || op.op === 'truncate')) blocks += 2;
    }
    if (blocks > this.#allocator.freeBlocks) {
      const free = this.#allocator.freeBlocks;
      const total = this.#allocator.blockCount;
      throw new DeviceError(
        ENOSPC,
        `the device is full: ${(total - free) * BLOCK_BYTES} of ${total * BLOCK_BYTES} bytes used, ${blocks * BLOCK_BYTES} more needed; add capacity or remove objects`,
      );
    }
  }

  #apply(op: TransactionOp): void {
    switch (op.op) {
      case 'createCollection':
        this.#createCollection(op.cid);
        break;
      case 'removeCollection':
        this.#removeCollection(op.cid);
        break;
      case 'touch':
        this.#findOrCreate(op.cid, op.oid);
        break;
      case 'write':
        this.#data.write(this.#change(op.cid, op.oid), op.offset, op.data);
        break;
      case 'zero':
        this.#data.zero(this.#change(op.cid, op.oid), op.offset, op.length);
        break;
      case 'truncate':
        this.#data.truncate(this.#change(op.cid, op.oid), op.size);
        break;
      case 'remove':
        this.#remove(op.cid, op.oid);
        break;
      case 'setAttrs': {
        const { attrs } = this.#change(op.cid, op.oid);
        // Copied: a small value would keep alive the message it came in.
        for (const [name, value] of op.attrs) attrs.set(name, value.slice());
        break;
      }
      case 'rmAttr':
        this.#change(op.cid, op.oid).attrs.delete(op.name);
        break;
      case 'rmAttrs':
        this.#change(op.cid, op.oid).attrs.clear();
        break;
      case 'omapSet':
        this.#omap.set(this.#changeOmap(op.cid, op.oid), op.entries, op.fresh === true);
        break;
      case 'omapRmKeys':
        this.#omap.removeKeys(this.#findOrCreate(op.cid, op.oid).nid, op.keys);
        break;
      case 'omapRmRange':
        this.#omap.removeRange(this.#findOrCreate(op.cid, op.oid).nid, op.first, op.last);
        break;
      case 'omapClear':
        this.#clearOmap(this.#findOrCreate(op.cid, op.oid));
        break;
      case 'omapSetHeader':
        this.#omap.setHeader(this.#changeOmap(op.cid, op.oid), op.header);
        break;
      case 'clone':
        this.#clone(op.cid, op.oid, op.to);
        break;
    }
  }

  #createCollection(cid: Cid): void {
    invariant(!this.#collections.has(cid), `collection ${cid} is created once`);
    this.#lastCollection += 1;
    this.#collections.set(cid, this.#lastCollection);
    const number = onodePrefix(this.#lastCollection).slice(ONODE_PREFIX.length);
    this.#kv.put(collectionKey(rawFromText(cid)), bytesFromRaw(number));
  }

  #removeCollection(cid: Cid): void {
    for (const onode of this.#open.dirty.keys()) {
      invariant(
        !onode.key.startsWith(onodePrefix(this.#collection(cid))),
        `collection ${cid} is empty when it is removed`,
      );
    }
    invariant(this.list(cid, undefined, 1).length === 0, `collection ${cid} is empty when it is removed`);
    invariant(this.#collections.delete(cid), `collection ${cid} exists`);
    this.#lastFound = undefined;
    this.#kv.del(collectionKey(rawFromText(cid)));
  }

  #remove(cid: Cid, oid: HObject): void {
    const onode = this.#find(cid, oid);
    if (onode === undefined) return;
    this.#data.discard(onode);
    this.#clearOmap(onode);
    if (onode.shardCount > 1) this.#kv.delRange(shardPrefix(onode.nid), afterPrefix(shardPrefix(onode.nid)));
    this.#kv.del(onode.key);
    this.#metadataBytes -= onode.storedBytes;
    this.#open.dirty.delete(onode);
    this.#cache.remove(onode.key);
    this.#lastFound = undefined;
  }

  #clone(cid: Cid, oid: HObject, toOid: HObject): void {
    const from = this.#find(cid, oid);
    if (from !== undefined && from === this.#find(cid, toOid)) return;
    this.#remove(cid, toOid);
    if (from === undefined) return;
    const to = this.#change(cid, toOid);
    this.#data.share(from, to);
    for (const [name, value] of from.attrs) to.attrs.set(name, value);
    if (from.hasOmap) {
      to.hasOmap = true;
      this.#omap.copy(from.nid, to.nid);
    }
  }

  #clearOmap(onode: Onode): void {
    if (!onode.hasOmap) return;
    this.#omap.clear(onode.nid);
    onode.hasOmap = false;
    this.#markDirty(onode);
  }

  #collection(cid: Cid): number {
    const collection = this.#collections.get(cid);
    invariant(collection !== undefined, `collection ${cid} exists`);
    return collection;
  }

  #find(cid: Cid, oid: HObject): Onode | undefined {
    const last = this.#lastFound;
    if (last !== undefined && last.oid === oid && last.cid === cid) return last.onode;
    const collection = this.#collections.get(cid);
    if (collection === undefined) return undefined;
    const key = storedKey(onodePrefix(collection) + objectOrder(oid), this.#world.crypto);
    let onode = this.#cache.get(key);
    if (onode === undefined) {
      const value = this.#kv.get(key);
      if (value === undefined) return undefined;
      onode = decodeOnode(key, value);
      this.#cache.add(onode);
    }
    this.#lastFound = { cid, oid, onode };
    return onode;
  }

  #findOrCreate(cid: Cid, oid: HObject): Onode {
    const found = this.#find(cid, oid);
    if (found !== undefined) return found;
    const prefix = onodePrefix(this.#collection(cid));
    this.#lastNid += 1;
    const wholeKey = prefix + objectOrder(oid);
    const onode = newOnode(this.#lastNid, storedKey(wholeKey, this.#world.crypto), wholeKey);
    this.#cache.add(onode);
    this.#lastFound = { cid, oid, onode };
    this.#markDirty(onode);
    return onode;
  }

  #change(cid: Cid, oid: HObject): Onode {
    const onode = this.#findOrCreate(cid, oid);
    this.#markDirty(onode);
    return onode;
  }

  #changeOmap(cid: Cid, oid: HObject): number {
    const onode = this.#findOrCreate(cid, oid);
    if (!onode.hasOmap) this.#markDirty(onode);
    onode.hasOmap = true;
    return onode.nid;
  }

  #markDirty(onode: Onode): Set<number> {
    let shards = this.#open.dirty.get(onode);
    if (shards === undefined) {
      shards = new Set();
      this.#open.dirty.set(onode, shards);
    }
    return shards;
  }

  #loadShard(onode: Onode, index: number): Shard | undefined {
    const value = this.#kv.get(shardKey(onode.nid, index));
    return value && decodeShard(value);
  }

  #writeOnode(onode: Onode, shards: ReadonlySet<number>): void {
    const value = encodeOnode(onode);
    this.#kv.put(onode.key, value);
    this.#metadataBytes += value.length - onode.storedBytes;
    onode.storedBytes = value.length;
    this.#cache.weigh(onode);
    for (const index of shards) {
      // Shard 0 is in the onode.
      if (index === 0) continue;
      const shard = onode.shards.get(index)!;
      if (shard.isEmpty) this.#kv.del(shardKey(onode.nid, index));
      else this.#kv.put(shardKey(onode.nid, index), encodeShard(shard));
    }
  }

  #flush(): Token {
    this.#lastFlush += 1;
    this.#flushes.set(this.#lastFlush, this.#deferred.beginFlush());
    this.#world.block.flush(this.#lastFlush);
    return this.#lastFlush;
  }

  #onCommitted(freed: readonly number[], deferredSeq: number): void {
    if (deferredSeq > 0) this.#deferred.onCommitted(deferredSeq);
    for (const block of freed) {
      const isLast = this.#allocator.ownersOf(block) === 1;
      if (isLast && this.#deferred.isOutstanding(block)) this.#unreleased.add(block);
      else this.#allocator.release(block);
    }
    // Blocks that wait for the end of a deferred write come back only through a flush.
    const due = this.#deferred.worthFlushing || this.#unreleased.size > 0;
    if ((due || this.#world.buggify('store flushes early')) && this.#flushes.size === 0) this.#flush();
  }

  #onFlushed(token: Token): void {
    const written = this.#flushes.get(token);
    invariant(written !== undefined, 'a flush comes back once');
    this.#flushes.delete(token);
    this.#queue.onFlushed(token);
    const records = this.#deferred.onFlushed(written);
    if (records === undefined) return;
    const [start, end] = records;
    const batch = [{ op: 'delRange', start: bytesFromRaw(start), end: bytesFromRaw(end) } as const];
    this.#queue.submitAside(batch, () => this.#onCleaned(written));
  }

  #onCleaned(seq: number): void {
    for (const block of this.#deferred.onCleaned(seq)) {
      if (this.#unreleased.delete(block)) this.#allocator.release(block);
    }
  }
}
