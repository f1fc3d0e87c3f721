/**
 * A bucket's index, as its users see it: shards in RADOS whose omap the class `rgw` keeps.
 *
 * A change of an object has two phases: it is announced in the index (`prepare`), made in the data pool, and told (`complete`, with
 * the version that the head got) or given up (`cancel`). Who crashes in between leaves an announcement: a listing that meets one
 * looks at the head, shows what is there, and tells the index (`dir_suggest_changes`). Changes told late or twice are known by
 * the head's version. So the index and the data never disagree for who lists.
 *
 * An index may be moved to shards of another bucket id, which is resharding. Meanwhile its shards take no changes, and afterwards
 * they are no more: whoever meets either asks where the index is now (`IndexMoves`), and goes on there.
 */
import {
  BiType,
  type DirEntry,
  decodeBiEntry,
  decodeDirEntry,
  decodeListReply,
  decodeReshardStateReply,
  type EncodedChange,
  EntryFlag,
  type EntryMeta,
  encodeBiGetInput,
  encodeCompleteInput,
  encodeListInput,
  encodePrepareInput,
  encodeReshardEmptyInput,
  encodeSuggestInput,
  type ObjectKey as IndexKey,
  type ListReply,
  ModifyOp,
  NO_META,
  ReshardStatus,
  type Suggestion,
} from '@spirula/cls';
import { type Bytes, Decoder, Errno, MalformedInput, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { ObjectKey } from '../formats/object.ts';
import { BUSY_RESHARDING, guardedByShard, type IndexChanges } from './index-changes.ts';
import { indexOids, keyToIndexName, MULTIPART_NS, NULL_INSTANCE, shardOf } from './layout.ts';
import { decodeStored } from './meta-object.ts';

const CLASS = 'rgw';
/** Another change of the entry came first. */
const OVERTAKEN: ReadonlySet<number> = new Set([Errno.ECANCELED, Errno.EINVAL]);
/** A suggestion is not made: another listing will. */
const UNTOLD: ReadonlySet<number> = new Set([Errno.ECANCELED, Errno.ENOENT, BUSY_RESHARDING]);

/** Where the index of a bucket is. */
export interface IndexPlace {
  readonly bucketId: RawString;
  /** 0: one object, without a number. */
  readonly shardCount: number;
}

/** Follows the index of one bucket. */
export interface IndexMoves {
  /** Where it is now. @throws BucketGone, RadosError */
  find(): Promise<IndexPlace>;
  /** The same, when a shard takes changes again. @throws BucketGone, BucketBusy, RadosError */
  wait(oid: RawString): Promise<IndexPlace>;
}

/** A listing found the index to be elsewhere: it begins anew, behind what it has given. */
export class IndexMoved extends Error {
  override readonly name = 'IndexMoved';
}

/** The bucket was removed meanwhile. */
export class BucketGone extends Error {
  override readonly name = 'BucketGone';
}

/** The bucket takes no changes, and has not for some time: its index is being resharded. */
export class BucketBusy extends Error {
  override readonly name = 'BucketBusy';
}

/** A change that was announced. */
export interface PreparedChange {
  readonly key: ObjectKey;
  readonly op: number;
  readonly tag: RawString;
}

/** The write of the head that a change tells of. */
export interface HeadWrite {
  /** Number of the data pool. */
  readonly pool: number;
  /** The OSD's version of the head object after it. */
  readonly version: number;
}

/** What the index is to keep of an object that was written. */
export interface WrittenEntry {
  readonly meta: EntryMeta;
  /** Entries that go with it: parts of an upload that has become an object. */
  readonly removed: readonly ObjectKey[];
}

/** What an omap key of the shard must hold, or a change of it fails with ECANCELED. */
export interface IndexGuard {
  readonly key: RawString;
  /** Undefined: nothing. */
  readonly value: Bytes | undefined;
}

export class ObjectIndex {
  readonly #io: IoCtx;
  readonly #changes: IndexChanges;
  readonly #moves: IndexMoves | undefined;
  #place: IndexPlace;
  #oids: readonly RawString[];

  /** @param io of the index pool */
  constructor(io: IoCtx, changes: IndexChanges, place: IndexPlace, moves?: IndexMoves) {
    this.#io = io;
    this.#changes = changes;
    this.#moves = moves;
    this.#place = place;
    this.#oids = indexOids(place.bucketId, place.shardCount);
  }

  get shards(): number {
    return this.#oids.length;
  }

  /**
   * Announces a change.
   *
   * @param tag unlike that of any other change
   * @throws BucketGone, BucketBusy, RadosError
   */
  async prepare(key: ObjectKey, op: number, tag: RawString): Promise<PreparedChange> {
    const input = encodePrepareInput({ ...describe(key), op, tag });
    await this.#tell(key, { kind: 'prepare', input });
    return { key, op, tag };
  }

  /**
   * Tells that the change was made.
   *
   * @param removed entries that go with it: parts of an upload that has become an object
   * @throws BucketGone, BucketBusy, RadosError
   */
  async complete(
    { key, op, tag }: PreparedChange,
    { pool, version }: HeadWrite,
    meta: EntryMeta,
    removed: readonly ObjectKey[] = [],
    guard?: IndexGuard,
  ): Promise<void> {
    const input = encodeCompleteInput({
      ...describe(key),
      op,
      tag,
      version: { pool: BigInt(pool), epoch: BigInt(version) },
      meta,
      removeKeys: removed.map(indexKey),
    });
    if (guard) await this.change(key, 'bucket_complete_op', input, guard);
    else await this.#tell(key, { kind: 'complete', input });
  }

  /**
   * Announces and tells a change that somebody has made, who may have told it: then it remains as it is.
   *
   * @throws RadosError ECANCELED: what `guard` says holds no more, or the announcement went with its entry
   */
  async tell(key: ObjectKey, head: HeadWrite, tag: RawString, entry: WrittenEntry, guard: IndexGuard): Promise<void> {
    const prepared = await this.prepare(key, ModifyOp.add, tag);
    try {
      await this.complete(prepared, head, entry.meta, entry.removed, guard);
    } catch (error) {
      const isOvertaken = error instanceof RadosError && OVERTAKEN.has(error.code);
      if (!isOvertaken) throw error;
      if (error.code === Errno.ECANCELED) await this.cancel(prepared);
      throw new RadosError(Errno.ECANCELED, this.#oidOf(key));
    }
  }

  /** Takes the announcement back: the change was not made. */
  async cancel({ key, tag }: PreparedChange): Promise<void> {
    const version = { pool: -1n, epoch: 0n };
    const input = encodeCompleteInput({
      ...describe(key),
      op: ModifyOp.cancel,
      tag,
      version,
      meta: NO_META,
      removeKeys: [],
    });
    await this.#tell(key, { kind: 'complete', input });
  }

  /** A page of one shard: entries behind `start`, in the order of their names. @throws IndexMoved, BucketGone, RadosError */
  async listShard(shard: number, asked: Parameters<typeof encodeListInput>[0]): Promise<ListReply> {
    const oid = this.#oids[shard];
    if (oid === undefined) throw new IndexMoved();
    const place = this.#place;
    let start = asked.start;
    for (;;) {
      const input = encodeListInput({ ...asked, start });
      const reply = await this.#io.submit(oid, mustExist().exec(CLASS, 'bucket_list', input));
      if (reply.result === Errno.ENOENT && (await this.#isElsewhere(place))) throw new IndexMoved();
      if (reply.result < 0 && reply.result !== Errno.EFBIG) throw new RadosError(reply.result, oid);
      const page = parsed(oid, reply.ops[1]!.output, decodeListReply);
      // Who reads on may read what others have changed elsewhere since.
      const isClosed = page.header.reshard.status !== ReshardStatus.notResharding;
      if (isClosed && (await this.#isElsewhere(place))) throw new IndexMoved();
      if (reply.result !== Errno.EFBIG) return page;
      // Nothing to show so far.
      start = page.marker;
    }
  }

  /** Tells a shard what its entries should be, by what is in the data pool; while it takes no changes, another listing will. */
  async suggest(shard: number, suggestions: readonly Suggestion[]): Promise<void> {
    const oid = this.#oids[shard]!;
    const operation = guarded().exec(CLASS, 'dir_suggest_changes', encodeSuggestInput(suggestions), 'write');
    const { result } = await this.#io.submit(oid, operation);
    if (result < 0 && !UNTOLD.has(result)) throw new RadosError(result, oid);
  }

  /**
   * As `suggest`, of one entry, of a bucket with versions: unless it was changed. The class would write over what a name that
   * came to have versions meanwhile is marked with, and its versions could not be changed any more.
   */
  async suggestUnchanged(shard: number, suggestion: Suggestion): Promise<void> {
    const oid = this.#oids[shard]!;
    const { name } = suggestion.entry.key;
    const asked = encodeBiGetInput({ key: { name, instance: '' }, type: BiType.plain });
    const read = await this.#io.submit(oid, new ObjectOperation().exec(CLASS, 'bi_get', asked));
    if (read.result < 0) {
      if (read.result === Errno.ENOENT) return;
      throw new RadosError(read.result, oid);
    }
    const value = decodeStored(oid, read.ops[0]!.output, (from) => decodeBiEntry(from).data);
    const { flags } = decodeStored(oid, value, decodeDirEntry);
    if ((flags & EntryFlag.versionMarker) !== 0) return;
    const input = encodeSuggestInput([suggestion]);
    const operation = guarded({ key: name, value }).exec(CLASS, 'dir_suggest_changes', input, 'write');
    const { result } = await this.#io.submit(oid, operation);
    if (result < 0 && !UNTOLD.has(result)) throw new RadosError(result, oid);
  }

  /** Calls a method of the class on the shard of a key. @throws BucketGone, BucketBusy, RadosError */
  async change(key: ObjectKey, method: string, input: Bytes, guard?: IndexGuard): Promise<void> {
    await this.#change(key, async (oid) => {
      const { result } = await this.#io.submit(oid, guarded(guard).exec(CLASS, method, input, 'write'));
      return result;
    });
  }

  /** The same, together with what else its shard is told. */
  #tell(key: ObjectKey, change: EncodedChange): Promise<void> {
    return this.#change(key, (oid) => this.#changes.submit(this.#io, oid, change));
  }

  /** @param submit to the shard; the code of the operation */
  async #change(key: ObjectKey, submit: (oid: RawString) => Promise<number>): Promise<void> {
    for (;;) {
      const place = this.#place;
      const oid = this.#oidOf(key);
      const result = await submit(oid);
      if (result >= 0) return;
      if (result === BUSY_RESHARDING && this.#moves) this.#moveTo(await this.#moves.wait(oid));
      // Of a shard that is not there, or of an entry.
      else if (result !== Errno.ENOENT || !(await this.#isElsewhere(place))) throw new RadosError(result, oid);
    }
  }

  /** The same, for one that reads. @throws BucketGone, RadosError */
  async ask(
    key: ObjectKey,
    method: string,
    input: Bytes,
  ): Promise<{ readonly oid: RawString; readonly output: Bytes }> {
    for (;;) {
      const place = this.#place;
      const oid = this.#oidOf(key);
      const operation = mustExist().exec(CLASS, 'get_bucket_resharding', encodeReshardEmptyInput());
      const { result, ops } = await this.#io.submit(oid, operation.exec(CLASS, method, input));
      const [, state, answer] = ops;
      // Of an object that is not there nothing is said but that.
      const isThere = (state?.output.length ?? 0) > 0;
      const isMissing = result === Errno.ENOENT && !isThere;
      const isClosed =
        isThere && parsed(oid, state!.output, decodeReshardStateReply).status !== ReshardStatus.notResharding;
      // Others may have changed what is asked for, where the index is now.
      if ((isMissing || isClosed) && (await this.#isElsewhere(place))) continue;
      if (result < 0) throw new RadosError(result, oid);
      return { oid, output: answer!.output };
    }
  }

  /** Whether it is not where it was for an operation, as another one may know already. @throws BucketGone, RadosError */
  async #isElsewhere(place: IndexPlace): Promise<boolean> {
    if (this.#moves && this.#place === place) this.#moveTo(await this.#moves.find());
    return this.#place.bucketId !== place.bucketId;
  }

  #moveTo(place: IndexPlace): void {
    if (place.bucketId === this.#place.bucketId) return;
    this.#place = place;
    this.#oids = indexOids(place.bucketId, place.shardCount);
  }

  #oidOf(key: ObjectKey): RawString {
    return this.#oids[shardOf(hashedName(key), this.#place.shardCount)]!;
  }
}

/** KEY.UPLOAD.meta, KEY.UPLOAD.N, KEY.UPLOAD.RANDOM.N: what belongs to an upload. */
const OF_UPLOAD = /^(.+)\.2~[^.]+(?:\.[^.]+)?\.(?:meta|\d+)$/s;

/**
 * What belongs to an upload is in the shard of the object uploaded, however often a part came (rgw_obj::get_hash_object): what
 * becomes of them is told at once.
 */
export function hashedName({ name, ns }: Pick<ObjectKey, 'name' | 'ns'>): RawString {
  if (ns !== MULTIPART_NS) return name;
  const [, key] = OF_UPLOAD.exec(name) ?? [];
  if (key !== undefined) return key;
  // Of an upload begun by an older radosgw.
  const end = name.lastIndexOf('.', name.lastIndexOf('.') - 1);
  return end < 0 ? name : name.slice(0, end);
}

export function indexKey(key: ObjectKey): IndexKey {
  return { name: keyToIndexName(key), instance: key.instance === NULL_INSTANCE ? '' : key.instance };
}

function describe(key: ObjectKey) {
  return { key: indexKey(key), locator: '', logOp: false, bilogFlags: 0, zonesTrace: [] };
}

/** Guards what follows: ENOENT without the object. */
function mustExist(): ObjectOperation {
  return new ObjectOperation().stat();
}

function guarded(guard?: IndexGuard): ObjectOperation {
  const operation = guardedByShard();
  return guard ? operation.requireOmap(guard.key, guard.value) : operation;
}

function parsed<T>(oid: RawString, output: Bytes, decode: (from: Decoder) => T): T {
  try {
    return decode(new Decoder(output));
  } catch (error) {
    if (error instanceof MalformedInput) throw new RadosError(Errno.EIO, `${oid}: the answer does not parse`);
    throw error;
  }
}

export function isAnnounced(entry: DirEntry): boolean {
  return entry.pending.length > 0 || !entry.exists;
}
