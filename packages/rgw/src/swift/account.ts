/** An account: what a user has, and its containers. */
import { EMPTY, type RawString } from '@spirula/encoding';
import { encodeAcl } from '../formats/acl.ts';
import { encoded } from '../formats/encoded.ts';
import type { UserInfo } from '../formats/user-info.ts';
import type { HttpResponse } from '../http.ts';
import { aclOf } from '../s3/operations/access.ts';
import { Attr } from '../store/object-attrs.ts';
import { mayInAccount, requireAccountAccess, requireUserAccess } from './access.ts';
import { formatAccountAcl, parseAccountAcl } from './account-acl.ts';
import { timestamp } from './container.ts';
import { type ListEntry, listResponse, readAccountParameters } from './listing.ts';
import { capitalised, metaChanges, metaHeaders } from './metadata.ts';
import { quotaHeaders, takeQuota } from './quota-headers.ts';
import { findContainer, type SwiftContext, type SwiftHeaders } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';

/** `X-Account-Meta-Temp-URL-Key` and `-Key-2`: kept with the user. */
const TEMP_URL_KEY = /^x-(remove-)?account-meta-temp-url-key(-2)?$/;

export async function serveAccount(context: SwiftContext): Promise<HttpResponse> {
  switch (context.request.http.method) {
    case 'HEAD': {
      const account = await requireAccountAccess(context, 'read');
      return { status: 204, headers: await accountHeaders(context, account), body: EMPTY };
    }
    case 'GET':
      return await listContainers(context, await requireUserAccess(context, 's3:ListAllMyBuckets', '*'));
    case 'POST':
      await changeAccount(context, await requireAccountAccess(context, 'write'));
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

async function accountHeaders(context: SwiftContext, account: UserInfo): Promise<SwiftHeaders> {
  const { store, now } = context;
  let all = NOTHING;
  const policies = new Map<RawString, Sums>();
  for await (const { bucket } of store.buckets.lists.list(account.id)) {
    const found = await store.buckets.load(account.id.tenant, bucket.name);
    const held = { containers: 1, ...(found ? await store.bucketStats(found) : NOTHING) };
    all = sumOf(all, { ...held, containers: 1 });
    const policy = found?.info.placement.name;
    if (policy) policies.set(policy, sumOf(policies.get(policy) ?? NOTHING, { ...held, containers: 1 }));
  }
  const stored = await store.users.load(account.id);
  const acl = stored && aclOf(stored.attrs);
  const access = acl && formatAccountAcl(acl);
  // Whoever has a key can sign anything.
  const keys = (await mayInAccount(context, account, 'admin')) ? [...account.tempUrlKeys] : [];
  const isKey = ([, key]: readonly [number, string]) => key !== '';
  return [
    ['X-Timestamp', timestamp(now)],
    ...sumHeaders('X-Account', all),
    ...[...policies].flatMap(([name, sums]) => sumHeaders(`X-Account-Storage-Policy-${capitalised(name)}`, sums)),
    ...keys.filter(isKey).map(([at, key]) => [`X-Account-Meta-Temp-Url-Key${at === 0 ? '' : '-2'}`, key] as const),
    ...quotaHeaders('Account', account.userQuota),
    ...(stored ? metaHeaders(stored.attrs, 'account') : []),
    ...(access === undefined ? [] : [['X-Account-Access-Control', access] as const]),
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

async function listContainers(context: SwiftContext, account: UserInfo): Promise<HttpResponse> {
  const { store } = context;
  const { limit, marker, endMarker, prefix, format, isReversed } = readAccountParameters(context);
  const entries: ListEntry[] = [];
  let isEmpty = limit > 0;
  if (limit > 0) {
    for await (const { bucket } of store.buckets.lists.list(account.id, marker)) {
      if (endMarker !== '' && bucket.name >= endMarker) break;
      isEmpty = false;
      if (!bucket.name.startsWith(prefix)) continue;
      entries.push(await containerEntry(context, bucket.name, format !== 'plain'));
      if (entries.length === limit) break;
    }
  }
  if (isReversed) entries.reverse();
  const root = { element: 'account', name: account.displayName };
  // Of an account that has containers, also an empty list is one.
  return listResponse(format, root, entries, await accountHeaders(context, account), isEmpty);
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

async function changeAccount(context: SwiftContext, account: UserInfo): Promise<void> {
  const { store, request, user } = context;
  const { headers } = request.http;
  const keys = new Map(account.tempUrlKeys);
  const others = new Map<string, string>();
  const access = headers.get('x-account-access-control');
  let isGoverning = access !== undefined;
  for (const [name, value] of headers) {
    const match = TEMP_URL_KEY.exec(name);
    if (!match) {
      others.set(name, value);
      continue;
    }
    const isRemoved = match[1] === 'remove-';
    if (!isRemoved || value !== '') keys.set(match[2] === undefined ? 0 : 1, isRemoved ? '' : value);
    isGoverning = true;
  }
  if (isGoverning && !(await mayInAccount(context, account, 'admin'))) {
    throw new SwiftError('Unauthorized', 'Only who may do all in the account changes its keys, and who may get at it');
  }
  const changes = metaChanges(others, 'account');
  const quota = takeQuota(changes, account.userQuota);
  if (quota && user?.admin !== true)
    throw new SwiftError('Forbidden', 'Only administrators set the quota of an account');
  const before = await store.users.load(account.id);
  if (!before) throw new SwiftError('NotFound', 'There is no such account');
  if (access !== undefined) changes.set(Attr.acl, encoded(encodeAcl, parseAccountAcl(access, before.info)));
  await store.users.update(before, { ...before.info, tempUrlKeys: keys, ...(quota && { userQuota: quota }) }, changes);
}
