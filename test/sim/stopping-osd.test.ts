import { checkScenario, Lab } from '@spirula/sim-scenarios';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';

test('an OSD that stops serves nothing from then on, however long the monitors take to mark it down', () => {
  const lab = new Lab(checkScenario({ name: 'stop', cluster: { osds: 3, mgrs: 0 }, pools: [{ pgNum: 8 }] }), 1);
  expect(lab.boot()).toBeUndefined();
  lab.advance(lab.simulation.now + 5 * SECOND);
  const { process, daemon } = lab.cluster.osds[0]!;
  expect(daemon!.servedPgs().length).toBeGreaterThan(0);

  for (const mon of lab.cluster.mons) mon.process.hang();
  process.terminate();
  expect(daemon!.servedPgs()).toEqual([]);
  lab.simulation.runFor(SECOND);
  expect([process.state, daemon!.servedPgs()]).toEqual(['running', []]);
});
