/** OSDMaps from nothing: some OSDs, a CRUSH map that holds them, perhaps a pool (OSDMap::build_simple_optioned). */
import {
  addBucket,
  addSimpleRule,
  bucketOf,
  type CrushMap,
  createOrMove,
  DEFAULT_TYPES,
  emptyCrushMap,
  encodeCrushMap,
  itemByName,
} from '@spirula/crush';
import type { OsdId, UTime, Uuid } from '@spirula/encoding';
import { applyIncremental, emptyOsdMap } from './apply-incremental.ts';
import { newPool } from './new-pool.ts';
import type { OsdMap } from './osdmap.ts';
import { emptyIncremental } from './osdmap-incremental-codec.ts';
import { PoolFlag } from './pool.ts';
import { AUTOSCALE_MODES } from './pool-names.ts';

/** Ceph's options of that name. */
export interface SimpleMapOptions {
  readonly osd_crush_chooseleaf_type: number;
  readonly osd_pool_default_size: number;
  readonly osd_pool_default_min_size: number;
  readonly osd_pool_default_crush_rule: number;
  readonly osd_pool_default_pg_autoscale_mode: string;
  readonly osd_pool_default_flag_hashpspool: boolean;
  readonly osd_pool_default_flag_nodelete: boolean;
  readonly osd_pool_default_flag_nopgchange: boolean;
  readonly osd_pool_default_flag_nosizechange: boolean;
}

/** Where an OSD stands: type name -> bucket name. */
export interface PlacedOsd {
  readonly osd: OsdId;
  readonly location: ReadonlyMap<string, string>;
}

/** A pool `rbd`, with PGs in numbers shifted left from that of OSDs. */
export interface SimplePool {
  readonly pgBits: number;
  readonly pgpBits: number;
}

const ONE = 0x10000;
const ROOT = 'default';
const ROOT_TYPE = DEFAULT_TYPES.indexOf('root');
const POOL = 1;
const NO_FSID: Uuid = new Uint8Array(16);

/** A CRUSH map with a root and nothing in it. */
function bareCrush(): [CrushMap, number] {
  return addBucket(emptyCrushMap(), ROOT, ROOT_TYPE);
}

/** OSDs 0 to count-1, each of weight 1, in one host in one rack. */
export function simpleCrush(count: number): CrushMap {
  const location = new Map([
    ['host', 'localhost'],
    ['rack', 'localrack'],
    ['root', ROOT],
  ]);
  const first = createOrMove(bareCrush()[0], 0, ONE, location);
  const host = itemByName(first, 'localhost')!;
  const osds = Int32Array.from({ length: count }, (_, osd) => osd);
  const weight = (count * ONE) >>> 0;
  const names = new Map(first.names);
  for (const osd of osds) names.set(osd, `osd.${osd}`);
  const buckets = first.buckets.map((bucket) => {
    if (bucket === undefined) return undefined;
    if (bucket.id !== host) return { ...bucket, itemWeights: Uint32Array.of(weight), weight };
    return { ...bucket, items: osds, itemWeights: new Uint32Array(count).fill(ONE), weight };
  });
  return { ...first, buckets, names, maxDevices: count };
}

/** What CRUSH takes for a name (CrushWrapper::is_valid_crush_name). */
const VALID_NAME = /^[A-Za-z0-9_.-]+$/;

/** OSDs where a configuration says they are; without those whose places have other names. */
export function placedCrush(osds: readonly PlacedOsd[]): CrushMap {
  let [crush] = bareCrush();
  for (const { osd, location } of osds) {
    if (![...location.values()].every((name) => VALID_NAME.test(name))) continue;
    crush = createOrMove(crush, osd, ONE, new Map([...location, ['root', ROOT]]));
  }
  return crush;
}

/**
 * Epoch 0 of a map with these OSDs, none of which exists yet: they are in the CRUSH map only.
 *
 * @param crush without rules; gets `replicated_rule`, over osd_crush_chooseleaf_type
 */
export function simpleMap(
  crush: CrushMap,
  maxOsd: number,
  pool: SimplePool | undefined,
  profile: ReadonlyMap<string, string>,
  options: SimpleMapOptions,
  now: UTime,
): OsdMap {
  const root = bucketOf(crush, itemByName(crush, ROOT)!)!;
  const domain = DEFAULT_TYPES[options.osd_crush_chooseleaf_type] ?? 'osd';
  const ruled = addSimpleRule(crush, 'replicated_rule', root.id, domain, 'firstn');
  // Sizes the arrays of OSDs.
  const sized = applyIncremental(emptyOsdMap(NO_FSID), { ...emptyIncremental(NO_FSID, 1), newMaxOsd: maxOsd });
  return {
    ...sized,
    epoch: 0,
    created: now,
    modified: now,
    ...(pool === undefined ? {} : withPool(pool, maxOsd, options)),
    crush: ruled,
    crushBytes: encodeCrushMap(ruled),
    erasureCodeProfiles: new Map([['default', profile]]),
  };
}

function withPool(bits: SimplePool, maxOsd: number, options: SimpleMapOptions): Partial<OsdMap> {
  const base = maxOsd > 0 ? maxOsd : 1;
  const size = options.osd_pool_default_size;
  const leastSize = options.osd_pool_default_min_size;
  const flag = (isSet: boolean, bit: bigint) => (isSet ? bit : 0n);
  const pool = newPool({
    size,
    minSize: leastSize > 0 ? Math.min(leastSize, size) : size - Math.trunc(size / 2),
    crushRule: Math.max(0, options.osd_pool_default_crush_rule),
    pgNum: (base << bits.pgBits) >>> 0,
    pgpNum: (base << Math.min(bits.pgpBits, bits.pgBits)) >>> 0,
    flags:
      flag(options.osd_pool_default_flag_hashpspool, PoolFlag.hashpspool) |
      flag(options.osd_pool_default_flag_nodelete, PoolFlag.nodelete) |
      flag(options.osd_pool_default_flag_nopgchange, PoolFlag.nopgchange) |
      flag(options.osd_pool_default_flag_nosizechange, PoolFlag.nosizechange),
    pgAutoscaleMode: AUTOSCALE_MODES.indexOf(options.osd_pool_default_pg_autoscale_mode),
    epoch: 0,
    createTime: { sec: 0, nsec: 0 },
    expectedNumObjects: 0,
    opts: new Map(),
  });
  // Not what monitors give a pool: Ceph leaves them out here.
  const unset = { cacheTargetDirtyRatioMicro: 0, cacheTargetDirtyHighRatioMicro: 0, cacheTargetFullRatioMicro: 0 };
  return {
    pools: new Map([[POOL, { ...pool, ...unset, applicationMetadata: new Map([['rbd', new Map()]]) }]]),
    poolNames: new Map([[POOL, 'rbd']]),
    poolMax: POOL,
  };
}
