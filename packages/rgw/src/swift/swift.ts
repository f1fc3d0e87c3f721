/** Swift's API over the same buckets and users as S3's: a container is a bucket, an account is a user. */
import { EMPTY, utf8 } from '@spirula/encoding';
import type { World } from '@spirula/world';
import type { Archives } from '../archives.ts';
import { OpMask } from '../formats/user-info.ts';
import type { HttpRequest, HttpResponse } from '../http.ts';
import { identityOf, NO_IDENTITY } from '../iam/identity.ts';
import type { Keystone } from '../keystone/keystone.ts';
import type { Store } from '../store/store.ts';
import { categoryOfSwift } from '../usage/categories.ts';
import type { ObservedCall } from '../usage/observed-call.ts';
import { requireOpMask } from './access.ts';
import { serveAccount } from './account.ts';
import { accountInUrl } from './account-in-url.ts';
import { extractArchive } from './archive-upload.ts';
import { findCaller, giveToken } from './auth.ts';
import { bulkDelete } from './bulk-delete.ts';
import { serveContainer } from './container.ts';
import { type Explained, explain } from './explain.ts';
import { isFormPost, postForm } from './form-post.ts';
import { MAX_SEGMENTS } from './large-objects.ts';
import { type Format, readFormat, TYPES } from './listing.ts';
import { MAX_BYTES, serveObject } from './object.ts';
import { serveSite } from './static-web.ts';
import type { SwiftContext } from './swift-context.ts';
import { MAX_CONTAINER_BYTES, MAX_NAME_BYTES, parseSwiftRequest, type SwiftRequest } from './swift-request.ts';
import { temporaryOwner } from './temp-url.ts';

export interface SwiftOptions {
  readonly world: Pick<World, 'clock' | 'config' | 'crypto' | 'log'>;
  readonly store: Store;
  readonly archives: Archives | undefined;
  readonly keystone: Keystone | undefined;
  /** Who hears of the request; undefined: nobody. */
  readonly call: ObservedCall | undefined;
}

/** Never rejects: what goes wrong is a response. */
export async function serveSwift(options: SwiftOptions, http: HttpRequest, requestId: string): Promise<HttpResponse> {
  const { log } = options.world;
  let format: Format = 'plain';
  const identified = (response: HttpResponse): HttpResponse => ({
    ...response,
    headers: [
      ['X-Trans-Id', requestId],
      ['X-Openstack-Request-Id', requestId],
      ...response.headers,
      ...(response.headers.some(([name]) => /^content-type$/i.test(name)) ? [] : [typeHeader(format)]),
    ],
  });
  try {
    const request = parseSwiftRequest(http, options.world.config.rgw_swift_account_in_url);
    format = readFormat(request);
    return identified(await serve(options, request, requestId));
  } catch (error) {
    return identified(refusal(http, explain(log, error, requestId)));
  }
}

function typeHeader(format: Format): readonly [string, string] {
  return ['Content-Type', TYPES[format]];
}

async function serve(
  { world, store, archives, keystone, call }: SwiftOptions,
  request: SwiftRequest,
  requestId: string,
): Promise<HttpResponse> {
  const { crypto, config } = world;
  const now = world.clock.wall();
  if (request.kind === 'info') return infoResponse(config);
  const { rgw_swift_versioning_enabled: keepsVersions, rgw_swift_account_in_url: hasAccountInUrl } = config;
  const base = { request, store, crypto, requestId, now, archives, keepsVersions, hasAccountInUrl };
  if (request.kind === 'auth') return await giveToken(request.http, base);
  if (isFormPost(request)) return await postForm(base);
  const caller = await findCaller(request.http, base, keystone);
  const lent = caller ? undefined : await temporaryOwner(base);
  const user = caller?.user ?? lent?.info;
  const context: SwiftContext = {
    ...base,
    user,
    identity: caller?.identity ?? (lent ? identityOf(lent) : NO_IDENTITY),
    account: (await accountInUrl(base)) ?? user,
    aclNames: caller?.aclNames ?? [],
  };
  await call?.begin(subjectOf(context));
  return await run(call ? { ...context, request: received(request, call) } : context);
}

/** What a request is counted as. */
function subjectOf({ request, user }: SwiftContext) {
  const { kind, params, container, object, http } = request;
  const category = categoryOfSwift(kind, http.method, params.has('bulk-delete'), http.headers.has('x-copy-from'));
  return { category, user: user?.id, tenant: user?.id.tenant ?? '', bucket: container, key: object };
}

function received(request: SwiftRequest, call: ObservedCall): SwiftRequest {
  return { ...request, http: { ...request.http, body: call.receive(request.http.body) } };
}

async function run(context: SwiftContext): Promise<HttpResponse> {
  const { request } = context;
  const { method } = request.http;
  requireOpMask(context.user, opMaskOf(request));
  if (method === 'PUT' && request.params.has('extract-archive')) return await extractArchive(context);
  if (request.kind === 'account') {
    const isBulk = (method === 'POST' || method === 'DELETE') && request.params.has('bulk-delete');
    return isBulk ? await bulkDelete(context) : await serveAccount(context);
  }
  return await serveSite(context, request.kind === 'container' ? serveContainer : serveObject);
}

/** What the user must be allowed to do at all. */
function opMaskOf({ http: { method }, params }: SwiftRequest): (typeof OpMask)[keyof typeof OpMask] {
  if (method === 'GET' || method === 'HEAD') return OpMask.read;
  return method === 'DELETE' || (method === 'POST' && params.has('bulk-delete')) ? OpMask.delete : OpMask.write;
}

/** What clients ask before they use something. */
function infoResponse({ rgw_swift_versioning_enabled: keepsVersions }: World['config']): HttpResponse {
  const info = {
    bulk_delete: {},
    container_quotas: {},
    swift: {
      max_file_size: MAX_BYTES,
      container_listing_limit: 10_000,
      version: '16.2.15',
      policies: [{ default: true, name: 'default-placement' }],
      max_object_name_size: MAX_NAME_BYTES,
      strict_cors_mode: true,
      max_container_name_length: MAX_CONTAINER_BYTES,
    },
    tempurl: { methods: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'] },
    slo: { max_manifest_segments: MAX_SEGMENTS },
    formpost: {},
    account_quotas: {},
    staticweb: {},
    ...(keepsVersions && { versioned_writes: { allowed_flags: ['x-versions-location'] } }),
    tempauth: { account_acls: true },
  };
  const body = utf8(JSON.stringify(info));
  return { status: 200, headers: [['Content-Type', TYPES.json]], body };
}

function refusal({ method }: HttpRequest, { status, message, headers = [] }: Explained): HttpResponse {
  if (method === 'HEAD' || status === 304) return { status, headers, body: EMPTY };
  return { status, headers: [...headers, ['Content-Type', 'text/plain; charset=utf-8']], body: utf8(`${message}\n`) };
}
