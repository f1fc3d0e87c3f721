/** Temporary URLs: whoever has one may do the one thing that it was signed for (TempURLEngine, rgw_swift_auth.cc). */
import { bytesFromRaw, fromHex, type RawString } from '@spirula/encoding';
import type { HashName } from '@spirula/world';
import { parseIsoDate } from '../s3/http-date.ts';
import { percentDecode, urlEncode } from '../s3/percent-encoding.ts';
import type { StoredUser } from '../store/users.ts';
import { tenantOfAccount } from './account-in-url.ts';
import type { AnonymousContext } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';
import type { SwiftRequest } from './swift-request.ts';

/** By how many hexadecimal digits a signature has. */
const HASHES = new Map<number, HashName>([
  [40, 'sha1'],
  [64, 'sha256'],
]);
/** What else a URL that was signed for one of these may be used for. */
const ALSO = new Map([['HEAD', ['HEAD', 'GET', 'PUT']]]);
/** The gateway's own part of a path, which clients sign or leave out. */
const OWN_PREFIX = /^\/swift/;

/**
 * Whose the object is that a temporary URL is for; undefined: the request has none. With `temp_url_prefix` it is for all objects
 * whose names begin so.
 *
 * @throws SwiftError Unauthorized, Forbidden, BadRequest
 */
export async function temporaryOwner(context: AnonymousContext): Promise<StoredUser | undefined> {
  const { request, store, crypto, now } = context;
  const { params, http, container } = request;
  const signature = params.get('temp_url_sig');
  const expires = params.get('temp_url_expires');
  if (signature === undefined && expires === undefined) return undefined;
  const until = expiryOf(expires ?? '');
  if (!signature || until === undefined || now.sec >= until) {
    throw new SwiftError('Unauthorized', 'The temporary URL is not good any more, or not whole');
  }
  const hash = HASHES.get(signature.length);
  if (!hash || !/^[0-9a-f]+$/.test(signature)) throw refusal();
  const bucket = await store.buckets.load(await tenantOfAccount(context), container);
  const owner = bucket && (await store.users.load(bucket.info.owner));
  if (!owner || owner.info.suspended || request.kind !== 'object') throw refusal();
  if (http.headers.has('x-object-manifest')) {
    throw new SwiftError('BadRequest', 'By a temporary URL no object is made of others, which may not be lent');
  }
  const given = fromHex(signature);
  const paths = signedPaths(request);
  for (const key of owner.info.tempUrlKeys.values()) {
    // A key that was taken away.
    if (key === '') continue;
    for (const method of ALSO.get(http.method) ?? [http.method]) {
      for (const path of paths) {
        const mac = crypto.hmac(hash, bytesFromRaw(key), bytesFromRaw(`${method}\n${until}\n${path}`));
        if (crypto.timingSafeEqual(mac, given)) return owner;
      }
    }
  }
  throw refusal();
}

/** What may have been signed: the object's path, decoded, or that of what its name begins with. */
function signedPaths({ rawPath, object, params }: SwiftRequest): RawString[] {
  const path = percentDecode(rawPath);
  const prefix = params.get('temp_url_prefix');
  if (prefix === undefined) return [path, path.replace(OWN_PREFIX, '')];
  if (!object.startsWith(prefix)) return [];
  const folder = path.slice(0, path.length - object.length);
  return [folder, folder.replace(OWN_PREFIX, '')].map((each) => `prefix:${each}${prefix}`);
}

/** How a browser is to keep what it gets by a temporary URL; undefined: the request has none (TempURLApplier). */
export function lentDisposition({
  params,
  object,
}: SwiftRequest): { readonly value: string; readonly isOverride: boolean } | undefined {
  if (!params.has('temp_url_sig')) return undefined;
  if (params.has('inline')) return { value: 'inline', isOverride: true };
  const fileName = params.get('filename') ?? '';
  const named = urlEncode(fileName === '' ? object : fileName, false);
  return { value: `attachment; filename="${named}"`, isOverride: fileName !== '' };
}

function refusal(): SwiftError {
  return new SwiftError('Forbidden', 'The temporary URL is not good');
}

/** Seconds since 1970, as a number or a date. */
function expiryOf(text: RawString): number | undefined {
  return /^\d{1,12}$/.test(text) ? Number(text) : parseIsoDate(text)?.sec;
}
