/** Commands of radosgw-admin about what zone there is, and how it keeps up with others: there are none. */
import { textFromRaw } from '@spirula/encoding';
import type { Admin, CommandTable } from './admin.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { type AdminOptions, namedBucket } from './command-options.ts';
import { instanceOf } from './named-instance.ts';
import { placementsJson, targetsJson } from './placement-admin.ts';
import { Said } from './role-admin.ts';
import { zonegroupJson, zoneJson } from './zone-json.ts';

/** rgw_data_log_num_shards, ERROR_LOGGER_SHARDS. */
const DATA_LOG_SHARDS = 128;
const ERROR_LOG_SHARDS = 32;
const NO_REALM = 'failed to read realm: (2) No such file or directory';
/** -ENOENT as an exit code. */
const NOT_FOUND = 254;

const none = (message: string) => async () => {
  throw new AdminError(AdminCode.ENOENT, message);
};
const invalid = (message: string) => async () => {
  throw new AdminError(AdminCode.EINVAL, message);
};
const zoneList: CommandTable[string] = async ({ store }) => {
  const { id, name } = store.zone.params;
  return { default_info: textFromRaw(id), zones: [textFromRaw(name)] };
};
const zonegroupList: CommandTable[string] = async ({ store }) => {
  const { id, name } = store.zone.zonegroup;
  return { default_info: textFromRaw(id), zonegroups: [textFromRaw(name)] };
};
// The zone is of no realm.
const realmDefault = async () => {
  throw new AdminError(AdminCode.ENOENT, '', '', 'No default realm is set\n');
};

export const zoneCommands: CommandTable = {
  'zone get': async ({ store }, options) => {
    requireName(options, ['rgw-zone', 'zone-id'], store.zone.params, 'unable to initialize zone');
    return zoneJson(store.zone.params);
  },
  'zone list': zoneList,
  'zones list': zoneList,
  'zone placement get': async ({ store }, options) => {
    const id = requirePlacement(options);
    const found = placementsJson(store.zone.params).find(({ key }) => key === id);
    if (!found) throw new AdminError(NOT_FOUND, `ERROR: zone placement target '${id}' not found`);
    return found.val;
  },
  'zonegroup get': async ({ store }, options) => {
    requireName(options, ['rgw-zonegroup', 'zonegroup-id'], store.zone.zonegroup, 'failed to init zonegroup');
    return zonegroupJson(store.zone.zonegroup);
  },
  'zonegroup list': zonegroupList,
  'zonegroups list': zonegroupList,
  'zonegroup placement get': async ({ store }, options) => {
    const id = requirePlacement(options);
    const found = targetsJson(store.zone.zonegroup).find(({ key }) => key === id);
    if (!found) throw new AdminError(AdminCode.ENOENT, `failed to find a zonegroup placement target named '${id}'`);
    return found.val;
  },

  'realm list': async () => ({ default_info: '', realms: [] }),
  'realm get': none('missing realm name or id, or default realm not found'),
  'realm get default': realmDefault,
  'realm get-default': realmDefault,
  'realm list periods': none(NO_REALM),
  'realm list-periods': none(NO_REALM),
  'period get': none('period init failed: (2) No such file or directory'),
  'period get-current': none(NO_REALM),
  'period get current': none(NO_REALM),
  'period list': async () => ({ periods: [] }),
  'mdlog list': none(NO_REALM),
  'mdlog status': none(NO_REALM),
  'mdlog fetch': async () => undefined,

  'datalog list': async () => [],
  'datalog status': async () =>
    Array.from({ length: DATA_LOG_SHARDS }, () => ({ marker: '', last_update: '0.000000' })),
  'sync status': async ({ store }) => new Said(`${whoAmI(store)}\n  metadata sync no sync (zone is master)`),
  'sync info': async () => {
    const nothing = { sources: [], dests: [] };
    return { ...nothing, hints: nothing, 'resolved-hints-1': nothing, 'resolved-hints': nothing };
  },
  'sync error list': async () =>
    Array.from({ length: ERROR_LOG_SHARDS }, (_, shard) => ({ shard_id: shard, entries: [] })),
  'sync policy get': async () => ({ groups: [] }),
  'sync group get': async () => [],
  'metadata sync status': async () => ({
    sync_status: { info: { status: 'init', num_shards: 0, period: '', realm_epoch: 0 }, markers: [] },
    full_sync: { total: 0, complete: 0 },
  }),
  'data sync status': async (_, options) => {
    const name = options.get('source-zone');
    if (name === undefined) throw new AdminError(AdminCode.EINVAL, 'ERROR: source zone not specified');
    throw new AdminError(AdminCode.EIO, `WARNING: cannot find source zone id for name=${name}`);
  },
  'data sync init': invalid('ERROR: source zone not specified'),
  'data sync run': invalid('ERROR: source zone not specified'),
  'bucket sync markers': invalid('ERROR: source zone not specified'),
  'bucket sync init': invalid('ERROR: source zone not specified'),
  'bucket sync run': invalid('ERROR: source zone not specified'),
  'bucket sync info': async (admin, options) => {
    const { shown, text } = await syncOf(admin, options);
    return new Said(`${text}\nSync is disabled for bucket ${shown}`);
  },
  'bucket sync status': async (admin, options) => {
    const { shown, text } = await syncOf(admin, options);
    return new Said(`${text}\nSync is disabled for bucket ${shown} or bucket has no sync sources`);
  },
  'bucket sync checkpoint': async (admin, options) => {
    const { shown } = await syncOf(admin, options);
    return new Said(`Sync is disabled for bucket ${shown}`);
  },
};

function whoAmI({ zone }: Admin['store']): string {
  const named = ({ id, name }: { readonly id: string; readonly name: string }) =>
    `${textFromRaw(id)} (${textFromRaw(name)})`;
  return `          realm  ()\n      zonegroup ${named(zone.zonegroup)}\n           zone ${named(zone.params)}`;
}

async function syncOf(admin: Admin, options: AdminOptions) {
  if (namedBucket(options).name === '') throw new AdminError(AdminCode.EINVAL, 'ERROR: bucket not specified');
  const { bucket } = (await instanceOf(admin, options)).info;
  const [tenant, name, id] = [bucket.tenant, bucket.name, bucket.bucketId].map(textFromRaw);
  return { shown: name, text: `${whoAmI(admin.store)}\n         bucket ${tenant}:${name}[${id}])\n` };
}

/** @throws AdminError ENOENT: another than the one that there is was named */
function requireName(
  options: AdminOptions,
  [byName, byId]: readonly [name: string, id: string],
  { id, name }: { readonly id: string; readonly name: string },
  what: string,
): void {
  const isMeant =
    [textFromRaw(name), undefined].includes(options.get(byName)) &&
    [textFromRaw(id), undefined].includes(options.get(byId));
  if (!isMeant) throw new AdminError(AdminCode.ENOENT, `${what}: (2) No such file or directory`);
}

function requirePlacement(options: AdminOptions): string {
  const id = options.get('placement-id') ?? '';
  if (id === '') throw new AdminError(AdminCode.EINVAL, 'ERROR: --placement-id not specified');
  return id;
}
