/**
 * The zone and zonegroup that gateways belong to (RGWZoneParams, RGWZoneGroup, rgw_zone.h): objects of the pool `.rgw.root`,
 * under their ids, and objects with these ids under their names.
 */
import { type Decoder, type Encoder, MalformedInput, type RawString } from '@spirula/encoding';
import { ascending } from './ascending.ts';
import { decodePool, encodePool, type Pool } from './bucket.ts';

/** Where one storage class of a placement target puts its data. */
export interface StorageClass {
  /** '': that of `STANDARD`. */
  readonly dataPool: RawString;
  /** A compressor, `none`, or ''. */
  readonly compression: RawString;
}

/** RGWZonePlacementInfo. */
export interface ZonePlacement {
  readonly indexPool: RawString;
  readonly dataPool: RawString;
  readonly dataExtraPool: RawString;
  readonly indexType: number;
  readonly storageClasses: ReadonlyMap<RawString, StorageClass>;
}

/** Pools of what is not in buckets, in the order in which they are encoded. */
const FIRST_POOLS = [
  'domainRoot',
  'control',
  'gc',
  'log',
  'intentLog',
  'usageLog',
  'userKeys',
  'userEmail',
  'userSwift',
  'userUid',
] as const;
const LATER_POOLS = ['lc', 'roles', 'reshard', 'otp', 'oidc', 'notif'] as const;
export type ZonePool = (typeof FIRST_POOLS)[number] | (typeof LATER_POOLS)[number];

export interface ZoneParams {
  readonly id: RawString;
  readonly name: RawString;
  readonly pools: Readonly<Record<ZonePool, Pool>>;
  readonly placements: ReadonlyMap<RawString, ZonePlacement>;
  /** Of other zones that copy from this one; '' when there are none. */
  readonly systemKey: { readonly id: RawString; readonly secret: RawString };
  /** '': none. */
  readonly realm: RawString;
}

/** What is read of a zonegroup. */
export interface Zonegroup {
  readonly id: RawString;
  readonly name: RawString;
  readonly defaultPlacement: RawString;
  /** By the ids of its zones: how many shards new buckets' indexes have; 0: as the configuration says. */
  readonly indexShards: ReadonlyMap<RawString, number>;
}

const STANDARD = 'STANDARD';
export const DEFAULT_ZONE = 'default';
export const DEFAULT_PLACEMENT = 'default-placement';
/** rgw_override_bucket_index_max_shards says otherwise; else this is what zones are made with. */
export const DEFAULT_INDEX_SHARDS = 11;
const NO_POOL: Pool = { name: '', ns: '' };

/** The zone that the first gateway of a cluster makes. */
export function defaultZone(id: RawString): ZoneParams {
  const meta = (ns: string): Pool => ({ name: 'default.rgw.meta', ns });
  const log = (ns: string): Pool => ({ name: 'default.rgw.log', ns });
  const placement: ZonePlacement = {
    indexPool: 'default.rgw.buckets.index',
    dataPool: 'default.rgw.buckets.data',
    dataExtraPool: 'default.rgw.buckets.non-ec',
    indexType: 0,
    storageClasses: new Map([[STANDARD, { dataPool: 'default.rgw.buckets.data', compression: '' }]]),
  };
  return {
    id,
    name: DEFAULT_ZONE,
    pools: {
      domainRoot: meta('root'),
      control: { name: 'default.rgw.control', ns: '' },
      gc: log('gc'),
      log: log(''),
      intentLog: log('intent'),
      usageLog: log('usage'),
      userKeys: meta('users.keys'),
      userEmail: meta('users.email'),
      userSwift: meta('users.swift'),
      userUid: meta('users.uid'),
      lc: log('lc'),
      roles: meta('roles'),
      reshard: log('reshard'),
      otp: { name: 'default.rgw.otp', ns: '' },
      oidc: meta('oidc'),
      notif: log('notif'),
    },
    placements: new Map([[DEFAULT_PLACEMENT, placement]]),
    systemKey: { id: '', secret: '' },
    realm: '',
  };
}

/** nameid: what a name leads to. */
export function encodeNameId(to: Encoder, id: RawString): void {
  to.struct(1, 1, () => to.rawString(id));
}

/** @throws MalformedInput */
export function decodeNameId(from: Decoder): RawString {
  return from.struct('id of a name', 1, () => from.rawString('id'));
}

/** RGWSystemMetaObj. */
function encodeIdentity(to: Encoder, { id, name }: { readonly id: RawString; readonly name: RawString }): void {
  to.struct(1, 1, () => {
    to.rawString(id);
    to.rawString(name);
  });
}

function decodeIdentity(from: Decoder) {
  return from.struct('id and name', 1, () => ({ id: from.rawString('id'), name: from.rawString('name') }));
}

function encodeStorageClass(to: Encoder, { dataPool, compression }: StorageClass): void {
  to.struct(1, 1, () => {
    to.optional(dataPool || undefined, (name) => encodePool(to, { name, ns: '' }));
    to.optional(compression || undefined, (type) => to.rawString(type));
  });
}

function decodeStorageClass(from: Decoder): StorageClass {
  return from.struct('storage class', 1, () => ({
    dataPool: from.optional('has a data pool', () => decodePool(from).name) ?? '',
    compression: from.optional('has compression', () => from.rawString('compression')) ?? '',
  }));
}

function encodePlacement(
  to: Encoder,
  { indexPool, dataPool, dataExtraPool, indexType, storageClasses }: ZonePlacement,
) {
  to.struct(7, 1, () => {
    for (const pool of [indexPool, dataPool, dataExtraPool]) to.rawString(pool);
    to.u32(indexType);
    to.rawString(storageClasses.get(STANDARD)?.compression ?? '');
    to.struct(1, 1, () =>
      to.map(
        ascending(storageClasses),
        (name) => to.rawString(name),
        (each) => encodeStorageClass(to, each),
      ),
    );
  });
}

/** Least bytes of an entry of these maps: a name and a struct. */
const NAMED_BYTES = 4 + 6;

function decodePlacement(from: Decoder): ZonePlacement {
  return from.struct('placement', 7, (version) => {
    if (version < 7) from.fail('placement', `of version ${version}, from before storage classes`);
    const indexPool = from.rawString('index pool');
    const dataPool = from.rawString('data pool');
    const dataExtraPool = from.rawString('data extra pool');
    const indexType = from.u32('index type');
    from.blob('compression');
    const storageClasses = from.struct('storage classes', 1, () =>
      from.map(
        'storage classes',
        NAMED_BYTES,
        () => from.rawString('name'),
        () => decodeStorageClass(from),
      ),
    );
    return { indexPool, dataPool, dataExtraPool, indexType, storageClasses };
  });
}

/** Of a zone of no realm, whose sync module has no settings. */
export function encodeZoneParams(to: Encoder, zone: ZoneParams): void {
  const { pools } = zone;
  const nothing = () => to.u32(0);
  to.struct(14, 1, () => {
    for (const name of FIRST_POOLS) encodePool(to, pools[name]);
    encodeIdentity(to, zone);
    // The system's key: id, secret, subuser.
    to.struct(2, 2, () => {
      for (let i = 0; i < 3; i++) nothing();
    });
    to.map(
      ascending(zone.placements),
      (name) => to.rawString(name),
      (placement) => encodePlacement(to, placement),
    );
    encodePool(to, NO_POOL); // of a heap of metadata, once
    nothing(); // realm
    encodePool(to, pools.lc);
    nothing(); // tier settings, once
    for (const name of ['roles', 'reshard', 'otp'] as const) encodePool(to, pools[name]);
    to.struct(2, 1, () => to.raw(NO_TIER_CONFIG));
    encodePool(to, pools.oidc);
    encodePool(to, pools.notif);
  });
}

/** An empty JSONFormattable: a type, a value, a list, a map, whether it is quoted. */
const NO_TIER_CONFIG = new Uint8Array(14);

/** @throws MalformedInput */
export function decodeZoneParams(from: Decoder): ZoneParams {
  return from.struct('zone', 14, (version) => {
    if (version < 14) from.fail('zone', `of version ${version}, from before release 16`);
    const pools = Object.fromEntries(FIRST_POOLS.map((name) => [name, decodePool(from)]));
    const identity = decodeIdentity(from);
    const systemKey = from.struct('system key', 2, () => ({
      id: from.rawString('id'),
      secret: from.rawString('secret'),
    }));
    const placements = from.map(
      'placements',
      NAMED_BYTES,
      () => from.rawString('placement'),
      () => decodePlacement(from),
    );
    decodePool(from);
    const realm = from.rawString('realm');
    pools['lc'] = decodePool(from);
    from.list('tier settings', 8, () => [from.blob('key'), from.blob('value')]);
    for (const name of ['roles', 'reshard', 'otp']) pools[name] = decodePool(from);
    from.struct('tier config', 2, () => undefined);
    pools['oidc'] = decodePool(from);
    pools['notif'] = decodePool(from);
    return { ...identity, pools: pools as Record<ZonePool, Pool>, placements, systemKey, realm };
  });
}

/** The zonegroup that the first gateway of a cluster makes, with one zone and one placement target. */
export function encodeDefaultZonegroup(
  to: Encoder,
  { id, zoneId }: { readonly id: RawString; readonly zoneId: RawString },
) {
  const nothing = () => to.u32(0);
  const isMaster = true;
  to.struct(5, 1, () => {
    to.rawString(DEFAULT_ZONE);
    to.rawString(DEFAULT_ZONE); // of the API
    to.bool(isMaster);
    nothing(); // endpoints
    to.rawString(zoneId); // the master zone
    to.map(
      new Map([[zoneId, DEFAULT_ZONE]]),
      (zone) => to.rawString(zone),
      (name) =>
        to.struct(7, 1, () => {
          to.rawString(name);
          nothing(); // endpoints
          to.bool(false); // whether metadata is logged
          to.bool(false); // whether data is
          to.u32(DEFAULT_INDEX_SHARDS);
          to.rawString(zoneId);
          to.bool(false); // read only
          nothing(); // tier type
          to.bool(true); // syncs from all
          nothing(); // or from these
          nothing(); // redirects to
        }),
    );
    to.map(
      new Map([[DEFAULT_PLACEMENT, DEFAULT_PLACEMENT]]),
      (name) => to.rawString(name),
      (name) =>
        to.struct(2, 1, () => {
          to.rawString(name);
          nothing(); // tags
          nothing(); // storage classes
        }),
    );
    to.rawString(DEFAULT_PLACEMENT);
    nothing(); // host names
    nothing(); // host names of web sites
    encodeIdentity(to, { id, name: DEFAULT_ZONE });
    nothing(); // realm
    to.struct(1, 1, nothing); // sync policy
  });
}

/** @throws MalformedInput */
export function decodeZonegroup(from: Decoder): Zonegroup {
  return from.struct('zonegroup', 5, () => {
    from.blob('name');
    from.blob('api name');
    from.bool('is master');
    from.list('endpoints', 4, () => from.blob('endpoint'));
    from.blob('master zone');
    const indexShards = from.map(
      'zones',
      NAMED_BYTES,
      () => from.rawString('zone'),
      () =>
        from.struct('zone of a zonegroup', 7, (version) => {
          if (version < 3) throw new MalformedInput('zone of a zonegroup', from.offset, 'from before index shards');
          from.blob('name');
          from.list('endpoints', 4, () => from.blob('endpoint'));
          from.bool('log metadata');
          from.bool('log data');
          return from.u32('index shards');
        }),
    );
    from.list('placement targets', NAMED_BYTES, () => {
      from.blob('placement');
      from.struct('placement target', 2, () => undefined);
    });
    const defaultPlacement = from.rawString('default placement');
    from.list('host names', 4, () => from.blob('host name'));
    from.list('host names of web sites', 4, () => from.blob('host name'));
    return { ...decodeIdentity(from), defaultPlacement, indexShards };
  });
}
