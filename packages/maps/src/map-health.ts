/** All that an OSDMap shows by itself to be wrong (OSDMap::check_health, osd/OSDMap.cc). */
import { dumpTunables } from '@spirula/crush';
import { checkFullness, type FullnessOptions } from './fullness-health.ts';
import { checkOsds, type OsdHealthOptions, type RaiseCheck } from './osd-health.ts';
import { type OsdMap, OsdMapFlag } from './osdmap.ts';
import { cacheModeName } from './pool-names.ts';

/** Ceph's options of that name. */
export interface MapHealthOptions extends OsdHealthOptions, FullnessOptions {
  readonly mon_warn_on_legacy_crush_tunables: boolean;
  readonly mon_crush_min_required_version: string;
  readonly mon_warn_on_crush_straw_calc_version_zero: boolean;
  readonly mon_warn_on_cache_pools_without_hit_sets: boolean;
  readonly mon_warn_on_pool_pg_num_not_power_of_two: boolean;
}

const TUNABLES_PAGE = 'see http://docs.ceph.com/en/latest/rados/operations/crush-map/#tunables';
/** Of pools in front of others (cache_mode_requires_hit_set). */
const MODES_WITH_HIT_SET: ReadonlySet<string> = new Set(['writeback', 'readforward', 'readproxy']);
/** Where the type stands in the encoded hit_set parameters; 0 is none. */
const HIT_SET_TYPE_AT = 6;

export function checkMap(map: OsdMap, options: MapHealthOptions, raise: RaiseCheck): void {
  checkOsds(map, options, raise);
  checkFullness(map, options, raise);
  checkTunables(map, options, raise);
  checkCachePools(map, options, raise);
  if ((map.flags & OsdMapFlag.sortbitwise) === 0) {
    raise('OSD_NO_SORTBITWISE', 'HEALTH_WARN', "'sortbitwise' flag is not set", 0);
  }
  checkPgNums(map, options, raise);
}

function checkTunables({ crush }: OsdMap, options: MapHealthOptions, raise: RaiseCheck): void {
  const oldest = dumpTunables(crush).minimum_required_version;
  const wanted = options.mon_crush_min_required_version;
  if (options.mon_warn_on_legacy_crush_tunables && oldest < wanted) {
    const summary = `crush map has legacy tunables (require ${oldest}, min is ${wanted})`;
    raise('OLD_CRUSH_TUNABLES', 'HEALTH_WARN', summary, 0, [TUNABLES_PAGE]);
  }
  if (options.mon_warn_on_crush_straw_calc_version_zero && crush.tunables.strawCalcVersion === 0) {
    const summary = 'crush map has straw_calc_version=0';
    raise('OLD_CRUSH_STRAW_CALC_VERSION', 'HEALTH_WARN', summary, 0, [TUNABLES_PAGE]);
  }
}

function checkCachePools(map: OsdMap, options: MapHealthOptions, raise: RaiseCheck): void {
  if (!options.mon_warn_on_cache_pools_without_hit_sets) return;
  const detail = [...map.pools]
    .filter(([, pool]) => MODES_WITH_HIT_SET.has(cacheModeName(pool.cacheMode)))
    .filter(([, pool]) => pool.hitSetParams[HIT_SET_TYPE_AT] === 0)
    .map(([id, pool]) => {
      const name = map.poolNames.get(id);
      const mode = cacheModeName(pool.cacheMode);
      return `pool '${name}' with cache_mode ${mode} needs hit_set_type to be set but it is not`;
    });
  if (detail.length === 0) return;
  const summary = `${detail.length} cache pools are missing hit_sets`;
  raise('CACHE_POOL_NO_HIT_SET', 'HEALTH_WARN', summary, detail.length, detail);
}

function checkPgNums(map: OsdMap, options: MapHealthOptions, raise: RaiseCheck): void {
  if (!options.mon_warn_on_pool_pg_num_not_power_of_two) return;
  const detail = [...map.pools]
    .filter(([, { pgNum }]) => (pgNum & (pgNum - 1)) !== 0)
    .map(([id, { pgNum }]) => `pool '${map.poolNames.get(id)}' pg_num ${pgNum} is not a power of two`);
  if (detail.length === 0) return;
  const summary = `${detail.length} pool(s) have non-power-of-two pg_num`;
  raise('POOL_PG_NUM_NOT_POWER_OF_TWO', 'HEALTH_WARN', summary, detail.length, detail);
}
