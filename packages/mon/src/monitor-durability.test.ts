/** What a monitor says to another survives it: nothing leaves before what it rests on is durable. */
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { expectAlike, NAMES, quorum, ThreeMonitors } from './three-monitors.test-support.ts';

test.each(NAMES)('nothing is committed while mon.%s of the quorum has not got it durable', (name) => {
  const mons = quorum();
  const { lastCommitted } = mons.inspect('a');
  mons.holdDisk(name);
  mons.command('a', { prefix: 'osd set', key: 'noout' });
  mons.run(2 * SECOND);
  expect(NAMES.map((each) => mons.inspect(each).lastCommitted)).toEqual(NAMES.map(() => lastCommitted));

  mons.releaseDisk(name);
  mons.run(10 * SECOND);
  expect(mons.inspect('a').lastCommitted).toBeGreaterThan(lastCommitted);
  expectAlike(mons);
});

test('a monitor takes part in no election before the epoch of it is durable', () => {
  const mons = new ThreeMonitors();
  mons.holdDisk('a');
  for (const name of NAMES) mons.start(name);
  mons.run(30 * SECOND);
  expect(NAMES.map((name) => mons.inspect(name).quorum)).toEqual([[], [1, 2], [1, 2]]);

  mons.releaseDisk('a');
  mons.run(30 * SECOND);
  expectAlike(mons);
});

test('an election epoch is not used again after all have stopped', () => {
  const mons = quorum();
  const { epoch } = mons.inspect('a');
  for (const name of NAMES) mons.stop(name);
  for (const name of NAMES) mons.start(name);
  mons.run(SECOND / 2);

  expect(Math.min(...NAMES.map((name) => mons.inspect(name).epoch))).toBeGreaterThanOrEqual(epoch);
  mons.run(20 * SECOND);
  expect(mons.inspect('a').epoch).toBeGreaterThan(epoch);
});
