/** When a fault strikes, and for how long: the entries of a scenario's list of faults. */
import { z } from 'zod';
import { conditionSchema } from '../conditions.ts';
import { FAULT_SCHEMAS, type Fault, type FaultKind, span } from './fault.ts';

/**
 * One of `at` (once, after the start), `every` (again and again, each time up to `jitter` earlier or later) and `when` (a
 * condition; see conditions.ts) says when. `for` ends it; without it a fault lasts until everything is healed.
 */
const TIMES = {
  /** What the entry is called in expectations. */
  name: z.string().optional(),
  at: span.optional(),
  every: span.optional(),
  jitter: span.optional(),
  when: conditionSchema.optional(),
  /** So long after `when` holds. */
  after: span.optional(),
  /** How often at most; once for `when`, without limit for `every`. */
  times: z.int().min(1).optional(),
  for: span.optional(),
};

const entries = (Object.keys(FAULT_SCHEMAS) as FaultKind[]).map((kind) => FAULT_SCHEMAS[kind].extend(TIMES));

/** Schema of an entry: a fault and when it strikes. */
export const planSchema = z
  .discriminatedUnion('fault', entries as unknown as [(typeof entries)[number], ...(typeof entries)[number][]], {
    error: `there is no such fault; there are: ${Object.keys(FAULT_SCHEMAS).join(', ')}`,
  })
  .superRefine((entry, context) => {
    const { at, every, when, jitter, after } = entry as unknown as PlanTimes;
    const given = [at, every, when].filter((each) => each !== undefined).length;
    if (given !== 1) context.addIssue({ code: 'custom', message: 'one of at, every and when says when it strikes' });
    if (jitter !== undefined && every === undefined) {
      context.addIssue({ code: 'custom', message: 'jitter goes with every', path: ['jitter'] });
    }
    if (after !== undefined && when === undefined) {
      context.addIssue({ code: 'custom', message: 'after goes with when', path: ['after'] });
    }
  });

interface PlanTimes {
  readonly name?: string | undefined;
  readonly at?: string | undefined;
  readonly every?: string | undefined;
  readonly jitter?: string | undefined;
  readonly when?: string | undefined;
  readonly after?: string | undefined;
  readonly times?: number | undefined;
  readonly for?: string | undefined;
}

export type FaultPlan = PlanTimes & Fault;

/** The fault of an entry, without its times. */
export function faultOf(plan: FaultPlan): Fault {
  const { name, at, every, jitter, when, after, times, for: duration, ...fault } = plan;
  return fault as Fault;
}
