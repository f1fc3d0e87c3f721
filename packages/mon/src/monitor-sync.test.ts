import { fromUtf8 } from '@spirula/encoding';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { expectAlike, LATENCY, quorum, type ThreeMonitors } from './three-monitors.test-support.ts';

test('a monitor that missed a few versions is told them', () => {
  const mons = quorum();
  mons.stop('c');
  mons.run(20 * SECOND);
  mons.change('a', 3);
  const { osdMap } = mons.inspect('a');

  mons.start('c');
  mons.run(20 * SECOND);

  expect(osdMap.epoch).toBeGreaterThan(3);
  expectAlike(mons);
});

test.each(['a', 'b', 'c'])('mon.%s copies the store when what it lacks is trimmed', (name) => {
  const mons = quorum();
  const other = name === 'a' ? 'b' : 'a';
  const { lastCommitted } = mons.inspect(name);
  mons.stop(name);
  mons.run(20 * SECOND);
  mons.change(other, 30);
  expect(mons.inspect(other).firstCommitted).toBeGreaterThan(lastCommitted + 1);

  mons.start(name);
  mons.run(30 * SECOND);

  expectAlike(mons);
});

test('a crash at any moment of the copy leaves nothing that hinders the next', () => {
  const mons = quorum();
  mons.stop('c');
  mons.run(20 * SECOND);
  mons.change('a', 30);

  for (let after = 1; after < 20; after++) {
    mons.start('c');
    mons.run(after * LATENCY);
    mons.stop('c');
    mons.run(SECOND);
  }
  mons.start('c');
  mons.run(60 * SECOND);

  expectAlike(mons);
});

test.each(['a', 'c'])('mon.%s rejoins with an empty disk', (name) => {
  const mons = quorum();
  const other = name === 'a' ? 'b' : 'a';
  mons.change('a', 30);
  mons.stop(name);
  mons.wipe(name);
  mons.run(20 * SECOND);
  const { osdMap } = mons.inspect(other);

  mons.start(name);
  mons.run(30 * SECOND);
  mons.change('b', 3);
  mons.run(5 * SECOND);

  expectAlike(mons);
  expect(mons.inspect(name).osdMap.epoch).toBeGreaterThan(osdMap.epoch);
});

/** All know of all versions but `stale`, who missed the last, and `lost`, whose disk is empty; nobody runs. */
function withoutAccepted(stale: string, lost: string, ...knowing: readonly string[]): ThreeMonitors {
  const mons = quorum();
  mons.stop(stale);
  mons.run(20 * SECOND);
  mons.change(knowing[0]!, 3);
  for (const name of [lost, ...knowing]) mons.stop(name);
  mons.wipe(lost);
  return mons;
}

test.each([
  ['a', 'b', 'c'],
  ['a', 'c', 'b'],
  ['b', 'a', 'c'],
  ['b', 'c', 'a'],
  ['c', 'a', 'b'],
  ['c', 'b', 'a'],
])(
  'mon.%s, who missed the last, finds no quorum with mon.%s, whose disk is empty, before mon.%s is there',
  (...names) => {
    const [stale, lost, knowing] = names;
    const mons = withoutAccepted(stale, lost, knowing);

    mons.start(stale);
    mons.start(lost);
    mons.run(60 * SECOND);
    expect([stale, lost].map((name) => mons.inspect(name).quorum)).toEqual([[], []]);
    expect(mons.inspect(lost).lastCommitted).toBe(0);

    mons.start(knowing);
    mons.run(60 * SECOND);
    expectAlike(mons);
    expect(mons.inspect(lost).osdMap.epoch).toBeGreaterThan(3);
  },
);

test('a monitor with an empty disk does not copy from the quorum it was in itself', () => {
  const mons = quorum();
  mons.stop('b');
  mons.run(20 * SECOND);
  mons.change('a', 3);
  mons.stop('c');
  mons.wipe('c');

  // mon.a does not know yet that its quorum of a and c is no more.
  mons.start('c');
  mons.run(60 * SECOND);
  expect(mons.inspect('c').lastCommitted).toBe(0);

  mons.start('b');
  mons.run(60 * SECOND);
  expectAlike(mons);
});

test('a copy for an empty disk that was cut short goes on from none who has less than the quorum had', () => {
  const mons = withoutAccepted('a', 'c', 'b');
  mons.start('b');
  mons.start('a');
  mons.run(20 * SECOND);
  const old = mons.backUp('a');
  mons.change('a', 3);
  mons.start('c');
  const marked = () => mons.backUp('c').some((op) => op.op === 'put' && fromUtf8(op.key).includes('in_sync'));
  while (!marked()) mons.run(LATENCY);
  for (const name of ['a', 'b', 'c']) mons.stop(name);
  mons.restore('a', old);

  mons.start('a');
  mons.start('c');
  mons.run(60 * SECOND);
  expect(['a', 'c'].map((name) => mons.inspect(name).quorum)).toEqual([[], []]);

  mons.start('b');
  mons.run(60 * SECOND);
  expectAlike(mons);
});

/** Two lead on while `c` is down, far beyond what it has; it then crashes while it copies their store. */
function copyCutShort(): ThreeMonitors {
  const mons = quorum();
  mons.stop('c');
  mons.run(20 * SECOND);
  mons.change('a', 40);
  mons.start('c');
  while (mons.inspect('c').lastCommitted > 0) mons.run(LATENCY);
  mons.stop('c');
  return mons;
}

test('a monitor whose copy was cut short helps to form no quorum before it has copied whole', () => {
  const mons = copyCutShort();
  const { osdMap } = mons.inspect('a');
  mons.stop('a');
  mons.stop('b');
  mons.wipe('b');

  mons.start('b');
  mons.start('c');
  mons.run(60 * SECOND);
  expect(['b', 'c'].map((name) => mons.inspect(name).quorum)).toEqual([[], []]);

  mons.start('a');
  mons.run(60 * SECOND);
  expectAlike(mons);
  expect(mons.inspect('b').osdMap.epoch).toBeGreaterThanOrEqual(osdMap.epoch);
});

test('a monitor whose copy was cut short copies from none that has less than it had itself', () => {
  const mons = quorum();
  const old = mons.backUp('b');
  mons.change('a', 30);
  const before = mons.inspect('c').lastCommitted;
  mons.stop('c');
  mons.run(20 * SECOND);
  mons.change('a', 40);
  mons.start('c');
  while (mons.inspect('c').lastCommitted > 0) mons.run(LATENCY);
  for (const name of ['a', 'b', 'c']) mons.stop(name);
  mons.restore('b', old);

  mons.start('b');
  mons.start('c');
  mons.run(60 * SECOND);
  expect(mons.inspect('b').lastCommitted).toBeLessThan(before);
  expect(['b', 'c'].map((name) => mons.inspect(name).quorum)).toEqual([[], []]);

  mons.start('a');
  mons.run(60 * SECOND);
  expectAlike(mons);
  expect(mons.inspect('b').lastCommitted).toBeGreaterThan(before);
});
