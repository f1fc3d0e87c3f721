import { type OlhLog, type OlhLogEntry, OlhOp } from '@spirula/cls';
import { Errno } from '@spirula/encoding';
import { expect, test } from 'vitest';
import type { OlhState, OlhTarget } from './olh-head.ts';
import { applyOlhLog } from './olh-log.ts';

const at = (version: bigint, target?: OlhTarget): OlhState => ({ tag: 'olh', version, target, pending: new Map() });
const version = (instance: string): OlhTarget => ({ key: { name: 'k', instance, ns: '' }, isDeleteMarker: false });

function logOf(
  ...entries: (Pick<OlhLogEntry, 'epoch' | 'op'> & { instance?: string; opTag?: string; marker?: boolean })[]
): OlhLog {
  const log = new Map<bigint, OlhLogEntry[]>();
  for (const { epoch, op, instance = '', opTag = `op${epoch}`, marker = false } of entries) {
    const entry = { epoch, op, opTag, key: { name: 'k', instance }, deleteMarker: marker };
    log.set(epoch, [...(log.get(epoch) ?? []), entry]);
  }
  return log;
}

test('the version that was linked last is the current one', () => {
  const log = logOf(
    { epoch: 3n, op: OlhOp.link, instance: 'a' },
    { epoch: 4n, op: OlhOp.link, instance: 'b', marker: true },
  );

  expect(applyOlhLog(at(2n, version('z')), log)).toEqual({
    epoch: 4n,
    isNew: true,
    target: { key: { name: 'k', instance: 'b', ns: '' }, isDeleteMarker: true },
    isEmpty: false,
    removed: [],
    opTags: ['op3', 'op4'],
  });
});

test('what the OLH has followed already is not done again, and where it is, is not left', () => {
  const log = logOf(
    { epoch: 3n, op: OlhOp.link, instance: 'a' },
    { epoch: 3n, op: OlhOp.removeInstance, instance: 'b' },
    { epoch: 4n, op: OlhOp.removeInstance, instance: 'c' },
  );

  expect(applyOlhLog(at(4n, version('z')), log)).toMatchObject({
    epoch: 4n,
    isNew: false,
    target: undefined,
    removed: [],
  });
});

test('of two versions linked at one epoch the first in order is current', () => {
  const log = logOf({ epoch: 4n, op: OlhOp.link, instance: 'm' });

  expect(applyOlhLog(at(4n, version('z')), log).target).toEqual(version('m'));
  expect(applyOlhLog(at(4n, version('a')), log).target).toBeUndefined();
});

test('a removal tells which links came before it', () => {
  const log = logOf(
    { epoch: 3n, op: OlhOp.link, opTag: 'first' },
    { epoch: 4n, op: OlhOp.unlink },
    { epoch: 4n, op: OlhOp.removeInstance },
    { epoch: 5n, op: OlhOp.link, opTag: 'second' },
  );

  expect(applyOlhLog(at(2n), log)).toMatchObject({
    isEmpty: false,
    target: version(''),
    removed: [{ key: version('').key, linkedBefore: ['first'] }],
  });
});

test('without a version left the OLH is to go', () => {
  const log = logOf({ epoch: 3n, op: OlhOp.unlink }, { epoch: 3n, op: OlhOp.removeInstance, instance: 'a' });

  expect(applyOlhLog(at(2n, version('a')), log)).toMatchObject({ isEmpty: true, target: undefined, epoch: 3n });
});

test('an operation that is not known is refused', () => {
  expect(() => applyOlhLog(at(2n), logOf({ epoch: 3n, op: 9 }))).toThrow(expect.objectContaining({ code: Errno.EIO }));
});
