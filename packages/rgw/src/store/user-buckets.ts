/** The buckets of a user: the object `UID.buckets`, kept by the class `user`, in the order of their names. */
import {
  decodeUserBucketsReply,
  decodeUserHeaderReply,
  encodeRemoveUserBucketInput,
  encodeSetUserBucketsInput,
  encodeUserBucketsInput,
  encodeUserTimeInput,
  type UserBucket,
  type UserBucketEntry,
  type UserHeader,
} from '@spirula/cls';
import { Encoder, Errno, type RawString, type UTime } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { Bucket, Pool } from '../formats/bucket.ts';
import type { UserId } from '../formats/user-id.ts';
import { userBucketsOid } from './layout.ts';
import { decodeStored } from './meta-object.ts';

export interface BucketPage {
  readonly entries: readonly UserBucketEntry[];
  readonly truncated: boolean;
  /** What to ask for the next page after. */
  readonly marker: RawString;
}

/** No more than the class gives at a time. */
const MAX_PAGE = 1000;

function poolText({ name, ns }: Pool): RawString {
  return ns === '' ? name : `${name}:${ns}`;
}

/** rgw_bucket::convert. */
function toUserBucket({ name, marker, bucketId, explicitPlacement: pools }: Bucket): UserBucket {
  return {
    name,
    marker,
    bucketId,
    placementId: '',
    pools: pools ? [poolText(pools.data), poolText(pools.index), poolText(pools.dataExtra)] : ['', '', ''],
  };
}

export class UserBuckets {
  readonly #io: IoCtx;

  constructor(io: IoCtx) {
    this.#io = io;
  }

  /** Adds a bucket, or says of one that is there when it was made. @throws RadosError */
  async add(user: UserId, bucket: Bucket, created: UTime, now: UTime): Promise<void> {
    const entry: UserBucketEntry = {
      bucket: toUserBucket(bucket),
      size: 0n,
      sizeRounded: 0n,
      created,
      count: 0n,
      isCounted: false,
    };
    await this.#write(user, 'set_buckets_info', encodeSetUserBucketsInput([entry], true, now));
  }

  /** Says what a bucket holds, if it is there. @throws RadosError */
  async setStats(
    user: UserId,
    bucket: Bucket,
    stats: Pick<UserBucketEntry, 'size' | 'sizeRounded' | 'count' | 'created'>,
    now: UTime,
  ): Promise<void> {
    const entry: UserBucketEntry = { bucket: toUserBucket(bucket), ...stats, isCounted: false };
    await this.#write(user, 'set_buckets_info', encodeSetUserBucketsInput([entry], false, now));
  }

  /** Says that all buckets said what they hold, or with `reset`, sums that up anew. @throws RadosError */
  async completeStats(user: UserId, now: UTime, reset = false): Promise<void> {
    await this.#write(user, reset ? 'reset_user_stats' : 'complete_stats_sync', encodeUserTimeInput(now));
  }

  /** Does nothing when it is not there. @throws RadosError */
  async remove(user: UserId, bucket: Bucket): Promise<void> {
    try {
      await this.#write(user, 'remove_bucket', encodeRemoveUserBucketInput(toUserBucket(bucket)));
    } catch (error) {
      if (!(error instanceof RadosError) || error.code !== Errno.ENOENT) throw error;
    }
  }

  /** Buckets whose names are behind `after` and, if one is given, before `end`. @throws RadosError */
  async page(user: UserId, after: RawString, max: number, end: RawString = ''): Promise<BucketPage> {
    const input = encodeUserBucketsInput(after, Math.min(max, MAX_PAGE), end);
    const output = await this.#read(user, 'list_buckets', input);
    if (!output) return { entries: [], truncated: false, marker: '' };
    return decodeStored(userBucketsOid(user), output, decodeUserBucketsReply);
  }

  /** All of them, or those whose names are behind `marker`. @throws RadosError */
  async *list(user: UserId, marker: RawString = ''): AsyncGenerator<UserBucketEntry> {
    for (let after = marker, truncated = true; truncated; ) {
      const page = await this.page(user, after, MAX_PAGE);
      yield* page.entries;
      after = page.marker;
      truncated = page.truncated;
    }
  }

  /** Sums over the buckets that were counted; undefined when there never was one. @throws RadosError */
  async header(user: UserId): Promise<UserHeader | undefined> {
    const input = new Encoder(8);
    input.struct(1, 1, () => {});
    const output = await this.#read(user, 'get_header', input.finish());
    return output && decodeStored(userBucketsOid(user), output, decodeUserHeaderReply);
  }

  async #write(user: UserId, method: string, input: Parameters<ObjectOperation['exec']>[2]): Promise<void> {
    await this.#io.operate(userBucketsOid(user), new ObjectOperation().exec('user', method, input, 'write'));
  }

  /** Undefined: the user never had a bucket. */
  async #read(user: UserId, method: string, input: Uint8Array): Promise<Uint8Array | undefined> {
    try {
      return await this.#io.exec(userBucketsOid(user), 'user', method, input);
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.ENOENT) return undefined;
      throw error;
    }
  }
}
