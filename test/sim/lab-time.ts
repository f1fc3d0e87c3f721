/** Virtual time for tests that wait for promises. */
import type { Lab } from '@spirula/sim-scenarios';
import { SECOND } from '@spirula/world';

/** Lets virtual time pass until `done`; what hangs on promises is settled before it moves. */
export async function runUntil(lab: Lab, done: () => boolean, withinSeconds: number): Promise<boolean> {
  const { simulation } = lab;
  const deadline = simulation.now + withinSeconds * SECOND;
  while (!done() && simulation.now < deadline && simulation.violations.length === 0) {
    await simulation.runWithPromises(Math.min(deadline, simulation.now + SECOND / 50));
  }
  return done();
}

export async function settle<T>(lab: Lab, promise: Promise<T>, withinSeconds = 300): Promise<T> {
  let settled = false;
  const done = () => {
    settled = true;
  };
  promise.then(done, done);
  if (!(await runUntil(lab, () => settled, withinSeconds))) {
    throw new Error(`no answer in ${withinSeconds} s; ${lab.simulation.violations.join('; ')}`);
  }
  return promise;
}
