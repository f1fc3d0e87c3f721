/** What was done by hand in a shell, and how it can be written down. */
import type { FaultPlan, HandAction } from '@spirula/sim-scenarios';

export interface ShellAction extends HandAction {
  /** Entry of a scenario that does the same, but for when. */
  readonly entry?: Omit<FaultPlan, 'at'>;
  /** Texts of the faults it ends. */
  readonly ends?: readonly string[];
}
