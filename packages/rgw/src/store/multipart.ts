/**
 * Uploads in parts (rgw_multi.cc, RGWInitMultipart .. RGWAbortMultipart of rgw_op.cc).
 *
 *   extra pool   MARKER__multipart_key.UPLOAD.meta      xattrs of the object to be; omap: part.NNNNNNNN, one a part
 *   data pool    MARKER__multipart_key.UPLOAD.N         first stripe of part N, MARKER__shadow_key.UPLOAD.N_M the others
 *
 * Completing copies nothing: the object's manifest is those of its parts, one behind the other.
 */
import { type EntryMeta, ModifyOp, NO_META, ObjectCategory } from '@spirula/cls';
import {
  type Bytes,
  bytesFromRaw,
  Decoder,
  Errno,
  fromHex,
  type RawString,
  toHex,
  type UTime,
} from '@spirula/encoding';
import { type IoCtx, lockObject, ObjectOperation, RadosError, unlockObject } from '@spirula/rados';
import type { World } from '@spirula/world';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { NOT_COMPRESSED } from '../formats/compression.ts';
import { decoded, encoded } from '../formats/encoded.ts';
import type { Manifest } from '../formats/manifest.ts';
import { appendManifest, partManifest, stripesOf, wholeManifest } from '../formats/manifest-stripes.ts';
import type { BucketObject, ObjectKey } from '../formats/object.ts';
import { decodeUploadPart, encodeUploadInfo, encodeUploadPart, type UploadPart } from '../formats/upload.ts';
import type { DataPools } from './data-pools.ts';
import { randomTag } from './entropy.ts';
import type { Garbage, GarbageObject } from './garbage.ts';
import { type Head, readHead } from './head.ts';
import { MULTIPART_NS, oidToKey, radosNameOf } from './layout.ts';
import { type ListQuery, mergeShards } from './listing.ts';
import { type HeadCheck, type HeadContent, type ObjectStore, STRIPE_BYTES, type Written } from './objects.ts';
import { readPartChecksums, setPartChecksum } from './part-checksums.ts';
import { writeStripes } from './stripe-writer.ts';

/** What new upload ids begin with: parts of earlier kinds were listed otherwise (MULTIPART_UPLOAD_ID_PREFIX). */
const UPLOAD_ID_PREFIX = '2~';
const RANDOM_LENGTH = 31;
const PART_KEY_DIGITS = 8;
const COMPLETE_LOCK = 'RGWCompleteMultipart';
/** rgw_mp_lock_max_time */
const LOCK_SECONDS = 600;
const MAX_TRIES = 20;
/**
 * A key in the omap of the meta object, before all parts (so that radosgw overlooks it): who completes or aborts the upload. While
 * it is there no part comes, and none is replaced.
 */
const CLOSED_KEY = 'closed';
const PARTS_PAGE = 1000;

/** An upload is gone: it was completed or aborted, or never was. */
export class NoSuchUpload extends Error {
  override readonly name = 'NoSuchUpload';
}

export interface Upload {
  readonly bucket: BucketInfo;
  /** Of the object to be. */
  readonly key: RawString;
  readonly id: RawString;
}

/** As it was begun. */
export interface FoundUpload extends Upload {
  readonly attrs: ReadonlyMap<RawString, Bytes>;
  readonly initiated: UTime;
}

export interface ListedUpload {
  readonly kind: 'upload';
  readonly key: RawString;
  readonly id: RawString;
  readonly meta: EntryMeta;
}

export interface UploadsQuery {
  readonly prefix: RawString;
  readonly delimiter: RawString;
  /** Uploads behind this one; with an empty `id`, behind all of the key. */
  readonly after: { readonly key: RawString; readonly id: RawString };
  readonly hint: number;
}

export interface MultipartOptions {
  readonly world: Pick<World, 'clock' | 'crypto' | 'log'>;
  readonly pools: DataPools;
  readonly objects: ObjectStore;
  readonly garbage: Garbage;
}

export class MultipartUploads {
  readonly #world: MultipartOptions['world'];
  readonly #pools: DataPools;
  readonly #objects: ObjectStore;
  readonly #garbage: Garbage;

  constructor({ world, pools, objects, garbage }: MultipartOptions) {
    this.#world = world;
    this.#pools = pools;
    this.#objects = objects;
    this.#garbage = garbage;
  }

  /** @param content xattrs that the object will have, and what the index says of its owner */
  async begin(
    bucket: BucketInfo,
    key: RawString,
    content: {
      readonly attrs: ReadonlyMap<RawString, Bytes>;
      readonly owner: RawString;
      readonly ownerName: RawString;
    },
  ): Promise<Upload> {
    const id = UPLOAD_ID_PREFIX + randomTag(this.#world.crypto, RANDOM_LENGTH);
    const upload = { bucket, key, id };
    const { io, oid, key: metaKey } = this.#meta(upload);
    const index = this.#objects.index(bucket);
    const prepared = await index.prepare(metaKey, ModifyOp.add, randomTag(this.#world.crypto, RANDOM_LENGTH));
    const operation = new ObjectOperation()
      .create(true)
      .writeFull(encoded(encodeUploadInfo, { placement: bucket.placement }));
    for (const [name, value] of content.attrs) operation.setXattr(name, value);
    const mtime = this.#world.clock.wall();
    const { userVersion } = await io.operate(oid, operation.at(mtime));
    await index.complete(
      prepared,
      { pool: io.pool, version: userVersion },
      {
        ...NO_META,
        category: ObjectCategory.multiMeta,
        mtime,
        owner: content.owner,
        ownerDisplayName: content.ownerName,
      },
    );
    return upload;
  }

  /** @throws NoSuchUpload */
  async find(bucket: BucketInfo, key: RawString, id: RawString): Promise<FoundUpload> {
    const upload = { bucket, key, id };
    const head = await this.#readMeta(upload);
    return { ...upload, attrs: head.attrs, initiated: head.mtime };
  }

  /**
   * Stores a stream as a part; one that has this number already is replaced.
   *
   * @param finish called with the MD5 when all bytes have come: the part's checksum, '' when it has none; what it throws ends it
   * @throws NoSuchUpload
   */
  async writePart(
    upload: Upload,
    number: number,
    body: AsyncIterable<Bytes>,
    finish: (md5: Bytes) => RawString = () => '',
  ): Promise<Written> {
    await this.#readMeta(upload);
    const hasher = this.#world.crypto.hasher('md5');
    const claim = new PartClaim(upload, number, {
      objects: this.#objects,
      isTaken: (await this.#recorded(upload, number)) !== undefined,
      random: () => randomTag(this.#world.crypto, RANDOM_LENGTH),
    });
    try {
      const { size } = await writeStripes(body, {
        headBytes: 0,
        stripeBytes: STRIPE_BYTES,
        hasher,
        write: (stripe, data) => claim.write(stripe, data),
      });
      const md5 = hasher.digest();
      const checksum = finish(md5);
      const mtime = this.#world.clock.wall();
      const part: UploadPart = {
        number,
        size,
        accountedSize: size,
        etag: toHex(md5),
        modified: mtime,
        manifest: { ...claim.manifest, objectSize: size },
        compression: NOT_COMPRESSED,
      };
      await this.#record(upload, part, checksum);
      return { etag: part.etag, mtime, size };
    } catch (error) {
      await this.#discard(upload.bucket, claim.written);
      throw error;
    }
  }

  /** Parts that have come, in the order of their numbers, behind one number. @throws NoSuchUpload */
  async *listParts(upload: Upload, after = 0): AsyncGenerator<UploadPart> {
    const { io, oid } = this.#meta(upload);
    for (let marker = partKey(after), more = true; more; ) {
      const reply = await io.submit(oid, new ObjectOperation().omapGetVals(marker, PARTS_PAGE));
      if (reply.result === Errno.ENOENT) throw new NoSuchUpload(upload.id);
      if (reply.result < 0) throw new RadosError(reply.result, oid);
      const decoder = new Decoder(reply.ops[0]!.output);
      const values = decoder.map(
        'parts',
        8,
        () => decoder.rawString('key'),
        () => decoder.blob('part'),
      );
      more = decoder.bool('more') && values.size > 0;
      for (const [name, value] of values) {
        marker = name;
        yield decoded(decodeUploadPart, value);
      }
    }
  }

  /** Checksums of parts that were listed, by their numbers. */
  async partChecksums(upload: Upload, parts: readonly UploadPart[]): Promise<ReadonlyMap<number, RawString>> {
    const { io, oid } = this.#meta(upload);
    return await readPartChecksums(io, oid, parts);
  }

  /**
   * Makes the object of its parts.
   *
   * @param choose which parts, in order; given all that have come, and their checksums. What it throws ends it
   * @throws NoSuchUpload; RadosError EBUSY while somebody else completes or aborts it
   */
  async complete(
    upload: Upload,
    choose: (
      parts: ReadonlyMap<number, UploadPart>,
      checksums: ReadonlyMap<number, RawString>,
    ) => readonly UploadPart[],
    content: (
      meta: Head,
      etag: RawString,
      md5s: readonly Bytes[],
    ) => Omit<HeadContent, 'data' | 'manifest' | 'etag' | 'replaces'>,
    check?: HeadCheck,
  ): Promise<Written> {
    const { bucket, key } = upload;
    return await this.#closed(upload, async (meta, requireClosed) => {
      const parts = await this.#allParts(upload);
      const chosen = choose(parts, await this.partChecksums(upload, [...parts.values()]));
      const md5s = chosen.map(({ etag }) => fromHex(etag));
      const hasher = this.#world.crypto.hasher('md5');
      for (const md5 of md5s) hasher.update(md5);
      const etag = `${toHex(hasher.digest())}-${chosen.length}`;
      const object = { bucket: bucket.bucket, key: { name: key, instance: '', ns: '' } };
      const empty: Manifest = {
        ...wholeManifest(
          { object, objectSize: 0, prefix: '', stripeSize: STRIPE_BYTES, headPlacement: bucket.placement },
          0,
        ),
        rules: new Map(),
      };
      const joined = chosen.reduce((whole, part) => appendManifest(whole, part.manifest), empty);
      const manifest = { ...joined, object, headPlacement: bucket.placement };
      const { mtime } = await this.#objects.putHead(
        bucket,
        { name: key, instance: '', ns: '' },
        {
          ...content(meta, etag, md5s),
          data: new Uint8Array(0),
          manifest,
          etag,
          replaces: [...parts.values()].map((part) => partIndexKey(upload, part)),
        },
        async (found) => {
          await check?.(found);
          // The object may have been made of it already, by a gateway that crashed then, and replaced: its parts are garbage.
          await requireClosed();
        },
      );
      await this.#remove(upload, [...parts.values()]);
      return { etag, mtime, size: manifest.objectSize };
    });
  }

  /** Gives an upload up: its parts become garbage. @throws NoSuchUpload; RadosError EBUSY as `complete` */
  async abort(upload: Upload): Promise<void> {
    await this.#closed(upload, async () => {
      await this.#remove(upload, [...(await this.#allParts(upload)).values()]);
    });
  }

  /**
   * Ends the upload that an object was made of, if a gateway did not live to do so: before the object is replaced or removed, and
   * what it was made of with it.
   */
  async end(bucket: BucketInfo, { name: key }: ObjectKey, manifest: Manifest): Promise<void> {
    const id = uploadIdOf(key, manifest);
    if (id === undefined) return;
    const upload = { bucket, key, id };
    try {
      await this.#remove(upload, [...(await this.#allParts(upload)).values()]);
    } catch (error) {
      if (!(error instanceof NoSuchUpload)) throw error;
    }
  }

  /** Uploads that go on, in the order of the index: by the key, its upload's id behind it. */
  async *list(
    bucket: BucketInfo,
    { prefix, delimiter, after, hint }: UploadsQuery,
  ): AsyncGenerator<ListedUpload | { readonly kind: 'prefix'; readonly name: RawString }> {
    const query: ListQuery = {
      prefix,
      delimiter: '',
      after: after.key === '' ? '' : `${after.key}.${after.id === '' ? '\xff' : `${after.id}.meta`}`,
      ns: MULTIPART_NS,
      hint,
    };
    let common: RawString | undefined;
    for await (const { name, meta } of mergeShards(this.#objects, bucket, query)) {
      const parsed = parseMetaName(oidToKey(name)?.name ?? '');
      if (!parsed || !meta || !parsed.key.startsWith(prefix)) continue;
      if (common !== undefined && parsed.key.startsWith(common)) continue;
      const at = delimiter === '' ? -1 : parsed.key.indexOf(delimiter, prefix.length);
      if (at >= 0) {
        common = parsed.key.slice(0, at + delimiter.length);
        if (common > after.key) yield { kind: 'prefix', name: common };
      } else {
        yield { kind: 'upload', ...parsed, meta };
      }
    }
  }

  /** The upload learns of a part; the one of this number that it had becomes garbage. */
  async #record(upload: Upload, part: UploadPart, checksum: RawString): Promise<void> {
    const { bucket } = upload;
    const { io, oid } = this.#meta(upload);
    const index = this.#objects.index(bucket);
    const name = partKey(part.number);
    const value = encoded(encodeUploadPart, part);
    const prepared = await index.prepare(
      partIndexKey(upload, part),
      ModifyOp.add,
      randomTag(this.#world.crypto, RANDOM_LENGTH),
    );
    try {
      for (let tries = 1; ; tries++) {
        const before = await this.#recorded(upload, part.number);
        const operation = new ObjectOperation().stat();
        operation.requireOmap(name, before).requireOmap(CLOSED_KEY);
        setPartChecksum(operation.omapSet(new Map([[name, value]])), part, checksum);
        const reply = await io.submit(oid, operation);
        if (reply.result === Errno.ENOENT) throw new NoSuchUpload(upload.id);
        if (reply.result === Errno.ECANCELED && tries < MAX_TRIES) {
          await this.#requireOpen(upload);
          continue;
        }
        if (reply.result < 0) throw new RadosError(reply.result, oid);
        const replaced = before && decoded(decodeUploadPart, before);
        await this.#tryTo('tell the index of a part', upload, async () => {
          const written = { pool: io.pool, version: reply.userVersion };
          const replacedKeys = replaced ? [partIndexKey(upload, replaced)] : [];
          await index.complete(prepared, written, partMeta(part), replacedKeys);
        });
        if (replaced) {
          await this.#tryTo('discard a part that was replaced', upload, () => this.#discardParts(upload, [replaced]));
        }
        return;
      }
    } catch (error) {
      await this.#tryTo('take an announcement back', upload, () => index.cancel(prepared));
      throw error;
    }
  }

  async #recorded(upload: Upload, number: number): Promise<Bytes | undefined> {
    const { io, oid } = this.#meta(upload);
    const name = partKey(number);
    try {
      return (await io.omapGetByKeys(oid, [name])).get(name);
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.ENOENT) throw new NoSuchUpload(upload.id);
      throw error;
    }
  }

  async #allParts(upload: Upload): Promise<ReadonlyMap<number, UploadPart>> {
    const parts = new Map<number, UploadPart>();
    for await (const part of this.listParts(upload)) parts.set(part.number, part);
    return parts;
  }

  /** @throws NoSuchUpload; RadosError EBUSY while it is completed or aborted */
  async #requireOpen(upload: Upload): Promise<void> {
    const { io, oid } = this.#meta(upload);
    const { result } = await io.submit(oid, new ObjectOperation().stat().requireOmap(CLOSED_KEY));
    if (result === Errno.ENOENT) throw new NoSuchUpload(upload.id);
    if (result === Errno.ECANCELED) throw new RadosError(Errno.EBUSY, oid);
    if (result < 0) throw new RadosError(result, oid);
  }

  /**
   * Nobody else completes or aborts it meanwhile, and no part comes.
   *
   * @param work may ask whether it is so still: a lock lasts for a while only
   */
  async #closed<T>(upload: Upload, work: (meta: Head, requireClosed: () => Promise<void>) => Promise<T>): Promise<T> {
    const { io, oid } = this.#meta(upload);
    await this.#readMeta(upload);
    const cookie = randomTag(this.#world.crypto, RANDOM_LENGTH);
    await lockObject(io, oid, COMPLETE_LOCK, 'exclusive', { cookie, duration: { sec: LOCK_SECONDS, nsec: 0 } });
    const mine = bytesFromRaw(cookie);
    const submit = async (operation: ObjectOperation) => {
      const { result } = await io.submit(oid, operation);
      if (result === Errno.ENOENT) throw new NoSuchUpload(upload.id);
      if (result < 0) throw new RadosError(result, oid);
    };
    const requireClosed = () => submit(new ObjectOperation().stat().requireOmap(CLOSED_KEY, mine));
    try {
      await submit(new ObjectOperation().stat().omapSet(new Map([[CLOSED_KEY, mine]])));
      return await work(await this.#readMeta(upload), requireClosed);
    } catch (error) {
      await this.#tryTo('open an upload again', upload, () =>
        submit(new ObjectOperation().stat().requireOmap(CLOSED_KEY, mine).omapRmKeys([CLOSED_KEY])),
      );
      throw error;
    } finally {
      await this.#tryTo('unlock an upload', upload, () => unlockObject(io, oid, COMPLETE_LOCK, cookie));
    }
  }

  /** What has been done counts, and this does not undo it. An upload that is gone needs nothing. */
  async #tryTo(what: string, { key, id }: Upload, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof NoSuchUpload) return;
      if (!(error instanceof RadosError)) throw error;
      if (error.code !== Errno.ENOENT) this.#world.log.warn(`cannot ${what}`, { key, id, problem: error.message });
    }
  }

  /** @throws NoSuchUpload */
  async #readMeta(upload: Upload): Promise<Head> {
    const { io, oid } = this.#meta(upload);
    const head = await readHead(io, oid);
    if (!head) throw new NoSuchUpload(upload.id);
    return head;
  }

  /** It is over: parts that are not in the object become garbage. */
  async #remove(upload: Upload, parts: readonly UploadPart[]): Promise<void> {
    await this.#discardParts(upload, parts);
    await this.#removeMeta(
      upload,
      parts.map((part) => partIndexKey(upload, part)),
    );
  }

  async #removeMeta(upload: Upload, gone: readonly ObjectKey[] = []): Promise<void> {
    const { io, oid, key } = this.#meta(upload);
    const index = this.#objects.index(upload.bucket);
    const prepared = await index.prepare(key, ModifyOp.delete, randomTag(this.#world.crypto, RANDOM_LENGTH));
    const reply = await io.submit(oid, new ObjectOperation().remove());
    if (reply.result < 0 && reply.result !== Errno.ENOENT) {
      await index.cancel(prepared);
      throw new RadosError(reply.result, oid);
    }
    await index.complete(prepared, { pool: io.pool, version: reply.userVersion }, NO_META, gone);
  }

  /** But for what the object has: a completion that was interrupted may have made it already. */
  async #discardParts({ bucket, key, id }: Upload, parts: readonly UploadPart[]): Promise<void> {
    if (parts.length === 0) return;
    const current = await this.#objects.find(bucket, { name: key, instance: '', ns: '' });
    const used = new Set<RawString>();
    if (current?.head.manifest) {
      for (const stripe of stripesOf(current.head.manifest)) used.add(radosNameOf(stripe.object).oid);
    }
    const objects = parts
      .flatMap(({ manifest }) => this.#stripesOf(bucket, manifest))
      .filter(({ oid }) => !used.has(oid));
    if (objects.length > 0) await this.#garbage.add(`${id}.${randomTag(this.#world.crypto, RANDOM_LENGTH)}`, objects);
  }

  /** Stripes of a part that nobody knows of: the first one goes last, so that nobody takes its name while others are left. */
  async #discard(bucket: BucketInfo, written: readonly BucketObject[]): Promise<void> {
    for (const stripe of written.toReversed()) await this.#objects.removeStripe(bucket, stripe);
  }

  #stripesOf(bucket: BucketInfo, manifest: Manifest): GarbageObject[] {
    const pool = this.#pools.dataPoolName(bucket.placement);
    return [...stripesOf(manifest)].map((stripe) => ({ pool, ...radosNameOf(stripe.object) }));
  }

  #meta({ bucket, key, id }: Upload): { readonly io: IoCtx; readonly oid: RawString; readonly key: ObjectKey } {
    const metaKey = { name: `${key}.${id}.meta`, instance: '', ns: MULTIPART_NS };
    return {
      io: this.#pools.extra(bucket),
      oid: radosNameOf({ bucket: bucket.bucket, key: metaKey }).oid,
      key: metaKey,
    };
  }
}

function partKey(number: number): RawString {
  return `part.${String(number).padStart(PART_KEY_DIGITS, '0')}`;
}

/** What the index says of a part. */
function partMeta({ size, modified, etag }: UploadPart): EntryMeta {
  const category = ObjectCategory.main;
  return { ...NO_META, category, size: BigInt(size), accountedSize: BigInt(size), mtime: modified, etag };
}

/** The upload that an object was made of: its parts' names say so. */
function uploadIdOf(key: RawString, { prefix }: Manifest): RawString | undefined {
  if (!prefix.startsWith(`${key}.${UPLOAD_ID_PREFIX}`)) return undefined;
  // KEY.UPLOAD, or KEY.UPLOAD.RANDOM when its first part was replaced.
  return prefix.slice(key.length + 1).split('.', 1)[0];
}

/** The entry that a part has in the index until it is part of an object: the name of its first stripe. */
function partIndexKey({ key }: Upload, { number, manifest }: UploadPart): ObjectKey {
  const [first] = stripesOf({ ...manifest, objectSize: Math.max(1, manifest.objectSize) }, 0, 1);
  return first?.object.key ?? { name: `${key}.${number}`, instance: '', ns: MULTIPART_NS };
}

/**
 * The names of a part's stripes. Those that come from its number are for the first who writes its first stripe: parts with such
 * names make a short manifest. Whoever comes later gets names of his own.
 */
class PartClaim {
  readonly #upload: Upload;
  readonly #number: number;
  readonly #objects: ObjectStore;
  readonly #random: () => RawString;
  readonly #isTaken: boolean;
  #first: Promise<void> | undefined;
  #manifest: Manifest;
  readonly written: BucketObject[] = [];

  constructor(
    upload: Upload,
    number: number,
    options: { readonly objects: ObjectStore; readonly isTaken: boolean; readonly random: () => RawString },
  ) {
    this.#upload = upload;
    this.#number = number;
    this.#objects = options.objects;
    this.#random = options.random;
    this.#isTaken = options.isTaken;
    this.#manifest = this.#named(
      options.isTaken ? `${upload.key}.${upload.id}.${options.random()}` : `${upload.key}.${upload.id}`,
    );
  }

  /** Its size is not known yet. */
  get manifest(): Manifest {
    return this.#manifest;
  }

  async write(stripe: number, data: Bytes): Promise<void> {
    if (stripe === 0) {
      this.#first = this.#writeFirst(data);
      return await this.#first;
    }
    await this.#first;
    const object = partStripe(this.#manifest, stripe);
    this.written.push(object);
    await this.#objects.writeStripe(this.#upload.bucket, object, data);
  }

  async #writeFirst(data: Bytes): Promise<void> {
    const { bucket, key, id } = this.#upload;
    let object = partStripe(this.#manifest, 0);
    if (!this.#isTaken) {
      if (await this.#objects.writeNewStripe(bucket, object, data)) {
        this.written.push(object);
        return;
      }
      this.#manifest = this.#named(`${key}.${id}.${this.#random()}`);
      object = partStripe(this.#manifest, 0);
    }
    this.written.push(object);
    await this.#objects.writeStripe(bucket, object, data);
  }

  #named(prefix: RawString): Manifest {
    const { bucket, key } = this.#upload;
    const object = { bucket: bucket.bucket, key: { name: key, instance: '', ns: '' } };
    const given = { object, objectSize: 0, prefix, stripeSize: STRIPE_BYTES, headPlacement: bucket.placement };
    return partManifest(given, this.#number);
  }
}

function partStripe(manifest: Manifest, stripe: number) {
  const start = stripe * STRIPE_BYTES;
  const [found] = stripesOf({ ...manifest, objectSize: start + 1 }, start, start + 1);
  return found!.object;
}

/** `key.UPLOAD.meta`; undefined: a part's, or none. */
function parseMetaName(name: RawString): { readonly key: RawString; readonly id: RawString } | undefined {
  if (!name.endsWith('.meta')) return undefined;
  const rest = name.slice(0, -'.meta'.length);
  const at = rest.lastIndexOf('.');
  return at <= 0 ? undefined : { key: rest.slice(0, at), id: rest.slice(at + 1) };
}
