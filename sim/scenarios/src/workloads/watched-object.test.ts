import { EMPTY } from '@spirula/encoding';
import { seconds } from '@spirula/world';
import { expect, test } from 'vitest';
import { type ClientWatch, WatchedObject } from './watched-object.ts';

class Watch implements ClientWatch {
  readonly client: string;
  readonly cookie = 1n;
  ageUs = 0;
  connection = 0;

  constructor(client: string) {
    this.client = client;
  }

  age = () => this.ageUs;
  connections = () => this.connection;
}

const TIMEOUT = 10;
const acked = (...cookies: bigint[]) => ({
  acks: cookies.map((cookie) => ({ gid: 1n, cookie, reply: EMPTY })),
  timedOut: [],
});

function watched() {
  const object = new WatchedObject('w', TIMEOUT);
  const watch = new Watch('c0');
  object.add(watch);
  return { object, watch };
}

test('who was told and has acknowledged is as it should be', () => {
  const { object, watch } = watched();
  const start = object.beginNotify();

  expect(object.tell(watch, 7n, 'x')).toBeUndefined();
  expect(object.endNotify(start, 'x', acked(1n))).toBeUndefined();
});

test('a notify that not all were told of is wrong', () => {
  const { object } = watched();

  expect(object.endNotify(object.beginNotify(), 'x', acked())).toMatch(/was not told of x/);
});

test('so is one that a watch was told of and has not acknowledged', () => {
  const { object, watch } = watched();
  const start = object.beginNotify();
  object.tell(watch, 7n, 'x');

  expect(object.endNotify(start, 'x', acked(2n))).toMatch(/did not acknowledge x/);
});

test('one that came late, has left, is broken or may be forgotten need not be told', () => {
  const { object, watch } = watched();
  const before = object.beginNotify();
  object.remove(watch);
  expect(object.endNotify(before, 'x', acked())).toBeUndefined();
  object.add(watch);
  watch.ageUs = seconds(TIMEOUT);
  expect(object.endNotify(object.beginNotify(), 'x', acked())).toBeUndefined();
  watch.ageUs = -107;
  expect(object.endNotify(object.beginNotify(), 'x', acked())).toBeUndefined();
  object.add(new Watch('c1'));

  expect(object.endNotify([], 'x', acked())).toBeUndefined();
});

test('one notify is told twice only over two connections', () => {
  const { object, watch } = watched();
  object.tell(watch, 7n, 'x');
  watch.connection += 1;
  expect(object.tell(watch, 7n, 'x')).toBeUndefined();

  expect(object.tell(watch, 7n, 'x')).toMatch(/told twice of notify 7/);
});

test('a watch breaks when its client was silent for its timeout, and not before', () => {
  const { object, watch } = watched();

  expect(object.break(watch, seconds(TIMEOUT), -107)).toBeUndefined();
  expect(object.break(watch, seconds(1), -107)).toMatch(/is broken with -107/);
});
