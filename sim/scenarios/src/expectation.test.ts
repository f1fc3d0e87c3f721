import { expect, test } from 'vitest';
import { describeExpectation, type Expectation } from './expectation.ts';
import { Lab } from './lab.ts';
import type { Outcome } from './scenario.ts';
import { type ScenarioInput, scenarioSchema } from './spec.ts';

type Expectations = NonNullable<ScenarioInput['expect']>;

/** A small cluster of which one OSD is killed at 5 s for 10 s. */
function run(expectations: Expectations): Outcome {
  const spec = scenarioSchema.parse({
    name: 'small',
    cluster: { mons: 1, osds: 3, mgrs: 0, clients: 1 },
    pools: [{ pgNum: 2 }],
    workloads: [{ kind: 'objects', objects: 2, pace: { kind: 'closed', workers: 1 } }],
    duration: '20s',
    faults: [{ name: 'kill', fault: 'crash', daemons: 'osd.1', at: '5s', for: '10s' }],
    expect: expectations,
  });
  return new Lab(spec, 1).run();
}

test('what is expected between moments is met or not, and says how it was', () => {
  const { findings } = run([
    { what: 'osd.1 down', after: 'kill', atMost: '2s' },
    { what: 'osd.1 down', after: 'kill', atLeast: '2s' },
    { what: 'osd.1 up', after: 'osd.1 down', atLeast: '5s', atMost: '14s' },
    { never: 'osd.1 running', after: 'kill', grace: '1s', until: 'kill ends' },
    { never: 'osd.1 running', after: 'kill', grace: '1s' },
    { count: 'osd.1 down', atLeast: 1, atMost: 1 },
    { count: 'osd.1 down', after: 'kill ends', atLeast: 1 },
    { count: 'client.0 write acknowledged', after: 'osd.1 down', until: 'kill ends', atLeast: 5 },
    { last: 'osd.1 down', after: 'kill', until: 'kill ends', atLeast: '4s', atMost: '10s' },
    { slowest: 'request', after: 'kill', until: 'kill ends', atMost: '3s' },
    { slowest: 'request', after: 'kill', until: 'kill ends', atLeast: '3s' },
    { never: 'not osd.0 up', until: 'heal' },
    { finally: 'not osd.1 down' },
    { finally: 'osd.1 down' },
  ]);

  expect(findings.map(({ met }) => met)).toEqual([
    ...[true, false, true, true, false, true, false, true, true, true, false, true, true, false],
  ]);
  expect(findings[5]!.text).toBe('osd.1 down (1 to 1 times): 1 times');
  expect(findings[3]!.text).toBe('never osd.1 running after kill and 1 s until kill ends: never');
}, 60_000);

test('what never came to pass is not met', () => {
  const { findings } = run([{ what: 'osd.2 up', after: 'osd.2 down' }]);

  expect(findings).toEqual([{ met: false, text: 'osd.2 up after osd.2 down: osd.2 down never came' }]);
}, 60_000);

test.each<[Expectation, string]>([
  [{ what: 'osd.0 down', after: 'kill', atMost: '1.5s' }, 'osd.0 down after kill (at most 1.5 s)'],
  [{ what: 'osd.0 down', atLeast: '1m', atMost: '2m' }, 'osd.0 down (60 s to 120 s)'],
  [{ count: 'new epoch', grace: '2s', atMost: 0 }, 'new epoch after 2 s (at most 0 times)'],
  [{ slowest: 'read', until: 'heal' }, 'slowest read until heal'],
  [{ finally: 'not health OSD_DOWN' }, 'in the end not health OSD_DOWN'],
])('%j reads %s', (expectation, text) => {
  expect(describeExpectation(expectation)).toBe(text);
});

test('a moment that nobody names is refused', () => {
  const result = scenarioSchema.safeParse({ name: 'wrong', expect: [{ what: 'osd.0 down', after: 'kil' }] });

  expect(result.error?.issues[0]?.message).toBe('no fault is called kil, and it is no condition');
});
