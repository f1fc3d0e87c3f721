import { type Bytes, EMPTY } from '@spirula/encoding';
import { type BlockDevice, type Crypto, DeviceError, type Memory } from '@spirula/world';
import type { Allocator } from './allocator.ts';
import type { DeferredWrites } from './deferred-writes.ts';
import { bytesOfExtents, type Extent, type Extents, extent, subtractExtents, unionOfExtents } from './extents.ts';
import { type DamagedBlock, UnreadableObject } from './object-store.ts';
import { BLOCK_BYTES, type Onode, SHARD_BLOCKS, Shard } from './onode.ts';

/** Writes of at most so many bytes (whole blocks) go through the key-value journal; larger ones to new blocks. */
const DEFERRED_MAX_BYTES = 64 << 10;
/** Initial value of block checksums. */
const CRC_SEED = 0xffff_ffff;
const NONE_DAMAGED: ReadonlySet<number> = new Set();

/** Where the data side of a store finds and leaves things. */
export interface ObjectDataPorts {
  readonly block: BlockDevice;
  readonly crypto: Pick<Crypto, 'crc32c'>;
  readonly memory: Memory | undefined;
  readonly allocator: Allocator;
  readonly deferred: DeferredWrites;
  /** Reads a shard that is not in memory; undefined when it has no block. */
  loadShard(onode: Onode, index: number): Shard | undefined;
  /** The shard's encoding in the store is out of date. */
  markShard(onode: Onode, index: number): void;
  /** The transaction in hand no longer refers to the block. */
  free(block: number): void;
}

/**
 * Objects' bytes: maps them to device blocks, checks what it reads, and writes either in place by way of the journal or
 * to new blocks. A block that committed metadata refer to is never written directly, and one that several objects have is
 * not written at all: who changes it gets another.
 *
 * Bytes of the last block beyond the object's size are zero.
 */
export class ObjectData {
  readonly #ports: ObjectDataPorts;
  #wroteDirectly = false;

  constructor(ports: ObjectDataPorts) {
    this.#ports = ports;
  }

  /** Whether blocks were written that a flush must follow; forgets it. */
  takeWroteDirectly(): boolean {
    const wrote = this.#wroteDirectly;
    this.#wroteDirectly = false;
    return wrote;
  }

  /** @throws UnreadableObject */
  read(onode: Onode, offset: number, length: number): Bytes {
    const end = Math.min(offset + length, onode.size);
    if (end <= offset) return EMPTY;
    const first = Math.floor(offset / BLOCK_BYTES);
    const last = Math.ceil(end / BLOCK_BYTES);
    const part = (whole: Bytes) => whole.subarray(offset - first * BLOCK_BYTES, end - first * BLOCK_BYTES);
    const atOnce = this.#runLength(onode, first, last);
    const block = this.#blockOf(onode, first);
    // Most objects are in one place: their bytes are not copied.
    if (first + atOnce === last && block !== 0) return part(this.#readRun(onode, first, block, atOnce));
    return part(this.#gather(onode, first, last));
  }

  /** Blocks [first, last) from wherever they are. */
  #gather(onode: Onode, first: number, last: number): Bytes {
    const length = (last - first) * BLOCK_BYTES;
    const { memory } = this.#ports;
    const bytes = memory?.take(length) ?? new Uint8Array(length);
    let index = first;
    while (index < last) {
      const count = this.#runLength(onode, index, last);
      const block = this.#blockOf(onode, index);
      const at = (index - first) * BLOCK_BYTES;
      if (block === 0) {
        bytes.fill(0, at, at + count * BLOCK_BYTES);
      } else {
        const run = this.#readRun(onode, index, block, count);
        bytes.set(run, at);
        memory?.giveBack(run);
      }
      index += count;
    }
    return bytes;
  }

  write(onode: Onode, offset: number, data: Bytes): void {
    if (data.length === 0) return;
    const end = offset + data.length;
    const first = Math.floor(offset / BLOCK_BYTES);
    const written = this.#writtenAfter(onode, offset, end);
    if (offset % BLOCK_BYTES === 0 && end % BLOCK_BYTES === 0) this.#store(onode, first, data, NONE_DAMAGED);
    else this.#storeWithEdges(onode, offset, data);
    onode.size = Math.max(onode.size, end);
    const last = Math.ceil(end / BLOCK_BYTES);
    for (let index = first; index < last; index++) this.#setWritten(onode, index, written.get(index));
  }

  /** Where there are data, within the object: what was written, and neither zeroed nor cut off since. */
  extents(onode: Onode, offset: number, length: number): Extents {
    const end = Math.min(offset + length, onode.size);
    const found: Extent[] = [];
    for (let index = Math.floor(offset / BLOCK_BYTES); index * BLOCK_BYTES < end; index++) {
      for (const each of this.#writtenOf(onode, index)) {
        const from = Math.max(offset, index * BLOCK_BYTES + each.offset);
        const to = Math.min(end, index * BLOCK_BYTES + each.offset + each.length);
        const last = found.at(-1);
        if (from >= to) continue;
        if (last && last.offset + last.length === from) found.splice(-1, 1, { ...last, length: to - last.offset });
        else found.push({ offset: from, length: to - from });
      }
    }
    return found;
  }

  /** Which bytes of a block were written, up to the object's end. */
  #writtenOf(onode: Onode, index: number): Extents {
    if (this.#blockOf(onode, index) === 0) return [];
    const shard = this.#shard(onode, shardOf(index));
    return shard.writtenAt(index % SHARD_BLOCKS) ?? extent(0, Math.min(BLOCK_BYTES, onode.size - index * BLOCK_BYTES));
  }

  #setWritten(onode: Onode, index: number, written: Extents | undefined): void {
    const shard = this.#shard(onode, shardOf(index));
    if (shard.writtenAt(index % SHARD_BLOCKS) === undefined && written === undefined) return;
    shard.setWritten(index % SHARD_BLOCKS, written);
    this.#ports.markShard(onode, shardOf(index));
  }

  /** What a write of [start, end) will have left, of those of its blocks that are not written all over then. */
  #writtenAfter(onode: Onode, start: number, end: number): ReadonlyMap<number, Extents> {
    const after = new Map<number, Extents>();
    const size = Math.max(onode.size, end);
    if (start > onode.size) this.#keepTail(onode);
    for (const index of new Set([Math.floor(start / BLOCK_BYTES), Math.ceil(end / BLOCK_BYTES) - 1])) {
      const base = index * BLOCK_BYTES;
      const from = Math.max(0, start - base);
      const part = extent(from, Math.min(BLOCK_BYTES, end - base) - from);
      const written = unionOfExtents(this.#writtenOf(onode, index), part);
      if (bytesOfExtents(written) < Math.min(BLOCK_BYTES, size - base)) after.set(index, written);
    }
    return after;
  }

  /** The object grows: behind what is its end now comes a hole, and its last block does not say so by itself any more. */
  #keepTail(onode: Onode): void {
    const index = Math.floor(onode.size / BLOCK_BYTES);
    if (onode.size % BLOCK_BYTES === 0 || this.#blockOf(onode, index) === 0) return;
    this.#setWritten(onode, index, this.#writtenOf(onode, index));
  }

  /** The edges keep what the object has there. Where that cannot be read, the block stays unreadable. */
  #storeWithEdges(onode: Onode, offset: number, data: Bytes): void {
    const end = offset + data.length;
    const first = Math.floor(offset / BLOCK_BYTES);
    const last = Math.ceil(end / BLOCK_BYTES);
    const damaged = new Set<number>();
    const bytes = new Uint8Array((last - first) * BLOCK_BYTES);
    for (const index of new Set([first, last - 1])) {
      // Beyond the object's size there is nothing to keep.
      const whole = index * BLOCK_BYTES >= offset && Math.min((index + 1) * BLOCK_BYTES, onode.size) <= end;
      if (!whole) bytes.set(this.#readForUpdate(onode, index, damaged), (index - first) * BLOCK_BYTES);
    }
    bytes.set(data, offset - first * BLOCK_BYTES);
    this.#store(onode, first, bytes, damaged);
  }

  zero(onode: Onode, offset: number, length: number): void {
    if (length === 0) return;
    const end = offset + length;
    const mapped = Math.min(end, onode.size);
    if (end > onode.size) this.#keepTail(onode);
    const firstWhole = Math.ceil(offset / BLOCK_BYTES);
    // Beyond the object's size its last block is zero already.
    const lastWhole = mapped === onode.size ? Math.ceil(mapped / BLOCK_BYTES) : Math.floor(mapped / BLOCK_BYTES);
    const headEnd = Math.min(mapped, firstWhole * BLOCK_BYTES);
    this.#zeroWithin(onode, offset, headEnd);
    this.#unmap(onode, firstWhole, lastWhole);
    this.#zeroWithin(onode, Math.max(headEnd, lastWhole * BLOCK_BYTES), mapped);
    onode.size = Math.max(onode.size, end);
  }

  truncate(onode: Onode, size: number): void {
    if (size < onode.size) this.zero(onode, size, onode.size - size);
    else if (size > onode.size) this.#keepTail(onode);
    onode.size = size;
    this.#forgetTail(onode);
  }

  /** Gives up all blocks. */
  discard(onode: Onode): void {
    this.#unmap(onode, 0, onode.shardCount * SHARD_BLOCKS);
  }

  /** Blocks of an object that no read gives. */
  damagedBlocks(onode: Onode): Omit<DamagedBlock, 'cid' | 'oid'>[] {
    const damaged: Omit<DamagedBlock, 'cid' | 'oid'>[] = [];
    for (let index = 0; index < onode.shardCount * SHARD_BLOCKS; index++) {
      const block = this.#blockOf(onode, index);
      if (block === 0 || this.#isGood(onode, index)) continue;
      const marked = this.#shard(onode, shardOf(index)).crcAt(index % SHARD_BLOCKS) === ~this.#rawCrc(block) >>> 0;
      damaged.push({ offset: index * BLOCK_BYTES, deviceOffset: block * BLOCK_BYTES, marked });
    }
    return damaged;
  }

  /** Gives `to`, which has no blocks, those of `from`, as good or bad as they are: both have them until one changes them. */
  share(from: Onode, to: Onode): void {
    for (let shard = 0; shard < from.shardCount; shard++) {
      const source = this.#shard(from, shard);
      for (let i = 0; i < source.length; i++) {
        const block = source.blockAt(i);
        if (block === 0) continue;
        this.#ports.allocator.share(block);
        this.#map(to, shard * SHARD_BLOCKS + i, 1, block);
        const copy = this.#shard(to, shard);
        copy.setCrc(i, source.crcAt(i));
        copy.setWritten(i, source.writtenAt(i));
      }
    }
    to.size = from.size;
  }

  /** Maps whole blocks from `first` on to `bytes`, through the journal or directly. */
  #store(onode: Onode, first: number, bytes: Bytes, damaged: ReadonlySet<number>): void {
    const count = bytes.length / BLOCK_BYTES;
    if (bytes.length <= DEFERRED_MAX_BYTES) this.#storeDeferred(onode, first, count, bytes);
    else this.#storeDirectly(onode, first, count, bytes);
    const { crypto } = this.#ports;
    let shard: Shard | undefined;
    for (let i = 0; i < count; i++) {
      const index = first + i;
      if (shard === undefined || index % SHARD_BLOCKS === 0) shard = this.#shard(onode, shardOf(index));
      const crc = crypto.crc32c(bytes.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES), CRC_SEED);
      // A damaged block is marked with what cannot fit: the complement of its checksum.
      shard.setCrc(index % SHARD_BLOCKS, damaged.has(index) ? ~crc : crc);
    }
  }

  #storeDeferred(onode: Onode, first: number, count: number, bytes: Bytes): void {
    for (let i = 0; i < count; i++) {
      let block = this.#blockOf(onode, first + i);
      const isShared = block !== 0 && this.#ports.allocator.ownersOf(block) > 1;
      if (isShared) this.#ports.free(block);
      if (block === 0 || isShared) block = this.#ports.allocator.allocate(1)[0]!.first;
      this.#map(onode, first + i, 1, block);
      this.#ports.deferred.stage(block, bytes.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES));
    }
  }

  #storeDirectly(onode: Onode, first: number, count: number, bytes: Bytes): void {
    this.#unmap(onode, first, first + count);
    let at = 0;
    for (const run of this.#ports.allocator.allocate(count)) {
      this.#ports.block.write(
        run.first * BLOCK_BYTES,
        bytes.subarray(at * BLOCK_BYTES, (at + run.count) * BLOCK_BYTES),
      );
      this.#map(onode, first + at, run.count, run.first);
      at += run.count;
    }
    this.#wroteDirectly = true;
  }

  /** Zeros bytes of one block, in [start, end), if it is mapped. A block of which nothing else was written is given up. */
  #zeroWithin(onode: Onode, start: number, end: number): void {
    const index = Math.floor(start / BLOCK_BYTES);
    if (start >= end || this.#blockOf(onode, index) === 0) return;
    const left = subtractExtents(this.#writtenOf(onode, index), extent(start - index * BLOCK_BYTES, end - start));
    if (left.length === 0) {
      this.#unmap(onode, index, index + 1);
      return;
    }
    this.#storeWithEdges(onode, start, new Uint8Array(end - start));
    this.#setWritten(onode, index, left);
  }

  /** What a cut leaves may be all there is of the last block: then that says so by itself. */
  #forgetTail(onode: Onode): void {
    const index = Math.floor(onode.size / BLOCK_BYTES);
    if (onode.size % BLOCK_BYTES === 0 || this.#blockOf(onode, index) === 0) return;
    const written = this.#writtenOf(onode, index);
    if (bytesOfExtents(written) === onode.size % BLOCK_BYTES) this.#setWritten(onode, index, undefined);
  }

  #unmap(onode: Onode, first: number, last: number): void {
    const end = Math.min(last, onode.shardCount * SHARD_BLOCKS);
    for (let index = first; index < end; index++) {
      const block = this.#blockOf(onode, index);
      if (block === 0) continue;
      this.#ports.free(block);
      this.#map(onode, index, 1, 0);
    }
  }

  /** Maps `count` blocks from `first` on to a stretch of the device; of one block, to a hole with 0. */
  #map(onode: Onode, first: number, count: number, block: number): void {
    for (let i = 0; i < count; ) {
      const index = first + i;
      const shard = this.#shard(onode, shardOf(index));
      const inShard = Math.min(count - i, SHARD_BLOCKS - (index % SHARD_BLOCKS));
      for (let j = 0; j < inShard; j++) shard.map((index % SHARD_BLOCKS) + j, block + i + j);
      this.#ports.markShard(onode, shardOf(index));
      i += inShard;
    }
  }

  #blockOf(onode: Onode, index: number): number {
    const shard = shardOf(index);
    return shard >= onode.shardCount ? 0 : this.#shard(onode, shard).blockAt(index % SHARD_BLOCKS);
  }

  /** A shard in memory, made if the object never reached so far. */
  #shard(onode: Onode, index: number): Shard {
    const known = onode.shards.get(index);
    if (known !== undefined) return known;
    const shard = (index < onode.shardCount ? this.#ports.loadShard(onode, index) : undefined) ?? new Shard();
    onode.shards.set(index, shard);
    // The onode's encoding includes shard 0.
    if (onode.shardCount === 0 && index > 0) onode.shards.set(0, new Shard());
    onode.shardCount = Math.max(onode.shardCount, index + 1);
    return shard;
  }

  /** How many blocks from `index` on can be read at once: holes, or a stretch of the device; one that is pending in memory. */
  #runLength(onode: Onode, index: number, last: number): number {
    const { deferred } = this.#ports;
    const first = this.#blockOf(onode, index);
    if (first !== 0 && deferred.read(first) !== undefined) return 1;
    let count = 1;
    while (index + count < last) {
      const block = this.#blockOf(onode, index + count);
      if (first === 0 ? block !== 0 : block !== first + count || deferred.read(block) !== undefined) break;
      count += 1;
    }
    return count;
  }

  #readRun(onode: Onode, index: number, block: number, count: number): Bytes {
    let bytes: Bytes;
    try {
      bytes = this.#ports.deferred.read(block) ?? this.#ports.block.read(block * BLOCK_BYTES, count * BLOCK_BYTES);
    } catch (error) {
      if (error instanceof DeviceError) throw new UnreadableObject(`device block ${block}: ${error.message}`);
      throw error;
    }
    for (let i = 0; i < count; i++) {
      const crc = this.#ports.crypto.crc32c(bytes.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES), CRC_SEED);
      const stored = this.#shard(onode, shardOf(index + i)).crcAt((index + i) % SHARD_BLOCKS);
      if (crc !== stored) {
        throw new UnreadableObject(
          `block ${index + i} (device block ${block + i}) has checksum ${crc.toString(16)}, stored is ${stored.toString(16)}`,
        );
      }
    }
    return bytes;
  }

  /** A block's bytes before a partial overwrite. One that cannot be read, or not trusted, is added to `damaged`. */
  #readForUpdate(onode: Onode, index: number, damaged: Set<number>): Bytes {
    const block = this.#blockOf(onode, index);
    if (block === 0) return EMPTY;
    try {
      return this.#readRun(onode, index, block, 1);
    } catch (error) {
      if (!(error instanceof UnreadableObject)) throw error;
      damaged.add(index);
      return this.#rawBlock(block);
    }
  }

  #isGood(onode: Onode, index: number): boolean {
    try {
      this.#readRun(onode, index, this.#blockOf(onode, index), 1);
      return true;
    } catch (error) {
      if (!(error instanceof UnreadableObject)) throw error;
      return false;
    }
  }

  #rawCrc(block: number): number {
    return this.#ports.crypto.crc32c(this.#rawBlock(block), CRC_SEED);
  }

  /** A block as it is, unchecked; zeros where the device refuses. */
  #rawBlock(block: number): Bytes {
    try {
      return this.#ports.deferred.read(block) ?? this.#ports.block.read(block * BLOCK_BYTES, BLOCK_BYTES);
    } catch (error) {
      if (error instanceof DeviceError) return new Uint8Array(BLOCK_BYTES);
      throw error;
    }
  }
}

function shardOf(index: number): number {
  return Math.floor(index / SHARD_BLOCKS);
}
