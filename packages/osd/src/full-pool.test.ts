import { EntityType, Errno } from '@spirula/encoding';
import { PoolFlag } from '@spirula/maps';
import { OsdFlag } from '@spirula/messages';
import { expect, test } from 'vitest';
import { judgeFullPool } from './full-pool.ts';

const FULL = PoolFlag.full | PoolFlag.hashpspool;
const OUT_OF_QUOTA = FULL | PoolFlag.fullQuota;
/** Of a client. */
const judge = (flags: bigint, request: number, added: typeof more) =>
  judgeFullPool(flags, request, added, EntityType.client);

const more = { objects: 1, bytes: 0 };
const less = { objects: -1, bytes: -100 };

test('a pool that is not full takes every write', () => {
  expect(judge(PoolFlag.hashpspool, 0, more)).toBe('goes on');
});

test('a full pool takes writes that add nothing, and those that are forced', () => {
  expect(judge(OUT_OF_QUOTA, 0, less)).toBe('goes on');
  expect(judge(OUT_OF_QUOTA, 0, { objects: 0, bytes: 0 })).toBe('goes on');
  expect(judge(OUT_OF_QUOTA, OsdFlag.fullForce, more)).toBe('goes on');
});

test('a full pool answers only those who ask for an answer: quota or space', () => {
  expect(judge(OUT_OF_QUOTA, 0, { objects: 0, bytes: 1 })).toBe('dropped');
  expect(judge(OUT_OF_QUOTA, OsdFlag.fullTry, more)).toBe(Errno.EDQUOT);
  expect(judge(FULL, OsdFlag.fullTry, more)).toBe(Errno.ENOSPC);
});

test('a full pool takes all that a metadata server writes', () => {
  expect(judgeFullPool(OUT_OF_QUOTA, 0, more, EntityType.mds)).toBe('goes on');
});
