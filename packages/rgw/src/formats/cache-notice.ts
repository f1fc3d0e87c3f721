/**
 * What gateways tell one another when an object of the meta pools has changed (RGWCacheNotifyInfo, rgw_cache.h). This one says
 * of every change that what was known of the object counts no more, as radosgw does of removals; radosgw sends the new content
 * of what it writes, which is not used here.
 */
import { type Bytes, Decoder, Encoder, type RawString } from '@spirula/encoding';
import { decodePool, encodePool, type Pool } from './bucket.ts';

export interface RawObject {
  readonly pool: Pool;
  readonly oid: RawString;
}

/** REMOVE_OBJ */
const REMOVE = 1;

export function encodeCacheNotice(object: RawObject): Bytes {
  const to = new Encoder(256);
  to.struct(2, 2, () => {
    to.u32(REMOVE);
    encodeRawObject(to, object);
    encodeNothing(to);
    to.u64(0); // offset
    to.rawString(''); // namespace
  });
  return to.finish();
}

/** Which object a notice is about, whatever has become of it. @throws MalformedInput */
export function decodeCacheNotice(bytes: Bytes): RawObject {
  const from = new Decoder(bytes);
  return from.struct('cache notice', 2, () => {
    from.u32('change');
    return decodeRawObject(from);
  });
}

/** rgw_raw_obj */
function encodeRawObject(to: Encoder, { pool, oid }: RawObject): void {
  to.struct(6, 6, () => {
    encodePool(to, pool);
    to.rawString(oid);
    to.rawString(''); // locator
  });
}

function decodeRawObject(from: Decoder): RawObject {
  return from.struct('raw object', 6, (version) => {
    if (version < 6) from.fail('raw object', `has version ${version}, the oldest known is 6`);
    return { pool: decodePool(from), oid: from.rawString('object') };
  });
}

/** ObjectCacheInfo of an object of which nothing is known. */
function encodeNothing(to: Encoder): void {
  to.struct(5, 3, () => {
    to.i32(0); // status
    to.u32(0); // flags
    for (const _ of ['data', 'attributes']) to.u32(0);
    to.struct(2, 2, () => {
      to.u64(0); // size
      to.u64(0); // mtime
    });
    to.u32(0); // attributes that went
    to.u64(0); // epoch
    to.struct(1, 1, () => {
      to.u64(0); // version
      to.rawString('');
    });
  });
}
