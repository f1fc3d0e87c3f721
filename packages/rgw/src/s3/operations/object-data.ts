/** The bytes of objects, as they were before they were encrypted. */
import type { Bytes } from '@spirula/encoding';
import { readDecrypted } from '../../encryption/decrypted-read.ts';
import type { StoredBucket } from '../../store/buckets.ts';
import type { FoundObject } from '../../store/stripes.ts';
import type { Encryption } from './encryption.ts';
import { partsOf } from './object-parts.ts';
import type { OperationContext } from './operation.ts';

/** Bytes `from` up to `to` (exclusive). What has come with the head needs no stream. */
export function objectData(
  { store }: Pick<OperationContext, 'store'>,
  { info }: StoredBucket,
  found: FoundObject,
  encryption: Encryption | undefined,
  from: number,
  to: number,
): Bytes | AsyncIterable<Bytes> {
  const { head } = found;
  if (encryption) {
    // Each part was encrypted by itself.
    const parts = partsOf(head);
    const stretches = parts.length > 0 ? parts : [{ offset: 0, length: head.size }];
    const read = (first: number, last: number) => store.objects.read(info, found, first, last);
    return readDecrypted(read, encryption.cipher, stretches, from, to);
  }
  const { data, manifest, compression } = head;
  if (compression) return store.objects.read(info, found, from, to);
  const inHead = Math.min(data.length, manifest?.headSize ?? data.length);
  return to <= inHead ? data.subarray(from, to) : store.objects.read(info, found, from, to);
}

/** Data that have come already, and those that come, read in one way. */
export async function* asStream(data: Bytes | AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
  if (data instanceof Uint8Array) yield data;
  else yield* data;
}
