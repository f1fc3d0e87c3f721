/** Whether the shards of an index take changes: what each has in its header. */
import {
  decodeReshardStateReply,
  encodeReshardEmptyInput,
  encodeReshardStateInput,
  type ReshardState,
  ReshardStatus,
} from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { indexOidsOf } from '../store/bucket-index.ts';
import { decodeStored } from '../store/meta-object.ts';

const CLASS = 'rgw';

/** Undefined: there is no such shard. @throws RadosError */
export async function readShardState(io: IoCtx, oid: RawString): Promise<ReshardState | undefined> {
  const operation = new ObjectOperation().stat().exec(CLASS, 'get_bucket_resharding', encodeReshardEmptyInput());
  const { result, ops } = await io.submit(oid, operation);
  if (result === Errno.ENOENT) return undefined;
  if (result < 0) throw new RadosError(result, oid);
  return decodeStored(oid, ops[1]!.output, decodeReshardStateReply);
}

/** Of all shards that are there. @throws RadosError */
export async function shardStates(io: IoCtx, info: BucketInfo): Promise<readonly ReshardState[]> {
  const states = await Promise.all(indexOidsOf(info).map((oid) => readShardState(io, oid)));
  return states.filter((state) => state !== undefined);
}

/** From now on no shard takes changes. @throws RadosError ENOENT: the index is not whole */
export async function closeShards(io: IoCtx, info: BucketInfo, newInstanceId: RawString, shards: number) {
  await setStates(io, info, { status: ReshardStatus.inProgress, newInstanceId, shards });
}

/** What was begun is given up: shards take changes again. @throws RadosError ENOENT */
export async function openShards(io: IoCtx, info: BucketInfo): Promise<void> {
  await setStates(io, info, { status: ReshardStatus.notResharding, newInstanceId: '', shards: -1 });
}

async function setStates(io: IoCtx, info: BucketInfo, state: ReshardState): Promise<void> {
  const input = encodeReshardStateInput(state);
  await Promise.all(
    indexOidsOf(info).map((oid) =>
      io.operate(oid, new ObjectOperation().stat().exec(CLASS, 'set_bucket_resharding', input, 'write')),
    ),
  );
}
