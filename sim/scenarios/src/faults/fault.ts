/**
 * The vocabulary of faults: what can be done to a cluster, as plain data. Scenario files, the seed's own draws, the shell and
 * shrunk cases all say it in these words; `FAULT_TEXTS` says it to people, fault-text.ts reads and writes it in a line.
 */
import { z } from 'zod';
import { parseSpan } from '../span.ts';

/** Who is meant: names of daemons, CRUSH buckets, or words such as `leader`: see targets.ts. */
export const daemons = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).readonly();
export const span = z
  .union([z.string(), z.number()])
  .transform((value) => String(value))
  .refine((text) => parseSpan(text) !== undefined, { error: 'a span of time such as 30s, 1.5m or 200ms' });
/** Which of an OSD's networks: `front` carries clients and monitors, `back` what OSDs say to one another; both unless said. */
const network = z.enum(['front', 'back', 'both']).optional();
const count = z.int().min(1).max(10_000);

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
  delay: z.strictObject({ fault: z.literal('delay'), daemons, upTo: span, network }),
  reset: z.strictObject({ fault: z.literal('reset'), daemons: daemons.optional(), count: count.optional() }),
  // All of them
  heal: z.strictObject({ fault: z.literal('heal') }),
  // Operators, and clients that insist
  command: z.strictObject({
    fault: z.literal('command'),
    command: z.looseObject({ prefix: z.string() }).readonly(),
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
  partition: 'two groups do not hear one another; `oneWay`: the first does not reach the second',
  isolate: 'cut off from all others; `deaf` hears nobody, `mute` is not heard',
  delay: 'what is sent to or from it takes up to `upTo` longer',
  reset: 'connections break: all of `daemons`, or `count` drawn ones',
  heal: 'every fault that lasts ends, what is stopped starts; later ones may strike again',
  command: 'a command to the monitors, as an operator gives it, right or wrong',
  focus: 'a client reads or writes one object above all others',
};
