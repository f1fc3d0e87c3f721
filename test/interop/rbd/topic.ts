/**
 * Lines of Debian's `rbd`, of other tools that use images, and of Python programs here, that are to give the same on Ceph 16.2
 * and here: return code, standard output, standard error. driver.py says which lines there are. `POOL` stands for a pool of the
 * topic's own; pools whose names begin with it are removed with it.
 */
import type { Step, Topic } from '../commands/topic.ts';

export type { Step, Topic };

/** Lines that only prepare, or measure: what they print differs from run to run, their return code does not. */
export function quiet(line: string): Step {
  return { line, compare: 'code' };
}

/** Everything that is in the pool, or in a namespace of it. */
export const STATE = 'state POOL';
