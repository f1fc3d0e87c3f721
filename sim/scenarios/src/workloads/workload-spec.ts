/** What clients do, as plain data: what a seed draws, or a scenario file says. Numbers are integers, times microseconds. */
import type { Instant } from '@spirula/world';

/** How often a client asks for something. */
export type Pace =
  /** Each of its workers asks, waits for the answer and rests for up to `restUs`. */
  | { readonly kind: 'closed'; readonly workers: number; readonly restUs: Instant }
  /** So many requests a second on average, whether the cluster keeps up or not; beyond `mostUnderWay` they are left out. */
  | { readonly kind: 'open'; readonly opsPerSecond: number; readonly mostUnderWay: number };

interface CommonSpec {
  readonly pace: Pace;
  /** One request in so many is given up after `timeoutUs`; 0: none is. */
  readonly timeoutOneIn: number;
  readonly timeoutUs: Instant;
}

/** Any operation on objects that all clients share, compound ones included. */
export interface ObjectsSpec extends CommonSpec {
  readonly kind: 'objects';
  readonly objects: number;
  /** A worker stays with an object for up to so many requests. */
  readonly stay: number;
  /** One time in so many it only reads meanwhile. */
  readonly onlyReadsOneIn: number;
  /** Most bytes of one write, and of the few large ones. */
  readonly writeBytes: number;
  readonly largeWriteBytes: number;
  readonly largeOneIn: number;
}

/** Operations that depend on what is there: create exclusively, compare and write, assert a version. */
export interface ConditionalSpec extends CommonSpec {
  readonly kind: 'conditional';
  readonly objects: number;
}

/** Objects each of which is written whole, in part and at its end in one of `sizes`, a byte more and a byte less. */
export interface MixedSizesSpec extends CommonSpec {
  readonly kind: 'mixed-sizes';
  readonly objects: number;
  readonly sizes: readonly number[];
}

/** Logs that every client appends records to: none may be lost, doubled, or come before an earlier one of its writer. */
export interface AppendLogSpec extends CommonSpec {
  readonly kind: 'append-log';
  readonly logs: number;
  readonly recordBytes: number;
  /** A log that has grown so long is left, and another begun. */
  readonly logBytes: number;
  /** One request in so many reads. */
  readonly readOneIn: number;
}

/** Counters in omap that are only ever set to one more than they were read, if they still are what was read. */
export interface OmapCounterSpec extends CommonSpec {
  readonly kind: 'omap-counter';
  readonly counters: number;
  readonly readOneIn: number;
}

export type WorkloadSpec = ObjectsSpec | ConditionalSpec | MixedSizesSpec | AppendLogSpec | OmapCounterSpec;
