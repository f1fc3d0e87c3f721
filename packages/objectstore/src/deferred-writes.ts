import { type Bytes, concatBytes, type RawString, rawFromBytes } from '@spirula/encoding';
import { type BlockDevice, invariant, type KeyValue } from '@spirula/world';
import { afterPrefix, DEFERRED_PREFIX, deferredKey, readDeferredKey } from './key-space.ts';
import { BLOCK_BYTES } from './onode.ts';
import type { StagedKv } from './staged-kv.ts';
import { IncompatibleStore, REPLACE } from './superblock.ts';

/** So many bytes or transactions not flushed yet, and the device is flushed to get rid of their records. */
const FLUSH_BYTES = 2 << 20;
const FLUSH_RECORDS = 256;
/** Bytes that wait for the device at most. */
const MAX_WAITING_BYTES = 8 << 20;

interface PendingBlock {
  readonly seq: number;
  readonly bytes: Bytes;
}

/**
 * Small writes to blocks that an object already has, or to new ones: their bytes commit with the transaction, in the
 * key-value store's journal, and reach the device later, many at a time.
 *
 *     staged --takeRecord--> pending --committed--> waiting --> on the device --flushed--> durable --cleaned--> gone
 *                                                               (outstanding: its record is still there, a mount
 *                                                                would write it again)
 *
 * A record is one key for each block of a transaction.
 * cleaned <= durable <= written <= committed < next, as numbers of transactions.
 */
export class DeferredWrites {
  readonly #block: BlockDevice;
  #staged = new Map<number, Bytes>();
  /** Records not committed yet, by sequence number, oldest first. */
  readonly #pending = new Map<number, ReadonlyMap<number, Bytes>>();
  /** Committed and not on the device, the newest of each block. */
  readonly #waiting = new Map<number, PendingBlock>();
  /** The newest bytes of a block that is pending or waiting. */
  readonly #newest = new Map<number, PendingBlock>();
  /** The last record of a block that a mount would replay. */
  readonly #outstanding = new Map<number, number>();
  #next = 1;
  #committed = 0;
  #written = 0;
  #durable = 0;
  #cleaned = 0;
  #waitingBytes = 0;
  #bytesSinceFlush = 0;

  constructor(block: BlockDevice) {
    this.#block = block;
  }

  /** Adds the bytes of one block to the transaction that is being built. */
  stage(block: number, bytes: Bytes): void {
    this.#staged.set(block, bytes);
  }

  /** What a read of the device would miss. */
  read(block: number): Bytes | undefined {
    return this.#staged.get(block) ?? this.#newest.get(block)?.bytes;
  }

  /** Puts the staged writes into the batch that is being built; returns the record's number, 0 when there is none. */
  takeRecord(kv: StagedKv): number {
    if (this.#staged.size === 0) return 0;
    const seq = this.#next;
    this.#next += 1;
    for (const [block, bytes] of this.#staged) {
      kv.putUnread(deferredKey(seq, block), withoutTrailingZeros(bytes));
      this.#newest.set(block, { seq, bytes });
      this.#outstanding.set(block, seq);
    }
    this.#pending.set(seq, this.#staged);
    this.#staged = new Map();
    return seq;
  }

  onCommitted(seq: number): void {
    const blocks = this.#pending.get(seq);
    invariant(blocks !== undefined && seq > this.#committed, 'deferred writes commit once, in order');
    this.#pending.delete(seq);
    for (const [block, bytes] of blocks) {
      this.#waiting.set(block, { seq, bytes });
      this.#waitingBytes += bytes.length;
      this.#bytesSinceFlush += bytes.length;
    }
    this.#committed = seq;
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#writeOut();
  }

  /** Writes what is waiting to the device, neighbours together. */
  #writeOut(): void {
    const blocks = [...this.#waiting.keys()].sort((a, b) => a - b);
    for (let i = 0; i < blocks.length; ) {
      const first = blocks[i]!;
      const parts: Bytes[] = [];
      while (blocks[i] === first + parts.length) {
        const block = blocks[i]!;
        const { seq, bytes } = this.#waiting.get(block)!;
        parts.push(bytes);
        if (this.#newest.get(block)!.seq === seq) this.#newest.delete(block);
        i += 1;
      }
      this.#block.write(first * BLOCK_BYTES, concatBytes(parts));
    }
    this.#waiting.clear();
    this.#waitingBytes = 0;
    this.#written = this.#committed;
  }

  /** Writes the records found at mount to a device of so many blocks. @throws IncompatibleStore, DeviceError */
  replay(kv: KeyValue, blockCount: number): void {
    const start = new Uint8Array([DEFERRED_PREFIX.charCodeAt(0)]);
    const end = new Uint8Array([afterPrefix(DEFERRED_PREFIX).charCodeAt(0)]);
    for (const [key, value] of kv.range({ start, end })) {
      const { seq, block } = readDeferredKey(rawFromBytes(key));
      if (value.length > BLOCK_BYTES || block === 0 || block >= blockCount) {
        throw new IncompatibleStore(
          `a deferred write is damaged (${value.length} bytes for device block ${block} of ${blockCount}). ${REPLACE}`,
        );
      }
      const bytes = new Uint8Array(BLOCK_BYTES);
      bytes.set(value);
      this.#block.write(block * BLOCK_BYTES, bytes);
      this.#outstanding.set(block, seq);
      this.#written = seq;
    }
    this.#committed = this.#written;
    this.#next = this.#written + 1;
  }

  isOutstanding(block: number): boolean {
    return this.#outstanding.has(block);
  }

  outstandingBlocks(): Iterable<number> {
    return this.#outstanding.keys();
  }

  get worthFlushing(): boolean {
    return this.#bytesSinceFlush >= FLUSH_BYTES || this.#committed - this.#durable >= FLUSH_RECORDS;
  }

  /** Whether a mount would replay anything. */
  get isOwing(): boolean {
    return this.#outstanding.size > 0;
  }

  /** Gets the device ready for a flush: returns the last record which that will make durable. */
  beginFlush(): number {
    this.#writeOut();
    this.#bytesSinceFlush = 0;
    return this.#written;
  }

  /** The device holds every record up to `written`: returns the keys of those to delete now, as a range. */
  onFlushed(written: number): readonly [start: RawString, end: RawString] | undefined {
    if (written <= this.#durable) return undefined;
    const from = this.#durable + 1;
    this.#durable = written;
    return [deferredKey(from, 0), deferredKey(written + 1, 0)];
  }

  /** Records up to `seq` are gone for good: returns the blocks no record refers to any more. */
  onCleaned(seq: number): readonly number[] {
    invariant(seq <= this.#durable && seq >= this.#cleaned, 'records are deleted in order, once durable');
    this.#cleaned = seq;
    const free: number[] = [];
    for (const [block, last] of this.#outstanding) if (last <= seq) free.push(block);
    for (const block of free) this.#outstanding.delete(block);
    return free;
  }
}

function withoutTrailingZeros(bytes: Bytes): Bytes {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return end === bytes.length ? bytes : bytes.subarray(0, end);
}
