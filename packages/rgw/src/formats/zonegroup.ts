/**
 * The zonegroup of a zone (RGWZoneGroup, rgw_zone.h), kept as zones are: which placement targets and storage classes there are, and
 * who may use them. Where each puts its data is for a zone to say.
 */
import { type Decoder, type Encoder, MalformedInput, type RawString } from '@spirula/encoding';
import { ascending } from './ascending.ts';
import { decodeOpaque, encodeOpaque, type Opaque } from './encoded.ts';
import {
  decodePlacementRule,
  encodePlacementRule,
  type PlacementRule,
  STANDARD_STORAGE_CLASS,
} from './placement-rule.ts';
import { DEFAULT_PLACEMENT, DEFAULT_ZONE, decodeIdentity, encodeIdentity, NAMED_BYTES } from './zone.ts';

/** RGWZoneGroupPlacementTarget. */
export interface PlacementTarget {
  readonly name: RawString;
  /** Who has none of them may not use it; without any, everybody may. */
  readonly tags: ReadonlySet<RawString>;
  readonly storageClasses: ReadonlySet<RawString>;
}

/** RGWZone: a zone as its zonegroup knows it. */
interface ZonegroupZone {
  readonly name: RawString;
  readonly endpoints: readonly RawString[];
  readonly logsMetadata: boolean;
  readonly logsData: boolean;
  /** How many shards new buckets' indexes have; 0: as the configuration says. */
  readonly indexShards: number;
  readonly id: RawString;
  readonly isReadOnly: boolean;
  readonly tierType: RawString;
  readonly syncsFromAll: boolean;
  readonly syncsFrom: ReadonlySet<RawString>;
  readonly redirectZone: RawString;
}

export interface Zonegroup {
  readonly id: RawString;
  readonly name: RawString;
  readonly apiName: RawString;
  readonly isMaster: boolean;
  readonly endpoints: readonly RawString[];
  /** Its id. */
  readonly masterZone: RawString;
  /** By their ids. */
  readonly zones: ReadonlyMap<RawString, ZonegroupZone>;
  readonly placementTargets: ReadonlyMap<RawString, PlacementTarget>;
  readonly defaultPlacement: PlacementRule;
  readonly hostNames: readonly RawString[];
  readonly websiteHostNames: readonly RawString[];
  /** '': none. */
  readonly realm: RawString;
  /** What syncs with what, which nothing here looks into. */
  readonly syncPolicy: Opaque;
}

/** rgw_override_bucket_index_max_shards says otherwise; else this is what zones are made with. */
export const DEFAULT_INDEX_SHARDS = 11;
const NO_SYNC_POLICY: Opaque = { version: 1, compat: 1, body: new Uint8Array(4) };

/** The zonegroup that the first gateway of a cluster makes, with one zone and one placement target. */
export function defaultZonegroup({ id, zoneId }: { readonly id: RawString; readonly zoneId: RawString }): Zonegroup {
  const zone: ZonegroupZone = {
    name: DEFAULT_ZONE,
    endpoints: [],
    logsMetadata: false,
    logsData: false,
    indexShards: DEFAULT_INDEX_SHARDS,
    id: zoneId,
    isReadOnly: false,
    tierType: '',
    syncsFromAll: true,
    syncsFrom: new Set(),
    redirectZone: '',
  };
  const target: PlacementTarget = { name: DEFAULT_PLACEMENT, tags: new Set(), storageClasses: new Set() };
  return {
    id,
    name: DEFAULT_ZONE,
    apiName: DEFAULT_ZONE,
    isMaster: true,
    endpoints: [],
    masterZone: zoneId,
    zones: new Map([[zoneId, zone]]),
    placementTargets: new Map([[DEFAULT_PLACEMENT, target]]),
    defaultPlacement: { name: DEFAULT_PLACEMENT, storageClass: '' },
    hostNames: [],
    websiteHostNames: [],
    realm: '',
    syncPolicy: NO_SYNC_POLICY,
  };
}

function encodeTexts(to: Encoder, texts: readonly RawString[]): void {
  to.list(texts, (text) => to.rawString(text));
}

function encodeSet(to: Encoder, texts: ReadonlySet<RawString>): void {
  encodeTexts(
    to,
    [...texts].sort((a, b) => (a < b ? -1 : 1)),
  );
}

function decodeTexts(from: Decoder, field: string): RawString[] {
  return from.list(field, 4, () => from.rawString(field));
}

function encodeZone(to: Encoder, zone: ZonegroupZone): void {
  to.struct(7, 1, () => {
    to.rawString(zone.name);
    encodeTexts(to, zone.endpoints);
    to.bool(zone.logsMetadata);
    to.bool(zone.logsData);
    to.u32(zone.indexShards);
    to.rawString(zone.id);
    to.bool(zone.isReadOnly);
    to.rawString(zone.tierType);
    to.bool(zone.syncsFromAll);
    encodeSet(to, zone.syncsFrom);
    to.rawString(zone.redirectZone);
  });
}

function decodeZone(from: Decoder): ZonegroupZone {
  return from.struct('zone of a zonegroup', 7, (version) => {
    if (version < 7) throw new MalformedInput('zone of a zonegroup', from.offset, `of version ${version}`);
    return {
      name: from.rawString('name'),
      endpoints: decodeTexts(from, 'endpoints'),
      logsMetadata: from.bool('logs metadata'),
      logsData: from.bool('logs data'),
      indexShards: from.u32('index shards'),
      id: from.rawString('id'),
      isReadOnly: from.bool('read only'),
      tierType: from.rawString('tier type'),
      syncsFromAll: from.bool('syncs from all'),
      syncsFrom: new Set(decodeTexts(from, 'syncs from')),
      redirectZone: from.rawString('redirect zone'),
    };
  });
}

function encodeTarget(to: Encoder, { name, tags, storageClasses }: PlacementTarget): void {
  to.struct(2, 1, () => {
    to.rawString(name);
    encodeSet(to, tags);
    encodeSet(to, storageClasses);
  });
}

/** One without storage classes has the standard one. */
function decodeTarget(from: Decoder): PlacementTarget {
  return from.struct('placement target', 2, (version) => {
    const name = from.rawString('name');
    const tags = new Set(decodeTexts(from, 'tags'));
    const classes = version >= 2 ? decodeTexts(from, 'storage classes') : [];
    return { name, tags, storageClasses: new Set(classes.length === 0 ? [STANDARD_STORAGE_CLASS] : classes) };
  });
}

export function encodeZonegroup(to: Encoder, zonegroup: Zonegroup): void {
  to.struct(5, 1, () => {
    to.rawString(zonegroup.name);
    to.rawString(zonegroup.apiName);
    to.bool(zonegroup.isMaster);
    encodeTexts(to, zonegroup.endpoints);
    to.rawString(zonegroup.masterZone);
    to.map(
      ascending(zonegroup.zones),
      (id) => to.rawString(id),
      (zone) => encodeZone(to, zone),
    );
    to.map(
      ascending(zonegroup.placementTargets),
      (name) => to.rawString(name),
      (target) => encodeTarget(to, target),
    );
    encodePlacementRule(to, zonegroup.defaultPlacement);
    encodeTexts(to, zonegroup.hostNames);
    encodeTexts(to, zonegroup.websiteHostNames);
    encodeIdentity(to, zonegroup);
    to.rawString(zonegroup.realm);
    encodeOpaque(to, zonegroup.syncPolicy);
  });
}

/** @throws MalformedInput */
export function decodeZonegroup(from: Decoder): Zonegroup {
  return from.struct('zonegroup', 5, (version) => {
    if (version < 5)
      throw new MalformedInput('zonegroup', from.offset, `of version ${version}, from before release 16`);
    from.blob('name');
    const apiName = from.rawString('api name');
    const isMaster = from.bool('is master');
    const endpoints = decodeTexts(from, 'endpoints');
    const masterZone = from.rawString('master zone');
    const zones = from.map(
      'zones',
      NAMED_BYTES,
      () => from.rawString('zone'),
      () => decodeZone(from),
    );
    const placementTargets = from.map(
      'placement targets',
      NAMED_BYTES,
      () => from.rawString('placement'),
      () => decodeTarget(from),
    );
    const defaultPlacement = decodePlacementRule(from);
    const hostNames = decodeTexts(from, 'host names');
    const websiteHostNames = decodeTexts(from, 'host names of web sites');
    const identity = decodeIdentity(from);
    const realm = from.rawString('realm');
    const syncPolicy = decodeOpaque(from, 'sync policy');
    return {
      ...identity,
      apiName,
      isMaster,
      endpoints,
      masterZone,
      zones,
      placementTargets,
      defaultPlacement,
      hostNames,
      websiteHostNames,
      realm,
      syncPolicy,
    };
  });
}
