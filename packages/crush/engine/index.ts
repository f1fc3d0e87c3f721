/** The mapping engine: many inputs under one rule of one map. Built into `src/engine-code.ts` by `build-engine.ts`. */
import { drawAhead, inputsAhead, prepare, rankCount, takeAhead } from './ahead';
import { doRule, STEP_BYTES } from './rule';

export { leastOf, spread } from './draws';
export { placeMap, placeRun, placeScratch } from './memory';
export { tune } from './rule';

/** The devices of each input, `most` places an input, and how many there are. */
export function mapInputs(steps: usize, stepCount: i32, inputs: usize, count: i32, most: i32, into: usize, lengths: usize): void {
  const end = steps + <usize>(stepCount * STEP_BYTES);
  prepare(steps, end, most);
  let ahead: i32 = 0;
  let drawn: i32 = 0;
  for (let i: i32 = 0; i < count; i++) {
    const x = load<i32>(inputs + (<usize>i << 2));
    const to = into + (<usize>(i * most) << 2);
    if (inputsAhead > 0 && ahead == drawn) {
      drawn = min(inputsAhead, count - i);
      ahead = 0;
      drawAhead(inputs + (<usize>i << 2), drawn);
    }
    const isDone = inputsAhead > 0 && takeAhead(ahead++, x, to);
    store<i32>(lengths + (<usize>i << 2), isDone ? rankCount() : doRule(steps, end, x, most, to));
  }
}
