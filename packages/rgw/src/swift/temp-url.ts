/** Temporary URLs: whoever has one may do the one thing that it was signed for (TempURLEngine, rgw_swift_auth.cc). */
import { bytesFromRaw, fromHex, type RawString, utf8 } from '@spirula/encoding';
import type { HashName } from '@spirula/world';
import type { UserInfo } from '../formats/user-info.ts';
import { parseIsoDate } from '../s3/http-date.ts';
import type { SwiftContext } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';

/** By how many hexadecimal digits a signature has. */
const HASHES = new Map<number, HashName>([
  [40, 'sha1'],
  [64, 'sha256'],
]);
/** What else a URL that was signed for one of these may be used for. */
const ALSO = new Map([['HEAD', ['HEAD', 'GET', 'PUT', 'POST']]]);

/**
 * Whose the object is that a temporary URL is for; undefined: the request has none.
 *
 * @throws SwiftError Unauthorized
 */
export async function temporaryOwner({
  request,
  store,
  crypto,
  now,
}: Omit<SwiftContext, 'user' | 'permissions' | 'aclNames'>): Promise<UserInfo | undefined> {
  const { params, http, container, rawPath } = request;
  const signature = params.get('temp_url_sig');
  const expires = params.get('temp_url_expires');
  if (signature === undefined && expires === undefined) return undefined;
  const hash = HASHES.get(signature?.length ?? 0);
  const until = expiryOf(expires ?? '');
  if (!hash || !/^[0-9a-f]+$/.test(signature!) || until === undefined || now.sec > until) throw refusal();
  const bucket = await store.buckets.load('', container);
  const owner = bucket && (await store.users.load(bucket.info.owner))?.info;
  if (!owner || request.kind !== 'object') throw refusal();
  const given = fromHex(signature!);
  for (const key of owner.tempUrlKeys.values()) {
    for (const method of ALSO.get(http.method) ?? [http.method]) {
      // Clients sign the path that they send, or as it is without the gateway's own prefix.
      for (const path of [rawPath, rawPath.replace(/^\/swift/, '')]) {
        const mac = crypto.hmac(hash, bytesFromRaw(key), utf8(`${method}\n${expires}\n${path}`));
        if (crypto.timingSafeEqual(mac, given)) return owner;
      }
    }
  }
  throw refusal();
}

function refusal(): SwiftError {
  return new SwiftError('Unauthorized', 'The temporary URL is not good, or not any more');
}

/** Seconds since 1970, as a number or a date. */
function expiryOf(text: RawString): number | undefined {
  return /^\d{1,12}$/.test(text) ? Number(text) : parseIsoDate(text)?.sec;
}
