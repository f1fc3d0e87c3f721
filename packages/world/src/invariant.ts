/** A bug in this program. Never caught by a daemon: the process exits, a simulated run fails and prints its seed. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** Stays on everywhere, real processes included. One condition per call; `rule` states what must hold. */
export function invariant(condition: boolean, rule: string): asserts condition {
  if (!condition) throw new InvariantViolation(rule);
}

/** The end of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new InvariantViolation(`unreachable: ${JSON.stringify(value)}`);
}
