/** Entries of a bucket's index as they are stored, shard by shard: for who looks at it, or mends it by hand (rgw_admin.cc, bi and bilog). */
import {
  type BiEntry,
  type BiListReply,
  type BilogEntry,
  BiType,
  type DirEntry,
  decodeBiEntry,
  decodeBiListReply,
  decodeBilogListReply,
  decodeListReply,
  decodeOlhLogReply,
  encodeBiEntry,
  encodeBiGetInput,
  encodeBiListInput,
  encodeBilogListInput,
  encodeBilogTrimInput,
  encodeListInput,
  encodeOlhLogInput,
  type OlhLogReply,
} from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { BucketInfo } from '../formats/bucket-info.ts';
import type { ObjectKey } from '../formats/object.ts';
import { indexOidsOf } from './bucket-index.ts';
import { shardOf } from './layout.ts';
import { decodeStored } from './meta-object.ts';
import { hashedName, indexKey } from './object-index.ts';

const CLASS = 'rgw';
const PAGE = 1000;

export class RawIndex {
  readonly #io: IoCtx;
  readonly #oids: readonly RawString[];
  readonly #shardCount: number;

  /** @param io of the index pool */
  constructor(io: IoCtx, info: BucketInfo) {
    this.#io = io;
    this.#oids = indexOidsOf(info);
    this.#shardCount = info.layout.current.shards.count;
  }

  /** Objects that there are; 0: it has no index. */
  get shards(): number {
    return this.#oids.length;
  }

  /** Whether shards have numbers. */
  get isSharded(): boolean {
    return this.#shardCount > 0;
  }

  shardOf(key: ObjectKey): number {
    return shardOf(hashedName(key), this.#shardCount);
  }

  /** All of a shard, or those of one object. @param name '': of all @throws RadosError */
  async *list(shard: number, name: RawString, marker: RawString = ''): AsyncGenerator<BiEntry> {
    const oid = this.#oid(shard);
    for (let after = marker, more = true; more; ) {
      const input = encodeBiListInput({ max: PAGE, name, marker: after });
      const page: BiListReply = decodeStored(oid, await this.#io.exec(oid, CLASS, 'bi_list', input), decodeBiListReply);
      yield* page.entries;
      after = page.entries.at(-1)?.key ?? '';
      more = page.truncated && after !== '';
    }
  }

  /** Undefined: there is none. @param type a `BiType` @throws RadosError */
  async get(key: ObjectKey, type: number): Promise<BiEntry | undefined> {
    const oid = this.#oid(this.shardOf(key));
    const named = type === BiType.olh ? { ...key, instance: '' } : key;
    const operation = new ObjectOperation().exec(CLASS, 'bi_get', encodeBiGetInput({ key: indexKey(named), type }));
    const { result, ops } = await this.#io.submit(oid, operation);
    if (result === Errno.ENOENT) return undefined;
    if (result < 0) throw new RadosError(result, oid);
    return decodeStored(oid, ops[0]!.output, decodeBiEntry);
  }

  /** Whatever is there. @throws RadosError */
  async put(key: ObjectKey, entry: BiEntry): Promise<void> {
    const operation = new ObjectOperation().stat().exec(CLASS, 'bi_put', encodeBiEntry(entry), 'write');
    await this.#io.operate(this.#oid(this.shardOf(key)), operation);
  }

  /** All entries of all shards; the sums they add up to stay. @throws RadosError */
  async purge(): Promise<void> {
    for (const oid of this.#oids) await this.#io.operate(oid, new ObjectOperation().stat().omapClear());
  }

  /** As listings meet them, of one shard: keys and what is there. @throws RadosError */
  async *entries(shard: number, after: RawString): AsyncGenerator<readonly [key: RawString, entry: DirEntry]> {
    const oid = this.#oid(shard);
    let start = { name: after, instance: '' };
    for (let more = true; more; ) {
      const input = encodeListInput({ start, max: PAGE, prefix: '', delimiter: '', listVersions: true });
      const { result, ops } = await this.#io.submit(oid, new ObjectOperation().exec(CLASS, 'bucket_list', input));
      if (result < 0 && result !== Errno.EFBIG) throw new RadosError(result, oid);
      const page = decodeStored(oid, ops[0]!.output, decodeListReply);
      yield* page.entries;
      more = page.truncated;
      start = page.marker;
    }
  }

  // The log of changes

  /** @param marker '': from the first. @throws RadosError */
  async *log(shard: number, marker: RawString): AsyncGenerator<BilogEntry> {
    const oid = this.#oid(shard);
    for (let after = marker, more = true; more; ) {
      const input = encodeBilogListInput({ marker: after, max: PAGE });
      const page = decodeStored(oid, await this.#io.exec(oid, CLASS, 'bi_log_list', input), decodeBilogListReply);
      yield* page.entries;
      after = page.entries.at(-1)?.id ?? '';
      more = page.truncated && after !== '';
    }
  }

  /** From behind one to another, itself included; '': from the first, to the last. @throws RadosError */
  async trimLog(shard: number, from: RawString, to: RawString): Promise<void> {
    const oid = this.#oid(shard);
    const input = encodeBilogTrimInput({ start: from, end: to });
    for (;;) {
      const operation = new ObjectOperation().stat().exec(CLASS, 'bi_log_trim', input, 'write');
      const { result } = await this.#io.submit(oid, operation);
      if (result === Errno.ENODATA) return;
      if (result < 0) throw new RadosError(result, oid);
    }
  }

  /** What is still to be done with the head that bears the versions of a name. @throws RadosError */
  async olhLog(key: ObjectKey, tag: RawString): Promise<OlhLogReply> {
    const oid = this.#oid(this.shardOf(key));
    const input = encodeOlhLogInput({ olh: indexKey({ ...key, instance: '' }), olhTag: tag, epoch: 0n });
    const output = await this.#io.exec(oid, CLASS, 'bucket_read_olh_log', input);
    return decodeStored(oid, output, decodeOlhLogReply);
  }

  /** @throws RadosError ENOENT: there is no such shard */
  #oid(shard: number): RawString {
    const oid = this.#oids[shard];
    if (oid === undefined) throw new RadosError(Errno.ENOENT, `shard ${shard}`);
    return oid;
  }
}
