import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { InternalHeartbeat } from './internal-heartbeat.ts';

const OPTIONS = { maxIntervalUs: 4 * SECOND, timeoutUs: 15 * SECOND, suicideUs: 150 * SECOND };

/** Checks every two seconds what is oldest then. */
function check(heartbeat: InternalHeartbeat, from: number, until: number, oldest: (at: number) => number | undefined) {
  let last = '';
  for (let at = from; at <= until; at += 2) last = heartbeat.check(at * SECOND, oldest(at));
  return last;
}

test('work that goes on is healthy, however much of it there is', () => {
  const heartbeat = new InternalHeartbeat(0, OPTIONS);

  expect(check(heartbeat, 2, 600, (at) => at)).toBe('healthy');
});

test('one piece that takes too long makes it ill until it ends; far too long, it is given up', () => {
  const heartbeat = new InternalHeartbeat(0, OPTIONS);
  expect(check(heartbeat, 2, 16, () => 7)).toBe('healthy');
  expect(check(heartbeat, 18, 20, () => 7)).toBe('timed out');
  expect(heartbeat.isHealthy).toBe(false);
  expect(check(heartbeat, 22, 22, () => 8)).toBe('healthy');
  expect(heartbeat.isHealthy).toBe(true);

  expect(check(heartbeat, 24, 172, () => 8)).toBe('timed out');
  expect(check(heartbeat, 174, 174, () => 8)).toBe('suicide');
});

test('nothing under way, nothing is late', () => {
  const heartbeat = new InternalHeartbeat(0, OPTIONS);
  check(heartbeat, 2, 16, () => 7);

  expect(check(heartbeat, 18, 600, () => undefined)).toBe('healthy');
});

test('time in which the OSD was stopped does not count', () => {
  const heartbeat = new InternalHeartbeat(0, OPTIONS);
  heartbeat.check(2 * SECOND, 7);

  expect(heartbeat.check(1000 * SECOND, 7)).toBe('healthy');
});
