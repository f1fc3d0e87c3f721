import type { Bytes, RawString, UTime } from '@spirula/encoding';
import { EMPTY } from '@spirula/encoding';
import type { Crypto } from '@spirula/world';
import type { ObjectKey } from '../../formats/object.ts';
import type { UserInfo } from '../../formats/user-info.ts';
import type { HttpResponse } from '../../http.ts';
import type { Identity } from '../../iam/identity.ts';
import type { Store } from '../../store/store.ts';
import type { SessionWorld } from '../../sts/sessions.ts';
import type { Authenticated } from '../auth/authenticate.ts';
import type { PostForm } from '../auth/post-form.ts';
import type { S3Request } from '../s3-request.ts';

/** One request, and what it works on. */
export interface OperationContext {
  readonly request: S3Request;
  readonly auth: Authenticated;
  /** Undefined: anonymous. */
  readonly user: UserInfo | undefined;
  readonly identity: Identity;
  /** Of a `PostObject`: `request` and `auth` are then those that the form stands for. */
  readonly form?: PostForm | undefined;
  readonly store: Store;
  readonly world: SessionWorld;
  readonly crypto: Crypto;
  readonly requestId: string;
  /** When it came. */
  readonly now: UTime;
  /** A fault: a listing does not see objects written since then. */
  readonly unseenSince: UTime | undefined;
}

export interface Operation {
  /** AWS's name of it: what fault rules, logs and usage know it by. */
  readonly name: string;
  run(context: OperationContext): Promise<HttpResponse>;
}

type Headers = HttpResponse['headers'];

export function emptyResponse(status = 200, headers: Headers = []): HttpResponse {
  return { status, headers, body: EMPTY };
}

export function xmlResponse(document: Bytes, headers: Headers = []): HttpResponse {
  return { status: 200, headers: [['Content-Type', 'application/xml'], ...headers], body: document };
}

/** A header of the request; undefined when it is not there or empty. */
export function headerOf({ request }: OperationContext, name: string): string | undefined {
  const value = request.http.headers.get(name);
  return value === '' ? undefined : value;
}

export function paramOf({ request }: OperationContext, name: string): RawString | undefined {
  return request.params.get(name);
}

/** Whether the request names one version. */
export function isVersion({ request }: OperationContext): boolean {
  return request.params.has('versionId');
}

/** What a request names: a version, with `versionId`. */
export function keyOf({ request }: OperationContext): ObjectKey {
  return { name: request.key, instance: request.params.get('versionId') ?? '', ns: '' };
}
