/**
 * What is full: OSDs say so of themselves, and a pool is as full as the fullest OSD that its rule may choose
 * (OSDMonitor::prepare_full, encode_pending; OSDMap::get_full_pools).
 */
import { devicesBelow, RuleOp } from '@spirula/crush';
import type { OsdId, PoolId } from '@spirula/encoding';
import { markedOsds, type OsdMap, type OsdMapIncremental, OsdState, PoolFlag } from '@spirula/maps';
import type { OsdFull } from '@spirula/messages';

const MARKS = OsdState.full | OsdState.nearfull | OsdState.backfillfull;
const POOL_MARKS = PoolFlag.full | PoolFlag.nearfull | PoolFlag.backfillfull;

type Fullness = OsdFull['state'];

/** From the emptiest. */
const LEVELS: readonly Fullness[] = ['none', 'nearfull', 'backfillfull', 'full'];

/** Notes what an OSD that is up says of itself. Returns whether that is news. */
export function markOsd(map: OsdMap, inc: OsdMapIncremental, osd: OsdId, state: Fullness): boolean {
  const wanted = state === 'none' ? 0 : OsdState[state];
  const flipped = inc.newState.get(osd) ?? 0;
  const current = (map.osdState[osd]! ^ flipped) & MARKS;
  if (current === wanted) return false;
  // The bits of an incremental are flipped, not set; none at all would stand for up.
  const bits = (flipped & ~MARKS) | ((map.osdState[osd]! & MARKS) ^ wanted);
  if (bits === 0) inc.newState.delete(osd);
  else inc.newState.set(osd, bits);
  return true;
}

/** Adds to `inc`, which leads to `next`, what pools are to be marked with. Returns whether it did. */
export function markPools(next: OsdMap, inc: OsdMapIncremental): boolean {
  const isMarked = [...next.pools.values()].some(({ flags }) => (flags & POOL_MARKS) !== 0n);
  const osds = markedOsds(next);
  if (!isMarked && osds.size === 0) return false;
  const levels = levelsOfRules(next, osds);
  let hasChanged = false;
  for (const [id, pool] of next.pools) {
    // Out of quota it is full whatever its OSDs are.
    if ((pool.flags & PoolFlag.fullQuota) !== 0n) continue;
    const level = levels.get(pool.crushRule) ?? 'none';
    const flags = (pool.flags & ~POOL_MARKS) | (level === 'none' ? 0n : PoolFlag[level]);
    if (flags === pool.flags) continue;
    setFlags(next, inc, id, flags);
    hasChanged = true;
  }
  return hasChanged;
}

function setFlags(next: OsdMap, inc: OsdMapIncremental, id: PoolId, flags: bigint): void {
  inc.newPools.set(id, { ...next.pools.get(id)!, flags });
}

/** By ruleset: how full the fullest OSD is that it may choose. */
function levelsOfRules(map: OsdMap, osds: ReadonlyMap<OsdId, Fullness>): ReadonlyMap<number, Fullness> {
  const levels = new Map<number, Fullness>();
  if (osds.size === 0) return levels;
  for (const rule of map.crush.rules) {
    if (rule === undefined) continue;
    const taken = rule.steps.filter(({ op }) => op === RuleOp.take).map(({ arg1 }) => arg1);
    const devices = taken.flatMap((item) => (item >= 0 ? [item] : devicesBelow(map.crush, item)));
    const worst = Math.max(0, ...devices.map((osd) => LEVELS.indexOf(osds.get(osd) ?? 'none')));
    levels.set(rule.ruleset, LEVELS[worst]!);
  }
  return levels;
}
