import { expect, test } from 'vitest';
import { formatTask, isFor, newTask, parseTask, sequenceKey, type TaskRefs } from './task.ts';

const refs: TaskRefs = {
  ...{ action: 'flatten', pool_name: 'vol', pool_namespace: '', image_name: 'b', image_id: '1024b12ab6e7' },
};
const ID = '4366227e-338b-4b3c-baf8-0c706b933352';
/** As 16.2.15 keeps it. */
const STORED = `{"sequence": 10, "id": "${ID}", "message": "Flattening image vol/b", "refs": {"action": "flatten", "pool_name": "vol", "pool_namespace": "", "image_name": "b", "image_id": "1024b12ab6e7"}}`;

test('a task is kept as by Ceph, under its number', () => {
  const task = newTask(10, ID, 'Flattening image vol/b', refs);

  expect(formatTask(task)).toBe(STORED);
  expect(parseTask(STORED)).toEqual(task);
  expect(sequenceKey(10)).toBe('000000000000000A');
});

test('what is known of it is told', () => {
  const task = { ...newTask(1, 'x', 'm', refs), progress: 1, retryAttempts: 2, retryTime: 't', retryMessage: 'r' };

  expect(formatTask({ ...task, isCanceled: true })).toContain(
    '"retry_message": "r", "retry_attempts": 2, "retry_time": "t", "in_progress": true, "progress": 1.0, "canceled": true}',
  );
});

test.each(['', '{', 'null', '[]', '{}', STORED.replace('flatten', 'polish'), STORED.replace('10', '"10"')])(
  '%s is no task',
  (text) => {
    expect(parseTask(text)).toBeUndefined();
  },
);

test('a task is for the same where its image is, or as far as that is known', () => {
  const task = newTask(1, 'x', 'm', refs);
  const { image_id: _, ...ofName } = refs;

  expect(isFor(task, refs)).toBe(true);
  expect(isFor(task, ofName)).toBe(true);
  expect(isFor(task, { ...refs, image_id: 'other' })).toBe(false);
  expect(isFor(task, { ...ofName, image_name: 'c' })).toBe(false);
  expect(isFor(task, { ...refs, action: 'remove' })).toBe(false);
});
