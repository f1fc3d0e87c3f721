/**
 * The zone a gateway belongs to: `default`, of the zonegroup `default`, as radosgw without a realm. The first gateway of a
 * cluster makes both; of two that do so at once, the one whose name comes first is right.
 */
import { type Bytes, Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import { encoded } from '../formats/encoded.ts';
import { type PlacementRule, STANDARD_STORAGE_CLASS } from '../formats/placement-rule.ts';
import {
  DEFAULT_ZONE,
  decodeNameId,
  decodeZoneParams,
  defaultZone,
  encodeNameId,
  encodeZoneParams,
  type ZoneParams,
  type ZonePool,
} from '../formats/zone.ts';
import {
  DEFAULT_INDEX_SHARDS,
  decodeZonegroup,
  defaultZonegroup,
  encodeZonegroup,
  type Zonegroup,
} from '../formats/zonegroup.ts';
import { type Entropy, randomUuid } from './entropy.ts';
import { MetaCache, type Warner } from './meta-cache.ts';
import { decodeStored } from './meta-object.ts';
import { type Cluster, openPool, openZonePools, type PlacementPools, type ZonePools } from './pools.ts';
import { ZoneObject } from './zone-object.ts';

const ROOT_POOL = '.rgw.root';

const infoOid = (kind: string, id: RawString) => `${kind}_info.${id}`;
/** radosgw has an s more in the one of zonegroups. */
const nameOids = { zone: `zone_names.${DEFAULT_ZONE}`, zonegroup: `zonegroups_names.${DEFAULT_ZONE}` } as const;

/** What is stored of a zone and its zonegroup. Gateways read it when they start. */
export interface StoredZone {
  readonly params: ZoneObject<ZoneParams>;
  readonly zonegroup: ZoneObject<Zonegroup>;
}

export class Zone {
  readonly params: ZoneParams;
  readonly zonegroup: Zonegroup;
  /** What is remembered of the meta pools. */
  readonly cache: MetaCache;
  readonly stored: StoredZone;
  readonly #pools: ZonePools;

  constructor(params: ZoneParams, zonegroup: Zonegroup, stored: StoredZone, pools: ZonePools, log: Warner) {
    this.params = params;
    this.zonegroup = zonegroup;
    this.stored = stored;
    this.#pools = pools;
    this.cache = new MetaCache(this.system('control'), log);
  }

  /** Where a bucket's index and objects are. @throws RadosError EIO: the zone has no such placement target */
  placement({ name }: PlacementRule): PlacementPools {
    const pools = this.#pools.placements.get(name);
    if (!pools) throw new RadosError(Errno.EIO, `placement target ${name} of zone ${this.params.name}`);
    return pools;
  }

  /** Where objects with omap are. @throws RadosError EIO: the zone has no such placement target, or no pool for it */
  dataExtra(rule: PlacementRule): IoCtx {
    const { dataExtra } = this.placement(rule);
    if (!dataExtra) throw new RadosError(Errno.EIO, `placement target ${rule.name} has no pool for more than data`);
    return dataExtra;
  }

  /** @throws RadosError EIO: the zone has no such placement target or storage class, or no pool for it */
  data(rule: PlacementRule): IoCtx {
    const storageClass = rule.storageClass === '' ? STANDARD_STORAGE_CLASS : rule.storageClass;
    const io = this.placement(rule).data.get(storageClass);
    if (!io) throw new RadosError(Errno.EIO, `storage class ${storageClass} of placement target ${rule.name}`);
    return io;
  }

  /** A pool of what is not in buckets. */
  system(name: Exclude<ZonePool, 'otp'>): IoCtx {
    const io = this.#pools.system[name];
    if (!io) throw new RadosError(Errno.ENOENT, `pool ${this.params.pools[name].name}`);
    return io;
  }

  /** How many shards the index of a new bucket has. */
  get indexShards(): number {
    return this.zonegroup.zones.get(this.params.id)?.indexShards || DEFAULT_INDEX_SHARDS;
  }
}

/** Opens the zone and its pools; makes what is missing. @throws RadosError */
export async function openZone(cluster: Cluster, entropy: Entropy, log: Warner): Promise<Zone> {
  const root = await openPool(cluster, { name: ROOT_POOL, ns: '' });
  const zoneId = await findOrMake(root, 'zone', entropy, (id) => encoded(encodeZoneParams, defaultZone(id)));
  const zonegroupId = await findOrMake(root, 'zonegroup', entropy, (id) =>
    encoded(encodeZonegroup, defaultZonegroup({ id, zoneId })),
  );
  const stored: StoredZone = {
    params: new ZoneObject(root, infoOid('zone', zoneId), { encode: encodeZoneParams, decode: decodeZoneParams }),
    zonegroup: new ZoneObject(root, infoOid('zonegroup', zonegroupId), {
      encode: encodeZonegroup,
      decode: decodeZonegroup,
    }),
  };
  const params = await stored.params.read();
  const zonegroup = await stored.zonegroup.read();
  return new Zone(params, zonegroup, stored, await openZonePools(cluster, params), log);
}

async function readInfo<T>(root: IoCtx, oid: RawString, decode: Parameters<typeof decodeStored<T>>[2]): Promise<T> {
  return decodeStored(oid, await root.read(oid), decode);
}

/** The id that the default name leads to. What the name will lead to is there before it. */
async function findOrMake(
  root: IoCtx,
  kind: keyof typeof nameOids,
  entropy: Entropy,
  make: (id: RawString) => Bytes,
): Promise<RawString> {
  const found = await readName(root, nameOids[kind]);
  if (found !== undefined) return found;
  const id = randomUuid(entropy);
  await root.operate(infoOid(kind, id), new ObjectOperation().create(true).writeFull(make(id)));
  try {
    const name = new ObjectOperation().create(true).writeFull(encoded(encodeNameId, id));
    await root.operate(nameOids[kind], name);
    return id;
  } catch (error) {
    if (!(error instanceof RadosError) || error.code !== Errno.EEXIST) throw error;
    await root.remove(infoOid(kind, id));
    return readInfo(root, nameOids[kind], decodeNameId);
  }
}

async function readName(root: IoCtx, oid: RawString): Promise<RawString | undefined> {
  try {
    return await readInfo(root, oid, decodeNameId);
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.ENOENT) return undefined;
    throw error;
  }
}
