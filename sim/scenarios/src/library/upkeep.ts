import { SeededRandom } from '@spirula/sim-world';

/** How likely operators are at work beside the other misfortunes of a storm: in two runs of five. */
export function drawUpkeepWeight(seed: number): number {
  // A stream of its own: what else a seed draws does not depend on it.
  const random = new SeededRandom(seed, 'upkeep');
  return random.below(5) < 2 ? random.between(1, 6) : 0;
}

/** Monitors that operators may add, where they are at work. */
export function drawSpareMons(seed: number): number {
  return drawUpkeepWeight(seed) > 0 ? new SeededRandom(seed, 'spare monitors').below(3) : 0;
}
