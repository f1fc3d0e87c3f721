/** The methods of resharding: a list of buckets that wait for it, in the omap of another object; the state, in each shard's header. */
import { type Bytes, Decoder, Errno, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, decodeStored, MethodFlag, type MethodOutcome, NOTHING, rawMethod } from '../object-class.ts';
import { readHeader, writeHeader } from './bucket-index.ts';
import { type ReshardState, ReshardStatus } from './dir-header.ts';
import {
  decodeReshardEntry,
  decodeReshardGuardInput,
  encodeReshardEntry,
  encodeReshardEntryInput,
  encodeReshardListReply,
  encodeReshardStateInput,
  type ReshardEntry,
  type ReshardListInput,
  type ReshardRemoveInput,
} from './reshard-codec.ts';

const MAX_ENTRIES = 1000;

function keyOf({ tenant, bucketName }: Pick<ReshardEntry, 'tenant' | 'bucketName'>): RawString {
  return `${tenant}:${bucketName}`;
}

/** ENOENT: it is not there. */
function readEntry(object: MethodContext, key: RawString): ReshardEntry {
  const stored = object.omapGet(key);
  if (!stored) throw new ClassError(Errno.ENOENT);
  return decodeStored(stored, decodeReshardEntry);
}

export function addReshard(object: MethodContext, entry: ReshardEntry): void {
  object.omapSet(new Map([[keyOf(entry), encodeReshardEntry(entry)]]));
}

export function getReshard(object: MethodContext, asked: ReshardEntry): Bytes {
  return encodeReshardEntryInput(readEntry(object, keyOf(asked)));
}

export function listReshard(object: MethodContext, { max, marker }: ReshardListInput): Bytes {
  const page = object.omapList({ after: marker, max: max === 0 ? MAX_ENTRIES : Math.min(max, MAX_ENTRIES) });
  // More than 31 bits are less than none, in 16.2.15.
  const values = [...page.entries.values()].slice(0, Math.max(max | 0, 0));
  const entries = values.map((value) => decodeStored(value, decodeReshardEntry));
  return encodeReshardListReply({ entries, truncated: page.more });
}

/** One of another instance of the bucket stays. */
export function removeReshard(object: MethodContext, input: ReshardRemoveInput): void {
  const key = keyOf(input);
  const { bucketId } = readEntry(object, key);
  if (input.bucketId === '' || input.bucketId === bucketId) object.omapRemove([key]);
}

export function setResharding(object: MethodContext, reshard: ReshardState): void {
  writeHeader(object, { ...readHeader(object), reshard });
}

/** The number of shards stays. */
export function clearResharding(object: MethodContext): void {
  const header = readHeader(object);
  const reshard = { ...header.reshard, status: ReshardStatus.notResharding, newInstanceId: '' };
  writeHeader(object, { ...header, reshard });
}

export function getResharding(object: MethodContext): Bytes {
  return encodeReshardStateInput(readHeader(object).reshard);
}

/** Fails with what its input says, while entries are moved or have been: beside a change of the index, in one request. */
export const guardResharding = rawMethod(MethodFlag.read, (object, input): MethodOutcome => {
  const code = decodeReshardGuardInput(new Decoder(input));
  return readHeader(object).reshard.status === ReshardStatus.notResharding ? NOTHING : { ...NOTHING, code };
});
