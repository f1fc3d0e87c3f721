/** An account: what a user has, and its containers. */
import { EMPTY, type RawString } from '@spirula/encoding';
import type { HttpResponse } from '../http.ts';
import { requireOwner } from './access.ts';
import { timestamp } from './container.ts';
import { type ListEntry, listResponse, readAccountParameters } from './listing.ts';
import { capitalised, metaChanges, metaHeaders } from './metadata.ts';
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

/** What containers hold together. */
interface Sums {
  readonly containers: number;
  readonly objects: bigint;
  readonly bytes: bigint;
  readonly roundedBytes: bigint;
}
const NOTHING: Sums = { containers: 0, objects: 0n, bytes: 0n, roundedBytes: 0n };

async function accountHeaders(context: SwiftContext): Promise<SwiftHeaders> {
  const { store, user, now } = context;
  let all = NOTHING;
  const policies = new Map<RawString, Sums>();
  for await (const { bucket } of store.buckets.lists.list(user!.id)) {
    const found = await store.buckets.load(user!.id.tenant, bucket.name);
    const held = { containers: 1, ...(found ? await store.bucketStats(found) : NOTHING) };
    all = sumOf(all, { ...held, containers: 1 });
    const policy = found?.info.placement.name;
    if (policy) policies.set(policy, sumOf(policies.get(policy) ?? NOTHING, { ...held, containers: 1 }));
  }
  const stored = await store.users.load(user!.id);
  return [
    ['X-Timestamp', timestamp(now)],
    ...sumHeaders('X-Account', all),
    ...[...policies].flatMap(([name, sums]) => sumHeaders(`X-Account-Storage-Policy-${capitalised(name)}`, sums)),
    ...(stored ? metaHeaders(stored.attrs, 'account') : []),
    ...[...user!.tempUrlKeys].map(([at, key]) => [`X-Account-Meta-Temp-Url-Key${at === 0 ? '' : '-2'}`, key] as const),
  ];
}

function sumOf(a: Sums, b: Sums): Sums {
  return {
    containers: a.containers + b.containers,
    objects: a.objects + b.objects,
    bytes: a.bytes + b.bytes,
    roundedBytes: a.roundedBytes + b.roundedBytes,
  };
}

function sumHeaders(prefix: string, { containers, objects, bytes, roundedBytes }: Sums): SwiftHeaders {
  return [
    [`${prefix}-Container-Count`, String(containers)],
    [`${prefix}-Object-Count`, String(objects)],
    [`${prefix}-Bytes-Used`, String(bytes)],
    [`${prefix}-Bytes-Used-Actual`, String(roundedBytes)],
  ];
}

async function listContainers(context: SwiftContext): Promise<HttpResponse> {
  const { store, user } = context;
  const { limit, marker, endMarker, prefix, format, isReversed } = readAccountParameters(context);
  const entries: ListEntry[] = [];
  let isEmpty = limit > 0;
  if (limit > 0) {
    for await (const { bucket } of store.buckets.lists.list(user!.id, marker)) {
      if (endMarker !== '' && bucket.name >= endMarker) break;
      isEmpty = false;
      if (!bucket.name.startsWith(prefix)) continue;
      entries.push(await containerEntry(context, bucket.name, format !== 'plain'));
      if (entries.length === limit) break;
    }
  }
  if (isReversed) entries.reverse();
  const root = { element: 'account', name: user!.displayName };
  // Of an account that has containers, also an empty list is one.
  return listResponse(format, root, entries, await accountHeaders(context), isEmpty);
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
