/**
 * The administrators' interface: `/admin/user`, `/admin/bucket`, … of signed requests (Ceph's Admin Operations API). What a caller
 * may do there, their caps say: `users=*`, `buckets=read`.
 */
import { EMPTY, type RawString } from '@spirula/encoding';
import type { UserInfo } from '../../formats/user-info.ts';
import type { HttpRequest, HttpResponse } from '../../http.ts';
import type { S3Error } from '../../s3/s3-error.ts';
import { parseQuery, type S3Request } from '../../s3/s3-request.ts';
import { BucketNotEmpty } from '../../store/store.ts';
import { type AdminParts, adminOf } from '../admin.ts';
import { AdminError } from '../admin-error.ts';
import { jsonOf, type Node, xmlOf } from '../document.ts';
import { bucketRoutes } from './bucket-routes.ts';
import { configRoutes, logRoutes } from './log-routes.ts';
import { metadataRoutes } from './metadata-routes.ts';
import { RestError, restErrorOf } from './rest-error.ts';
import { capOf, type RestAnswer, type RestRoute } from './rest-request.ts';
import { usageRoutes } from './usage-routes.ts';
import { userRoutes } from './user-routes.ts';

/** rgw_admin_entry */
const ENTRY = '/admin';
/** What a query names first of these, it is about. */
const SUBJECTS: ReadonlySet<string> = new Set([
  'subuser',
  'key',
  'caps',
  'quota',
  'list',
  'policy',
  'index',
  'object',
  'sync',
]);
const CAP_MASKS = { read: 1, write: 2 } as const;

type Routes = Readonly<Record<string, Readonly<Record<string, RestRoute>>>>;

const resources: Readonly<Record<string, Routes>> = {
  user: userRoutes,
  bucket: bucketRoutes,
  usage: usageRoutes,
  metadata: metadataRoutes,
  log: logRoutes,
  config: configRoutes,
};

export function isAdmin({ target }: HttpRequest): boolean {
  const [path] = target.split('?', 1);
  return path === ENTRY || path!.startsWith(`${ENTRY}/`);
}

export interface AdminCall {
  readonly parts: AdminParts;
  readonly requestId: string;
  readonly hostId: string;
  /** Who asks, and the body freed of its transfer form. Undefined user: nobody in particular. */
  authenticate(): Promise<{ readonly user: UserInfo | undefined; readonly body: AsyncIterable<Uint8Array> }>;
  /** What is none of what this knows: the code and status of an error. */
  explain(error: unknown): S3Error;
}

/** Never rejects: what goes wrong is a response. */
export async function serveAdmin(request: S3Request, call: AdminCall): Promise<HttpResponse> {
  const isXml = request.params.get('format') === 'xml';
  const respond = (status: number, { root, node }: RestAnswer): HttpResponse => ({
    status,
    headers: [
      ['x-amz-request-id', call.requestId],
      ['Content-Type', isXml ? 'application/xml' : 'application/json'],
    ],
    body: isXml ? xmlOf(root, node) : jsonOf(node),
  });
  try {
    const { route, section } = routeOf(request);
    const { user, body } = await call.authenticate();
    const cap = capOf(route, request.params);
    if (!user || !mayDo(user, cap)) throw new RestError('AccessDenied', `This needs the cap ${cap.join('=')}`);
    const answer = await route.run({ admin: adminOf(call.parts), params: request.params, section, caller: user, body });
    if (answer) return respond(200, answer);
    return { status: 200, headers: [['x-amz-request-id', call.requestId]], body: EMPTY };
  } catch (error) {
    const { code, status, message } = explain(error, call);
    const node: Node = { Code: code, Message: message, RequestId: call.requestId, HostId: call.hostId };
    return respond(status, { root: 'Error', node });
  }
}

/** @throws RestError MethodNotAllowed */
function routeOf({ http, rawPath, rawQuery }: S3Request): { readonly route: RestRoute; readonly section: RawString } {
  const [resource = '', ...behind] = rawPath.slice(ENTRY.length + 1).split('/');
  const routes = resources[resource]?.[http.method];
  const subject = [...parseQuery(rawQuery).keys()].find((name) => SUBJECTS.has(name)) ?? '';
  const route = routes && (routes[subject] ?? routes['']);
  const section = resource === 'metadata' ? behind.join('/') : '';
  if (!route || (section === '' && behind.some((each) => each !== ''))) {
    throw new RestError('MethodNotAllowed', `There is no ${http.method} of this`);
  }
  return { route, section };
}

function mayDo({ caps }: UserInfo, [type, access]: ReturnType<typeof capOf>): boolean {
  return ((caps.get(type) ?? 0) & CAP_MASKS[access]) !== 0;
}

function explain(
  error: unknown,
  call: AdminCall,
): { readonly code: string; readonly status: number; readonly message: string } {
  if (error instanceof RestError) return error;
  if (error instanceof AdminError) return restErrorOf(error);
  if (error instanceof BucketNotEmpty) return new RestError('BucketNotEmpty', 'The bucket is not empty');
  return call.explain(error);
}
