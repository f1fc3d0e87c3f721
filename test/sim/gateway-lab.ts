/** Two gateways on a small cluster without faults of its own. */
import { checkScenario, Lab, type ScenarioInput } from '@spirula/sim-scenarios';
import { expect } from 'vitest';
import { GatewayPlace } from '../../sim/scenarios/src/gateways/gateway-place.ts';
import { runUntil } from './lab-time.ts';

/** @param cluster what is not as usual: one monitor, four OSDs */
export async function openGateways(seed: number, name: string, cluster: ScenarioInput['cluster'] = {}) {
  const spec = checkScenario({
    name,
    cluster: { mons: 1, osds: 4, mgrs: 0, clients: 1, ...cluster },
    pools: [{ name: 'data', pgNum: 4 }],
    workloads: [{ kind: 'objects', objects: 1, pace: { kind: 'closed', workers: 0 } }],
    checkOneIn: 1000,
  });
  const lab = new Lab(spec, seed);
  expect(lab.boot()).toBeUndefined();
  const places = [new GatewayPlace(lab.cluster, 'rgw0'), new GatewayPlace(lab.cluster, 'rgw1')];
  expect(await runUntil(lab, () => places.every(({ gateway }) => gateway), 120)).toBe(true);
  return { lab, places };
}
