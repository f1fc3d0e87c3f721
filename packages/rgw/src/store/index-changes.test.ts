import { type EncodedChange, encodePrepareInput, ModifyOp } from '@spirula/cls';
import { Errno } from '@spirula/encoding';
import { callArgs } from '@spirula/messages';
import type { IoCtx, ObjectOperation } from '@spirula/rados';
import { expect, test } from 'vitest';
import { BUSY_RESHARDING, IndexChanges } from './index-changes.ts';

const SHARD = '.dir.b.0';

function prepare(name: string): EncodedChange {
  const input = { op: ModifyOp.add, key: { name, instance: '' }, tag: 't', locator: '' };
  return { kind: 'prepare', input: encodePrepareInput({ ...input, logOp: false, bilogFlags: 0, zonesTrace: [] }) };
}

/** Notes what is asked of an OSD; each request is answered when the test says so. */
class Osd {
  readonly requests: { readonly oid: string; readonly method: string; readonly answer: (result: number) => void }[] =
    [];

  readonly io = {
    pool: 5,
    submit: (oid: string, { ops }: ObjectOperation) =>
      new Promise((resolve) => {
        const { method } = callArgs(ops.at(-1)!);
        this.requests.push({ oid, method, answer: (result) => resolve({ result, ops: [] }) });
      }),
  } as unknown as IoCtx;

  async answer(...results: number[]): Promise<void> {
    const open = this.requests.splice(0, results.length);
    for (const [i, { answer }] of open.entries()) answer(results[i]!);
    await settled();
  }

  get asked(): string[] {
    return this.requests.map(({ method }) => method);
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** The first goes alone, the others wait for it. */
function begin(osd: Osd, changes: IndexChanges, names: readonly string[]): Promise<number[]> {
  return Promise.all(names.map((name) => changes.submit(osd.io, SHARD, prepare(name))));
}

test('changes that come while one is under way go together; those of another shard go at once', async () => {
  const [osd, changes] = [new Osd(), new IndexChanges()];
  const results = begin(osd, changes, ['a', 'b', 'c']);
  const other = changes.submit(osd.io, '.dir.b.1', prepare('d'));
  expect(osd.requests.map(({ oid }) => oid)).toEqual([SHARD, '.dir.b.1']);
  await osd.answer(0, 0);
  expect(osd.asked).toEqual(['bucket_change_many']);
  await osd.answer(0);
  expect(await results).toEqual([0, 0, 0]);
  expect(await other).toBe(0);
});

test('when one of many fails, each is asked for alone', async () => {
  const [osd, changes] = [new Osd(), new IndexChanges()];
  const results = begin(osd, changes, ['a', 'b', 'c']);
  await osd.answer(0);
  await osd.answer(Errno.EINVAL);
  expect(osd.asked).toEqual(['bucket_prepare_op', 'bucket_prepare_op']);
  await osd.answer(0, Errno.EINVAL);
  expect(await results).toEqual([0, 0, Errno.EINVAL]);
});

test('a shard that takes no changes refuses all of them', async () => {
  const [osd, changes] = [new Osd(), new IndexChanges()];
  const results = begin(osd, changes, ['a', 'b', 'c']);
  await osd.answer(0);
  await osd.answer(BUSY_RESHARDING);
  expect(await results).toEqual([0, BUSY_RESHARDING, BUSY_RESHARDING]);
});

test('an OSD that knows no changes of many is asked once', async () => {
  const [osd, changes] = [new Osd(), new IndexChanges()];
  const results = begin(osd, changes, ['a', 'b', 'c']);
  await osd.answer(0);
  await osd.answer(Errno.EOPNOTSUPP);
  expect(osd.asked).toEqual(['bucket_prepare_op', 'bucket_prepare_op']);
  await osd.answer(0, 0);
  expect(await results).toEqual([0, 0, 0]);
  const later = begin(osd, changes, ['d', 'e']);
  expect(osd.asked).toEqual(['bucket_prepare_op', 'bucket_prepare_op']);
  await osd.answer(0, 0);
  expect(await later).toEqual([0, 0]);
});

test('more come after the last was answered', async () => {
  const [osd, changes] = [new Osd(), new IndexChanges()];
  for (const name of ['a', 'b']) {
    const result = changes
      .submit(osd.io, SHARD, prepare(name))
      .then((code) => changes.submit(osd.io, SHARD, prepare(`${code}`)));
    await osd.answer(0);
    await osd.answer(0);
    expect(await result).toBe(0);
  }
});
