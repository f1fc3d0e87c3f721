/** Swift's API over the same buckets and users as S3's: a container is a bucket, an account is a user. */
import { EMPTY, Errno, fromUtf8, MalformedInput, rawFromText, utf8 } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import { FULL_CONTROL } from '../formats/acl.ts';
import type { HttpRequest, HttpResponse } from '../http.ts';
import { QueueFull } from '../notifications/queues.ts';
import { S3Error } from '../s3/s3-error.ts';
import { readShortBody } from '../s3/xml-reader.ts';
import { ObjectGone } from '../store/heads.ts';
import { BucketBusy, BucketGone } from '../store/object-index.ts';
import { QuotaExceeded } from '../store/quotas.ts';
import { BucketNameTaken, BucketNotEmpty, type Store, TooManyBuckets } from '../store/store.ts';
import { categoryOfSwift } from '../usage/categories.ts';
import type { MeteredCall } from '../usage/usage-meter.ts';
import { serveAccount } from './account.ts';
import { findCaller, giveToken } from './auth.ts';
import { serveContainer } from './container.ts';
import { serveObject } from './object.ts';
import type { SwiftContext } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';
import { parseSwiftRequest, type SwiftRequest } from './swift-request.ts';
import { temporaryOwner } from './temp-url.ts';

/** rgw_delete_multi_obj_max_num */
const MAX_DELETES = 1000;

export interface SwiftOptions {
  readonly world: Pick<World, 'clock' | 'crypto' | 'log'>;
  readonly store: Store;
  /** How the request is counted; undefined: it is not. */
  readonly call?: MeteredCall | undefined;
}

/** Never rejects: what goes wrong is a response. */
export async function serveSwift(
  { world, store, call }: SwiftOptions,
  http: HttpRequest,
  requestId: string,
): Promise<HttpResponse> {
  const identified = (response: HttpResponse): HttpResponse => ({
    ...response,
    headers: [['X-Trans-Id', requestId], ['X-Openstack-Request-Id', requestId], ...response.headers],
  });
  try {
    return identified(await serve({ world, store, call }, parseSwiftRequest(http), requestId));
  } catch (error) {
    return identified(refusal(http, explain(world.log, error, requestId)));
  }
}

async function serve(
  { world, store, call }: SwiftOptions,
  request: SwiftRequest,
  requestId: string,
): Promise<HttpResponse> {
  const { crypto } = world;
  const now = world.clock.wall();
  if (request.kind === 'info') return infoResponse();
  if (request.kind === 'auth') return await giveToken(request.http, { store, crypto, now });
  const base = { request, store, crypto, requestId, now };
  const caller = await findCaller(request.http, base);
  const lent = caller ? undefined : await temporaryOwner(base);
  const context: SwiftContext = {
    ...base,
    user: caller?.user ?? lent,
    permissions: caller?.permissions ?? FULL_CONTROL,
  };
  await call?.begin(subjectOf(context));
  return await run(call ? { ...context, request: received(request, call) } : context);
}

/** What a request is counted as. */
function subjectOf({ request, user }: SwiftContext) {
  const { kind, params, container, http } = request;
  const category = categoryOfSwift(kind, http.method, params.has('bulk-delete'), http.headers.has('x-copy-from'));
  return { category, user: user?.id, tenant: user?.id.tenant ?? '', bucket: container };
}

function received(request: SwiftRequest, call: MeteredCall): SwiftRequest {
  return { ...request, http: { ...request.http, body: call.receive(request.http.body) } };
}

async function run(context: SwiftContext): Promise<HttpResponse> {
  const { request } = context;
  if (request.params.has('bulk-delete')) return await bulkDelete(context);
  if (request.params.has('extract-archive')) throw new SwiftError('NotImplemented', 'Archives are not expanded');
  if (request.kind === 'account') return await serveAccount(context);
  return request.kind === 'container' ? await serveContainer(context) : await serveObject(context);
}

/** What clients ask before they use something. */
function infoResponse(): HttpResponse {
  const info = {
    swift: {
      max_file_size: 5 * 1024 ** 3,
      max_object_name_length: 1024,
      max_container_name_length: 256,
      container_listing_limit: 10_000,
      policies: [{ name: 'default-placement', default: true }],
    },
    tempurl: { methods: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'], allowed_digests: ['sha1', 'sha256'] },
    slo: { max_manifest_segments: 1000, min_segment_size: 1 },
    bulk_delete: { max_deletes_per_request: MAX_DELETES },
    tempauth: { account_acls: false },
  };
  return {
    status: 200,
    headers: [['Content-Type', 'application/json; charset=utf-8']],
    body: utf8(JSON.stringify(info)),
  };
}

/** One name a line, percent-encoded: objects, and containers that are empty then. */
async function bulkDelete(context: SwiftContext): Promise<HttpResponse> {
  const names = fromUtf8(await readShortBody(context.request.http.body))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (names.length > MAX_DELETES) throw new SwiftError('RequestEntityTooLarge', `At most ${MAX_DELETES} at a time`);
  const result = { deleted: 0, missing: 0, errors: [] as [string, string][] };
  for (const name of names) {
    const [container = '', ...rest] = decodeName(name).replace(/^\//, '').split('/');
    const object = rest.join('/');
    const one: SwiftRequest = {
      ...context.request,
      kind: object === '' ? 'container' : 'object',
      container: rawFromText(container),
      object: rawFromText(object),
      params: new Map(),
      http: { ...context.request.http, method: 'DELETE' },
    };
    try {
      await (object === '' ? serveContainer : serveObject)({ ...context, request: one });
      result.deleted += 1;
    } catch (error) {
      const { status, message } = explain(undefined, error, '');
      if (status === 404) result.missing += 1;
      else result.errors.push([name, `${status} ${message}`]);
    }
  }
  const answer = {
    'Response Status': result.errors.length === 0 ? '200 OK' : '400 Bad Request',
    'Response Body': '',
    'Number Deleted': result.deleted,
    'Number Not Found': result.missing,
    Errors: result.errors,
  };
  return {
    status: 200,
    headers: [['Content-Type', 'application/json; charset=utf-8']],
    body: utf8(JSON.stringify(answer)),
  };
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw new SwiftError('BadRequest', `${name} does not decode`);
  }
}

interface Explained {
  readonly status: number;
  readonly message: string;
  readonly headers?: HttpResponse['headers'];
}

function explain(log: World['log'] | undefined, error: unknown, requestId: string): Explained {
  if (error instanceof SwiftError) return error;
  // Shared ways to read what clients send say it in S3's words.
  if (error instanceof S3Error) return error;
  if (error instanceof ObjectGone) return new SwiftError('NotFound', 'The object was removed meanwhile');
  if (error instanceof BucketNotEmpty) return new SwiftError('Conflict', 'The container is not empty');
  if (error instanceof BucketNameTaken) return new SwiftError('Conflict', 'Somebody else has a container of this name');
  if (error instanceof QueueFull)
    return new SwiftError('ServiceUnavailable', 'Too many events wait to be delivered; try again later');
  if (error instanceof QuotaExceeded) return new SwiftError('RequestEntityTooLarge', error.message);
  if (error instanceof TooManyBuckets)
    return new SwiftError('Forbidden', 'The account has as many containers as it may');
  if (error instanceof BucketGone) return new SwiftError('NotFound', 'There is no such container');
  if (error instanceof BucketBusy) return new SwiftError('ServiceUnavailable', 'The container is being rearranged');
  if (error instanceof RadosError) {
    if (error.code === Errno.EDQUOT || error.code === Errno.ENOSPC) {
      return new SwiftError('RequestEntityTooLarge', 'The cluster has no room for it');
    }
    if (error.code === Errno.ECANCELED || error.code === Errno.EBUSY) {
      return new SwiftError('Conflict', 'Another request changed it at the same time; try again');
    }
    if (error.code === Errno.ETIMEDOUT || error.code === Errno.ESHUTDOWN) {
      return new SwiftError('ServiceUnavailable', 'The cluster does not answer; try again');
    }
  }
  const { name, message, stack } = error as Error;
  if ((error as { code?: unknown }).code === 'ECONNRESET')
    return new SwiftError('BadRequest', 'The body ends too early');
  const problem = error instanceof MalformedInput ? message : `${name}: ${message}`;
  log?.error('a request of Swift fails', { requestId, problem, stack });
  return new SwiftError('InternalError', 'An error inside the gateway; try again');
}

function refusal({ method }: HttpRequest, { status, message, headers = [] }: Explained): HttpResponse {
  if (method === 'HEAD' || status === 304) return { status, headers, body: EMPTY };
  return { status, headers: [...headers, ['Content-Type', 'text/plain; charset=utf-8']], body: utf8(`${message}\n`) };
}
