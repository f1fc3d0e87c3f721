/**
 * The meta object of an upload: the xattrs of the object to be, and in its omap the parts that have come, and who closes it.
 * While it is closed no part comes, and none is replaced.
 */
import { type Bytes, bytesFromRaw, Decoder, Errno, type RawString, type UTime } from '@spirula/encoding';
import { type IoCtx, lockObject, ObjectOperation, RadosError, unlockObject } from '@spirula/rados';
import type { World } from '@spirula/world';
import { decoded } from '../formats/encoded.ts';
import { NO_PLACEMENT, type PlacementRule } from '../formats/placement-rule.ts';
import { decodeUploadInfo, decodeUploadPart, type UploadPart } from '../formats/upload.ts';
import type { DataPools } from './data-pools.ts';
import { randomTag } from './entropy.ts';
import { type Head, readHead } from './head.ts';
import { radosNameOf } from './layout.ts';
import { attrText } from './object-attrs.ts';
import { BucketGone } from './object-index.ts';
import { readPartChecksums } from './part-checksums.ts';
import { metaKeyOf, partKey, type Upload } from './upload-names.ts';

const COMPLETE_LOCK = 'RGWCompleteMultipart';
const COOKIE_LENGTH = 31;
/** rgw_mp_lock_max_time */
const LOCK_SECONDS = 600;
/** A key in the omap, before all parts (so that radosgw overlooks it): who completes or aborts the upload. */
const CLOSED_KEY = 'closed';
/** Another one: which version the object becomes. */
const INSTANCE_KEY = 'instance';
/** Another one: its parts are becoming garbage, whoever lives to finish that. */
const OVER_KEY = 'over';
/** An empty value would count as none. */
const MARK = bytesFromRaw('1');
const PARTS_PAGE = 1000;
/** Of what an upload says of itself. */
const MAX_INFO_BYTES = 64 << 10;

/** An upload is gone: it was completed or aborted, or never was. */
export class NoSuchUpload extends Error {
  override readonly name = 'NoSuchUpload';
}

/** As it was begun. */
export interface FoundUpload extends Upload {
  readonly attrs: ReadonlyMap<RawString, Bytes>;
  readonly initiated: UTime;
  /** Where the data of its parts go. */
  readonly placement: PlacementRule;
}

export class UploadMeta {
  readonly #world: Pick<World, 'crypto' | 'log'>;
  readonly #pools: DataPools;

  constructor(world: Pick<World, 'crypto' | 'log'>, pools: DataPools) {
    this.#world = world;
    this.#pools = pools;
  }

  place(upload: Upload): { readonly io: IoCtx; readonly oid: RawString } {
    const { bucket } = upload;
    const object = { bucket: bucket.bucket, key: metaKeyOf(upload) };
    return { io: this.#pools.extra(bucket), oid: radosNameOf(object).oid };
  }

  /** @throws NoSuchUpload */
  async read(upload: Upload): Promise<Head> {
    const { io, oid } = this.place(upload);
    const head = await readHead(io, oid);
    if (!head) throw new NoSuchUpload(upload.id);
    return head;
  }

  /** And where the data of its parts go: it says so itself. @throws NoSuchUpload */
  async readWhole(upload: Upload): Promise<{ readonly head: Head; readonly placement: PlacementRule }> {
    const { io, oid } = this.place(upload);
    const head = await readHead(io, oid, MAX_INFO_BYTES);
    if (!head) throw new NoSuchUpload(upload.id);
    // One from before storage classes says nothing.
    const said = head.data.length === 0 ? NO_PLACEMENT : decoded(decodeUploadInfo, head.data).placement;
    return { head, placement: said.name === '' ? upload.bucket.placement : said };
  }

  /** Parts that have come, in the order of their numbers, behind one number. @throws NoSuchUpload */
  async *parts(upload: Upload, after = 0): AsyncGenerator<UploadPart> {
    const { io, oid } = this.place(upload);
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
    const { io, oid } = this.place(upload);
    return await readPartChecksums(io, oid, parts);
  }

  /** A part as it is stored. @throws NoSuchUpload */
  async recorded(upload: Upload, number: number): Promise<Bytes | undefined> {
    return await this.#omapValue(upload, partKey(number));
  }

  /** By their numbers. @throws NoSuchUpload */
  async allParts(upload: Upload): Promise<ReadonlyMap<number, UploadPart>> {
    const parts = new Map<number, UploadPart>();
    for await (const part of this.parts(upload)) parts.set(part.number, part);
    return parts;
  }

  /** Which version the object becomes: the one that was given first. @throws NoSuchUpload */
  async instance(upload: Upload, given: RawString): Promise<RawString> {
    const before = await this.givenInstance(upload);
    if (before !== '' || given === '') return before;
    const { io, oid } = this.place(upload);
    const value = new Map([[INSTANCE_KEY, bytesFromRaw(given)]]);
    const { result } = await io.submit(oid, new ObjectOperation().stat().requireOmap(INSTANCE_KEY).omapSet(value));
    if (result === Errno.ENOENT) throw new NoSuchUpload(upload.id);
    if (result < 0) throw new RadosError(result, oid);
    return given;
  }

  /** '' as long as there was none. @throws NoSuchUpload */
  async givenInstance(upload: Upload): Promise<RawString> {
    const value = await this.#omapValue(upload, INSTANCE_KEY);
    return value === undefined ? '' : attrText(value);
  }

  async #omapValue(upload: Upload, name: RawString): Promise<Bytes | undefined> {
    const { io, oid } = this.place(upload);
    try {
      return (await io.omapGetByKeys(oid, [name])).get(name);
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.ENOENT) throw new NoSuchUpload(upload.id);
      throw error;
    }
  }

  /** Guards a change of its parts: ENOENT, or ECANCELED when none may come (see `requireOpen`). */
  ifOpen(): ObjectOperation {
    return new ObjectOperation().stat().requireOmap(CLOSED_KEY).requireOmap(OVER_KEY);
  }

  /** @throws NoSuchUpload; RadosError EBUSY while it is completed or aborted */
  async requireOpen(upload: Upload): Promise<void> {
    const { io, oid } = this.place(upload);
    const { result } = await io.submit(oid, this.ifOpen());
    const isGone = result === Errno.ENOENT || (result === Errno.ECANCELED && (await this.isOver(upload)));
    if (isGone) throw new NoSuchUpload(upload.id);
    if (result === Errno.ECANCELED) throw new RadosError(Errno.EBUSY, oid);
    if (result < 0) throw new RadosError(result, oid);
  }

  /** From now on no object is made of its parts. @throws NoSuchUpload */
  async end(upload: Upload): Promise<void> {
    const { io, oid } = this.place(upload);
    const { result } = await io.submit(oid, new ObjectOperation().stat().omapSet(new Map([[OVER_KEY, MARK]])));
    if (result === Errno.ENOENT) throw new NoSuchUpload(upload.id);
    if (result < 0) throw new RadosError(result, oid);
  }

  /** Whether some of its parts may be garbage. @throws NoSuchUpload */
  async isOver(upload: Upload): Promise<boolean> {
    return (await this.#omapValue(upload, OVER_KEY)) !== undefined;
  }

  /**
   * Nobody else completes or aborts it meanwhile, and no part comes.
   *
   * @param work may ask whether it is so still: a lock lasts for a while only
   */
  async closed<T>(upload: Upload, work: (meta: Head, requireClosed: () => Promise<void>) => Promise<T>): Promise<T> {
    const { io, oid } = this.place(upload);
    await this.read(upload);
    const cookie = randomTag(this.#world.crypto, COOKIE_LENGTH);
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
      return await work(await this.read(upload), requireClosed);
    } catch (error) {
      await this.tryTo('open an upload again', upload, () =>
        submit(new ObjectOperation().stat().requireOmap(CLOSED_KEY, mine).omapRmKeys([CLOSED_KEY])),
      );
      throw error;
    } finally {
      await this.tryTo('unlock an upload', upload, () => unlockObject(io, oid, COMPLETE_LOCK, cookie));
    }
  }

  /** What has been done counts, and this does not undo it. An upload that is gone needs nothing. */
  async tryTo(what: string, { key, id }: Upload, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof NoSuchUpload || error instanceof BucketGone) return;
      if (!(error instanceof RadosError)) throw error;
      if (error.code !== Errno.ENOENT) this.#world.log.warn(`cannot ${what}`, { key, id, problem: error.message });
    }
  }
}
