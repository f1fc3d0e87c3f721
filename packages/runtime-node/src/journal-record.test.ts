import { type Bytes, equalBytes, fromUtf8, utf8 } from '@spirula/encoding';
import type { Batch } from '@spirula/world';
import { expect, test } from 'vitest';
import { crc32c } from './crc.ts';
import { RecordWriter, readRecords } from './journal-record.ts';

function written(batches: ReadonlyMap<number, Batch>): Bytes {
  const writer = new RecordWriter();
  const reader = { put() {}, del() {}, delRange() {} };
  for (const [seq, batch] of batches) writer.append(seq, batch, crc32c, reader);
  return new Uint8Array(Buffer.concat(writer.take()));
}

function put(key: string, value: string): Batch {
  return [{ op: 'put', key: utf8(key), value: utf8(value) }];
}

test('a record of an earlier use of the file ends the journal, even where it is whole', () => {
  const file = written(new Map([5, 6, 7].map((seq) => [seq, put('key', `value ${seq}`)])));
  const again = written(new Map([[20, put('key', 'value!!')]]));
  file.set(again, 0);

  const { records, end } = readRecords(file, crc32c);

  expect(records.map(({ seq }) => seq)).toEqual([20]);
  expect(end).toBe(again.length);
});

test('records of any size come back in order, and readers are told of what is in them', () => {
  const sizes = [1, 4096, 70_000, 10, 65_536];
  const writer = new RecordWriter();
  const told: string[] = [];
  const values: Bytes[] = [];
  const reader = {
    put: (key: string, value: Bytes) => {
      told.push(key);
      values.push(value);
    },
    del: (key: string) => void told.push(`-${key}`),
    delRange: ({ start, end }: { start: Bytes; end: Bytes }) => void told.push(`${fromUtf8(start)}..${fromUtf8(end)}`),
  };
  for (const [i, size] of sizes.entries()) {
    const batch: Batch = [
      { op: 'put', key: utf8(`k${i}`), value: new Uint8Array(size).fill(i + 1) },
      { op: 'del', key: utf8(`d${i}`) },
      { op: 'delRange', start: utf8('a'), end: utf8('b') },
    ];
    writer.append(i + 1, batch, crc32c, reader);
  }

  const { records } = readRecords(new Uint8Array(Buffer.concat(writer.take())), crc32c);

  expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  for (const [i, size] of sizes.entries()) {
    const value = new Uint8Array(size).fill(i + 1);
    const [first] = records[i]!.batch;
    expect(first?.op === 'put' && fromUtf8(first.key) === `k${i}` && equalBytes(first.value, value)).toBe(true);
    expect(equalBytes(values[i]!, value)).toBe(true);
  }
  expect(told.slice(0, 3)).toEqual(['k0', '-d0', 'a..b']);
});
