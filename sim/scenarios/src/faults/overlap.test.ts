import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { Lab } from '../lab.ts';
import { checkScenario } from '../read-scenario.ts';
import type { Fault } from './fault.ts';

test.each<[string, Fault['fault'] & ('crash' | 'hang' | 'stop'), 'stopped' | 'hung']>([
  ['crashed and lost power', 'crash', 'stopped'],
  ['was stopped and lost power', 'stop', 'stopped'],
])('a daemon that %s comes back when both are over', (_, fault, state) => {
  const faults = [
    { at: '2s', for: '30s', fault, daemons: 'osd.1' },
    { at: '10s', for: '5s', fault: 'power-loss', daemons: 'osd.1' },
  ];
  const lab = new Lab(checkScenario({ name: 'twice', faults, duration: '60s' }), 1);
  expect(lab.boot()).toBeUndefined();
  const { process } = lab.cluster.osds[1]!;
  lab.advance(lab.began + 20 * SECOND);
  expect(process.state).toBe(state);

  lab.advance(lab.began + 33 * SECOND);
  expect(process.state).toBe('running');
});
