import { expect, test } from 'vitest';
import { Schedule } from './schedule.ts';
import { type Scheduled, ScheduleQueue } from './schedule-queue.ts';

const HOURLY = new Schedule([{ interval: 60, start: undefined }]);
const DAILY = new Schedule([{ interval: 1440, start: undefined }]);

function namespace(name: string, pool = 1): Scheduled {
  return { pool, namespace: name, imageId: undefined, name };
}

test('what is due comes in the order of its times, and once', () => {
  const queue = new ScheduleQueue<Scheduled>();
  const [hourly, daily] = [namespace('hourly'), namespace('daily')];
  queue.enqueue(daily, DAILY, 0);
  queue.enqueue(hourly, HOURLY, 0);
  queue.enqueue(hourly, HOURLY, 10);
  queue.enqueue(namespace('never'), undefined, 0);

  expect(queue.list().map(({ at, target }) => [at, target.name])).toEqual([
    [60, 'hourly'],
    [1440, 'daily'],
  ]);
  expect(queue.take(3599)).toBeUndefined();
  expect(queue.take(3600)).toBe(hourly);
  expect(queue.take(3600)).toBeUndefined();
  expect(queue.take(86_400)).toBe(daily);
});

test('anew: what is due already stays, what is no more goes, others follow their new schedules', () => {
  const queue = new ScheduleQueue<Scheduled>();
  const [kept, gone, changed] = [namespace('kept'), namespace('gone'), namespace('changed')];
  for (const each of [kept, gone]) queue.enqueue(each, HOURLY, 0);
  queue.enqueue(changed, DAILY, 0);
  const targets = [kept, changed];

  queue.rebuild(targets, () => HOURLY, 3600);

  expect(queue.list().map(({ at, target }) => [at, target.name])).toEqual([
    [60, 'kept'],
    [120, 'kept'],
    [120, 'changed'],
  ]);
});
