import { SeededRandom } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { Lab } from '../lab.ts';
import { sendCommand } from '../operator.ts';
import { checkScenario } from '../read-scenario.ts';
import { UPKEEP } from './upkeep.ts';

function bootedLab(): Lab {
  const spec = checkScenario({
    name: 'upkeep',
    cluster: { osds: 5, clients: 1, spareMons: 1 },
    pools: [{ name: 'data', pgNum: 8 }],
    workloads: [{ kind: 'objects', objects: 3, pace: { kind: 'closed', workers: 1, restUs: SECOND } }],
  });
  const lab = new Lab(spec, 1);
  expect(lab.boot()).toBeUndefined();
  return lab;
}

function answerTo({ cluster, simulation }: Lab, command: Readonly<Record<string, unknown>>): string {
  let answer: string | undefined;
  sendCommand(cluster, command, ({ code, status }) => {
    answer = code === 0 ? 'done' : `${code} ${status}`;
  });
  const deadline = simulation.now + 20 * SECOND;
  while (answer === undefined && simulation.now < deadline) simulation.runFor(SECOND / 10);
  return answer ?? 'no answer';
}

test('the monitors do all that is drawn, and take it back', () => {
  const lab = bootedLab();
  const random = new SeededRandom(5, 'upkeep test');
  const refused: string[] = [];
  const drawn = new Set<string>();
  for (let round = 0; round < 8; round++) {
    for (const draw of UPKEEP) {
      const doing = draw(lab.cluster, random.pick(lab.cluster.osds), random);
      if (doing === undefined) continue;
      if ('fault' in doing) {
        drawn.add(doing.fault.fault);
        continue;
      }
      drawn.add(String(doing.command['prefix']));
      for (const command of [doing.before, doing.command, doing.undo]) {
        const answer = command && answerTo(lab, command);
        if (answer !== undefined && answer !== 'done') refused.push(`${JSON.stringify(command)}: ${answer}`);
      }
    }
  }

  expect(refused).toEqual([]);
  expect([...drawn].sort()).toEqual([
    'add-mon',
    'config set',
    'mon set-rank',
    'osd pg-temp',
    'osd pg-upmap-items',
    'osd pool mksnap',
    'osd pool set-quota',
    'osd set',
    'osd set-group',
    'remove-mon',
  ]);
});
