import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { findUntrueHealth } from './checkers/health-truth.ts';
import { findMonDisagreement } from './checkers/mon-agreement.ts';
import { Lab } from './lab.ts';
import { checkScenario } from './read-scenario.ts';

function bootedLab(mons = 3): Lab {
  const spec = checkScenario({
    name: 'monitors',
    cluster: { mons, spareMons: 1, osds: 3, clients: 1 },
    pools: [{ name: 'data', pgNum: 8 }],
    workloads: [{ kind: 'objects', objects: 3, pace: { kind: 'closed', workers: 1, restUs: SECOND } }],
  });
  const lab = new Lab(spec, 1);
  expect(lab.boot()).toBeUndefined();
  return lab;
}

function members({ cluster }: Lab): string[] {
  return cluster.monMembers.map(({ process }) => process.spec.entity.id);
}

test('a monitor is removed and a spare one added while faults last; then all is as before', () => {
  const lab = bootedLab();
  const { cluster, injector, simulation } = lab;
  const [a, b, , d] = cluster.mons.map(({ process }) => process);

  injector.inject({ fault: 'remove-mon', daemons: ['mon.a'] }, { forUs: 40 * SECOND });
  injector.inject({ fault: 'add-mon', daemons: ['mon.d'] }, { forUs: 60 * SECOND });
  simulation.runFor(30 * SECOND);
  expect(members(lab)).toEqual(['b', 'c', 'd']);
  expect([a!.state, d!.state]).toEqual(['stopped', 'running']);
  expect(findMonDisagreement(cluster)).toEqual([]);
  expect(findUntrueHealth(cluster)).toEqual([]);

  b!.crash();
  simulation.runFor(20 * SECOND);
  expect(findMonDisagreement(cluster)).toContain('mon.b does not run');
  expect(findUntrueHealth(cluster)).toEqual([]);

  b!.start();
  simulation.runFor(60 * SECOND);
  expect(members(lab)).toEqual(['a', 'b', 'c']);
  expect([a!.state, d!.state]).toEqual(['running', 'stopped']);
  expect(findMonDisagreement(cluster)).toEqual([]);
  expect(findUntrueHealth(cluster)).toEqual([]);
  expect(simulation.violations).toEqual([]);
});

test("a monitor that was removed without the operators' knowledge is added again", () => {
  const lab = bootedLab();
  const { cluster, injector, simulation } = lab;
  injector.inject({ fault: 'add-mon', daemons: ['mon.d'] });
  simulation.runFor(20 * SECOND);

  injector.inject({ fault: 'command', command: { prefix: 'mon rm', name: 'b' } });
  simulation.runFor(60 * SECOND);

  expect(cluster.mons[1]!.process.runs).toBe(2);
  expect(members(lab)).toEqual(['a', 'b', 'c', 'd']);
  expect(findMonDisagreement(cluster)).toEqual([]);
});

test('a monitor that is to go again as soon as it is added starts first: without it there is no quorum to remove it', () => {
  const lab = bootedLab(1);
  const { cluster, injector, simulation } = lab;

  injector.inject({ fault: 'add-mon', daemons: ['mon.b'] }, { forUs: 5 * SECOND });
  simulation.runFor(5 * SECOND);
  expect([members(lab), cluster.mons[1]!.process.state]).toEqual([['a', 'b'], 'stopped']);
  simulation.runFor(40 * SECOND);

  expect(members(lab)).toEqual(['a']);
  expect(findMonDisagreement(cluster)).toEqual([]);
});

test('a founder that was alone and loses its store is given the map as it is, and founds no other cluster', () => {
  const lab = bootedLab(1);
  const { cluster, injector, simulation } = lab;
  injector.inject({ fault: 'add-mon', daemons: ['mon.b'] });
  simulation.runFor(20 * SECOND);
  expect(members(lab)).toEqual(['a', 'b']);

  injector.inject({ fault: 'lose-store', daemons: ['mon.a'] }, { forUs: SECOND });
  simulation.runFor(30 * SECOND);

  expect(members(lab)).toEqual(['a', 'b']);
  expect(findMonDisagreement(cluster)).toEqual([]);
  expect(simulation.violations).toEqual([]);
});

test('what is no spare monitor is not added, what is one is not removed', () => {
  const { injector } = bootedLab();

  expect(() => injector.inject({ fault: 'add-mon', daemons: ['mon.a'] })).toThrow('mon.a is no monitor');
  expect(() => injector.inject({ fault: 'remove-mon', daemons: ['mon.d'] })).toThrow('mon.d is no monitor');
});
