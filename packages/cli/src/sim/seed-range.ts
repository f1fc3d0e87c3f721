/** Which seeds a run takes. */
import { UserError } from '../cluster/user-error.ts';

export interface SeedRange {
  readonly first: number;
  /** Included. */
  readonly last: number;
}

/** One part of several that share a range: `index` counts from 0. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

const MAX_SEED = 0xffff_ffff;

/** @throws UserError unless `text` is a range such as 1..1000 (or 1-1000). */
export function parseSeeds(text: string): SeedRange {
  const match = /^(\d+)(?:\.\.|-)(\d+)$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2]);
  if (!match || last < first || last > MAX_SEED) {
    throw new UserError(`--seeds takes a range such as 1..1000, up to ${MAX_SEED}, not ${text}.`);
  }
  return { first, last };
}

/** @throws UserError unless `text` is a part such as 0/4: the first of four, as Kubernetes counts its indexes. */
export function parseShard(text: string): Shard {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const index = Number(match?.[1]);
  const count = Number(match?.[2]);
  if (!match || count < 1 || index >= count) {
    throw new UserError(`--shard takes a part such as 0/4, the first of four, not ${text}.`);
  }
  return { index, count };
}

/** The seeds of `range` that fall to `shard`: every `count`th, so that all shards take about as long. */
export function seedsOf(range: SeedRange, shard: Shard = { index: 0, count: 1 }): number[] {
  const seeds: number[] = [];
  for (let seed = range.first + shard.index; seed <= range.last; seed += shard.count) seeds.push(seed);
  return seeds;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds in a span of time such as 90, 90s, 5m, 1h or 2d. @throws UserError */
export function parseSpan(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text);
  const span = Number(match?.[1]) * (UNIT_SECONDS[match?.[2] ?? ''] ?? Number.NaN);
  if (!match || span <= 0) throw new UserError(`${flag} takes a span of time such as 90s, 5m or 1h, not ${text}.`);
  return span;
}
