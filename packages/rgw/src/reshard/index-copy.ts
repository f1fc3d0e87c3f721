/** The entries of an index, as they are, into the shards of another one (RGWBucketReshard::do_reshard, BucketReshardManager). */
import {
  accountEntry,
  type BiEntry,
  BiType,
  type BucketStats,
  decodeBiListReply,
  decodeDirEntry,
  decodeOlhEntry,
  encodeBiEntry,
  encodeBiListInput,
  encodeUpdateStatsInput,
} from '@spirula/cls';
import type { Decoder, RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation } from '@spirula/rados';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { indexOidsOf } from '../store/bucket-index.ts';
import { keyOfIndex, shardOf } from '../store/layout.ts';
import { decodeStored } from '../store/meta-object.ts';
import { hashedName } from '../store/object-index.ts';

const CLASS = 'rgw';
const PAGE = 1000;

export interface CopyLimits {
  /** rgw_reshard_batch_size: entries that are written at once. */
  readonly batchSize: number;
  /** rgw_reshard_max_aio: writes that are under way at once. */
  readonly maxWrites: number;
}

/**
 * Copies all entries; the index that they are taken from takes no changes meanwhile, and the other one has none.
 *
 * @param onPage called with how many there are so far; what it throws ends the copy
 * @returns how many they were
 * @throws RadosError
 */
export async function copyIndex(
  io: IoCtx,
  from: BucketInfo,
  to: BucketInfo,
  { batchSize, maxWrites }: CopyLimits,
  onPage: (entries: number) => Promise<void>,
): Promise<number> {
  const writers = indexOidsOf(to).map((oid) => new ShardWriter(io, oid));
  let writes: Promise<void>[] = [];
  let total = 0;
  for (const oid of indexOidsOf(from)) {
    for (let marker = '', more = true; more; ) {
      const output = await io.exec(oid, CLASS, 'bi_list', encodeBiListInput({ max: PAGE, name: '', marker }));
      const page = decodeStored(oid, output, decodeBiListReply);
      for (const entry of page.entries) {
        const { shard, counted } = decodeStored(oid, entry.data, (data) => look(entry, data, writers.length));
        const writer = writers[shard]!;
        writer.add(entry, counted);
        if (writer.size >= batchSize) {
          const write = writer.flush();
          // It is looked at later.
          write.catch(() => {});
          writes.push(write);
        }
        if (writes.length >= maxWrites) {
          await Promise.all(writes);
          writes = [];
        }
      }
      total += page.entries.length;
      marker = page.entries.at(-1)?.key ?? marker;
      more = page.truncated && page.entries.length > 0;
      await onPage(total);
    }
  }
  await Promise.all([...writes, ...writers.map((writer) => writer.flush())]);
  return total;
}

/** Where an entry goes, and what it counts for: an object, or a version where it is kept. */
function look({ type }: BiEntry, data: Decoder, shards: number) {
  if (type === BiType.olh) return { shard: shardOfKey(decodeOlhEntry(data).key, shards), counted: undefined };
  const { key, meta, exists, flags } = decodeDirEntry(data);
  const isCounted = exists && (type === BiType.instance || flags === 0);
  return { shard: shardOfKey(key, shards), counted: isCounted ? meta : undefined };
}

function shardOfKey(key: Parameters<typeof keyOfIndex>[0], shards: number): number {
  return shardOf(hashedName(keyOfIndex(key)), shards);
}

/** Entries for one shard, and what they count for. */
class ShardWriter {
  readonly #io: IoCtx;
  readonly #oid: RawString;
  #entries: BiEntry[] = [];
  #stats: BucketStats = new Map();

  constructor(io: IoCtx, oid: RawString) {
    this.#io = io;
    this.#oid = oid;
  }

  get size(): number {
    return this.#entries.length;
  }

  add(entry: BiEntry, counted: Parameters<typeof accountEntry>[1] | undefined): void {
    this.#entries.push(entry);
    if (counted) this.#stats = accountEntry(this.#stats, counted, 1n);
  }

  async flush(): Promise<void> {
    if (this.#entries.length === 0) return;
    const operation = new ObjectOperation().stat();
    for (const entry of this.#entries) operation.exec(CLASS, 'bi_put', encodeBiEntry(entry), 'write');
    const sums = encodeUpdateStatsInput({ absolute: false, stats: this.#stats });
    operation.exec(CLASS, 'bucket_update_stats', sums, 'write');
    this.#entries = [];
    this.#stats = new Map();
    await this.#io.operate(this.#oid, operation);
  }
}
