import { expect, test } from 'vitest';
import { BadScenario, checkScenario, readScenario } from './read-scenario.ts';

function problemsIn(text: string): readonly string[] {
  try {
    readScenario(text);
  } catch (error) {
    if (error instanceof BadScenario) return error.problems;
    throw error;
  }
  return [];
}

test('what is left out is as usual', () => {
  const spec = readScenario('name: quiet\n');

  expect(spec.cluster).toMatchObject({ mons: 3, osds: 3 });
  expect(spec.pools).toMatchObject([{ name: 'data', size: 3 }]);
  expect(spec).toEqual(checkScenario({ name: 'quiet' }));
});

test('JSON is read as well', () => {
  const spec = readScenario(
    '{"name": "one", "faults": [{"at": 3, "fault": "crash", "daemons": ["osd.1"], "for": "2s"}]}',
  );

  expect(spec.faults).toEqual([{ at: '3', fault: 'crash', daemons: ['osd.1'], for: '2s' }]);
});

test('an error says in which line and column it is, and what would be right', () => {
  const text = `name: wrong
cluster:
  osds: none
  osdz: 3
  options:
    mon_leese: 3
    mon_lease: long
faults:
  - at: 3s
    fault: crush
    daemons: osd.1
  - at: soon
    fault: crash
    daemons: osd.1
expect:
  - what: osd.1 dead
`;

  expect(problemsIn(text)).toEqual([
    'line 3, column 3: cluster.osds: Invalid input: expected number, received string',
    'line 4, column 3: cluster.osdz: there is no such field here',
    'line 6, column 5: cluster.options.mon_leese: there is no such option',
    'line 7, column 5: cluster.options.mon_lease: it takes a number, not "long"',
    expect.stringMatching(/^line 10, column 5: faults.0.fault: there is no such fault; there are: crash, power-loss, /),
    'line 12, column 5: faults.1.at: a span of time such as 30s, 1.5m or 200ms',
    expect.stringMatching(/^line 16, column 5: expect.0.what: "osd.1 dead" is no condition; the forms are: /),
  ]);
});

test('what is no YAML says where it ends to be', () => {
  expect(problemsIn('name: [a\nfaults: 3\n')[0]).toMatch(/^line 2, column 1: /);
});
