/** Buckets whose index is to have another number of shards (cls_rgw_reshard_entry), and the state of a shard meanwhile. */
import { type Bytes, type Decoder, Encoder, encodeUTime, type RawString, type UTime } from '@spirula/encoding';
import { decodeRealTime } from '../real-time.ts';
import { decodeReshardState, encodeReshardState, type ReshardState } from './dir-header.ts';

export interface ReshardEntry {
  readonly time: UTime;
  readonly tenant: RawString;
  readonly bucketName: RawString;
  readonly bucketId: RawString;
  readonly newInstanceId: RawString;
  readonly oldShards: number;
  readonly newShards: number;
}

/** Least bytes of an entry: its struct, time, four strings, two numbers. */
const ENTRY_BYTES = 6 + 8 + 4 * 4 + 2 * 4;

function encodeV1(body: (encoder: Encoder) => void): Bytes {
  const encoder = new Encoder(64);
  encoder.struct(1, 1, () => body(encoder));
  return encoder.finish();
}

function writeReshardEntry(encoder: Encoder, entry: ReshardEntry): void {
  encoder.struct(1, 1, () => {
    encodeUTime(encoder, entry.time);
    for (const text of [entry.tenant, entry.bucketName, entry.bucketId, entry.newInstanceId]) encoder.rawString(text);
    encoder.u32(entry.oldShards);
    encoder.u32(entry.newShards);
  });
}

export function encodeReshardEntry(entry: ReshardEntry): Bytes {
  const encoder = new Encoder(64);
  writeReshardEntry(encoder, entry);
  return encoder.finish();
}

/** @throws MalformedInput */
export function decodeReshardEntry(decoder: Decoder): ReshardEntry {
  return decoder.struct('reshard entry', 1, () => ({
    time: decodeRealTime(decoder, 'time'),
    tenant: decoder.rawString('tenant'),
    bucketName: decoder.rawString('bucket name'),
    bucketId: decoder.rawString('bucket id'),
    newInstanceId: decoder.rawString('new instance id'),
    oldShards: decoder.u32('old shards'),
    newShards: decoder.u32('new shards'),
  }));
}

/** What `reshard_add` and `reshard_get` take and the latter answers: to ask for one, tenant and name are enough. */
export function encodeReshardEntryInput(entry: ReshardEntry): Bytes {
  return encodeV1((encoder) => writeReshardEntry(encoder, entry));
}

/** @throws MalformedInput */
export function decodeReshardEntryReply(decoder: Decoder): ReshardEntry {
  return decoder.struct('reshard', 1, () => decodeReshardEntry(decoder));
}

/** cls_rgw_reshard_list_op. */
export interface ReshardListInput {
  readonly max: number;
  /** Entries behind this key: `TENANT:NAME`. */
  readonly marker: RawString;
}

export function encodeReshardListInput({ max, marker }: ReshardListInput): Bytes {
  return encodeV1((encoder) => {
    encoder.u32(max);
    encoder.rawString(marker);
  });
}

export function decodeReshardListInput(decoder: Decoder): ReshardListInput {
  return decoder.struct('reshard list', 1, () => ({ max: decoder.u32('max'), marker: decoder.rawString('marker') }));
}

/** cls_rgw_reshard_list_ret. */
export interface ReshardListReply {
  readonly entries: readonly ReshardEntry[];
  readonly truncated: boolean;
}

export function encodeReshardListReply({ entries, truncated }: ReshardListReply): Bytes {
  return encodeV1((encoder) => {
    encoder.list(entries, (entry) => writeReshardEntry(encoder, entry));
    encoder.bool(truncated);
  });
}

/** @throws MalformedInput */
export function decodeReshardListReply(decoder: Decoder): ReshardListReply {
  return decoder.struct('reshard list', 1, () => ({
    entries: decoder.list('entries', ENTRY_BYTES, () => decodeReshardEntry(decoder)),
    truncated: decoder.bool('truncated'),
  }));
}

/** cls_rgw_reshard_remove_op. */
export interface ReshardRemoveInput {
  readonly tenant: RawString;
  readonly bucketName: RawString;
  /** Unless '': only if the entry is of this one. */
  readonly bucketId: RawString;
}

export function encodeReshardRemoveInput({ tenant, bucketName, bucketId }: ReshardRemoveInput): Bytes {
  return encodeV1((encoder) => {
    for (const text of [tenant, bucketName, bucketId]) encoder.rawString(text);
  });
}

export function decodeReshardRemoveInput(decoder: Decoder): ReshardRemoveInput {
  return decoder.struct('reshard remove', 1, () => ({
    tenant: decoder.rawString('tenant'),
    bucketName: decoder.rawString('bucket name'),
    bucketId: decoder.rawString('bucket id'),
  }));
}

/** What `set_bucket_resharding` takes and `get_bucket_resharding` answers. */
export function encodeReshardStateInput(state: ReshardState): Bytes {
  return encodeV1((encoder) => encodeReshardState(encoder, state));
}

/** @throws MalformedInput */
export function decodeReshardStateReply(decoder: Decoder): ReshardState {
  return decoder.struct('bucket resharding', 1, () => decodeReshardState(decoder));
}

/** What `clear_bucket_resharding` and `get_bucket_resharding` take. */
export function encodeReshardEmptyInput(): Bytes {
  return encodeV1(() => {});
}

/** @param code what `guard_bucket_resharding` is to fail with while entries are moved */
export function encodeReshardGuardInput(code: number): Bytes {
  return encodeV1((encoder) => encoder.i32(code));
}

export function decodeReshardGuardInput(decoder: Decoder): number {
  return decoder.struct('guard', 1, () => decoder.i32('error'));
}
