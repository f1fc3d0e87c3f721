/** What a seed makes of the machines where a scenario asks about protocols: nothing that its figures hang on. */
import { SeededRandom } from '@spirula/sim-world';
import type { ScenarioInput } from '../spec.ts';

type Surroundings = Pick<NonNullable<ScenarioInput['cluster']>, 'disk' | 'network' | 'timerSlackUs'>;

/** Round trips of a local network, flushes of a solid-state disk or slower, timers that come late. */
export function drawSurroundings(seed: number): Surroundings {
  const random = new SeededRandom(seed, 'surroundings');
  const rtt = random.pick([100, 300, 1000]);
  const flush = random.pick([50, 500, 5000]);
  return {
    network: { latencyUs: [rtt, rtt * random.between(1, 3)], codecOneIn: 40 },
    disk: { flushUs: [flush, flush * 10], stallOneIn: 0, stallUs: 0 },
    timerSlackUs: random.pick([1, 1000, 10_000]),
  };
}
