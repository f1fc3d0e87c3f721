import { type EMPTY, fromUtf8, type RawString, textFromRaw } from '@spirula/encoding';
import type { IoCtx } from '@spirula/rados';
import { ifThere } from './refusal.ts';

/** What an object keeps, as text; nothing where there is no such object. @throws RadosError */
export async function omapTexts(io: IoCtx, oid: RawString): Promise<ReadonlyMap<string, string>> {
  const values = (await ifThere(io.omapGetAll(oid))) ?? new Map<RawString, typeof EMPTY>();
  return new Map([...values].map(([key, value]) => [textFromRaw(key), fromUtf8(value)]));
}
