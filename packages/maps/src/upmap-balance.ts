/**
 * Upmaps that spread a pool's PGs evenly over OSDs, each by its weight (what OSDMap::calc_pg_upmaps is for, osd/OSDMap.cc).
 *
 *   deviation = PGs on an OSD - PGs that its weight is due
 *
 * The fullest OSD gives a PG to the emptiest that may take it, and the other way round, until none is further from what it is due
 * than asked. What an earlier upmap brought goes back first. Each move makes the squares of all deviations less, so this
 * ends. Counts are kept up to date move by move: PGs are mapped once.
 */
import { CRUSH_ITEM_NONE, type RuleConstraints } from '@spirula/crush';
import type { OsdId, PoolId } from '@spirula/encoding';
import { DeviationOrder, type Spread } from './deviation-order.ts';
import { type OsdMap, osdUp, type PgKey, pgKey } from './osdmap.ts';
import type { OsdMapIncremental } from './osdmap-incremental.ts';
import { mapPgRaw, mapPgUpmap } from './pg-mapping.ts';
import { constraintsOf, type UpmapItems } from './upmap-cleanup.ts';

export interface UpmapGoal {
  /** PGs that an OSD may have more or less than it is due; 1 at least. */
  readonly maxDeviation: number;
  /** PGs whose upmaps may change. */
  readonly maxChanges: number;
  readonly pools: readonly PoolId[];
}

export interface UpmapPlan {
  /** By PG: its new items, none when it is to have none. */
  readonly changes: ReadonlyMap<PgKey, UpmapItems>;
  /** Replicas that are to be on another OSD than before. */
  readonly moves: number;
  readonly before: Spread;
  readonly after: Spread;
  /** Whether no OSD of the pools' rules weighs anything. */
  readonly isWeightless: boolean;
}

interface BalancedPg {
  readonly key: PgKey;
  readonly constraints: RuleConstraints;
  readonly osdsBefore: readonly OsdId[];
  readonly itemsBefore: UpmapItems;
  osds: OsdId[];
  items: UpmapItems;
}

/** Finds upmaps for the pools together. The map's own ought to be clean (`cleanPgUpmaps`). */
export function balancePgs(map: OsdMap, goal: UpmapGoal): UpmapPlan {
  return new UpmapBalancer(map, goal).run();
}

/** Adds a plan to an incremental. */
export function addUpmaps(plan: UpmapPlan, inc: OsdMapIncremental): void {
  for (const [key, items] of plan.changes) {
    if (items.length === 0) inc.oldPgUpmapItems.add(key);
    else
      inc.newPgUpmapItems.set(
        key,
        items.map(([from, to]) => [from, to]),
      );
  }
}

class UpmapBalancer {
  readonly #map: OsdMap;
  readonly #goal: UpmapGoal;
  readonly #order: DeviationOrder;
  /** PGs that may be moved, by the OSDs that have them. */
  readonly #pgsOf: BalancedPg[][];
  /** OSDs that may be given PGs. */
  readonly #takers: Uint8Array;
  readonly #changed = new Map<PgKey, BalancedPg>();
  readonly #isWeightless: boolean;

  constructor(map: OsdMap, goal: UpmapGoal) {
    this.#map = map;
    this.#goal = goal;
    this.#takers = new Uint8Array(map.maxOsd);
    this.#pgsOf = Array.from({ length: map.maxOsd }, () => []);
    const counts = new Int32Array(map.maxOsd);
    const targets = new Float64Array(map.maxOsd);
    for (const id of goal.pools) this.#addPool(id, counts, targets);
    const known = Array.from(counts.keys()).filter((osd) => counts[osd]! > 0 || targets[osd]! > 0);
    this.#isWeightless = !this.#takers.includes(1) && !targets.some((target) => target > 0);
    this.#order = new DeviationOrder(known, counts, targets);
  }

  #addPool(id: PoolId, counts: Int32Array, targets: Float64Array): void {
    const map = this.#map;
    const pool = map.pools.get(id);
    const constraints = pool && constraintsOf(map, pool);
    if (pool === undefined || constraints === undefined) return;
    let placed = 0;
    for (let seed = 0; seed < pool.pgNum; seed++) {
      const pg = { pool: id, seed };
      const key = pgKey(pg);
      const osds = mapPgUpmap(map, pg);
      for (const osd of osds) {
        if (osd === CRUSH_ITEM_NONE || osd >= map.maxOsd) continue;
        counts[osd]! += 1;
        placed += 1;
      }
      const items = map.pgUpmapItems.get(key) ?? [];
      const isMovable = !map.pgUpmap.has(key) && (items.length === 0 || areSimple(items, mapPgRaw(map, pg), osds));
      if (!isMovable || !constraints.couldChoose(osds)) continue;
      const balanced: BalancedPg = { key, constraints, osdsBefore: osds, itemsBefore: items, osds, items };
      for (const osd of osds) this.#pgsOf[osd]?.push(balanced);
    }
    const shares = constraints.shares((osd) => map.osdWeight[osd] ?? 0);
    const total = [...shares.values()].reduce((sum, share) => sum + share, 0);
    for (const [osd, share] of shares) {
      targets[osd]! += (placed * share) / total;
      if (osdUp(map, osd)) this.#takers[osd] = 1;
    }
  }

  run(): UpmapPlan {
    const before = this.#order.spread();
    // What found no place may find one after others moved.
    while (this.#pass());
    const pgs = [...this.#changed.values()];
    return {
      changes: new Map(pgs.sort((a, b) => a.key - b.key).map(({ key, items }) => [key, items])),
      moves: pgs.reduce((sum, { osds, osdsBefore }) => sum + osds.filter((osd) => !osdsBefore.includes(osd)).length, 0),
      before,
      after: this.#order.spread(),
      isWeightless: this.#isWeightless,
    };
  }

  /** Works on the OSD that is furthest from what it is due until all have been, or are near enough. Returns whether any moved. */
  #pass(): boolean {
    const order = this.#order;
    const { maxDeviation, maxChanges } = this.#goal;
    const stuck = new Set<OsdId>();
    let moved = false;
    while (this.#changed.size < maxChanges) {
      const fullest = order.fullest((osd) => !stuck.has(osd));
      const emptiest = order.emptiest((osd) => !stuck.has(osd) && this.#takers[osd] === 1);
      const above = fullest === undefined ? 0 : order.deviation(fullest);
      const below = emptiest === undefined ? 0 : -order.deviation(emptiest);
      if (above <= maxDeviation && below <= maxDeviation) break;
      const isAbove = above >= below;
      const done = isAbove ? this.#relieve(fullest!) : this.#fill(emptiest!);
      if (done) moved = true;
      else stuck.add(isAbove ? fullest! : emptiest!);
    }
    return moved && stuck.size > 0;
  }

  #relieve(from: OsdId): boolean {
    return this.#undoInto(from) || this.#order.upwards((to) => this.#helps(from, to) && this.#moveAny(from, to), from);
  }

  #fill(to: OsdId): boolean {
    return this.#undoOutOf(to) || this.#order.downwards((from) => this.#helps(from, to) && this.#moveAny(from, to), to);
  }

  /** Whether a PG less here and one more there makes the squares of their deviations less. */
  #helps(from: OsdId, to: OsdId): boolean {
    return this.#order.deviation(from) - this.#order.deviation(to) > 1 + ROUNDING;
  }

  /** Takes back an upmap that brought a PG to `osd`, from where it is missed the most. */
  #undoInto(osd: OsdId): boolean {
    const candidates = this.#pgsOf[osd]!.flatMap((pg) => {
      const origin = pg.items.find(([, to]) => to === osd)?.[0];
      return origin !== undefined && this.#helps(osd, origin) ? [{ pg, origin }] : [];
    });
    candidates.sort((a, b) => this.#order.deviation(a.origin) - this.#order.deviation(b.origin));
    return candidates.some(({ pg, origin }) => this.#move(pg, osd, origin));
  }

  /** Takes back an upmap that took a PG from `osd`, from where there are most. */
  #undoOutOf(osd: OsdId): boolean {
    const fuller = this.#order.fullerThan(osd);
    return fuller.some((from) =>
      this.#pgsOf[from]!.some((pg) => {
        const isItsOwn = pg.items.some(([origin, to]) => origin === osd && to === from);
        return isItsOwn && this.#helps(from, osd) && this.#move(pg, from, osd);
      }),
    );
  }

  #moveAny(from: OsdId, to: OsdId): boolean {
    return this.#takers[to] === 1 && this.#pgsOf[from]!.some((pg) => this.#move(pg, from, to));
  }

  /** Moves a PG, if the rule lets it. */
  #move(pg: BalancedPg, from: OsdId, to: OsdId): boolean {
    if (this.#takers[to] === 0 || pg.osds.includes(to)) return false;
    // An item for what another item moved away would have to come after it.
    if (pg.items.some(([origin, target]) => origin === to && target !== from)) return false;
    const osds = pg.osds.with(pg.osds.indexOf(from), to);
    if (!pg.constraints.couldChoose(osds)) return false;
    pg.osds = osds;
    pg.items = movedItems(pg.items, from, to);
    const holders = this.#pgsOf[from]!;
    holders.splice(holders.indexOf(pg), 1);
    this.#pgsOf[to]!.push(pg);
    this.#order.move(from, to);
    if (sameItems(pg.items, pg.itemsBefore)) this.#changed.delete(pg.key);
    else this.#changed.set(pg.key, pg);
    return true;
  }
}

/** Deviations are sums of fractions. */
const ROUNDING = 1e-9;

/** Whether each item replaces an OSD that CRUSH chose by one that it did not, and holds. */
function areSimple(items: UpmapItems, raw: readonly OsdId[], osds: readonly OsdId[]): boolean {
  const origins = new Set(items.map(([from]) => from));
  const targets = new Set(items.map(([, to]) => to));
  return (
    origins.size === items.length &&
    targets.size === items.length &&
    items.every(([from, to]) => raw.includes(from) && !raw.includes(to) && osds.includes(to) && !osds.includes(from))
  );
}

function movedItems(items: UpmapItems, from: OsdId, to: OsdId): UpmapItems {
  const before = items.find(([, target]) => target === from);
  if (before === undefined) return [...items, [from, to]];
  const [origin] = before;
  if (origin === to) return items.filter((item) => item !== before);
  return items.map((item) => (item === before ? ([origin, to] as const) : item));
}

function sameItems(a: UpmapItems, b: UpmapItems): boolean {
  if (a.length !== b.length) return false;
  return a.every(([from, to]) => b.some(([origin, target]) => origin === from && target === to));
}
