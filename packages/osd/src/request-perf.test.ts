import { builtinClasses, ClassRegistry } from '@spirula/cls';
import { EMPTY } from '@spirula/encoding';
import { callOp, extentOp, type ObjectChange, type OsdOp, OsdOpCode, plainOp } from '@spirula/messages';
import { expect, test } from 'vitest';
import { type ClientOp, emptyResult } from './client-op.ts';
import { perfOfRequest } from './request-perf.ts';

const classes = new ClassRegistry(builtinClasses, { loadList: '*', defaultList: '*' });
const oid = { pool: 1, nspace: '', key: '', name: 'o', snap: 0n, hash: 0, max: false };
const read = extentOp(OsdOpCode.read, 0, 500);
const write = extentOp(OsdOpCode.write, 0, 100, new Uint8Array(100));

/** After 3 µs. @param answered bytes of the first op's answer */
function perf(ops: readonly OsdOp[], changes: readonly ObjectChange[] = [], answered = 0) {
  const results = ops.map((op, i) => ({ ...emptyResult(op), output: i === 0 ? new Uint8Array(answered) : EMPTY }));
  const outcome = { ops: results, changes, modifies: changes.length > 0 };
  return perfOfRequest({ message: { ops } } as unknown as ClientOp, outcome, 3, classes);
}

test('a read counts as what it is answered', () => {
  expect(perf([read], [], 300)).toEqual({
    ...{ writeOps: 0, readOps: 1, writeBytes: 0, readBytes: 300, writeLatency: 0, readLatency: 3000 },
  });
  expect(perf([plainOp(OsdOpCode.stat)], [], 16)).toMatchObject({ readOps: 1, readBytes: 16 });
});

test('a write counts as the data and zeros that it leaves, whatever the ops', () => {
  const changes: ObjectChange[] = [
    { op: 'write', oid, offset: 0, data: new Uint8Array(100) },
    { op: 'zero', oid, offset: 500, length: 20 },
    { op: 'truncate', oid, size: 900 },
    { op: 'setAttrs', oid, attrs: new Map([['a', new Uint8Array(50)]]) },
  ];

  expect(perf([plainOp(OsdOpCode.setAllocHint), write], changes)).toEqual({
    ...{ writeOps: 1, readOps: 0, writeBytes: 120, readBytes: 0, writeLatency: 3000, readLatency: 0 },
  });
});

test('what reads and writes counts as both; what it says of the object does not', () => {
  const changes: ObjectChange[] = [{ op: 'write', oid, offset: 0, data: new Uint8Array(100) }];

  expect(perf([read, write], changes, 40)).toEqual({
    ...{ writeOps: 1, readOps: 1, writeBytes: 100, readBytes: 0, writeLatency: 3000, readLatency: 3000 },
  });
});

test('a method counts as what it may do', () => {
  const kinds = (className: string, method: string) => {
    const { writeOps, readOps } = perf([callOp(className, method, EMPTY)]);
    return [writeOps, readOps];
  };

  expect([kinds('lock', 'lock'), kinds('lock', 'get_info'), kinds('rbd', 'copyup')]).toEqual([
    [1, 1],
    [0, 1],
    [1, 1],
  ]);
});
