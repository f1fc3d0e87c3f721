/** Changes of an OLH that were begun: noted at the head of the name, so that whoever reads it looks at the index's log. */
import { type Bytes, Errno, type RawString, type UTime } from '@spirula/encoding';
import { ObjectOperation, RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { randomLower } from './entropy.ts';
import { garbageTag, type Head, readHead } from './head.ts';
import { requireHead } from './head-write.ts';
import { Attr, OLH_PENDING_PREFIX, textAttr } from './object-attrs.ts';
import { begunAttrs, isUnlinked, type OlhState, olhOf, placeOfOlh, requireOlh } from './olh-head.ts';
import type { OlhChange } from './olh-index.ts';
import type { Stripes } from './stripes.ts';

const TAG_LENGTH = 32;
const TIME_DIGITS = 16;
/** rgw_olh_pending_timeout_sec: whoever began a change so long ago does not live. */
const PENDING_TIMEOUT_SECONDS = 3600;
const OVERTAKEN: ReadonlySet<number> = new Set([Errno.ECANCELED, Errno.ENOENT, Errno.EEXIST]);

export class OlhChanges {
  readonly #world: Pick<World, 'clock' | 'crypto' | 'log'>;
  readonly #stripes: Stripes;

  constructor(world: Pick<World, 'clock' | 'crypto' | 'log'>, stripes: Stripes) {
    this.#world = world;
    this.#stripes = stripes;
  }

  /** A tag for a change: those of later seconds are greater. */
  newTag(): RawString {
    const time = this.#world.clock.wall().sec.toString(16).padStart(TIME_DIGITS, '0');
    return time + randomLower(this.#world.crypto, TAG_LENGTH - TIME_DIGITS);
  }

  /** The xattrs by which a write of version null begins its change: `opTag` is the tag of the write. */
  begunWith(
    head: Head | undefined,
    opTag: RawString,
  ): { readonly attrs: Map<RawString, Bytes>; readonly olhTag: RawString } {
    const olh = head && olhOf(head);
    const olhTag = olh?.tag ?? randomLower(this.#world.crypto, TAG_LENGTH);
    return { attrs: begunAttrs(opTag, this.#world.clock.wall(), olhTag, olh === undefined), olhTag };
  }

  /** Notes at the OLH, which is made if need be, that a change is under way. Undefined: look again. */
  async begin(bucket: BucketInfo, name: RawString): Promise<OlhChange | undefined> {
    const { io, oid } = placeOfOlh(this.#stripes, bucket, name);
    const head = await readHead(io, oid);
    const olh = head && olhOf(head);
    const opTag = this.newTag();
    const { attrs, olhTag } = this.begunWith(head, opTag);
    const operation = new ObjectOperation();
    if (!head) operation.create(true);
    else if (olh) requireOlh(operation.stat(), olh.tag);
    else requireHead(operation.stat(), head);
    // From now on writes that know nothing of versions see that it was changed.
    if (!olh) operation.setXattr(Attr.idTag, textAttr(randomLower(this.#world.crypto, TAG_LENGTH)));
    for (const [attr, value] of attrs) operation.setXattr(attr, value);
    const { result } = await io.submit(oid, operation.at(head?.mtime ?? this.#world.clock.wall()));
    if (OVERTAKEN.has(result)) return undefined;
    if (result < 0) throw new RadosError(result, oid);
    return { olhTag, opTag };
  }

  /** Changes that were begun are not made. */
  async takeBack(bucket: BucketInfo, name: RawString, olhTag: RawString, tags: readonly RawString[]): Promise<void> {
    const { io, oid } = placeOfOlh(this.#stripes, bucket, name);
    const head = await readHead(io, oid);
    if (!head) return;
    const operation = requireOlh(new ObjectOperation().stat(), olhTag);
    for (const tag of tags) operation.rmXattr(OLH_PENDING_PREFIX + tag);
    const { result } = await io.submit(oid, operation.at(head.mtime));
    if (result < 0 && !OVERTAKEN.has(result)) this.#world.log.warn('a pending change stays noted', { oid, result });
  }

  /** Changes of which the index knows nothing, begun so long ago that nobody will make them. */
  async forgetStale(bucket: BucketInfo, name: RawString, head: Head, olh: OlhState): Promise<void> {
    const now = this.#world.clock.wall().sec;
    const written = isUnlinked(head, olh) ? garbageTag(head) : undefined;
    const isStale = (opTag: RawString, { sec }: UTime) => now - sec >= PENDING_TIMEOUT_SECONDS && opTag !== written;
    const stale = [...olh.pending].filter(([opTag, begun]) => isStale(opTag, begun)).map(([opTag]) => opTag);
    if (stale.length > 0) await this.takeBack(bucket, name, olh.tag, stale);
  }
}
