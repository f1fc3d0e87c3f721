/** Commands of radosgw-admin about buckets. */
import { rawFromText, textFromRaw } from '@spirula/encoding';
import type { UserId } from '../formats/user-id.ts';
import { chownObjects } from '../store/chown.ts';
import { checkedEntries } from '../store/index-check.ts';
import { listRadosObjects } from '../store/rados-list.ts';
import { RawIndex } from '../store/raw-index.ts';
import type { Admin, CommandTable } from './admin.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { type AdminOptions, bucketOf, entriesOf, namedBucket, userOf } from './command-options.ts';
import { dirEntryJson } from './index-json.ts';
import { Members, RawLines, RawName } from './json-text.ts';
import { instanceOf } from './named-instance.ts';

/** When `--max-entries` does not say: rgw_admin.cc, bucket list. */
const MAX_LISTED = 1000;

const bucketList = async (admin: Admin, options: AdminOptions) =>
  options.has('bucket')
    ? await listEntries(admin, options)
    : await admin.buckets.list(options.has('uid') ? userOf(options) : undefined);

const radosList = async ({ store, buckets, world }: Admin, options: AdminOptions) => {
  const { tenant, name } = namedBucket(options);
  const names =
    name === '' ? await buckets.namesOf(options.has('uid') ? userOf(options) : undefined) : [{ tenant, name }];
  const separator = options.get('rgw-obj-fs');
  const lines: string[] = [];
  for (const each of names) {
    const bucket = await store.buckets.load(each.tenant, each.name);
    if (!bucket) {
      const shown = textFromRaw(each.name);
      world.log.warn(`WARNING: bucket ${shown} does not exist; could it have been deleted very recently?`);
      continue;
    }
    for await (const { oid, key } of listRadosObjects(store, bucket.info)) {
      if (separator === undefined) lines.push(oid);
      else if (key) {
        const version = key.instance === '' ? '' : `[${key.instance}]`;
        lines.push([oid, each.name, `${key.name}${version}`].join(rawFromText(separator)));
      }
    }
  }
  return new RawLines(lines);
};

export const bucketCommands: CommandTable = {
  'bucket list': bucketList,
  'buckets list': bucketList,
  'bucket stats': async ({ buckets }, options) => {
    if (options.has('bucket')) return await buckets.stats(...bucketOf(options));
    const found: unknown[] = [];
    for (const { tenant, name } of await buckets.namesOf(options.has('uid') ? userOf(options) : undefined)) {
      const stats = await buckets.statsIfThere(tenant, name);
      if (stats) found.push(stats);
    }
    return found;
  },
  'bucket link': ({ buckets }, options) => buckets.link(...bucketOf(options), userOf(options)),
  'bucket unlink': ({ buckets }, options) => buckets.unlink(...bucketOf(options), userOf(options)),
  'bucket chown': async ({ buckets, store, world }, options) => {
    if (!options.has('uid')) throw new AdminError(AdminCode.EINVAL, 'failure: (22) Invalid argument: empty user id');
    const id = userOf(options);
    const [tenant, name] = bucketOf(options);
    const owner = await store.users.load(id);
    const missing = 'failure: (2) No such file or directory: failed to fetch user info';
    await buckets.requireThere(tenant, name);
    if (!owner) throw new AdminError(AdminCode.ENOENT, missing);
    await buckets.link(tenant, name, id);
    const { info } = await buckets.require(tenant, name);
    const { displayName } = owner.info;
    const after = rawFromText(options.get('marker') ?? '');
    await chownObjects(store, info, { id, displayName }, after, (done, last) =>
      world.log.warn(`${done} objects processed in ${textFromRaw(name)}. Next marker ${textFromRaw(last)}`),
    );
  },
  'bucket rm': ({ buckets }, options) => buckets.remove(...bucketOf(options), options.has('purge-objects')),
  'bucket radoslist': radosList,
  'bucket rados list': radosList,
  'bucket check': async ({ buckets, store }, options) => {
    if (!options.has('bucket')) return undefined;
    const [tenant, name] = bucketOf(options);
    const checksObjects = options.has('check-objects');
    const fix = options.has('fix');
    if (checksObjects && !fix) {
      throw new AdminError(AdminCode.EINVAL, 'check-objects flag requires fix index enabled');
    }
    const bucket = checksObjects ? await store.buckets.load(tenant, name) : undefined;
    const names = bucket && (await checkedEntries(store, bucket.info));
    const checked = await buckets.check(tenant, name, fix);
    if (!checked || !names) return checked;
    const { invalid_multipart_entries, check_result } = checked;
    const objects = new Members(names.map((each) => ['object', new RawName(each)]));
    return { invalid_multipart_entries, objects, check_result };
  },
  'bucket limit check': async ({ buckets, store }, options) => {
    const users: UserId[] = [];
    if (options.has('uid')) users.push(userOf(options));
    else for await (const user of store.users.list()) users.push(user);
    return buckets.limits(users, options.has('warnings-only'));
  },
};

/** Names as the index has them, with those of uploads that go on, in their order. */
async function listEntries(admin: Admin, options: AdminOptions) {
  const { info } = await instanceOf(admin, options);
  const index = new RawIndex(admin.store.zone.placement(info.placement).index, info);
  const max = entriesOf(options, MAX_LISTED);
  const after = rawFromText(options.get('marker') ?? '');
  const found: (readonly [name: string, entry: unknown])[] = [];
  for (let shard = 0; shard < index.shards; shard++) {
    let taken = 0;
    for await (const [, entry] of index.entries(shard, after)) {
      // What is only announced.
      if (!entry.exists && entry.flags === 0) continue;
      if (taken >= max) break;
      taken += 1;
      found.push([entry.key.name, dirEntryJson(entry)]);
    }
  }
  // Versions of a name are in one shard, in their order.
  const sorted = found.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted.slice(0, max).map(([, entry]) => entry);
}
