import { type Bytes, Decoder, Encoder, type RawString, rawFromBytes } from '@spirula/encoding';
import { type BlockDevice, invariant, type KeyValue } from '@spirula/world';
import { afterPrefix, DEFERRED_PREFIX, deferredKey, readU64 } from './key-space.ts';
import { BLOCK_BYTES } from './onode.ts';
import type { StagedKv } from './staged-kv.ts';

/** So many bytes or records written to the device, and it is flushed to get rid of them in the key-value store. */
const FLUSH_BYTES = 2 << 20;
const FLUSH_RECORDS = 256;

/**
 * Small writes to blocks that an object already has, or to new ones: their bytes commit with the transaction, in the
 * key-value store's journal, and reach the device later.
 *
 *     staged --takeRecord--> pending --committed--> on the device --flushed--> durable --cleaned--> gone
 *                                                   (outstanding: its record is still there, a mount would replay it)
 *
 * cleaned <= durable <= written < next, as sequence numbers of records.
 */
export class DeferredWrites {
  readonly #block: BlockDevice;
  #staged = new Map<number, Bytes>();
  /** Records not committed yet, by sequence number, oldest first. */
  readonly #pending = new Map<number, ReadonlyMap<number, Bytes>>();
  /** The newest pending bytes of a block. */
  readonly #newest = new Map<number, { readonly seq: number; readonly bytes: Bytes }>();
  /** The last record of a block that a mount would replay. */
  readonly #outstanding = new Map<number, number>();
  #next = 1;
  #written = 0;
  #durable = 0;
  #cleaned = 0;
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
    kv.putUnread(deferredKey(seq), encodeRecord(this.#staged));
    for (const [block, bytes] of this.#staged) {
      this.#newest.set(block, { seq, bytes });
      this.#outstanding.set(block, seq);
    }
    this.#pending.set(seq, this.#staged);
    this.#staged = new Map();
    return seq;
  }

  onCommitted(seq: number): void {
    const blocks = this.#pending.get(seq);
    invariant(blocks !== undefined && seq > this.#written, 'deferred writes commit once, in order');
    this.#pending.delete(seq);
    for (const [block, bytes] of blocks) {
      this.#block.write(block * BLOCK_BYTES, bytes);
      this.#bytesSinceFlush += bytes.length;
      if (this.#newest.get(block)?.seq === seq) this.#newest.delete(block);
    }
    this.#written = seq;
  }

  /** Writes the records found at mount to the device. @throws MalformedInput */
  replay(kv: KeyValue): void {
    const start = new Uint8Array([DEFERRED_PREFIX.charCodeAt(0)]);
    const end = new Uint8Array([afterPrefix(DEFERRED_PREFIX).charCodeAt(0)]);
    for (const [key, value] of kv.range({ start, end })) {
      const seq = readU64(rawFromBytes(key), 1);
      for (const [block, bytes] of decodeRecord(value)) {
        this.#block.write(block * BLOCK_BYTES, bytes);
        this.#outstanding.set(block, seq);
      }
      this.#written = seq;
    }
    this.#next = this.#written + 1;
  }

  isOutstanding(block: number): boolean {
    return this.#outstanding.has(block);
  }

  outstandingBlocks(): Iterable<number> {
    return this.#outstanding.keys();
  }

  /** The last record that is on the device: a flush that begins now makes it durable. */
  get written(): number {
    return this.#written;
  }

  get worthFlushing(): boolean {
    return this.#bytesSinceFlush >= FLUSH_BYTES || this.#written - this.#durable >= FLUSH_RECORDS;
  }

  onFlushBegun(): void {
    this.#bytesSinceFlush = 0;
  }

  /** The device holds every record up to `written`: returns the keys of those to delete now, as a range. */
  onFlushed(written: number): readonly [start: RawString, end: RawString] | undefined {
    if (written <= this.#durable) return undefined;
    const from = this.#durable + 1;
    this.#durable = written;
    return [deferredKey(from), deferredKey(written + 1)];
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

/** Blocks with their bytes; trailing zeros are left out. */
function encodeRecord(blocks: ReadonlyMap<number, Bytes>): Bytes {
  const e = new Encoder(blocks.size * (BLOCK_BYTES + 8) + 4);
  e.map(
    blocks,
    (block) => e.u32(block),
    (bytes) => e.blob(withoutTrailingZeros(bytes)),
  );
  return e.finish();
}

function decodeRecord(value: Bytes): Map<number, Bytes> {
  const d = new Decoder(value);
  const blocks = d.map(
    'deferred.blocks',
    8,
    () => d.u32('deferred.block'),
    () => {
      const bytes = d.blob('deferred.bytes');
      if (bytes.length > BLOCK_BYTES) d.fail('deferred.bytes', `are ${bytes.length}, a block is ${BLOCK_BYTES}`);
      const whole = new Uint8Array(BLOCK_BYTES);
      whole.set(bytes);
      return whole;
    },
  );
  d.finish('deferred');
  return blocks;
}

function withoutTrailingZeros(bytes: Bytes): Bytes {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.subarray(0, end);
}
