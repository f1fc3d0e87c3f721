import { expect, test } from 'vitest';
import { EpochWatch } from './epoch-watch.ts';

test('a process that goes back to an older map is told', () => {
  const epochs = new EpochWatch();
  expect(epochs.check('osd.1', 4)).toBeUndefined();
  expect(epochs.check('osd.1', 9)).toBeUndefined();
  expect(epochs.check('osd.2', 5)).toBeUndefined();

  expect(epochs.check('osd.1', 8)).toBe('osd.1 went back from OSDMap 9 to 8');
});

test('a process that was started anew may know an older map', () => {
  const epochs = new EpochWatch();
  epochs.check('client.0', 9);
  epochs.forget('client.0');

  expect(epochs.check('client.0', 3)).toBeUndefined();
});
