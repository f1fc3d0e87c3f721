import { BucketAlg, type CrushMap, type CrushRule, RuleOp } from '@spirula/crush';
import type { OsdMap } from './osdmap.ts';
import { PoolFlag } from './pool.ts';
import { Release } from './release.ts';

/** Affinity of an OSD nobody has set one for (CEPH_OSD_DEFAULT_PRIMARY_AFFINITY). */
const DEFAULT_PRIMARY_AFFINITY = 0x10000;
/** The choose_args set that old clients see as plain weights. */
const COMPAT_WEIGHT_SET = -1;

/** The oldest release whose clients can compute placement under this map (OSDMap::get_min_compat_client). */
export function minCompatClient(map: OsdMap): number {
  const { crush } = map;
  const { tunables } = crush;
  const pools = [...map.pools.values()];
  const rules = pools.map((pool) => crush.rules[pool.crushRule]);
  if (map.pgUpmap.size > 0 || map.pgUpmapItems.size > 0 || needsChooseArgs(crush)) return Release.luminous;
  if (tunables.chooseleafStable !== 0 || rules.some((rule) => hasStep(rule, RuleOp.setChooseleafStable))) {
    return Release.jewel;
  }
  if (crush.buckets.some((bucket) => bucket?.alg === BucketAlg.straw2)) return Release.hammer;
  if (
    map.primaryAffinity.some((affinity) => affinity !== DEFAULT_PRIMARY_AFFINITY) ||
    tunables.chooseleafVaryR !== 0 ||
    rules.some((rule) => hasStep(rule, RuleOp.setChooseleafVaryR)) ||
    pools.some((pool) => pool.tiers.length > 0 || pool.tierOf >= 0)
  ) {
    return Release.firefly;
  }
  if (tunables.chooseleafDescendOnce !== 0 || pools.some((pool) => (pool.flags & PoolFlag.hashpspool) !== 0n)) {
    return Release.dumpling;
  }
  return Release.argonaut;
}

function hasStep(rule: CrushRule | undefined, op: number): boolean {
  return rule?.steps.some((step) => step.op === op) ?? false;
}

/** Whether choose_args hold more than replacement weights for one position (CrushWrapper::has_incompat_choose_args). */
function needsChooseArgs({ chooseArgs }: CrushMap): boolean {
  if (chooseArgs.size === 0) return false;
  const compat = chooseArgs.get(COMPAT_WEIGHT_SET);
  if (chooseArgs.size > 1 || compat === undefined) return true;
  for (const { weightSets, ids } of compat.values()) {
    if (weightSets.length === 0 && ids.length === 0) continue;
    if (weightSets.length !== 1 || ids.length > 0) return true;
  }
  return false;
}
