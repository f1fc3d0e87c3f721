/** An account: what a user has, and its containers. */
import { EMPTY, type RawString } from '@spirula/encoding';
import { formatUserId } from '../formats/user-id.ts';
import type { HttpResponse } from '../http.ts';
import { requireOwner } from './access.ts';
import { type ListEntry, listResponse, readListParameters } from './listing.ts';
import { metaChanges, metaHeaders } from './metadata.ts';
import { findContainer, type SwiftContext, type SwiftHeaders } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';

/** `X-Account-Meta-Temp-URL-Key` and `-Key-2`: kept with the user. */
const TEMP_URL_KEY = /^x-account-meta-temp-url-key(-2)?$/;

export async function serveAccount(context: SwiftContext): Promise<HttpResponse> {
  requireOwner(context);
  switch (context.request.http.method) {
    case 'HEAD':
      return { status: 204, headers: await accountHeaders(context), body: EMPTY };
    case 'GET':
      return await listContainers(context);
    case 'POST':
      await changeAccount(context);
      return { status: 204, headers: [], body: EMPTY };
    default:
      throw new SwiftError('MethodNotAllowed', 'An account is read or described');
  }
}

async function accountHeaders(context: SwiftContext): Promise<SwiftHeaders> {
  const { store, user } = context;
  let [containers, objects, bytes] = [0, 0n, 0n];
  for await (const { bucket } of store.buckets.lists.list(user!.id)) {
    containers += 1;
    const found = await store.buckets.load(user!.id.tenant, bucket.name);
    const stats = found && (await store.bucketStats(found));
    objects += stats?.objects ?? 0n;
    bytes += stats?.bytes ?? 0n;
  }
  const stored = await store.users.load(user!.id);
  return [
    ['X-Account-Container-Count', String(containers)],
    ['X-Account-Object-Count', String(objects)],
    ['X-Account-Bytes-Used', String(bytes)],
    ...(stored ? metaHeaders(stored.attrs, 'account') : []),
    ...[...user!.tempUrlKeys].map(([at, key]) => [`X-Account-Meta-Temp-Url-Key${at === 0 ? '' : '-2'}`, key] as const),
  ];
}

async function listContainers(context: SwiftContext): Promise<HttpResponse> {
  const { store, user } = context;
  const { limit, marker, endMarker, prefix, format } = readListParameters(context);
  const entries: ListEntry[] = [];
  if (limit > 0) {
    for await (const { bucket } of store.buckets.lists.list(user!.id, marker)) {
      if (endMarker !== '' && bucket.name >= endMarker) break;
      if (!bucket.name.startsWith(prefix)) continue;
      entries.push(await containerEntry(context, bucket.name, format !== 'plain'));
      if (entries.length === limit) break;
    }
  }
  const root = { element: 'account', name: formatUserId(user!.id) };
  return listResponse(format, root, entries, await accountHeaders(context));
}

async function containerEntry(context: SwiftContext, name: RawString, isCounted: boolean): Promise<ListEntry> {
  if (!isCounted) return { element: 'container', fields: [['name', name]] };
  const { objects, bytes } = await context.store.bucketStats(await findContainer(context, name));
  const fields = [
    ['name', name],
    ['count', Number(objects)],
    ['bytes', Number(bytes)],
  ] as const;
  return { element: 'container', fields };
}

async function changeAccount({ store, user, request }: SwiftContext): Promise<void> {
  const { headers } = request.http;
  const keys = new Map(user!.tempUrlKeys);
  const others = new Map<string, string>();
  for (const [name, value] of headers) {
    const match = TEMP_URL_KEY.exec(name);
    if (match) keys.set(match[1] === undefined ? 0 : 1, value);
    else others.set(name, value);
  }
  const before = await store.users.load(user!.id);
  if (!before) throw new SwiftError('NotFound', 'There is no such account');
  await store.users.update(before, { ...before.info, tempUrlKeys: keys }, metaChanges(others, 'account'));
}
