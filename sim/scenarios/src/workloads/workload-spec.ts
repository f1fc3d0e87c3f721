/** What clients do, as plain data: what a seed draws, or a scenario file says. Times are in microseconds. */
import { z } from 'zod';

const us = z.int().min(0);
const count = z.int().min(1);

/** How often a client asks for something. */
const pace = z.discriminatedUnion('kind', [
  /** Each of its workers asks, waits for the answer and rests for up to `restUs`. */
  z.strictObject({ kind: z.literal('closed'), workers: us.default(2), restUs: count.default(500_000) }),
  /** So many requests a second on average, whether the cluster keeps up or not; beyond `mostUnderWay` they are left out. */
  z.strictObject({ kind: z.literal('open'), opsPerSecond: count.max(100_000), mostUnderWay: count.default(16) }),
]);

const common = {
  pace: pace.prefault({ kind: 'closed' }),
  /** One request in so many is given up after `timeoutUs`; 0: none is. */
  timeoutOneIn: us.default(0),
  timeoutUs: us.default(5_000_000),
};

/** Any operation on objects that all clients share, compound ones included. */
const objects = z.strictObject({
  kind: z.literal('objects'),
  ...common,
  objects: count.default(8),
  /** A worker stays with an object for up to so many requests. */
  stay: count.default(10),
  /** One time in so many it only reads meanwhile. */
  onlyReadsOneIn: us.default(3),
  /** Most bytes of one write, and of the few large ones. */
  writeBytes: count.default(2000),
  largeWriteBytes: count.default(100_000),
  largeOneIn: us.default(10),
});

/** Operations that depend on what is there: create exclusively, compare and write, assert a version. */
const conditional = z.strictObject({ kind: z.literal('conditional'), ...common, objects: count.default(4) });

/** Objects each of which is written whole, in part and at its end in one of `sizes`, a byte more and a byte less. */
const mixedSizes = z.strictObject({
  kind: z.literal('mixed-sizes'),
  ...common,
  objects: count.default(4),
  sizes: z
    .array(count.max(64 << 20))
    .min(1)
    .default([1, 4096, 65_536, 1 << 20]),
});

/** Logs that every client appends records to: none may be lost, doubled, or come before an earlier one of its writer. */
const appendLog = z.strictObject({
  kind: z.literal('append-log'),
  ...common,
  logs: count.default(2),
  recordBytes: z.int().min(32).default(64),
  /** A log that has grown so long is left, and another begun. */
  logBytes: count.default(16_384),
  /** One request in so many reads. */
  readOneIn: us.default(4),
});

/** Counters in omap that are only ever set to one more than they were read, if they still are what was read. */
const omapCounter = z.strictObject({
  kind: z.literal('omap-counter'),
  ...common,
  counters: count.default(2),
  /** One request in so many only reads. */
  readOneIn: us.default(5),
});

/** Calls of object classes: sections that a lock protects, and sums and versions that are counted up. */
const classes = z.strictObject({
  kind: z.literal('classes'),
  ...common,
  /** So many that are locked, and so many that are added to. */
  objects: count.default(2),
  /** One request in so many only reads. */
  readOneIn: us.default(5),
});

/** Snapshots are taken and removed, and objects written, read in a snapshot and rolled back to one. */
const snapshots = z.strictObject({
  kind: z.literal('snapshots'),
  ...common,
  objects: count.default(4),
  /** Of the whole pool, by name; or numbered, and kept account of by the clients. A pool has one kind or the other. */
  mode: z.enum(['pool', 'self-managed']).default('self-managed'),
  /** Snapshots at a time, at most. */
  snapshots: count.default(4),
});

/** Objects that clients watch and notify of: who watches is told, who dies is forgotten, and no watch is lost. */
const watchNotify = z.strictObject({
  kind: z.literal('watch-notify'),
  pace: common.pace,
  objects: count.default(2),
  /** The OSDs forget who was silent for so long. */
  timeoutSeconds: count.default(15),
  /** For so long a notify waits. */
  notifySeconds: count.default(5),
  /** One notify in so many a watcher does not acknowledge. */
  silentOneIn: us.default(20),
  /** One request in so many on what it watches ends the watch. */
  unwatchOneIn: us.default(6),
});

export const workloadSchema = z.discriminatedUnion('kind', [
  objects,
  conditional,
  mixedSizes,
  appendLog,
  omapCounter,
  classes,
  snapshots,
  watchNotify,
]);

/** A workload as people write it: what is left out is as usual. */
export type WorkloadInput = z.input<typeof workloadSchema>;
/** A workload with nothing left out. */
export type WorkloadSpec = z.output<typeof workloadSchema>;

export type Pace = z.output<typeof pace>;
export type ObjectsSpec = z.output<typeof objects>;
export type ConditionalSpec = z.output<typeof conditional>;
export type MixedSizesSpec = z.output<typeof mixedSizes>;
export type AppendLogSpec = z.output<typeof appendLog>;
export type ClassesSpec = z.output<typeof classes>;
export type SnapshotsSpec = z.output<typeof snapshots>;
export type OmapCounterSpec = z.output<typeof omapCounter>;
export type WatchNotifySpec = z.output<typeof watchNotify>;
