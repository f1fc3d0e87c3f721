import { type Bytes, bytesFromRaw, Decoder, Encoder, type RawString } from '@spirula/encoding';

/** Bytes of one block: what is allocated, and what one checksum covers. */
export const BLOCK_BYTES = 4096;
/** Blocks of one shard of a block map: 256 KiB of an object. */
export const SHARD_BLOCKS = 64;

const ONODE_VERSION = 1;

/** Where 256 KiB of an object are, block by block, and their checksums. */
export interface Shard {
  /** Device block of each block; 0: a hole, which reads as zeros. */
  readonly blocks: Uint32Array;
  /** crc32c (initial value -1) of each mapped block. */
  readonly crcs: Uint32Array;
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
  };
}

export function newShard(): Shard {
  return { blocks: new Uint32Array(SHARD_BLOCKS), crcs: new Uint32Array(SHARD_BLOCKS) };
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
  e.map(
    onode.attrs,
    (name) => e.rawString(name),
    (value) => e.blob(value),
  );
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

export function isEmptyShard(shard: Shard): boolean {
  return shard.blocks.every((block) => block === 0);
}

/** Runs `{first, count, device block}`, then the checksums of the mapped blocks in order. */
function writeShard(e: Encoder, { blocks, crcs }: Shard): void {
  const runs: { first: number; count: number; block: number }[] = [];
  for (let i = 0; i < SHARD_BLOCKS; i++) {
    const block = blocks[i]!;
    if (block === 0) continue;
    const last = runs.at(-1);
    if (last !== undefined && last.first + last.count === i && last.block + last.count === block) last.count += 1;
    else runs.push({ first: i, count: 1, block });
  }
  e.u8(runs.length);
  for (const { first, count, block } of runs) {
    e.u8(first);
    e.u8(count);
    e.u32(block);
  }
  for (const { first, count } of runs) for (let i = first; i < first + count; i++) e.u32(crcs[i]!);
}

function readShard(d: Decoder): Shard {
  const shard = newShard();
  const runCount = d.u8('shard.runs');
  const mapped: number[] = [];
  for (let run = 0; run < runCount; run++) {
    const first = d.u8('shard.run.first');
    const count = d.u8('shard.run.count');
    const block = d.u32('shard.run.block');
    if (first + count > SHARD_BLOCKS || block === 0) d.fail('shard.run', 'is not within a shard');
    for (let i = 0; i < count; i++) {
      shard.blocks[first + i] = block + i;
      mapped.push(first + i);
    }
  }
  for (const i of mapped) shard.crcs[i] = d.u32('shard.crc');
  return shard;
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
