import { type Bytes, bytesFromRaw, Decoder, Encoder, type RawString } from '@spirula/encoding';
import type { Extent, Extents } from './extents.ts';

/** Bytes of one block: what is allocated, and what one checksum covers. */
export const BLOCK_BYTES = 4096;
/** Blocks of one shard of a block map: 256 KiB of an object. */
export const SHARD_BLOCKS = 64;

const ONODE_VERSION = 1;

/** Room for so many blocks at first: most objects that are in one shard have fewer. */
const FIRST_BLOCKS = 8;

/** Where 256 KiB of an object are, block by block, and their checksums. */
export class Shard {
  /** Device block of each block; 0: a hole, which reads as zeros. Those beyond are holes. */
  #blocks = new Uint32Array(FIRST_BLOCKS);
  /** crc32c (initial value -1) of each mapped block. */
  #crcs = new Uint32Array(FIRST_BLOCKS);
  /**
   * Which bytes of a mapped block were written, where those are not all of it, or all up to the object's end. The others
   * are zeros, and count as a hole.
   */
  readonly #written = new Map<number, Extents>();

  /** Blocks beyond this are holes. */
  get length(): number {
    return this.#blocks.length;
  }

  blockAt(index: number): number {
    return index < this.#blocks.length ? this.#blocks[index]! : 0;
  }

  crcAt(index: number): number {
    return index < this.#crcs.length ? this.#crcs[index]! : 0;
  }

  /** `block` 0 makes a hole. */
  map(index: number, block: number): void {
    if (block === 0) this.#written.delete(index);
    if (index >= this.#blocks.length) {
      if (block === 0) return;
      this.#grow();
    }
    this.#blocks[index] = block;
  }

  setCrc(index: number, crc: number): void {
    this.#crcs[index] = crc;
  }

  /** Of a mapped block; undefined: all of it, up to the object's end. Offsets count from its begin. */
  writtenAt(index: number): Extents | undefined {
    return this.#written.get(index);
  }

  setWritten(index: number, written: Extents | undefined): void {
    if (written === undefined) this.#written.delete(index);
    else this.#written.set(index, written);
  }

  /** Blocks that are not written all over, in any order. */
  get partlyWritten(): ReadonlyMap<number, Extents> {
    return this.#written;
  }

  get isEmpty(): boolean {
    return this.#blocks.every((block) => block === 0);
  }

  #grow(): void {
    const blocks = new Uint32Array(SHARD_BLOCKS);
    const crcs = new Uint32Array(SHARD_BLOCKS);
    blocks.set(this.#blocks);
    crcs.set(this.#crcs);
    this.#blocks = blocks;
    this.#crcs = crcs;
  }
}

/** One object's metadata. Owned and changed by the store alone. */
export interface Onode {
  /** Names the object's omap and shards while it exists. */
  readonly nid: number;
  /** Its key as stored, and before any cut. */
  readonly key: RawString;
  readonly wholeKey: RawString;
  size: number;
  readonly attrs: Map<RawString, Bytes>;
  /** Whether there may be omap entries or a header. */
  hasOmap: boolean;
  /** Shards in memory. One at or above `shardCount` has no block. */
  readonly shards: Map<number, Shard>;
  /** Above every shard that has a block. */
  shardCount: number;
  /** Bytes of its encoding in the store, 0 when it is not there yet. */
  storedBytes: number;
  /** For the cache: asked for since its last look, and what it counts there. */
  used: boolean;
  weight: number;
}

export function newOnode(nid: number, key: RawString, wholeKey: RawString): Onode {
  return {
    nid,
    key,
    wholeKey,
    size: 0,
    attrs: new Map(),
    hasOmap: false,
    shards: new Map(),
    shardCount: 0,
    storedBytes: 0,
    used: false,
    weight: 0,
  };
}

/** The value of an onode's key. Shard 0 is inside, later ones have keys of their own. */
export function encodeOnode(onode: Onode): Bytes {
  const e = new Encoder(512);
  e.u8(ONODE_VERSION);
  e.rawString(onode.key === onode.wholeKey ? '' : onode.wholeKey);
  e.u64(onode.nid);
  e.u64(onode.size);
  e.bool(onode.hasOmap);
  e.u32(onode.shardCount);
  e.u32(onode.attrs.size);
  for (const [name, value] of onode.attrs) {
    e.rawString(name);
    e.blob(value);
  }
  if (onode.shardCount > 0) writeShard(e, onode.shards.get(0)!);
  return e.finish();
}

/** @throws MalformedInput */
export function decodeOnode(key: RawString, value: Bytes): Onode {
  const d = new Decoder(value);
  const version = d.u8('onode.version');
  if (version !== ONODE_VERSION) d.fail('onode.version', `is ${version}, known is ${ONODE_VERSION}`);
  const wholeKey = d.rawString('onode.key');
  const nid = d.u64('onode.nid');
  const size = d.u64('onode.size');
  const hasOmap = d.bool('onode.hasOmap');
  const shardCount = d.u32('onode.shardCount');
  const attrs = d.map(
    'onode.attrs',
    8,
    () => d.rawString('onode.attrs'),
    () => d.blob('onode.attrs').slice(),
  );
  const shards = new Map<number, Shard>();
  if (shardCount > 0) shards.set(0, readShard(d));
  d.finish('onode');
  return {
    nid,
    key,
    wholeKey: wholeKey === '' ? key : wholeKey,
    size,
    attrs,
    hasOmap,
    shards,
    shardCount,
    storedBytes: value.length,
    used: false,
    weight: 0,
  };
}

/** The whole key in an onode's value, when its stored key is cut. */
export function wholeKeyOf(value: Bytes): RawString {
  const d = new Decoder(value);
  d.u8('onode.version');
  return d.rawString('onode.key');
}

export function encodeShard(shard: Shard): Bytes {
  const e = new Encoder(512);
  writeShard(e, shard);
  return e.finish();
}

/** @throws MalformedInput */
export function decodeShard(value: Bytes): Shard {
  const d = new Decoder(value);
  const shard = readShard(d);
  d.finish('shard');
  return shard;
}

/**
 * Runs `{first, count, device block}`, the checksums of the mapped blocks in order, and, if there are any, the blocks that
 * are not written all over: `{index, extents {offset, length}}`.
 */
function writeShard(e: Encoder, shard: Shard): void {
  const countAt = e.length;
  e.u8(0);
  let runs = 0;
  for (let first = 0; first < shard.length; ) {
    const block = shard.blockAt(first);
    let count = 1;
    if (block !== 0) {
      while (first + count < shard.length && shard.blockAt(first + count) === block + count) count += 1;
      e.u8(first);
      e.u8(count);
      e.u32(block);
      runs += 1;
    }
    first += count;
  }
  e.patchU8(countAt, runs);
  for (let i = 0; i < shard.length; i++) if (shard.blockAt(i) !== 0) e.u32(shard.crcAt(i));
  const partly = [...shard.partlyWritten].sort(([a], [b]) => a - b);
  if (partly.length === 0) return;
  e.u8(partly.length);
  for (const [index, written] of partly) {
    e.u8(index);
    e.u16(written.length);
    for (const { offset, length } of written) {
      e.u16(offset);
      e.u16(length);
    }
  }
}

function readShard(d: Decoder): Shard {
  const shard = new Shard();
  const runCount = d.u8('shard.runs');
  const mapped: number[] = [];
  for (let run = 0; run < runCount; run++) {
    const first = d.u8('shard.run.first');
    const count = d.u8('shard.run.count');
    const block = d.u32('shard.run.block');
    if (first + count > SHARD_BLOCKS || block === 0) d.fail('shard.run', 'is not within a shard');
    for (let i = 0; i < count; i++) {
      shard.map(first + i, block + i);
      mapped.push(first + i);
    }
  }
  for (const i of mapped) shard.setCrc(i, d.u32('shard.crc'));
  if (d.remaining > 0) readWritten(d, shard);
  return shard;
}

function readWritten(d: Decoder, shard: Shard): void {
  for (let left = d.u8('shard.written'); left > 0; left--) {
    const index = d.u8('shard.written.index');
    if (shard.blockAt(index) === 0) d.fail('shard.written', 'is of a block that is not mapped');
    const written: Extent[] = [];
    let after = 0;
    for (let count = d.u16('shard.written.extents'); count > 0; count--) {
      const extent = { offset: d.u16('shard.written.offset'), length: d.u16('shard.written.length') };
      if (extent.offset < after || extent.length === 0 || extent.offset + extent.length > BLOCK_BYTES) {
        d.fail('shard.written', 'is not within a block, in order');
      }
      written.push(extent);
      after = extent.offset + extent.length;
    }
    shard.setWritten(index, written);
  }
}

/** Value of an omap entry: behind a cut key, the omap key in full comes first. */
export function encodeOmapValue(omapKey: RawString, cut: boolean, value: Bytes): Bytes {
  if (!cut) return value;
  const e = new Encoder(omapKey.length + value.length + 4);
  e.blob(bytesFromRaw(omapKey));
  e.raw(value);
  return e.finish();
}

/** @throws MalformedInput */
export function decodeCutOmapValue(stored: Bytes): readonly [omapKey: RawString, value: Bytes] {
  const d = new Decoder(stored);
  const omapKey = d.rawString('omap.key');
  return [omapKey, d.raw(d.remaining, 'omap.value')];
}
