/** How long a fault lets requests wait: distributions, drawn from numbers in [0, 1). */
import { FaultRuleError } from './fault-rule-error.ts';
import { draw } from './random.ts';

/** Milliseconds, or `uniform:LEAST:MOST`, `normal:MEAN:DEVIATION`, `pareto:LEAST:SHAPE`. */
export type Latency =
  | number
  | `uniform:${number}:${number}`
  | `normal:${number}:${number}`
  | `pareto:${number}:${number}`;

/** Draws milliseconds, 0 .. one hour, from a random state, and gives the next state. */
export type LatencyDraw = (random: number) => readonly [random: number, ms: number];

const MAX_MS = 3_600_000;

/** @throws FaultRuleError */
export function readLatency(latency: unknown): LatencyDraw {
  if (typeof latency === 'number') {
    if (!(latency >= 0 && latency <= MAX_MS))
      throw new FaultRuleError(`latency: give milliseconds from 0 to ${MAX_MS}`);
    return (random) => [random, latency];
  }
  const found = /^(uniform|normal|pareto):(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)$/.exec(String(latency));
  if (!found) {
    throw new FaultRuleError(
      'latency: give milliseconds, uniform:LEAST:MOST, normal:MEAN:DEVIATION or pareto:LEAST:SHAPE',
    );
  }
  const [first, second] = [Number(found[2]), Number(found[3])];
  if (first > MAX_MS) throw new FaultRuleError(`latency: give milliseconds from 0 to ${MAX_MS}`);
  if (found[1] === 'normal') return (random) => normal(random, first, second);
  if (found[1] === 'pareto') {
    if (second === 0) throw new FaultRuleError('latency: the shape of pareto:LEAST:SHAPE is above 0');
    return (random) => pareto(random, first, second);
  }
  if (second < first || second > MAX_MS) {
    throw new FaultRuleError(`latency: uniform:LEAST:MOST goes up, to ${MAX_MS} at most`);
  }
  return (random) => uniform(random, first, second);
}

function uniform(random: number, least: number, most: number): readonly [number, number] {
  const [next, value] = draw(random);
  return [next, least + (most - least) * value];
}

const SUMMANDS = 12;

/** The sum of twelve uniform numbers less their mean (Irwin-Hall): without the logarithm, in which engines differ. */
function normal(random: number, mean: number, deviation: number): readonly [number, number] {
  let state = random;
  let sum = -SUMMANDS / 2;
  for (let i = 0; i < SUMMANDS; i++) {
    const [next, value] = draw(state);
    state = next;
    sum += value;
  }
  return [state, bounded(mean + deviation * sum)];
}

/** P(X > x) = (least / x) ^ shape: most wait little, few very long. */
function pareto(random: number, least: number, shape: number): readonly [number, number] {
  const [next, value] = draw(random);
  return [next, bounded(least / (1 - value) ** (1 / shape))];
}

function bounded(ms: number): number {
  return Math.min(MAX_MS, Math.max(0, ms));
}
