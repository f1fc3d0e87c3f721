/** What a scenario may expect: plain data, and how it reads to people. */
import { SECOND } from '@spirula/world';
import { z } from 'zod';
import { conditionSchema } from './conditions.ts';
import { span } from './faults/fault.ts';
import { parseSpan } from './span.ts';

/** When everything that was done to the cluster is put right. */
export const HEAL = 'heal';

/** What the end of a fault is called. */
export function endOf(fault: string): string {
  return `${fault} ends`;
}

/**
 * When something begins or ends to count: the name of a fault, when it strikes; `kill ends`, when one of that name does;
 * `heal`, when all faults have; or a condition, when it comes to hold. A window opens `grace` after `after` (after the start, when that is left out), and closes with `until`, or when all is over.
 */
const WINDOW = {
  after: z.string().optional(),
  /** So long after `after` it begins to count: what was under way may still end. */
  grace: span.optional(),
  until: z.string().optional(),
};
const SPANS = { atLeast: span.optional(), atMost: span.optional() };
const times = z.int().min(0);

/**
 *     what     comes to hold, so long after `after`
 *     never    does not hold in the window
 *     count    comes to hold so many times in the window; of answers, so many come
 *     last     holds for the last time in the window, so long after `after`
 *     slowest  of the requests that clients waited for within the window, the slowest took so long, up to its end
 *     finally  holds when everything is over
 */
export const expectationSchema = z.union(
  [
    z.strictObject({ what: conditionSchema, after: z.string().optional(), ...SPANS }),
    z.strictObject({ never: conditionSchema, ...WINDOW }),
    z.strictObject({ count: conditionSchema, ...WINDOW, atLeast: times.optional(), atMost: times.optional() }),
    z.strictObject({ last: conditionSchema, ...WINDOW, ...SPANS }),
    z.strictObject({ slowest: z.enum(['write', 'read', 'request']), ...WINDOW, ...SPANS }),
    z.strictObject({ finally: conditionSchema }),
  ],
  {
    error:
      'an expectation says one of what, never, count, last, slowest and finally, with after, grace, until, atLeast, atMost',
  },
);

export type Expectation = z.infer<typeof expectationSchema>;

/** The moments that an expectation names. */
export function marksOf(expectation: Expectation): string[] {
  const { after, until } = expectation as { after?: string; until?: string };
  return [after, until].filter((each) => each !== undefined);
}

/** The condition it is about; none for the slowest request. */
export function conditionOf(expectation: Expectation): string | undefined {
  if ('what' in expectation) return expectation.what;
  if ('never' in expectation) return expectation.never;
  if ('count' in expectation) return expectation.count;
  if ('last' in expectation) return expectation.last;
  return 'finally' in expectation ? expectation.finally : undefined;
}

/** An expectation in a line: `osd.0 down after kill (within 1.5 s)`. */
export function describeExpectation(expectation: Expectation): string {
  if ('finally' in expectation) return `in the end ${expectation.finally}`;
  const { after, grace, until } = expectation as { after?: string; grace?: string; until?: string };
  const start = after === undefined ? '' : ` after ${after}`;
  const pause = grace === undefined ? '' : `${after === undefined ? ' after' : ' and'} ${inWords(grace)}`;
  const where = `${start}${pause}${until === undefined ? '' : ` until ${until}`}`;
  if ('never' in expectation) return `never ${expectation.never}${where}`;
  if ('count' in expectation) {
    const { count, atLeast, atMost } = expectation;
    return `${count}${where}${bounds(atLeast && `${atLeast}`, atMost === undefined ? undefined : `${atMost}`, 'times')}`;
  }
  const { atLeast, atMost } = expectation;
  const limits = bounds(atLeast && inWords(atLeast), atMost && inWords(atMost), '');
  if ('slowest' in expectation) return `slowest ${expectation.slowest}${where}${limits}`;
  return `${'last' in expectation ? `last ${expectation.last}` : expectation.what}${where}${limits}`;
}

function bounds(atLeast: string | 0 | undefined, atMost: string | undefined, unit: string): string {
  const text = atLeast ? (atMost ? `${atLeast} to ${atMost}` : `at least ${atLeast}`) : atMost && `at most ${atMost}`;
  return text ? ` (${`${text} ${unit}`.trimEnd()})` : '';
}

function inWords(span: string): string {
  return `${parseSpan(span)! / SECOND} s`;
}
