import { type Bytes, concatBytes } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { AppendLog } from './append-log.ts';

function newLog() {
  const log = new AppendLog('log', 16);
  const bytes = new Map<string, Bytes>();
  return {
    log,
    begin: (...ids: string[]) => {
      for (const id of ids) bytes.set(id, log.beginAppend(id));
    },
    acknowledge: (...ids: string[]) => {
      for (const id of ids) log.endAppend(id, 'acknowledged');
    },
    read: (...ids: string[]) => log.endRead(log.beginRead(), concatBytes(ids.map((id) => bytes.get(id)!))),
    bytesOf: (...ids: string[]) => concatBytes(ids.map((id) => bytes.get(id)!)),
  };
}

test('a record that was acknowledged before a read is in it, one under way may be', () => {
  const { begin, acknowledge, read } = newLog();
  begin('c0.1', 'c1.1', 'c0.2');
  acknowledge('c0.1');

  expect(read('c0.1')).toBeUndefined();
  expect(read('c0.1', 'c1.1')).toBeUndefined();
  expect(read()).toBe('record c0.1 was acknowledged and is not there');
});

test('a record that is acknowledged while a read is under way need not be in it', () => {
  const { log, begin, acknowledge, bytesOf } = newLog();
  begin('c0.1');
  const start = log.beginRead();
  acknowledge('c0.1');

  expect(log.endRead(start, bytesOf())).toBeUndefined();
});

test('what a read has brought stays where it was', () => {
  const { begin, read } = newLog();
  begin('c0.1', 'c1.1');
  expect(read('c0.1')).toBeUndefined();

  expect(read('c1.1', 'c0.1')).toBe('record 0 is c1.1, and was c0.1 in another read');
  expect(read()).toBe('0 records were read, and 1 before');
});

test('records of one writer are in its order, each once', () => {
  const { begin, read } = newLog();
  begin('c0.9', 'c0.10', 'c1.3');

  expect(read('c0.10', 'c1.3', 'c0.9')).toBe('record c0.9 comes after c0.10');
  expect(read('c0.9', 'c0.9')).toBe('record c0.9 is there twice');
});

test('a record that nobody waits for may come late or never, and not twice; a refused one never', () => {
  const { log, begin, read } = newLog();
  begin('c0.1', 'c0.2', 'c0.3');
  log.endAppend('c0.1', 'unknown');
  log.endAppend('c0.3', 'refused');

  expect(read('c0.2', 'c0.1')).toBeUndefined();
  expect(read('c0.2', 'c0.1', 'c0.1')).toBe('record c0.1 is there twice');
  expect(read('c0.2', 'c0.1', 'c0.3')).toBe('record c0.3 was refused and is there');
});

test('bytes that are no record are told', () => {
  const { log, begin, acknowledge, bytesOf } = newLog();
  begin('c0.1');
  acknowledge('c0.1');
  const torn = bytesOf('c0.1').slice();
  torn[12] = 0;

  expect(log.findLost(bytesOf('c0.1'))).toBeUndefined();
  expect(log.findLost(torn)).toBe('what is at byte 0 nobody has appended');
  expect(log.findLost(torn.subarray(0, 12))).toBe('12 bytes are not whole records');
  expect(log.findLost(new Uint8Array())).toBe('record c0.1 was acknowledged and is not there');
});
