/**
 * The zone that gateways belong to (RGWZoneParams, rgw_zone.h): an object of the pool `.rgw.root` under its id, and one with this
 * id under its name. `zonegroup.ts` has what it belongs to itself.
 */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';
import { ascending } from './ascending.ts';
import { decodePool, encodePool, formatPool, type Pool, parsePool } from './bucket.ts';
import { decodeOpaque, encodeOpaque, type Opaque } from './encoded.ts';
import { STANDARD_STORAGE_CLASS } from './placement-rule.ts';

/** Where one storage class of a placement target puts its data. Pools are as texts: a name, or `name:namespace`. */
export interface StorageClass {
  /** '': that of `STANDARD`. */
  readonly dataPool: RawString;
  /** A compressor, `none`, or ''. */
  readonly compression: RawString;
}

/** RGWZonePlacementInfo. */
export interface ZonePlacement {
  readonly indexPool: RawString;
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
  readonly systemKey: { readonly id: RawString; readonly secret: RawString; readonly subuser: RawString };
  /** '': none. */
  readonly realm: RawString;
  /** Settings of the sync module, which nothing here looks into. */
  readonly tierConfig: Opaque;
}

export const DEFAULT_ZONE = 'default';
export const DEFAULT_PLACEMENT = 'default-placement';
const NO_POOL: Pool = { name: '', ns: '' };

/** The zone that the first gateway of a cluster makes. */
export function defaultZone(id: RawString): ZoneParams {
  const meta = (ns: string): Pool => ({ name: 'default.rgw.meta', ns });
  const log = (ns: string): Pool => ({ name: 'default.rgw.log', ns });
  const placement: ZonePlacement = {
    indexPool: 'default.rgw.buckets.index',
    dataExtraPool: 'default.rgw.buckets.non-ec',
    indexType: 0,
    storageClasses: new Map([[STANDARD_STORAGE_CLASS, { dataPool: 'default.rgw.buckets.data', compression: '' }]]),
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
    systemKey: { id: '', secret: '', subuser: '' },
    realm: '',
    tierConfig: NO_TIER_CONFIG,
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
export function encodeIdentity(to: Encoder, { id, name }: { readonly id: RawString; readonly name: RawString }): void {
  to.struct(1, 1, () => {
    to.rawString(id);
    to.rawString(name);
  });
}

export function decodeIdentity(from: Decoder) {
  return from.struct('id and name', 1, () => ({ id: from.rawString('id'), name: from.rawString('name') }));
}

function encodeStorageClass(to: Encoder, { dataPool, compression }: StorageClass): void {
  to.struct(1, 1, () => {
    to.optional(dataPool || undefined, (pool) => encodePool(to, parsePool(pool)));
    to.optional(compression || undefined, (type) => to.rawString(type));
  });
}

function decodeStorageClass(from: Decoder): StorageClass {
  return from.struct('storage class', 1, () => ({
    dataPool: from.optional('has a data pool', () => formatPool(decodePool(from))) ?? '',
    compression: from.optional('has compression', () => from.rawString('compression')) ?? '',
  }));
}

/** The pool of a storage class, '' is the standard one; '' where the placement target says nothing of it. */
export function dataPoolOf({ storageClasses }: ZonePlacement, storageClass: RawString = ''): RawString {
  const own = storageClasses.get(storageClass)?.dataPool ?? '';
  return own === '' ? (storageClasses.get(STANDARD_STORAGE_CLASS)?.dataPool ?? '') : own;
}

function encodePlacement(to: Encoder, placement: ZonePlacement): void {
  const { indexPool, dataExtraPool, indexType, storageClasses } = placement;
  to.struct(7, 1, () => {
    for (const pool of [indexPool, dataPoolOf(placement), dataExtraPool]) to.rawString(pool);
    to.u32(indexType);
    to.rawString(storageClasses.get(STANDARD_STORAGE_CLASS)?.compression ?? '');
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
export const NAMED_BYTES = 4 + 6;

function decodePlacement(from: Decoder): ZonePlacement {
  return from.struct('placement', 7, (version) => {
    if (version < 7) from.fail('placement', `of version ${version}, from before storage classes`);
    const indexPool = from.rawString('index pool');
    from.blob('standard data pool');
    const dataExtraPool = from.rawString('data extra pool');
    const indexType = from.u32('index type');
    from.blob('compression');
    const given = from.struct('storage classes', 1, () =>
      from.map(
        'storage classes',
        NAMED_BYTES,
        () => from.rawString('name'),
        () => decodeStorageClass(from),
      ),
    );
    // There always is the standard one, if only by name.
    const standard = given.get(STANDARD_STORAGE_CLASS) ?? { dataPool: '', compression: '' };
    const storageClasses = new Map(given).set(STANDARD_STORAGE_CLASS, standard);
    return { indexPool, dataExtraPool, indexType, storageClasses };
  });
}

export function encodeZoneParams(to: Encoder, zone: ZoneParams): void {
  const { pools } = zone;
  to.struct(14, 1, () => {
    for (const name of FIRST_POOLS) encodePool(to, pools[name]);
    encodeIdentity(to, zone);
    const { id, secret, subuser } = zone.systemKey;
    to.struct(2, 2, () => {
      for (const text of [id, secret, subuser]) to.rawString(text);
    });
    to.map(
      ascending(zone.placements),
      (name) => to.rawString(name),
      (placement) => encodePlacement(to, placement),
    );
    encodePool(to, NO_POOL); // of a heap of metadata, once
    to.rawString(zone.realm);
    encodePool(to, pools.lc);
    to.u32(0); // tier settings, once
    for (const name of ['roles', 'reshard', 'otp'] as const) encodePool(to, pools[name]);
    encodeOpaque(to, zone.tierConfig);
    encodePool(to, pools.oidc);
    encodePool(to, pools.notif);
  });
}

/** An empty JSONFormattable: a type, a value, a list, a map, whether it is quoted. */
const NO_TIER_CONFIG: Opaque = { version: 2, compat: 1, body: new Uint8Array(14) };

/** @throws MalformedInput */
export function decodeZoneParams(from: Decoder): ZoneParams {
  return from.struct('zone', 14, (version) => {
    if (version < 14) from.fail('zone', `of version ${version}, from before release 16`);
    const pools = Object.fromEntries(FIRST_POOLS.map((name) => [name, decodePool(from)]));
    const identity = decodeIdentity(from);
    const systemKey = from.struct('system key', 2, () => ({
      id: from.rawString('id'),
      secret: from.rawString('secret'),
      subuser: from.rawString('subuser'),
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
    const tierConfig = decodeOpaque(from, 'tier config');
    pools['oidc'] = decodePool(from);
    pools['notif'] = decodePool(from);
    return { ...identity, pools: pools as Record<ZonePool, Pool>, placements, systemKey, realm, tierConfig };
  });
}
