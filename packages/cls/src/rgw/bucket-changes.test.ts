import { Errno } from '@spirula/encoding';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryObject } from '../memory-object.test-support.ts';
import { type EncodedChange, encodeChangesInput } from './bucket-changes.ts';
import { encodeCompleteInput, encodePrepareInput } from './bucket-codec.ts';
import { ModifyOp, NO_META } from './dir-entry.ts';
import { rgwClass } from './rgw.ts';

const METHODS = { prepare: 'bucket_prepare_op', complete: 'bucket_complete_op' };

function newIndex(): MemoryObject {
  const object = new MemoryObject();
  object.call(rgwClass, 'bucket_init_index');
  return object;
}

function prepare(name: string, tag: string): EncodedChange {
  const input = { op: ModifyOp.add, key: { name, instance: '' }, tag, locator: '' };
  return { kind: 'prepare', input: encodePrepareInput({ ...input, logOp: false, bilogFlags: 0, zonesTrace: [] }) };
}

function complete(name: string, tag: string, op: number, epoch: number, removed: readonly string[]): EncodedChange {
  const input = encodeCompleteInput({
    op,
    key: { name, instance: '' },
    tag,
    locator: '',
    logOp: false,
    bilogFlags: 0,
    zonesTrace: [],
    version: { pool: 3n, epoch: BigInt(epoch) },
    meta: { ...NO_META, size: BigInt(epoch), accountedSize: BigInt(epoch) },
    removeKeys: removed.map((each) => ({ name: each, instance: '' })),
  });
  return { kind: 'complete', input };
}

const names = fc.constantFrom('a', 'b', 'c');
const tags = fc.constantFrom('1', '2');
const ops = fc.constantFrom(ModifyOp.add, ModifyOp.delete, ModifyOp.cancel);
const changes = fc.oneof(
  fc.tuple(names, tags).map((drawn) => prepare(...drawn)),
  fc.tuple(names, tags, ops, fc.nat(5), fc.array(names, { maxLength: 2 })).map((drawn) => complete(...drawn)),
);

test('many changes at once leave what they leave one by one; if one of them fails, all do', () => {
  const seen = { made: 0, refused: 0 };
  fc.assert(
    fc.property(
      fc.array(changes, { maxLength: 8 }),
      fc.array(changes, { minLength: 1, maxLength: 6 }),
      (before, many) => {
        const [alone, together] = [newIndex(), newIndex()];
        for (const { kind, input } of before) {
          for (const object of [alone, together]) object.call(rgwClass, METHODS[kind], input);
        }
        const stored = together.stored;
        const codes = many.map(({ kind, input }) => alone.call(rgwClass, METHODS[kind], input).code);
        const { code } = together.call(rgwClass, 'bucket_change_many', encodeChangesInput(many));
        const failed = codes.find((each) => each < 0);
        expect(code).toBe(failed ?? 0);
        expect(together.stored).toEqual(failed === undefined ? alone.stored : stored);
        seen[failed === undefined ? 'made' : 'refused'] += 1;
      },
    ),
    { numRuns: 500, seed: 1 },
  );
  expect(Math.min(seen.made, seen.refused)).toBeGreaterThan(50);
});

test('what does not parse is EINVAL', () => {
  const index = newIndex();
  const input = encodeChangesInput([prepare('a', '1')]);
  expect(index.call(rgwClass, 'bucket_change_many', input.subarray(0, -3)).code).toBe(Errno.EINVAL);
  input[10] = 7;
  expect(index.call(rgwClass, 'bucket_change_many', input).code).toBe(Errno.EINVAL);
  expect(index.stored.omap.size).toBe(0);
});
