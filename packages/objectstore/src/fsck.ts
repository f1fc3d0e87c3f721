import { type Bytes, MalformedInput, type RawString } from '@spirula/encoding';
import type { Allocator } from './allocator.ts';
import {
  afterPrefix,
  OMAP_HEADER_PREFIX,
  OMAP_PREFIX,
  ONODE_PREFIX,
  objectOfOrder,
  onodePrefix,
  readU32,
  readU64,
  SHARD_PREFIX,
} from './key-space.ts';
import type { Cid, DamagedBlock, FsckReport } from './object-store.ts';
import { BLOCK_BYTES, type Onode, SHARD_BLOCKS, type Shard } from './onode.ts';
import type { StagedKv } from './staged-kv.ts';

/** What the check looks at. */
export interface CheckedStore {
  readonly kv: StagedKv;
  readonly collections: ReadonlyMap<Cid, number>;
  readonly allocator: Allocator;
  /** Taken though no object has them, for a while. */
  readonly unreleased: ReadonlySet<number>;
  /** @throws MalformedInput */
  loadOnode(key: RawString, value: Bytes): Onode;
  /** @throws MalformedInput */
  loadShard(onode: Onode, index: number): Shard | undefined;
  damagedBlocks(onode: Onode): readonly Omit<DamagedBlock, 'cid' | 'oid'>[];
}

/** Checks every structure and block checksum. */
export function checkStore(store: CheckedStore): FsckReport {
  const faults: string[] = [];
  const damaged: DamagedBlock[] = [];
  const cids = new Map([...store.collections].map(([cid, number]) => [number, cid]));
  const nids = new Map<number, Onode>();
  const owners: Owners = new Map();
  for (const [key, value] of store.kv.scan(ONODE_PREFIX, afterPrefix(ONODE_PREFIX))) {
    const cid = cids.get(readU32(key, 1));
    if (cid === undefined) faults.push(`an object is in collection number ${readU32(key, 1)}, which does not exist`);
    try {
      const onode = store.loadOnode(key, value);
      const oid = objectOfOrder(onode.wholeKey.slice(onodePrefix(0).length));
      const name = `${cid}/${oid.name}`;
      if (nids.has(onode.nid)) faults.push(`${name} shares number ${onode.nid} with another object`);
      nids.set(onode.nid, onode);
      faults.push(...checkObject(store, onode, name, owners));
      if (cid !== undefined) for (const block of store.damagedBlocks(onode)) damaged.push({ cid, oid, ...block });
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      faults.push(`an onode in ${cid} does not decode: ${error.message}`);
    }
  }
  for (let block = 1; block < store.allocator.blockCount; block++) {
    if (!store.allocator.isTaken(block) || store.unreleased.has(block)) continue;
    const counted = store.allocator.ownersOf(block);
    const found = owners.get(block)?.count ?? 0;
    if (found === 0) faults.push(`device block ${block} is taken, but no object has it`);
    else if (found !== counted) faults.push(`device block ${block} has ${found} owners, counted are ${counted}`);
  }
  faults.push(...checkOwners(store, nids));
  return { damaged, faults };
}

/** Who has a device block: the first that was found, what it takes for its checksum, and how many there are. */
type Owners = Map<number, { readonly name: string; readonly crc: number; count: number }>;

function checkObject(store: CheckedStore, onode: Onode, name: string, owners: Owners): string[] {
  const faults: string[] = [];
  for (let index = 0; index < onode.shardCount; index++) {
    const shard = store.loadShard(onode, index);
    if (shard === undefined) continue;
    for (let i = 0; i < SHARD_BLOCKS; i++) {
      const block = shard.blockAt(i);
      if (block === 0) continue;
      const owner = owners.get(block);
      const crc = shard.crcAt(i);
      if (owner === undefined) owners.set(block, { name, crc, count: 1 });
      else {
        owner.count += 1;
        // What is shared is the same for all that have it.
        if (owner.crc !== crc)
          faults.push(`device block ${block} belongs to ${owner.name} and, as something else, to ${name}`);
      }
      if (!store.allocator.isTaken(block)) faults.push(`device block ${block} of ${name} is free or beyond the device`);
      if ((index * SHARD_BLOCKS + i) * BLOCK_BYTES >= onode.size) {
        faults.push(
          `${name} has a block at ${(index * SHARD_BLOCKS + i) * BLOCK_BYTES}, beyond its size ${onode.size}`,
        );
      }
    }
  }
  return faults;
}

/** Shards and omap entries must belong to an object that says it has them. */
function checkOwners(store: CheckedStore, nids: ReadonlyMap<number, Onode>): string[] {
  const faults = new Set<string>();
  for (const [key] of store.kv.scan(SHARD_PREFIX, afterPrefix(SHARD_PREFIX))) {
    const onode = nids.get(readU64(key, 1));
    if (onode === undefined) faults.add(`a block map belongs to no object (number ${readU64(key, 1)})`);
    else if (readU32(key, 9) >= onode.shardCount)
      faults.add(`object number ${onode.nid} has more block map than it says`);
  }
  for (const prefix of [OMAP_PREFIX, OMAP_HEADER_PREFIX]) {
    for (const [key] of store.kv.scan(prefix, afterPrefix(prefix))) {
      if (!nids.get(readU64(key, 1))?.hasOmap)
        faults.add(`omap entries belong to no object (number ${readU64(key, 1)})`);
    }
  }
  return [...faults];
}
