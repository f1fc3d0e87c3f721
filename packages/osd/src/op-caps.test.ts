import { builtinClasses, ClassRegistry } from '@spirula/cls';
import type { OsdMap, Pool } from '@spirula/maps';
import { callOp, extentOp, type OsdOp, OsdOpCode, type OsdOpMessage, WatchOp, watchOp } from '@spirula/messages';
import { expect, test } from 'vitest';
import { askOf, parseCaps } from './op-caps.ts';

const classes = new ClassRegistry(builtinClasses, { loadList: '*', defaultList: 'lock' });
const pool = { applicationMetadata: new Map([['rbd', new Map([['k', 'v']])]]) } as unknown as Pool;
const map = { pools: new Map([[1, pool]]), poolNames: new Map([[1, 'images']]) } as unknown as OsdMap;

const NO_INPUT = new Uint8Array(0);
const simple = (code: number): OsdOp => ({ code, flags: 0, args: new Uint8Array(28), input: NO_INPUT });
const watch = (op: number) => watchOp({ cookie: 1n, ver: 0n, op, gen: 0, timeout: 0 });

function message(ops: readonly OsdOp[], locator: Partial<OsdOpMessage['locator']> = {}): OsdOpMessage {
  const where = { pool: 1, key: '', nspace: '', hash: -1n, ...locator };
  return { ops, oid: 'object', locator: where, pgid: { pool: 1, seed: 0 } } as unknown as OsdOpMessage;
}

const read = extentOp(OsdOpCode.read, 0, 0);
const write = extentOp(OsdOpCode.write, 0, 1, new Uint8Array(1));

test.each([
  ['a read', [read], true, false],
  ['a write', [write], false, true],
  ['a guarded write', [simple(OsdOpCode.cmpext), write], true, true],
  ['a listing', [simple(OsdOpCode.pgnls)], true, false],
  ['one who begins to watch', [watch(WatchOp.watch)], true, true],
  ['one who still watches', [watch(WatchOp.ping)], true, false],
  ['one who notifies', [simple(OsdOpCode.notify)], true, false],
  ['a call, as far as its class does not say', [callOp('lock', 'lock', NO_INPUT)], false, false],
] as const)('%s needs to read: %j, to write: %j', (_, ops, reads, writes) => {
  expect(askOf(message([...ops]), map, classes)).toMatchObject({ reads, writes });
});

test('what is asked of is the object or its locator key, in its namespace, of the pool and what it is for', () => {
  const { calls, ...ask } = askOf(message([read], { key: 'key', nspace: 'ns' }), map, classes);

  expect(ask).toEqual({
    ...{ pool: 'images', namespace: 'ns', object: 'key', reads: true, writes: false },
    applications: pool.applicationMetadata,
  });
  expect(askOf(message([read]), map, classes).object).toBe('object');
});

test('methods are asked for with what they do; those that are not there are no question of capabilities', () => {
  const ops = [callOp('lock', 'lock', NO_INPUT), callOp('version', 'read', NO_INPUT), callOp('nosuch', 'x', NO_INPUT)];

  expect(askOf(message(ops), map, classes).calls).toEqual([
    { className: 'lock', method: 'lock', reads: true, writes: true, isListed: true },
    { className: 'version', method: 'read', reads: true, writes: false, isListed: false },
  ]);
});

test('caps that cannot be read, or are empty, allow nothing; none at all, under auth none, everything', () => {
  const ask = askOf(message([read]), map, classes);

  expect([undefined, '', 'bogus', 'allow r'].map((caps) => parseCaps(caps).isCapable(ask, undefined))).toEqual([
    ...[true, false, false, true],
  ]);
});
