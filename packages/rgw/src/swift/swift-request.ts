/**
 * What a request of Swift is about: `/swift/v1/container/object`, with whatever of it is there (RGWHandler_REST_SWIFT).
 * `/auth/v1.0` gives tokens, `/info` says what there is.
 */
import type { RawString } from '@spirula/encoding';
import type { HttpRequest } from '../http.ts';
import { percentDecode } from '../s3/percent-encoding.ts';
import { S3Error } from '../s3/s3-error.ts';
import { parseQuery } from '../s3/s3-request.ts';
import { SwiftError } from './swift-error.ts';

export interface SwiftRequest {
  readonly http: HttpRequest;
  readonly kind: 'auth' | 'info' | 'account' | 'container' | 'object';
  /** Which account the URL names, where URLs name any. */
  readonly account: RawString | undefined;
  /** '' when none is named. */
  readonly container: RawString;
  readonly object: RawString;
  readonly params: ReadonlyMap<RawString, RawString>;
  /** As it was sent, without the query: what temporary URLs sign. */
  readonly rawPath: string;
}

const PREFIX = '/swift/v1';
export const MAX_NAME_BYTES = 1024;
/** RGWHandler_REST::validate_bucket_name */
const MIN_CONTAINER_BYTES = 3;
/** RGWHandler_REST::MAX_BUCKET_NAME_LEN */
export const MAX_CONTAINER_BYTES = 255;

/** Whether a request is Swift's, by its path. */
export function isSwift({ target }: HttpRequest): boolean {
  return kindOf(target.split('?', 1)[0]!) !== undefined;
}

/** Of one that is. @param hasAccount whether a URL names an account, in front of all else. @throws SwiftError */
export function parseSwiftRequest(http: HttpRequest, hasAccount: boolean): SwiftRequest {
  const at = http.target.indexOf('?');
  const rawPath = at < 0 ? http.target : http.target.slice(0, at);
  const kind = kindOf(rawPath) ?? 'storage';
  const none = { http, rawPath, account: undefined, container: '', object: '', params: new Map() };
  if (kind !== 'storage') return { ...none, kind };
  try {
    const params = parseQuery(at < 0 ? '' : http.target.slice(at + 1));
    const path = percentDecode(rawPath.slice(PREFIX.length)).replace(/^\//, '');
    if (path.includes('\0')) throw new SwiftError('PreconditionFailed', 'A name has a zero byte');
    const [account, inAccount] = hasAccount ? splitAtSlash(path) : [undefined, path];
    const [container, object] = splitAtSlash(inAccount);
    if (container.length > MAX_CONTAINER_BYTES || object.length > MAX_NAME_BYTES) {
      throw new SwiftError('BadRequest', 'A name is too long');
    }
    if (container === '' && object !== '') throw new SwiftError('PreconditionFailed', 'The container has no name');
    if (container !== '' && container.length < MIN_CONTAINER_BYTES) {
      throw new SwiftError('BadRequest', 'The name of a container is too short');
    }
    const accountName = account?.replace(/^(AUTH|KEY)_/, '');
    if (accountName === '') throw new SwiftError('MethodNotAllowed', 'The URL names no account');
    const named = object !== '' ? 'object' : container !== '' ? 'container' : 'account';
    return { http, rawPath, params, account: accountName, container, object, kind: named };
  } catch (error) {
    if (error instanceof S3Error) throw new SwiftError('PreconditionFailed', error.message);
    throw error;
  }
}

function splitAtSlash(path: RawString): [RawString, RawString] {
  const slash = path.indexOf('/');
  return slash < 0 ? [path, ''] : [path.slice(0, slash), path.slice(slash + 1)];
}

function kindOf(path: string): 'auth' | 'info' | 'storage' | undefined {
  if (/^\/auth(\/v1(\.0)?)?\/?$/.test(path)) return 'auth';
  if (path === '/swift/info' || path === '/info') return 'info';
  return path === PREFIX || path.startsWith(`${PREFIX}/`) ? 'storage' : undefined;
}
