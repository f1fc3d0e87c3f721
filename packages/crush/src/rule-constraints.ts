/**
 * What a rule asks of a set of OSDs that was not chosen by it, as one that upmaps made (CrushWrapper::verify_upmap,
 * get_parent_of_type, get_rule_weight_osd_map, crush/CrushWrapper.cc).
 *
 *   take default~ssd        OSDs are below it
 *   choose firstn 2 rack    of 2 racks at most
 *   chooseleaf firstn 2 host   in each of them of 2 hosts at most, one OSD of each
 *   emit                    the next take begins where the set has as many OSDs as those steps choose
 */
import { type CrushMap, type CrushRuleStep, RuleOp } from './crush-map.ts';
import { bucketOf, OSD_TYPE, weightAt } from './hierarchy.ts';

/** In place of a bucket: none of that type is above the device. Ids of buckets are negative. */
const NOWHERE = 0;

interface ChooseStep {
  readonly isLeaf: boolean;
  readonly type: number;
  readonly count: number;
  /** Device -> the bucket of that type above it, below what the rule takes; NOWHERE. */
  readonly parents: Int32Array;
}

/** From a take to the emit. */
interface RuleBlock {
  /** The bucket or device taken. */
  readonly root: number;
  readonly steps: readonly ChooseStep[];
  /** Devices below the root, and their weights there, 16.16. */
  readonly weights: ReadonlyMap<number, number>;
  /** How many OSDs it chooses. */
  readonly width: number;
}

export class RuleConstraints {
  readonly #blocks: readonly RuleBlock[];

  /** @param size how many OSDs are asked of the rule */
  constructor(map: CrushMap, ruleNo: number, size: number) {
    this.#blocks = blocksOf(map, map.rules[ruleNo]?.steps ?? [], size);
  }

  /** Whether OSDs are below what the rule takes and do not share what they must not, as far as Ceph's check goes. */
  allows(osds: readonly number[]): boolean {
    let at = 0;
    for (const { root, weights, width, steps } of this.#blocks) {
      if (!steps.every((step) => sharesNothing(step, osds))) return false;
      if (root >= 0) continue;
      for (const end = at + width; at < osds.length && at < end; at++) if (!weights.has(osds[at]!)) return false;
    }
    return true;
  }

  /** Whether the rule could have chosen this set: no OSD twice, and in each bucket as many as its steps choose there. */
  couldChoose(osds: readonly number[]): boolean {
    if (osds.some((osd, i) => osds.indexOf(osd) !== i) || !this.allows(osds)) return false;
    let at = 0;
    for (const { width, steps } of this.#blocks) {
      if (!fits(steps, 0, osds.slice(at, at + width))) return false;
      at += width;
    }
    return true;
  }

  /** What of the rule's OSDs each device is due, by its weight: shares add up to the size asked for. */
  shares(reweight: (device: number) => number): Map<number, number> {
    const shares = new Map<number, number>();
    for (const { weights, width } of this.#blocks) {
      const weighed = [...weights].map(([device, weight]) => [device, weight * reweight(device)] as const);
      const total = weighed.reduce((sum, [, weight]) => sum + weight, 0);
      if (total === 0) continue;
      for (const [device, weight] of weighed) {
        if (weight > 0) shares.set(device, (shares.get(device) ?? 0) + (width * weight) / total);
      }
    }
    return shares;
  }

  /** Every device below what the rule takes, with its weight in 16.16; of those that are there twice, the last. */
  weights(): Map<number, number> {
    return new Map(this.#blocks.flatMap(({ weights }) => [...weights]));
  }
}

function blocksOf(map: CrushMap, steps: readonly CrushRuleStep[], size: number): RuleBlock[] {
  const roots = steps.filter(({ op }) => op === RuleOp.take).map(({ arg1 }) => arg1);
  const blocks: RuleBlock[] = [];
  let root = NOWHERE;
  let chosen: ChooseStep[] = [];
  let left = size;
  for (const { op, arg1, arg2 } of steps) {
    if (op === RuleOp.take) root = arg1;
    else if (op === RuleOp.emit) {
      // Of two steps for one type, the first counts.
      const firsts = chosen.filter(({ type }, i) => chosen.findIndex((each) => each.type === type) === i);
      const wanted = firsts.reduce((product, { count }) => product * count, 1);
      const width = Math.max(0, Math.min(wanted, left));
      blocks.push({ root, steps: chosen, weights: devicesOf(map, root), width });
      left -= width;
      root = NOWHERE;
      chosen = [];
    } else if (isChoose(op)) {
      const isLeaf = op === RuleOp.chooseleafFirstn || op === RuleOp.chooseleafIndep;
      const parents = arg2 === OSD_TYPE ? NO_PARENTS : parentsOfType(map, roots, arg2);
      chosen.push({ isLeaf, type: arg2, count: arg1 > 0 ? arg1 : arg1 + size, parents });
    }
  }
  return blocks;
}

const NO_PARENTS = new Int32Array(0);

function isChoose(op: number): boolean {
  const { chooseFirstn, chooseIndep, chooseleafFirstn, chooseleafIndep } = RuleOp;
  return op === chooseFirstn || op === chooseIndep || op === chooseleafFirstn || op === chooseleafIndep;
}

/** Devices below what is taken. */
function devicesOf(map: CrushMap, root: number): Map<number, number> {
  const weights = new Map<number, number>();
  if (root >= 0) return weights.set(root, 0x10000);
  const seen = new Set([root]);
  // A set grows while it is gone through; a damaged map may run in circles.
  for (const id of seen) {
    const bucket = bucketOf(map, id);
    bucket?.items.forEach((item, at) => {
      if (item >= 0) weights.set(item, weightAt(bucket, at));
      else seen.add(item);
    });
  }
  return weights;
}

/** Where two buckets hold a device, the first counts, by root and then from left to right. */
function parentsOfType(map: CrushMap, roots: readonly number[], type: number): Int32Array {
  const parents = new Int32Array(Math.max(0, Math.min(map.maxDevices, MOST_DEVICES)));
  const seen = new Set<number>();
  const visit = (id: number): void => {
    const bucket = bucketOf(map, id);
    if (bucket === undefined || bucket.type < type || seen.has(id)) return;
    seen.add(id);
    if (bucket.type > type) for (const item of bucket.items) visit(item);
    else {
      for (const device of devicesOf(map, id).keys()) {
        if (parents[device] === NOWHERE) parents[device] = id;
      }
    }
  };
  for (const root of [...new Set(roots)].sort((a, b) => a - b)) visit(root);
  return parents;
}

/** A map that says it has more comes from damage. */
const MOST_DEVICES = 1 << 24;

/** Of a leaf step: no bucket holds two. Of another: not more buckets hold any than it chooses. */
function sharesNothing({ isLeaf, type, count, parents }: ChooseStep, osds: readonly number[]): boolean {
  if (type === OSD_TYPE) return true;
  let buckets = 0;
  for (let i = 0; i < osds.length; i++) {
    const parent = parents[osds[i]!] ?? NOWHERE;
    if (parent === NOWHERE) continue;
    let isFirst = true;
    for (let j = 0; j < i && isFirst; j++) isFirst = osds[j] === osds[i] || parents[osds[j]!] !== parent;
    if (isLeaf && !isFirst) return false;
    if (isFirst) buckets += 1;
  }
  return isLeaf || buckets <= count;
}

/** Whether OSDs below one bucket can be what the steps from `depth` on choose there. */
function fits(steps: readonly ChooseStep[], depth: number, osds: readonly number[]): boolean {
  const step = steps[depth];
  if (step === undefined) return true;
  if (step.type === OSD_TYPE) return osds.length <= step.count;
  const groups = new Map<number, number[]>();
  for (const osd of osds) {
    const parent = step.parents[osd] ?? NOWHERE;
    if (parent === NOWHERE) return false;
    const group = groups.get(parent);
    if (group === undefined) groups.set(parent, [osd]);
    else group.push(osd);
  }
  if (groups.size > step.count) return false;
  for (const group of groups.values()) {
    if (step.isLeaf ? group.length > 1 : !fits(steps, depth + 1, group)) return false;
  }
  return true;
}
