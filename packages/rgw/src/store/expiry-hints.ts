/**
 * Which objects are to be removed, and when: notes in the order of their times, kept by the class `timeindex` in the objects
 * `obj_delete_at_hint.NNNNNNNNNN` (RGWObjExpStore, rgw_object_expirer_core.cc). A note is written before its object bears the time,
 * and says nothing by itself: the object may have been written anew since, or not at all.
 */
import {
  decodeTimeindexListReply,
  encodeTimeindexAddInput,
  encodeTimeindexTrimInput,
  encodeTimeListInput,
} from '@spirula/cls';
import { Decoder, Errno, type RawString, type UTime } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { decoded, encoded } from '../formats/encoded.ts';
import { decodeExpiryHint, type ExpiryHint, encodeExpiryHint } from '../formats/expiry-hint.ts';
import type { ObjectKey } from '../formats/object.ts';
import type { Entropy } from './entropy.ts';
import { keyToIndexName, NULL_INSTANCE, shardOf } from './layout.ts';
import { exclusively } from './shard-lock.ts';

const CLASS = 'timeindex';
const DIGITS = 10;
/** As radosgw calls it. */
const LOCK_NAME = 'gc_process';
/** rgw_objexp_chunk_size */
const PAGE = 100;
const BEGINNING: UTime = { sec: 0, nsec: 0 };

export class ExpiryHints {
  readonly #io: IoCtx;
  readonly #entropy: Entropy;
  readonly #shardCount: number;

  /**
   * @param io of the log pool
   * @param shardCount rgw_objexp_hints_num_shards
   */
  constructor(io: IoCtx, entropy: Entropy, shardCount: number) {
    this.#io = io;
    this.#entropy = entropy;
    this.#shardCount = shardCount;
  }

  get shards(): readonly RawString[] {
    return Array.from({ length: this.#shardCount }, (_, i) => shardOid(i));
  }

  async add({ bucket }: BucketInfo, { name, instance }: ObjectKey, deleteAt: UTime): Promise<void> {
    const { tenant, name: bucketName, bucketId } = bucket;
    const version = instance === NULL_INSTANCE ? '' : instance;
    const hint: ExpiryHint = { tenant, bucketName, bucketId, name, instance: version, deleteAt };
    const entry = { time: deleteAt, ext: keyExtension(hint), value: encoded(encodeExpiryHint, hint) };
    const operation = new ObjectOperation().exec(CLASS, 'add', encodeTimeindexAddInput([entry]), 'write');
    const shard = shardOf(keyToIndexName({ name, instance: '', ns: '' }) + version, this.#shardCount);
    await this.#io.operate(shardOid(shard), operation);
  }

  /** Page by page, in the order of their times: those from `from` on and before `to`, and the key of each page's last. */
  async *list(
    shard: RawString,
    to: UTime,
    from = BEGINNING,
  ): AsyncGenerator<{ readonly hints: readonly ExpiryHint[]; readonly last: RawString }> {
    for (let marker = '', more = true; more; ) {
      const input = encodeTimeListInput({ from, to, marker, maxEntries: PAGE });
      const reply = await this.#io.submit(shard, new ObjectOperation().exec(CLASS, 'list', input));
      if (reply.result === Errno.ENOENT) return;
      if (reply.result < 0) throw new RadosError(reply.result, shard);
      const page = decodeTimeindexListReply(new Decoder(reply.ops[0]!.output));
      if (page.entries.length === 0) return;
      yield { hints: page.entries.map(({ value }) => decoded(decodeExpiryHint, value)), last: page.marker };
      marker = page.marker;
      more = page.truncated;
    }
  }

  /** Takes away all up to this key, itself included. */
  async trim(shard: RawString, upTo: RawString): Promise<void> {
    const input = encodeTimeindexTrimInput({ from: BEGINNING, to: BEGINNING, fromMarker: '', toMarker: upTo });
    for (;;) {
      const { result } = await this.#io.submit(shard, new ObjectOperation().exec(CLASS, 'trim', input, 'write'));
      if (result === Errno.ENODATA) return;
      if (result < 0) throw new RadosError(result, shard);
    }
  }

  /** False: another gateway is at it. */
  async exclusively(shard: RawString, seconds: number, work: () => Promise<void>): Promise<boolean> {
    return await exclusively(this.#io, shard, { name: LOCK_NAME, seconds }, this.#entropy, work);
  }
}

function shardOid(shard: number): RawString {
  return `obj_delete_at_hint.${String(shard).padStart(DIGITS, '0')}`;
}

/** What stands in a hint's key behind the time (objexp_hint_get_keyext). */
function keyExtension({ tenant, bucketName, bucketId, name, instance }: ExpiryHint): RawString {
  return [...(tenant === '' ? [] : [tenant]), bucketName, bucketId, name, instance].join(':');
}
