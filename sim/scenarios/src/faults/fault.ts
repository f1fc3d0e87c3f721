/**
 * The vocabulary of faults: what can be done to a cluster, as plain data. Scenario files, the seed's own draws, the shell and
 * shrunk cases all say it in these words; `FAULT_TEXTS` says it to people, fault-text.ts reads and writes it in a line.
 */
import { z } from 'zod';
import { parseSpan } from '../span.ts';

/** Who is meant: names of daemons, CRUSH buckets, or words such as `leader`: see targets.ts. */
export const daemons = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
    error: 'whom it is for: a name such as osd.2, or a list of names',
  })
  .readonly();
export const span = z
  .union([z.string(), z.number()])
  .transform((value) => String(value))
  .refine((text) => parseSpan(text) !== undefined, { error: 'a span of time such as 30s, 1.5m or 200ms' });
const signedSpan = z
  .union([z.string(), z.number()])
  .transform((value) => String(value))
  .refine((text) => parseSpan(text.replace(/^[-+]/, '')) !== undefined, {
    error: 'a span of time, with a sign where it goes back: 5s, -2m',
  });
/** Which of an OSD's networks: `front` carries clients and monitors, `back` what OSDs say to one another; both unless said. */
const network = z.enum(['front', 'back', 'both']).optional();
const factor = z.int().min(2).max(1000);
const count = z.int().min(1).max(10_000);
const oneIn = z.int().min(1).max(1_000_000).optional();

/** One schema a kind of fault. Times that a fault lasts are said beside it: see plan.ts. */
export const FAULT_SCHEMAS = {
  // Processes
  crash: z.strictObject({ fault: z.literal('crash'), daemons }),
  'power-loss': z.strictObject({ fault: z.literal('power-loss'), daemons }),
  hang: z.strictObject({ fault: z.literal('hang'), daemons }),
  stop: z.strictObject({ fault: z.literal('stop'), daemons }),
  start: z.strictObject({ fault: z.literal('start'), daemons }),
  restart: z.strictObject({ fault: z.literal('restart'), daemons }),
  'rolling-restart': z.strictObject({ fault: z.literal('rolling-restart'), daemons, pause: span }),
  'slow-cpu': z.strictObject({ fault: z.literal('slow-cpu'), daemons, factor }),
  replace: z.strictObject({ fault: z.literal('replace'), daemons }),
  'lose-disk': z.strictObject({ fault: z.literal('lose-disk'), daemons }),
  'lose-store': z.strictObject({ fault: z.literal('lose-store'), daemons }),
  'remove-mon': z.strictObject({ fault: z.literal('remove-mon'), daemons }),
  'add-mon': z.strictObject({ fault: z.literal('add-mon'), daemons }),
  // Disks
  'read-error': z.strictObject({ fault: z.literal('read-error'), daemons, oneIn }),
  'write-error': z.strictObject({ fault: z.literal('write-error'), daemons, oneIn }),
  'flush-error': z.strictObject({ fault: z.literal('flush-error'), daemons, oneIn }),
  'bit-rot': z.strictObject({ fault: z.literal('bit-rot'), daemons, count }),
  'torn-write': z.strictObject({ fault: z.literal('torn-write'), daemons, count }),
  'misdirected-write': z.strictObject({ fault: z.literal('misdirected-write'), daemons, count }),
  'lost-write': z.strictObject({ fault: z.literal('lost-write'), daemons, count }),
  'disk-stall': z.strictObject({ fault: z.literal('disk-stall'), daemons }),
  'slow-disk': z.strictObject({ fault: z.literal('slow-disk'), daemons, factor }),
  'disk-full': z.strictObject({ fault: z.literal('disk-full'), daemons }),
  // Networks
  partition: z.strictObject({
    fault: z.literal('partition'),
    groups: z.tuple([daemons, daemons]).readonly(),
    oneWay: z.boolean().optional(),
    network,
  }),
  isolate: z.strictObject({
    fault: z.literal('isolate'),
    daemons,
    ways: z.enum(['both', 'deaf', 'mute']).optional(),
    network,
  }),
  clog: z.strictObject({ fault: z.literal('clog'), daemons, network }),
  delay: z.strictObject({ fault: z.literal('delay'), daemons, upTo: span, network }),
  'latency-tail': z.strictObject({
    fault: z.literal('latency-tail'),
    daemons,
    oneIn: z.int().min(1),
    from: span,
    upTo: span,
    network,
  }),
  bandwidth: z.strictObject({ fault: z.literal('bandwidth'), daemons, bytesPerSecond: z.int().min(1000), network }),
  reset: z.strictObject({ fault: z.literal('reset'), daemons: daemons.optional(), count: count.optional() }),
  refuse: z.strictObject({ fault: z.literal('refuse'), daemons }),
  // Clocks
  'wall-jump': z.strictObject({ fault: z.literal('wall-jump'), daemons, by: signedSpan }),
  drift: z.strictObject({ fault: z.literal('drift'), daemons, ppm: z.int().min(-500_000).max(500_000) }),
  // All of them
  heal: z.strictObject({ fault: z.literal('heal') }),
  // Operators, and clients that insist
  command: z.strictObject({
    fault: z.literal('command'),
    command: z.looseObject({ prefix: z.string() }).readonly(),
    /** Given when the fault ends. */
    undo: z.looseObject({ prefix: z.string() }).readonly().optional(),
  }),
  focus: z.strictObject({
    fault: z.literal('focus'),
    client: z.string(),
    object: z.string(),
    how: z.enum(['reading', 'writing']),
  }),
} as const;

export type FaultKind = keyof typeof FAULT_SCHEMAS;
export type FaultOf<K extends FaultKind> = Readonly<z.infer<(typeof FAULT_SCHEMAS)[K]>>;
export type Fault = { readonly [K in FaultKind]: FaultOf<K> }[FaultKind];
export type Daemons = z.infer<typeof daemons>;

/** What each kind of fault is, in a line. */
export const FAULT_TEXTS: Readonly<Record<FaultKind, string>> = {
  crash: 'the process is killed: memory gone, connections reset; the disk keeps what was flushed and part of the rest',
  'power-loss': 'the machine is: peers hear nothing; unflushed data gone, the last write torn at a sector',
  hang: 'the process falls silent (SIGSTOP); its kernel still takes connections and data',
  stop: 'an orderly stop (SIGTERM)',
  start: 'a process that is stopped starts, one that hangs goes on',
  restart: 'an orderly stop, and started again a second later',
  'rolling-restart': 'one daemon after another is restarted, `pause` apart',
  'slow-cpu': 'every event takes `factor` times as long to handle',
  replace: 'an OSD loses its disk and is replaced by a new one under the same number',
  'lose-disk': "an OSD's disk is gone for good, and nobody replaces it: it does not start again",
  'lose-store': "a monitor's store is lost; it starts again with an empty one",
  'remove-mon': 'a monitor is removed (mon rm), and added again with an empty store when the fault ends',
  'add-mon': 'a spare monitor is added (`spareMons`; mon add), and removed when the fault ends',
  'read-error': 'reads from the disk fail (EIO), all or one in `oneIn`',
  'write-error': 'writes to the disk fail (EIO), all or one in `oneIn`',
  'flush-error': 'flushes fail (EIO), all or one in `oneIn`',
  'bit-rot': 'bits flip in `count` stored blocks, unnoticed until they are read',
  'torn-write': 'of the next `count` writes only some sectors arrive, though they are acknowledged',
  'misdirected-write': 'the next `count` writes go to another place',
  'lost-write': 'the next `count` writes are acknowledged and never made',
  'disk-stall': 'no flush completes',
  'slow-disk': 'the disk takes `factor` times as long',
  'disk-full': 'the disk takes no more data (ENOSPC)',
  partition: 'two groups do not hear one another; `oneWay`: the first does not reach the second',
  isolate: 'cut off from all others; `deaf` hears nobody, `mute` is not heard',
  clog: 'what is sent to or from it is held, and arrives when the clog ends',
  delay: 'what is sent to or from it takes up to `upTo` longer',
  'latency-tail': 'one packet in `oneIn` takes from `from` to `upTo` longer, the longer the rarer',
  bandwidth: 'its network sends no more than so many bytes a second',
  reset: 'connections break: all of `daemons`, or `count` drawn ones',
  refuse: 'it takes no new connections; those it has live on',
  'wall-jump': 'the wall clock jumps, and back when the fault ends',
  drift: 'the monotonic clock runs fast or slow by `ppm` millionths; at most 1000 is survived',
  heal: 'every fault that lasts ends, what is stopped starts; later ones may strike again',
  command: 'a command to the monitors, as an operator gives it, right or wrong; {primary of 1.7} stands for an id',
  focus: 'a client reads or writes one object above all others',
};
