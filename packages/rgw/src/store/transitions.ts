/**
 * Moves an object to another storage class (RGWRados::transition_obj): bytes as they are stored, and all that is said of it.
 *
 *   stripes in the other pool ... all durable --> announce --> head: manifest, tags, class --> tell the index; the old tail is garbage
 *                                                             ^ requires the head that was seen
 *
 * Its time stays, as does which version is current. Parts of an upload remain parts: each may be encrypted by itself.
 */
import { encodeStorePgVersionInput, ModifyOp } from '@spirula/cls';
import { type Bytes, EMPTY, Errno, type UTime } from '@spirula/encoding';
import { ObjectOperation, RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import { decodeAcl } from '../formats/acl.ts';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { decoded, encoded } from '../formats/encoded.ts';
import { encodeManifest, type Manifest } from '../formats/manifest.ts';
import { uploadedParts } from '../formats/manifest-parts.ts';
import { appendManifest, partManifest, wholeManifest } from '../formats/manifest-stripes.ts';
import type { ObjectKey } from '../formats/object.ts';
import type { PlacementRule } from '../formats/placement-rule.ts';
import { randomTag } from './entropy.ts';
import { type Head, isOfTime, readHead, storageClassOf } from './head.ts';
import { entryMetaOf, requireHead, storageClassAttr } from './head-write.ts';
import { type Heads, OVERTAKEN, UNKNOWN } from './heads.ts';
import { NULL_INSTANCE } from './layout.ts';
import { Attr, textAttr } from './object-attrs.ts';
import type { ObjectIndex } from './object-index.ts';
import { hasObject, isUnlinked, olhOf } from './olh-head.ts';
import { canonicalStorageClass } from './placement.ts';
import { writeStripes } from './stripe-writer.ts';
import {
  CHUNK_BYTES,
  type FoundObject,
  type PlacedStripe,
  STRIPE_BYTES,
  type Stripes,
  stripeBehindHead,
} from './stripes.ts';
import type { Versions } from './versions.ts';

const PREFIX_LENGTH = 32;

export interface TransitionsOptions {
  readonly world: Pick<World, 'crypto' | 'memory'>;
  readonly stripes: Stripes;
  readonly heads: Heads;
  readonly versions: Versions;
  readonly index: (bucket: BucketInfo) => ObjectIndex;
}

/** What is written of an object in its new place. */
interface Copy {
  readonly head: Bytes;
  readonly manifest: Manifest;
}

export class Transitions {
  readonly #world: TransitionsOptions['world'];
  readonly #stripes: Stripes;
  readonly #heads: Heads;
  readonly #versions: Versions;
  readonly #index: TransitionsOptions['index'];

  constructor({ world, stripes, heads, versions, index }: TransitionsOptions) {
    this.#world = world;
    this.#stripes = stripes;
    this.#heads = heads;
    this.#versions = versions;
    this.#index = index;
  }

  /**
   * @param key with an instance, a version; '' or `null` is the object that has none
   * @param mtime of the object that is meant
   * @param to where its data are to be
   * @param anew also when they are there: they are written once more
   * @returns false: it is not there any more, or another one is, or was written meanwhile
   * @throws RadosError; nothing has changed then, but for a code of `UNKNOWN`
   */
  async move(bucket: BucketInfo, given: ObjectKey, mtime: UTime, to: PlacementRule, anew = false): Promise<boolean> {
    const key = given.instance === NULL_INSTANCE ? { ...given, instance: '' } : given;
    const olh = await this.#versions.readOlh(bucket, key.name);
    const object = { bucket: bucket.bucket, key };
    const { io, oid } = this.#stripes.place(object, bucket);
    const head = await readHead(io, oid, CHUNK_BYTES);
    if (!head || !hasObject(head) || !isOfTime(head, mtime)) return false;
    // A version that is being linked is known by what would change.
    const shared = olhOf(head);
    if (shared && isUnlinked(head, shared)) return false;
    const hasVersions = olh !== undefined && olhOf(olh) !== undefined;
    if (!anew && canonicalStorageClass(storageClassOf(head)) === canonicalStorageClass(to.storageClass)) {
      // Whoever moved it did not live to tell the index.
      await this.#tell(bucket, key, head, hasVersions, { pool: io.pool, version: head.version });
      return true;
    }
    const written: PlacedStripe[] = [];
    try {
      const copy = await this.#copy(bucket, { object, head, versionId: undefined }, to, written);
      const moved = await this.#replace(bucket, key, head, copy, hasVersions);
      if (!moved) await this.#stripes.discard(bucket, written);
      return moved;
    } catch (error) {
      // A head that may be there needs them.
      if (!(error instanceof RadosError) || !UNKNOWN.has(error.code)) await this.#stripes.discard(bucket, written);
      throw error;
    }
  }

  /** Its bytes in their new place; of an object that was written at once the first ones may be for the head. */
  async #copy(bucket: BucketInfo, found: FoundObject, to: PlacementRule, written: PlacedStripe[]): Promise<Copy> {
    const { object, head } = found;
    const prefix = `.${randomTag(this.#world.crypto, PREFIX_LENGTH)}_`;
    const given = {
      object,
      objectSize: 0,
      prefix,
      stripeSize: STRIPE_BYTES,
      headPlacement: bucket.placement,
      tailPlacement: to,
    };
    const parts = head.manifest ? uploadedParts(head.manifest) : [];
    if (parts.length === 0) {
      const headBytes = this.#stripes.headBytes(bucket, to);
      const manifest = wholeManifest(given, headBytes);
      const data = await this.#write(
        bucket,
        found,
        { offset: 0, length: head.storedSize },
        manifest,
        headBytes,
        written,
      );
      return { head: data, manifest: { ...manifest, objectSize: head.storedSize, headSize: data.length } };
    }
    let joined: Manifest = { ...wholeManifest(given, 0), rules: new Map() };
    for (const { number, offset, length } of parts) {
      const manifest = partManifest(given, number);
      await this.#write(bucket, found, { offset, length }, manifest, 0, written);
      joined = appendManifest(joined, { ...manifest, objectSize: length });
    }
    return { head: EMPTY, manifest: joined };
  }

  /** Gives the first bytes, which are kept back for the head. */
  async #write(
    bucket: BucketInfo,
    found: FoundObject,
    { offset, length }: { readonly offset: number; readonly length: number },
    manifest: Manifest,
    headBytes: number,
    written: PlacedStripe[],
  ): Promise<Bytes> {
    const { head } = await writeStripes(this.#stripes.read(bucket, found, offset, offset + length), {
      headBytes,
      stripeBytes: STRIPE_BYTES,
      hasher: this.#world.crypto.hasher('md5'),
      memory: this.#world.memory,
      write: (stripe, data) => {
        const tail = stripeBehindHead(manifest, stripe);
        written.push(tail);
        return this.#stripes.write(bucket, tail, data);
      },
    });
    return head;
  }

  /** False: it was changed meanwhile. */
  async #replace(bucket: BucketInfo, key: ObjectKey, seen: Head, copy: Copy, hasVersions: boolean): Promise<boolean> {
    const object = { bucket: bucket.bucket, key };
    const { io, oid } = this.#stripes.place(object, bucket);
    await this.#heads.letGo(bucket, key, seen, copy.manifest);
    const index = this.#index(bucket);
    const tag = this.#heads.newTag();
    const prepared = await index.prepare(key, ModifyOp.add, tag);
    const attrs = new Map([
      [Attr.idTag, textAttr(tag)],
      [Attr.tailTag, textAttr(tag)],
      [Attr.manifest, encoded(encodeManifest, copy.manifest)],
      ...storageClassAttr(copy.manifest),
    ]);
    const operation = requireHead(new ObjectOperation(), seen).writeFull(copy.head);
    for (const [name, value] of attrs) operation.setXattr(name, value);
    operation.exec('rgw', 'obj_store_pg_ver', encodeStorePgVersionInput(Attr.pgVersion), 'write');
    const reply = await io.submit(oid, operation.at(seen.mtime));
    if (reply.result < 0) {
      await this.#heads.cancel(index, prepared);
      if (OVERTAKEN.has(reply.result)) return false;
      throw new RadosError(reply.result, oid);
    }
    const now = { ...seen, attrs: new Map([...seen.attrs, ...attrs]) };
    const meta = metaOf(now);
    try {
      await index.complete(prepared, { pool: io.pool, version: reply.userVersion }, meta);
      if (hasVersions) await this.#versions.refresh(bucket, key);
    } catch (error) {
      // It was replaced meanwhile, and the announcement went with its entry.
      if (!(error instanceof RadosError) || error.code !== Errno.EINVAL) throw error;
    }
    await this.#stripes.discardTailOf(bucket, object, seen, copy.manifest);
    return true;
  }

  async #tell(
    bucket: BucketInfo,
    key: ObjectKey,
    head: Head,
    hasVersions: boolean,
    written: { readonly pool: number; readonly version: number },
  ): Promise<void> {
    const index = this.#index(bucket);
    const prepared = await index.prepare(key, ModifyOp.add, this.#heads.newTag());
    await index.complete(prepared, written, metaOf(head));
    if (hasVersions) await this.#versions.refresh(bucket, key);
  }
}

function metaOf(head: Head) {
  const acl = head.attrs.get(Attr.acl);
  return entryMetaOf(head, acl && decoded(decodeAcl, acl));
}
