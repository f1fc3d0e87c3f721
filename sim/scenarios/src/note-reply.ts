import type { CommandResult } from '@spirula/mon-client';
import type { Simulation } from '@spirula/sim-world';

/** Notes in the log what came of a command. */
export function noteReply(
  { simulation }: { readonly simulation: Simulation },
  command: Readonly<Record<string, unknown>>,
  { code, status }: CommandResult,
): void {
  const outcome = code === 0 ? 'done' : `error ${code}`;
  simulation.addNote(`${command['prefix']}: ${outcome} ${status}`.trimEnd());
}
