/** What a storm draws from. */

/** Kinds of misfortune that a storm knows. Most are the fault of that name, against a daemon that is drawn; the others: */
export const STORM_KINDS = [
  'crash',
  'power-loss',
  /** All machines but the clients' lose power at once. */
  'blackout',
  /** All that stands under one CRUSH bucket, a host or a rack, loses power. */
  'subtree',
  'hang',
  'restart',
  'slow-cpu',
  'replace',
  'lose-disk',
  'lose-store',
  'read-error',
  'write-error',
  'flush-error',
  'bit-rot',
  'torn-write',
  'misdirected-write',
  'lost-write',
  'disk-stall',
  'slow-disk',
  'disk-full',
  /** One machine against all others, both ways or one. */
  'isolate',
  /** Two groups that do not hear one another. */
  'split',
  /** Two machines. */
  'cut',
  /** The leading monitor and the other monitors do not hear one another; all others hear all of them. */
  'leader',
  'clog',
  'delay',
  'latency-tail',
  'bandwidth',
  /** Some connections break. */
  'reset',
  'refuse',
  'wall-jump',
  'drift',
  /** All OSDs of a PG are struck down just when they have made a write durable, or say so. */
  'ambush',
  /** A client and OSDs it works with reach one another and nobody else. */
  'corner',
  /** An object gateway crashes. */
  'gateway',
  /** An operator's mistake, and what puts it right: see mistakes.ts. */
  'operator',
  /** What operators rightly do while clients work: see upkeep.ts. */
  'upkeep',
] as const;

export type StormKind = (typeof STORM_KINDS)[number];

export interface StormConfig {
  /** How likely each kind is beside the others; what is not there does not happen. */
  readonly weights: { readonly [K in StormKind]?: number | undefined };
  /** Faults begin at intervals of up to so long, in microseconds. */
  readonly intervalUs: number;
  /** And last up to so long. */
  readonly durationUs: number;
  /** OSDs that are silent for so long are reported. */
  readonly graceUs: number;
  /** Daemons of a kind that may suffer at a time. */
  readonly maxMons: number;
  readonly maxOsds: number;
}
