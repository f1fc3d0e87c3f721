/**
 * A bucket's index, as its users see it: shards in RADOS whose omap the class `rgw` keeps.
 *
 * A change of an object has two phases: it is announced in the index (`prepare`), made in the data pool, and told (`complete`, with
 * the version that the head got) or given up (`cancel`). Who crashes in between leaves an announcement: a listing that meets one
 * looks at the head, shows what is there, and tells the index (`dir_suggest_changes`). Changes told late or twice are known by
 * the head's version. So the index and the data never disagree for who lists.
 */
import {
  BiType,
  type DirEntry,
  decodeBiEntry,
  decodeDirEntry,
  decodeListReply,
  EntryFlag,
  type EntryMeta,
  encodeBiGetInput,
  encodeCompleteInput,
  encodeListInput,
  encodePrepareInput,
  encodeSuggestInput,
  type ObjectKey as IndexKey,
  type ListReply,
  ModifyOp,
  NO_META,
  type Suggestion,
} from '@spirula/cls';
import { type Bytes, Decoder, Errno, MalformedInput, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { ObjectKey } from '../formats/object.ts';
import { indexOids, keyToIndexName, MULTIPART_NS, NULL_INSTANCE, shardOf } from './layout.ts';
import { decodeStored } from './meta-object.ts';

const CLASS = 'rgw';
/** Another change of the entry came first. */
const OVERTAKEN: ReadonlySet<number> = new Set([Errno.ECANCELED, Errno.EINVAL]);

/** A change that was announced. */
export interface PreparedChange {
  readonly key: ObjectKey;
  readonly op: number;
  readonly tag: RawString;
  readonly oid: RawString;
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
  readonly #oids: readonly RawString[];
  readonly #shardCount: number;

  /** @param io of the index pool */
  constructor(io: IoCtx, bucketId: RawString, shardCount: number) {
    this.#io = io;
    this.#oids = indexOids(bucketId, shardCount);
    this.#shardCount = shardCount;
  }

  get shards(): number {
    return this.#oids.length;
  }

  /**
   * Announces a change.
   *
   * @param tag unlike that of any other change
   * @throws RadosError ENOENT when the bucket is gone
   */
  async prepare(key: ObjectKey, op: number, tag: RawString): Promise<PreparedChange> {
    const oid = this.#oidOf(key);
    const input = encodePrepareInput({ ...describe(key), op, tag });
    // Only what is there: no index comes back by a write to a bucket that was removed.
    await this.#io.operate(oid, mustExist().exec(CLASS, 'bucket_prepare_op', input, 'write'));
    return { key, op, tag, oid };
  }

  /**
   * Tells that the change was made.
   *
   * @param removed entries that go with it: parts of an upload that has become an object
   */
  async complete(
    { key, op, tag, oid }: PreparedChange,
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
    await this.#io.operate(oid, guarded(guard).exec(CLASS, 'bucket_complete_op', input, 'write'));
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
      throw new RadosError(Errno.ECANCELED, prepared.oid);
    }
  }

  /** Takes the announcement back: the change was not made. */
  async cancel({ key, tag, oid }: PreparedChange): Promise<void> {
    const version = { pool: -1n, epoch: 0n };
    const input = encodeCompleteInput({
      ...describe(key),
      op: ModifyOp.cancel,
      tag,
      version,
      meta: NO_META,
      removeKeys: [],
    });
    await this.#io.operate(oid, mustExist().exec(CLASS, 'bucket_complete_op', input, 'write'));
  }

  /** A page of one shard: entries behind `start`, in the order of their names. */
  async listShard(shard: number, asked: Parameters<typeof encodeListInput>[0]): Promise<ListReply> {
    const oid = this.#oids[shard]!;
    let start = asked.start;
    for (;;) {
      const input = encodeListInput({ ...asked, start });
      const reply = await this.#io.submit(oid, new ObjectOperation().exec(CLASS, 'bucket_list', input));
      if (reply.result < 0 && reply.result !== Errno.EFBIG) throw new RadosError(reply.result, oid);
      const page = parsed(oid, reply.ops[0]!.output);
      if (reply.result !== Errno.EFBIG) return page;
      // Nothing to show so far.
      start = page.marker;
    }
  }

  /** Tells a shard what its entries should be, by what is in the data pool. */
  async suggest(shard: number, suggestions: readonly Suggestion[]): Promise<void> {
    const input = encodeSuggestInput(suggestions);
    await this.#io.operate(this.#oids[shard]!, mustExist().exec(CLASS, 'dir_suggest_changes', input, 'write'));
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
    if (result < 0 && result !== Errno.ECANCELED) throw new RadosError(result, oid);
  }

  /** Calls a method of the class on the shard of a key. @throws RadosError ENOENT also when the bucket is gone */
  async change(key: ObjectKey, method: string, input: Bytes, guard?: IndexGuard): Promise<void> {
    await this.#io.operate(this.#oidOf(key), guarded(guard).exec(CLASS, method, input, 'write'));
  }

  /** The same, for one that reads. */
  async ask(
    key: ObjectKey,
    method: string,
    input: Bytes,
  ): Promise<{ readonly oid: RawString; readonly output: Bytes }> {
    const oid = this.#oidOf(key);
    return { oid, output: await this.#io.exec(oid, CLASS, method, input) };
  }

  #oidOf(key: ObjectKey): RawString {
    return this.#oids[shardOf(hashedName(key), this.#shardCount)]!;
  }
}

/** KEY.UPLOAD.meta, KEY.UPLOAD.N, KEY.UPLOAD.RANDOM.N: what belongs to an upload. */
const OF_UPLOAD = /^(.+)\.2~[^.]+(?:\.[^.]+)?\.(?:meta|\d+)$/s;

/**
 * What belongs to an upload is in the shard of the object uploaded, however often a part came (rgw_obj::get_hash_object): what
 * becomes of them is told at once.
 */
function hashedName({ name, ns }: ObjectKey): RawString {
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

function guarded(guard: IndexGuard | undefined): ObjectOperation {
  return guard ? mustExist().requireOmap(guard.key, guard.value) : mustExist();
}

function parsed(oid: RawString, output: Uint8Array): ListReply {
  try {
    return decodeListReply(new Decoder(output));
  } catch (error) {
    if (error instanceof MalformedInput) throw new RadosError(Errno.EIO, `${oid}: the listing does not parse`);
    throw error;
  }
}

export function isAnnounced(entry: DirEntry): boolean {
  return entry.pending.length > 0 || !entry.exists;
}
