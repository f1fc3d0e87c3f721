/**
 * Uploads in parts (rgw_multi.cc, RGWInitMultipart .. RGWAbortMultipart of rgw_op.cc).
 *
 *   extra pool   MARKER__multipart_key.UPLOAD.meta      xattrs of the object to be; omap: part.NNNNNNNN, one a part
 *   data pool    MARKER__multipart_key.UPLOAD.N         first stripe of part N, MARKER__shadow_key.UPLOAD.N_M the others
 *
 * Completing copies nothing: the object's manifest is those of its parts, one behind the other.
 */
import { type EntryMeta, ModifyOp, NO_META, ObjectCategory } from '@spirula/cls';
import { type Bytes, Errno, fromHex, type RawString, toHex } from '@spirula/encoding';
import { ObjectOperation, RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import type { BlockCipher } from '../encryption/block-cipher.ts';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { encodeCompression, joinedCompression, NOT_COMPRESSED } from '../formats/compression.ts';
import { decoded, encoded } from '../formats/encoded.ts';
import type { Manifest } from '../formats/manifest.ts';
import { appendManifest, wholeManifest } from '../formats/manifest-stripes.ts';
import type { ObjectKey } from '../formats/object.ts';
import { decodeUploadPart, encodeUploadInfo, encodeUploadPart, type UploadPart } from '../formats/upload.ts';
import type { DataPools } from './data-pools.ts';
import { randomTag } from './entropy.ts';
import type { Garbage } from './garbage.ts';
import type { Head } from './head.ts';
import type { HeadContent } from './head-write.ts';
import type { HeadCheck } from './heads.ts';
import { NULL_INSTANCE } from './layout.ts';
import { Attr } from './object-attrs.ts';
import { BucketGone } from './object-index.ts';
import { type ObjectStore, versionIdOf, type Written } from './objects.ts';
import { setPartChecksum } from './part-checksums.ts';
import { PartClaim } from './part-claim.ts';
import { tailPlacementOf } from './placement.ts';
import { writeStripes } from './stripe-writer.ts';
import { type PlacedStripe, STRIPE_BYTES, type Stripes } from './stripes.ts';
import { type FoundUpload, NoSuchUpload, UploadMeta } from './upload-meta.ts';
import { metaKeyOf, partIndexKey, partKey, UPLOAD_ID_PREFIX, type Upload, uploadIdOf } from './upload-names.ts';

const RANDOM_LENGTH = 31;
const MAX_TRIES = 20;
/** Whether it was done nobody knows. */
const UNKNOWN: ReadonlySet<number> = new Set([Errno.ETIMEDOUT, Errno.ESHUTDOWN]);

export interface PartOptions {
  readonly cipher?: BlockCipher | undefined;
  /** Called with the MD5 when all bytes have come: the part's checksum, '' when it has none; what it throws ends the part. */
  readonly finish?: (md5: Bytes) => RawString;
}

export interface MultipartOptions {
  readonly world: Pick<World, 'clock' | 'crypto' | 'log' | 'memory'>;
  readonly pools: DataPools;
  readonly objects: ObjectStore;
  readonly stripes: Stripes;
  readonly garbage: Garbage;
}

export class MultipartUploads {
  readonly #world: MultipartOptions['world'];
  readonly #objects: ObjectStore;
  readonly #stripes: Stripes;
  readonly #garbage: Garbage;
  readonly meta: UploadMeta;

  constructor({ world, pools, objects, stripes, garbage }: MultipartOptions) {
    this.#world = world;
    this.#objects = objects;
    this.#stripes = stripes;
    this.#garbage = garbage;
    this.meta = new UploadMeta(world, pools);
  }

  /** @param content xattrs that the object will have, and what the index says of its owner */
  async begin(
    bucket: BucketInfo,
    key: RawString,
    content: {
      readonly attrs: ReadonlyMap<RawString, Bytes>;
      readonly owner: RawString;
      readonly ownerName: RawString;
      /** '' or left out: the bucket's own. */
      readonly storageClass?: RawString;
    },
  ): Promise<Upload> {
    const id = UPLOAD_ID_PREFIX + randomTag(this.#world.crypto, RANDOM_LENGTH);
    const upload = { bucket, key, id };
    const { io, oid } = this.meta.place(upload);
    const index = this.#objects.index(bucket);
    const prepared = await index.prepare(metaKeyOf(upload), ModifyOp.add, randomTag(this.#world.crypto, RANDOM_LENGTH));
    const placement = tailPlacementOf(bucket, content.storageClass);
    const operation = new ObjectOperation().create(true).writeFull(encoded(encodeUploadInfo, { placement }));
    for (const [name, value] of content.attrs) operation.setXattr(name, value);
    const mtime = this.#world.clock.wall();
    const { userVersion } = await io.operate(oid, operation.at(mtime));
    const category = ObjectCategory.multiMeta;
    const { owner, ownerName: ownerDisplayName } = content;
    const meta = { ...NO_META, category, mtime, owner, ownerDisplayName, storageClass: placement.storageClass };
    try {
      await index.complete(prepared, { pool: io.pool, version: userVersion }, meta);
    } catch (error) {
      // Nobody has heard of it, nor will find it.
      if (error instanceof BucketGone) await io.submit(oid, new ObjectOperation().remove());
      throw error;
    }
    return upload;
  }

  /** @throws NoSuchUpload */
  async find(bucket: BucketInfo, key: RawString, id: RawString): Promise<FoundUpload> {
    const upload = { bucket, key, id };
    const { head, placement } = await this.meta.readWhole(upload);
    return { ...upload, attrs: head.attrs, initiated: head.mtime, placement };
  }

  /**
   * Stores a stream as a part; one that has this number already is replaced.
   *
   * @throws NoSuchUpload
   */
  async writePart(
    upload: FoundUpload,
    number: number,
    body: AsyncIterable<Bytes>,
    { cipher, finish = () => '' }: PartOptions = {},
  ): Promise<Pick<Written, 'etag' | 'mtime' | 'size'>> {
    await this.meta.read(upload);
    const hasher = this.#world.crypto.hasher('md5');
    const claim = new PartClaim(upload, number, {
      stripes: this.#stripes,
      placement: upload.placement,
      isTaken: async () => (await this.meta.recorded(upload, number)) !== undefined,
      random: () => randomTag(this.#world.crypto, RANDOM_LENGTH),
    });
    try {
      const { size } = await writeStripes(body, {
        headBytes: 0,
        stripeBytes: STRIPE_BYTES,
        hasher,
        cipher,
        memory: this.#world.memory,
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
      // A part that may be known of needs them.
      const isUnknown = error instanceof RadosError && UNKNOWN.has(error.code);
      if (!isUnknown) await this.#discard(upload.bucket, claim.written);
      throw error;
    }
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
    return await this.meta.closed(upload, async (meta, requireClosed) => {
      if (await this.meta.isOver(upload)) {
        // Whoever gave it up did not live to finish.
        await this.#remove(upload, [...(await this.meta.allParts(upload)).values()]);
        throw new NoSuchUpload(upload.id);
      }
      const parts = await this.meta.allParts(upload);
      const chosen = choose(parts, await this.meta.partChecksums(upload, [...parts.values()]));
      const md5s = chosen.map(({ etag }) => fromHex(etag));
      const hasher = this.#world.crypto.hasher('md5');
      for (const md5 of md5s) hasher.update(md5);
      const etag = `${toHex(hasher.digest())}-${chosen.length}`;
      // Completed once more, after a gateway has crashed, it is the same version.
      const instance = await this.meta.instance(upload, this.#objects.newInstance(bucket));
      const objectKey = { name: key, instance, ns: '' };
      const object = { bucket: bucket.bucket, key: objectKey };
      const empty: Manifest = {
        ...wholeManifest(
          { object, objectSize: 0, prefix: '', stripeSize: STRIPE_BYTES, headPlacement: bucket.placement },
          0,
        ),
        rules: new Map(),
      };
      const compression = joinedCompression(chosen.map((part) => part.compression));
      const joined = chosen.reduce((whole, part) => appendManifest(whole, part.manifest), empty);
      const manifest = { ...joined, object, headPlacement: bucket.placement };
      const described = content(meta, etag, md5s);
      const compressed = compression && ([Attr.compression, encoded(encodeCompression, compression)] as const);
      const { mtime } = await this.#objects.putHead(
        bucket,
        objectKey,
        {
          ...described,
          attrs: new Map([...described.attrs, ...(compressed ? [compressed] : [])]),
          accountedSize: compression?.originalSize,
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
      return { etag, mtime, size: manifest.objectSize, versionId: versionIdOf(objectKey) };
    });
  }

  /** Gives an upload up: its parts become garbage. @throws NoSuchUpload; RadosError EBUSY as `complete` */
  async abort(upload: Upload): Promise<void> {
    await this.meta.closed(upload, async () => {
      await this.#remove(upload, [...(await this.meta.allParts(upload)).values()]);
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
      await this.#remove(upload, [...(await this.meta.allParts(upload)).values()]);
    } catch (error) {
      if (!(error instanceof NoSuchUpload)) throw error;
    }
  }

  /** The upload learns of a part; the one of this number that it had becomes garbage. */
  async #record(upload: Upload, part: UploadPart, checksum: RawString): Promise<void> {
    const { bucket } = upload;
    const { io, oid } = this.meta.place(upload);
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
        const before = await this.meta.recorded(upload, part.number);
        const operation = this.meta.ifOpen().requireOmap(name, before);
        setPartChecksum(operation.omapSet(new Map([[name, value]])), part, checksum);
        const reply = await io.submit(oid, operation);
        if (reply.result === Errno.ENOENT) throw new NoSuchUpload(upload.id);
        if (reply.result === Errno.ECANCELED && tries < MAX_TRIES) {
          await this.meta.requireOpen(upload);
          continue;
        }
        if (reply.result < 0) throw new RadosError(reply.result, oid);
        const replaced = before && decoded(decodeUploadPart, before);
        await this.meta.tryTo('tell the index of a part', upload, async () => {
          const written = { pool: io.pool, version: reply.userVersion };
          const replacedKeys = replaced ? [partIndexKey(upload, replaced)] : [];
          await index.complete(prepared, written, partMeta(part), replacedKeys);
        });
        if (replaced) {
          await this.meta.tryTo('discard a part that was replaced', upload, () =>
            this.#discardParts(upload, [replaced]),
          );
        }
        return;
      }
    } catch (error) {
      await this.meta.tryTo('take an announcement back', upload, () => index.cancel(prepared));
      throw error;
    }
  }

  /** It is over: parts that are not in the object become garbage. */
  async #remove(upload: Upload, parts: readonly UploadPart[]): Promise<void> {
    await this.meta.end(upload);
    await this.#discardParts(upload, parts);
    await this.#removeMeta(
      upload,
      parts.map((part) => partIndexKey(upload, part)),
    );
  }

  async #removeMeta(upload: Upload, gone: readonly ObjectKey[] = []): Promise<void> {
    const { io, oid } = this.meta.place(upload);
    const index = this.#objects.index(upload.bucket);
    const prepared = await index.prepare(
      metaKeyOf(upload),
      ModifyOp.delete,
      randomTag(this.#world.crypto, RANDOM_LENGTH),
    );
    const reply = await io.submit(oid, new ObjectOperation().remove());
    if (reply.result < 0 && reply.result !== Errno.ENOENT) {
      await index.cancel(prepared);
      throw new RadosError(reply.result, oid);
    }
    await index.complete(prepared, { pool: io.pool, version: reply.userVersion }, NO_META, gone);
  }

  /** But for what the object has: a completion that was interrupted may have made it already. */
  async #discardParts(upload: Upload, parts: readonly UploadPart[]): Promise<void> {
    if (parts.length === 0) return;
    const { bucket, key, id } = upload;
    const used = new Set<RawString>();
    for (const instance of [NULL_INSTANCE, await this.meta.givenInstance(upload)]) {
      const head = instance === '' ? undefined : await this.#objects.peek(bucket, { name: key, instance, ns: '' });
      if (!head?.manifest) continue;
      for (const { pool, oid } of this.#stripes.garbageOf(bucket, head.manifest)) used.add(`${pool}/${oid}`);
    }
    const objects = parts
      .flatMap(({ manifest }) => this.#stripes.garbageOf(bucket, manifest))
      .filter(({ pool, oid }) => !used.has(`${pool}/${oid}`));
    if (objects.length > 0) await this.#garbage.add(`${id}.${randomTag(this.#world.crypto, RANDOM_LENGTH)}`, objects);
  }

  /** Stripes of a part that nobody knows of: the first one goes last, so that nobody takes its name while others are left. */
  async #discard(bucket: BucketInfo, written: readonly PlacedStripe[]): Promise<void> {
    for (const stripe of written.toReversed()) await this.#stripes.remove(bucket, stripe);
  }
}

/** What the index says of a part. */
function partMeta({ size, modified, etag }: UploadPart): EntryMeta {
  const category = ObjectCategory.main;
  return { ...NO_META, category, size: BigInt(size), accountedSize: BigInt(size), mtime: modified, etag };
}
