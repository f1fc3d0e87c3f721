/** One input under a rule (crush_do_rule): `src/mapper.ts`, which says more. */
import { chooseItem, choosePermuted, NONE, UNIFORM } from './buckets';
import { hash2 } from './hash';
import {
  bucketAlg,
  bucketAt,
  bucketCount,
  bucketSize,
  bucketType,
  chosen,
  histogram,
  histogramSize,
  leaves as leavesAt,
  maxDevices,
  out as outAt,
  reweightCount,
  reweights,
  swapWorking,
  working,
} from './memory';

const UNDEF: i32 = 0x7ffffffe;
/** As in `src/mapper.ts`: both give up at the same point. */
const MAX_COST: i32 = 1 << 24;
const CHOICE_COST: i32 = 32;

export const TAKE: i32 = 1;
export const CHOOSE_FIRSTN: i32 = 2;
export const CHOOSE_INDEP: i32 = 3;
export const EMIT: i32 = 4;
export const CHOOSELEAF_FIRSTN: i32 = 6;
export const CHOOSELEAF_INDEP: i32 = 7;
const SET_CHOOSE_TRIES: i32 = 8;
const SET_CHOOSELEAF_TRIES: i32 = 9;
const SET_CHOOSE_LOCAL_TRIES: i32 = 10;
const SET_CHOOSE_LOCAL_FALLBACK_TRIES: i32 = 11;
export const SET_CHOOSELEAF_VARY_R: i32 = 12;
export const SET_CHOOSELEAF_STABLE: i32 = 13;
export const STEP_BYTES: i32 = 12;

let mapLocalTries: i32 = 0;
let mapFallbackTries: i32 = 0;
let mapTotalTries: i32 = 0;
let descendsOnce: bool = false;
export let mapVaryR: i32 = 0;
export let mapStable: i32 = 0;

let x: i32 = 0;
let costLeft: i32 = 0;
let localTries: i32 = 0;
let fallbackTries: i32 = 0;
let varyR: i32 = 0;
let stable: bool = false;

export function tune(localTries_: i32, fallbackTries_: i32, totalTries: i32, once: i32, vary: i32, stable_: i32): void {
  mapLocalTries = localTries_;
  mapFallbackTries = fallbackTries_;
  mapTotalTries = totalTries;
  descendsOnce = once != 0;
  mapVaryR = vary;
  mapStable = stable_;
}

// @ts-ignore: decorator
@inline
function at(items: usize, i: i32): usize {
  return items + (<usize>i << 2);
}

function draw(bucket: usize, r: i32, position: i32): i32 {
  costLeft -= bucketSize(bucket) + CHOICE_COST;
  return chooseItem(bucket, x, r, position);
}

/** Whether the device's reweight rejects this input (is_out). */
export function isOut(device: i32, input: i32): bool {
  const weight = device < reweightCount ? load<u32>(at(reweights, device)) : 0;
  if (weight >= 0x10000) return false;
  if (weight == 0) return true;
  return <u32>(hash2(input, device) & 0xffff) >= weight;
}

function countTries(failures: i32): void {
  if (failures < histogramSize) store<i32>(at(histogram, failures), load<i32>(at(histogram, failures)) + 1);
}

function holds(items: usize, from: i32, to: i32, item: i32): bool {
  for (let i = from; i < to; i++) if (load<i32>(at(items, i)) == item) return true;
  return false;
}

function firstn(
  start: usize,
  numrep: i32,
  type: i32,
  out: usize,
  position: i32,
  room: i32,
  totalTries: i32,
  leafTries: i32,
  leaves: usize,
  parentR: i32,
  depth: i32,
): i32 {
  for (let rep: i32 = stable ? 0 : position; rep < numrep && room > 0 && costLeft > 0; rep++) {
    if (!firstnRank(start, rep, type, out, position, room, totalTries, leafTries, leaves, parentR, depth)) continue;
    position += 1;
    room -= 1;
  }
  return position;
}

function firstnRank(
  start: usize,
  rep: i32,
  type: i32,
  out: usize,
  position: i32,
  room: i32,
  totalTries: i32,
  leafTries: i32,
  leaves: usize,
  parentR: i32,
  depth: i32,
): bool {
  const fallback = fallbackTries;
  let failures: i32 = 0;
  let isGivenUp = false;
  while (!isGivenUp) {
    let bucket = start;
    let localFailures: i32 = 0;
    let level = depth;
    for (;;) {
      const r = rep + parentR + failures;
      const size = bucketSize(bucket);
      let collides = false;
      if (size > 0) {
        const falls = fallback > 0 && localFailures >= size >> 1 && localFailures > fallback;
        const item = falls ? choosePermuted(bucket, x, r) : draw(bucket, r, position);
        if (item >= maxDevices) return false;
        const below: usize = item < 0 ? bucketAt(item) : 0;
        if (item < 0 && below == 0) return false;
        if ((below == 0 ? 0 : bucketType(below)) != type) {
          if (below == 0 || ++level > bucketCount) return false;
          bucket = below;
          continue;
        }
        collides = holds(out, 0, position, item);
        if (!collides && acceptFirstn(item, below, r, position, room, leafTries, leaves, level)) {
          store<i32>(at(out, position), item);
          countTries(failures);
          return true;
        }
      }
      failures += 1;
      localFailures += 1;
      costLeft -= CHOICE_COST;
      if (costLeft <= 0) return false;
      if (collides && localFailures <= localTries) continue;
      if (fallback > 0 && localFailures <= size + fallback) continue;
      isGivenUp = failures >= totalTries;
      break;
    }
  }
  return false;
}

function acceptFirstn(
  item: i32,
  below: usize,
  r: i32,
  position: i32,
  room: i32,
  leafTries: i32,
  leaves: usize,
  level: i32,
): bool {
  if (below == 0) {
    if (leaves != 0) store<i32>(at(leaves, position), item);
    return !isOut(item, x);
  }
  if (leaves == 0) return true;
  const parentR = varyR > 0 ? r >> (varyR - 1) : 0;
  const ranks = stable ? 1 : position + 1;
  return firstn(below, ranks, 0, leaves, position, room, leafTries, 0, 0, parentR, level + 1) > position;
}

function indep(
  start: usize,
  left: i32,
  numrep: i32,
  type: i32,
  out: usize,
  first: i32,
  totalTries: i32,
  leafTries: i32,
  leaves: usize,
  parentR: i32,
  depth: i32,
): void {
  const end = first + left;
  for (let i = first; i < end; i++) {
    store<i32>(at(out, i), UNDEF);
    if (leaves != 0) store<i32>(at(leaves, i), UNDEF);
  }
  let failures: i32 = 0;
  for (; left > 0 && failures < totalTries && costLeft > 0; failures++) {
    costLeft -= end - first + CHOICE_COST;
    for (let rep = first; rep < end; rep++) {
      if (load<i32>(at(out, rep)) != UNDEF) continue;
      const item = indepPlace(start, rep, numrep, type, out, first, end, failures, leafTries, leaves, parentR, depth);
      if (item == UNDEF) continue;
      store<i32>(at(out, rep), item);
      if (item == NONE && leaves != 0) store<i32>(at(leaves, rep), NONE);
      left -= 1;
    }
  }
  for (let rep = first; rep < end; rep++) {
    if (load<i32>(at(out, rep)) == UNDEF) store<i32>(at(out, rep), NONE);
    if (leaves != 0 && load<i32>(at(leaves, rep)) == UNDEF) store<i32>(at(leaves, rep), NONE);
  }
  countTries(failures);
}

function indepPlace(
  start: usize,
  rep: i32,
  numrep: i32,
  type: i32,
  out: usize,
  first: i32,
  end: i32,
  failures: i32,
  leafTries: i32,
  leaves: usize,
  parentR: i32,
  depth: i32,
): i32 {
  let bucket = start;
  for (let level = depth; level <= bucketCount; level++) {
    const size = bucketSize(bucket);
    if (size == 0) return UNDEF;
    const stride = bucketAlg(bucket) == UNIFORM && size % numrep == 0 ? numrep + 1 : numrep;
    const r = rep + parentR + stride * failures;
    const item = draw(bucket, r, first);
    if (item >= maxDevices) return NONE;
    const below: usize = item < 0 ? bucketAt(item) : 0;
    if (item < 0 && below == 0) return NONE;
    if ((below == 0 ? 0 : bucketType(below)) != type) {
      if (below == 0) return NONE;
      bucket = below;
      continue;
    }
    if (holds(out, first, end, item)) return UNDEF;
    if (below == 0) {
      if (leaves != 0) store<i32>(at(leaves, rep), item);
      return isOut(item, x) ? UNDEF : item;
    }
    if (leaves != 0) {
      indep(below, 1, numrep, 0, leaves, rep, leafTries, 0, 0, r, level + 1);
      if (load<i32>(at(leaves, rep)) == NONE) return UNDEF;
    }
    return item;
  }
  return NONE;
}

function choose(op: i32, count: i32, type: i32, width: i32, most: i32, totalTries: i32, leafTries: i32): i32 {
  const leaves: usize = op == CHOOSELEAF_FIRSTN || op == CHOOSELEAF_INDEP ? leavesAt : 0;
  const numrep = count > 0 ? count : count + most;
  let filled: i32 = 0;
  for (let i: i32 = 0; i < width && numrep > 0; i++) {
    const id = load<i32>(at(working, i));
    const bucket: usize = id < 0 ? bucketAt(id) : 0;
    if (bucket == 0) continue;
    const room = most - filled;
    let found = min(numrep, room);
    if (op == CHOOSE_FIRSTN || op == CHOOSELEAF_FIRSTN) {
      const below = leafTries != 0 ? leafTries : descendsOnce ? 1 : totalTries;
      found = firstn(bucket, numrep, type, outAt, 0, room, totalTries, below, leaves, 0, 0);
    } else {
      indep(bucket, found, numrep, type, outAt, 0, totalTries, leafTries != 0 ? leafTries : 1, leaves, 0, 0);
    }
    const from = leaves != 0 ? leaves : outAt;
    for (let j: i32 = 0; j < found; j++) store<i32>(at(chosen, filled + j), load<i32>(at(from, j)));
    filled += found;
  }
  swapWorking();
  return filled;
}

/** Puts at most `most` devices into `into`; returns how many. */
export function doRule(steps: usize, end: usize, input: i32, most: i32, into: usize): i32 {
  x = input;
  costLeft = MAX_COST;
  localTries = mapLocalTries;
  fallbackTries = mapFallbackTries;
  varyR = mapVaryR;
  stable = mapStable != 0;
  let totalTries = mapTotalTries + 1;
  let leafTries: i32 = 0;
  let width: i32 = 0;
  let found: i32 = 0;
  for (let step = steps; step < end; step += STEP_BYTES) {
    const op = load<i32>(step);
    const arg = load<i32>(step, 4);
    switch (op) {
      case TAKE:
        if (most > 0 && (arg >= 0 ? arg < maxDevices : bucketAt(arg) != 0)) {
          store<i32>(working, arg);
          width = 1;
        }
        break;
      case SET_CHOOSE_TRIES:
        if (arg > 0) totalTries = arg;
        break;
      case SET_CHOOSELEAF_TRIES:
        if (arg > 0) leafTries = arg;
        break;
      case SET_CHOOSE_LOCAL_TRIES:
        if (arg >= 0) localTries = arg;
        break;
      case SET_CHOOSE_LOCAL_FALLBACK_TRIES:
        if (arg >= 0) fallbackTries = arg;
        break;
      case SET_CHOOSELEAF_VARY_R:
        if (arg >= 0) varyR = arg;
        break;
      case SET_CHOOSELEAF_STABLE:
        if (arg >= 0) stable = arg != 0;
        break;
      case CHOOSE_FIRSTN:
      case CHOOSELEAF_FIRSTN:
      case CHOOSE_INDEP:
      case CHOOSELEAF_INDEP:
        width = choose(op, arg, load<i32>(step, 8), width, most, totalTries, leafTries);
        break;
      case EMIT:
        for (let i: i32 = 0; i < width && found < most; i++) store<i32>(at(into, found++), load<i32>(at(working, i)));
        width = 0;
        break;
      default:
        break;
    }
  }
  return found;
}
