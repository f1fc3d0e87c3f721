/**
 * The first draws of several inputs under the first choice of a rule, level by level: together they make long rows of chains. Where
 * nothing collides and nothing is out, which is nearly always, they are the whole mapping; else the rule is followed, and finds
 * the draws made.
 */
import { NONE, remember } from './buckets';
import { addChains, chainsOf, decide, evaluate } from './draws';
import { bucketAt, bucketSize, bucketType, chainRoom, drawsAhead, histogramSize, isDrawnFast, maxDevices } from './memory';
import {
  CHOOSE_FIRSTN,
  CHOOSE_INDEP,
  CHOOSELEAF_FIRSTN,
  CHOOSELEAF_INDEP,
  EMIT,
  isOut,
  mapStable,
  mapVaryR,
  SET_CHOOSELEAF_STABLE,
  SET_CHOOSELEAF_VARY_R,
  STEP_BYTES,
  TAKE,
} from './rule';

/** Draws under way at most, and ranks of one input. */
export const MAX_DRAWS: i32 = 64;
const MAX_RANKS: i32 = 16;
/** Inputs go together until there are so many draws. */
const WANTED_DRAWS: i32 = 24;
/** More levels have no draws ahead. */
const MAX_LEVELS: i32 = 12;
/** Of larger buckets a draw is long enough by itself, and what the draws ahead cost stays far below what a mapping may. */
const MAX_SIZE: i32 = 4096;

let root: usize = 0;
let ranks: i32 = 0;
let type: i32 = 0;
let op: i32 = 0;
let varyR: i32 = 0;
/** Nothing follows the choice but that it is given out. */
let isWhole: bool = false;
/** How many inputs go together; 0: the rule has no draws ahead. */
export let inputsAhead: i32 = 0;

/** Of each rank of each input: what was chosen of the type, and the device below. Behind the draws. */
// @ts-ignore: decorator
@inline
function chosenAt(i: i32): usize {
  return drawsAhead + <usize>(MAX_DRAWS * 16) + (<usize>i << 2);
}
// @ts-ignore: decorator
@inline
function deviceAt(i: i32): usize {
  return drawsAhead + <usize>(MAX_DRAWS * 20) + (<usize>i << 2);
}

/** What of the rule there is to draw ahead. */
export function prepare(steps: usize, end: usize, most: i32): void {
  inputsAhead = 0;
  root = 0;
  op = 0;
  varyR = mapVaryR;
  let stable = mapStable != 0;
  let step = steps;
  for (; step < end && op == 0; step += STEP_BYTES) {
    const what = load<i32>(step);
    const arg = load<i32>(step, 4);
    if (what == TAKE) root = arg < 0 ? bucketAt(arg) : 0;
    else if (what == EMIT) return;
    else if (what == SET_CHOOSELEAF_VARY_R && arg >= 0) varyR = arg;
    else if (what == SET_CHOOSELEAF_STABLE && arg >= 0) stable = arg != 0;
    else if (what == CHOOSE_FIRSTN || what == CHOOSE_INDEP || what == CHOOSELEAF_FIRSTN || what == CHOOSELEAF_INDEP) {
      op = what;
      type = load<i32>(step, 8);
      const numrep = arg > 0 ? arg : arg + most;
      ranks = min(numrep, most);
      // The ranks below an unstable choice begin at others.
      isWhole = numrep <= most && (stable || op != CHOOSELEAF_FIRSTN);
    }
  }
  if (root == 0 || op == 0 || ranks <= 0 || ranks > MAX_RANKS) return;
  const isLast = step + STEP_BYTES == end && load<i32>(step) == EMIT;
  const isToDevices = type == 0 || op == CHOOSELEAF_FIRSTN || op == CHOOSELEAF_INDEP;
  isWhole = isWhole && isLast && isToDevices && histogramSize == 0;
  inputsAhead = max(1, WANTED_DRAWS / ranks);
}

/** A draw: its bucket, x, r, and 2 * what rank of what input it is for; odd: below what was chosen. */
function put(i: i32, bucket: usize, x: i32, r: i32, rank: i32): void {
  const draw = drawsAhead + (<usize>i << 4);
  store<i32>(draw, <i32>bucket);
  store<i32>(draw, x, 4);
  store<i32>(draw, r, 8);
  store<i32>(draw, rank, 12);
}

function leafR(r: i32): i32 {
  if (op == CHOOSELEAF_INDEP) return r + r;
  return varyR > 0 ? r >> (varyR - 1) : 0;
}

export function drawAhead(inputs: usize, count: i32): void {
  let draws: i32 = 0;
  for (let i: i32 = 0; i < count; i++) {
    const x = load<i32>(inputs + (<usize>i << 2));
    for (let rank: i32 = 0; rank < ranks; rank++) {
      store<i32>(deviceAt(draws), NONE);
      put(draws, root, x, rank, draws << 1);
      draws += 1;
    }
  }
  for (let level: i32 = 0; level < MAX_LEVELS && draws > 0; level++) draws = drawLevel(draws);
}

/** Returns how many there are on the next level. */
function drawLevel(draws: i32): i32 {
  let kept: i32 = 0;
  let chainCount: i32 = 0;
  for (let i: i32 = 0; i < draws; i++) {
    const draw = drawsAhead + (<usize>i << 4);
    const bucket = <usize>load<i32>(draw);
    if (!isDrawnFast(bucket) || bucketSize(bucket) > MAX_SIZE || chainCount + chainsOf(bucket) > chainRoom) continue;
    chainCount = addChains(bucket, load<i32>(draw, 4), load<i32>(draw, 8), chainCount);
    v128.store(drawsAhead + (<usize>kept << 4), v128.load(draw));
    kept += 1;
  }
  evaluate(chainCount);
  let below: i32 = 0;
  let first: i32 = 0;
  for (let i: i32 = 0; i < kept; i++) {
    const draw = drawsAhead + (<usize>i << 4);
    const bucket = <usize>load<i32>(draw);
    const x = load<i32>(draw, 4);
    let r = load<i32>(draw, 8);
    let rank = load<i32>(draw, 12);
    const item = decide(bucket, first);
    first += chainsOf(bucket);
    remember(bucket, x, r, item);
    if (item >= 0) {
      if ((rank & 1) == 0) {
        if (type != 0) continue;
        store<i32>(chosenAt(rank >> 1), item);
      }
      store<i32>(deviceAt(rank >> 1), item);
      continue;
    }
    const next = bucketAt(item);
    if (next == 0) continue;
    if ((rank & 1) == 0 && bucketType(next) == type) {
      if (op == CHOOSE_FIRSTN || op == CHOOSE_INDEP) continue;
      store<i32>(chosenAt(rank >> 1), item);
      r = leafR(r);
      rank |= 1;
    }
    put(below++, next, x, r, rank);
  }
  return below;
}

/** Puts the devices of input number `i` of those that were drawn ahead into `into`; false: the rule is to be followed. */
export function takeAhead(i: i32, x: i32, into: usize): bool {
  if (!isWhole) return false;
  const first = i * ranks;
  for (let rank: i32 = 0; rank < ranks; rank++) {
    const device = load<i32>(deviceAt(first + rank));
    if (device >= maxDevices || isOut(device, x)) return false;
    const item = load<i32>(chosenAt(first + rank));
    for (let before: i32 = 0; before < rank; before++) {
      if (load<i32>(chosenAt(first + before)) == item || load<i32>(deviceAt(first + before)) == device) return false;
    }
    store<i32>(into + (<usize>rank << 2), device);
  }
  return true;
}

export function rankCount(): i32 {
  return ranks;
}
