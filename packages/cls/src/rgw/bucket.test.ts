import { type Bytes, Decoder, EMPTY, Errno } from '@spirula/encoding';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryObject } from '../memory-object.test-support.ts';
import { decodeBilogListReply, encodeBilogListInput, encodeBilogTrimInput } from './bilog-codec.ts';
import {
  type CompleteInput,
  decodeCheckIndexReply,
  decodeListReply,
  encodeCompleteInput,
  encodeListInput,
  encodePrepareInput,
  encodeSuggestInput,
  encodeTagTimeoutInput,
  type ListInput,
  SUGGEST_LOG_OP,
  SuggestedOp,
} from './bucket-codec.ts';
import { EntryFlag, ModifyOp, NO_ENTRY, NO_META, ObjectCategory } from './dir-entry.ts';
import { accountEntry, type BucketStats } from './dir-header.ts';
import { NO_OBJECT_KEY } from './object-key.ts';
import { rgwClass } from './rgw.ts';

const POOL = 7n;

class Index {
  readonly object = new MemoryObject();

  constructor() {
    this.call('bucket_init_index');
  }

  call(method: string, input: Bytes = EMPTY): number {
    return this.object.call(rgwClass, method, input).code;
  }

  prepare(name: string, tag: string, op: number = ModifyOp.add): number {
    const key = { name, instance: '' };
    const input = { op, key, tag, locator: '', logOp: true, bilogFlags: 0, zonesTrace: [] };
    return this.call('bucket_prepare_op', encodePrepareInput(input));
  }

  complete(name: string, tag: string, epoch: number, more: Partial<CompleteInput> = {}): number {
    return this.call(
      'bucket_complete_op',
      encodeCompleteInput({
        op: ModifyOp.add,
        key: { name, instance: '' },
        tag,
        locator: '',
        logOp: true,
        bilogFlags: 0,
        zonesTrace: ['zone'],
        version: { pool: POOL, epoch: BigInt(epoch) },
        meta: metaOf(epoch),
        removeKeys: [],
        ...more,
      }),
    );
  }

  put(...names: readonly string[]): this {
    for (const name of names) {
      this.prepare(name, 'tag');
      this.complete(name, 'tag', 1);
    }
    return this;
  }

  list(asked: Partial<ListInput> = {}) {
    const input = { start: NO_OBJECT_KEY, max: 100, prefix: '', listVersions: false, delimiter: '', ...asked };
    const { code, output } = this.object.call(rgwClass, 'bucket_list', encodeListInput(input));
    return { code, ...decodeListReply(new Decoder(output)) };
  }

  names(asked: Partial<ListInput> = {}): readonly string[] {
    return [...this.list(asked).entries.keys()];
  }

  bilog() {
    const { output } = this.object.call(rgwClass, 'bi_log_list', encodeBilogListInput({ marker: '', max: 100 }));
    return decodeBilogListReply(new Decoder(output)).entries;
  }

  check() {
    return decodeCheckIndexReply(new Decoder(this.object.call(rgwClass, 'bucket_check_index').output));
  }
}

function metaOf(size: number) {
  return { ...NO_META, category: ObjectCategory.main, size: BigInt(size), accountedSize: BigInt(size) };
}

test('an object is in the index from its announcement on, and counts from its completion on', () => {
  const index = new Index();

  expect(index.prepare('a', 'one')).toBe(0);
  expect(index.list().entries.get('a')).toMatchObject({ exists: false, pending: [{ tag: 'one', op: ModifyOp.add }] });
  expect(index.list().header.stats.size).toBe(0);
  expect(index.complete('a', 'one', 5)).toBe(0);
  expect(index.list().entries.get('a')).toMatchObject({ exists: true, pending: [], tag: 'one', meta: { size: 5n } });
  expect(index.list().header.stats).toEqual(
    new Map([[ObjectCategory.main, { size: 5n, sizeRounded: 4096n, entries: 1n, actualSize: 5n }]]),
  );
});

test('an index is made once', () => {
  expect(new Index().call('bucket_init_index')).toBe(Errno.EINVAL);
});

test('what was not announced is not completed, and that what is not there goes is not logged', () => {
  const index = new Index();

  expect(index.prepare('a', '')).toBe(Errno.EINVAL);
  expect(index.complete('a', 'one', 1)).toBe(Errno.EINVAL);
  expect(index.complete('a', '', 0, { op: ModifyOp.delete })).toBe(0);
  expect(index.names()).toEqual([]);
  expect(index.bilog()).toEqual([]);
});

test('of two changes that overlap the later one counts, in whatever order they are completed', () => {
  const index = new Index();

  index.prepare('a', 'one');
  index.prepare('a', 'two', ModifyOp.delete);
  index.complete('a', 'two', 6, { op: ModifyOp.delete });
  expect(index.list().entries.get('a')).toMatchObject({ exists: false, pending: [{ tag: 'one' }] });
  index.complete('a', 'one', 5);
  expect(index.names()).toEqual([]);
});

test('an entry goes when it is removed and nothing is pending; one that was given up is as before', () => {
  const index = new Index().put('a');

  index.prepare('a', 'two');
  index.complete('a', 'two', 2, { op: ModifyOp.cancel });
  expect(index.list().entries.get('a')).toMatchObject({ exists: true, meta: { size: 1n } });
  index.prepare('a', 'three', ModifyOp.delete);
  index.complete('a', 'three', 3, { op: ModifyOp.delete });
  expect(index.names()).toEqual([]);
});

test('completing an upload removes its parts, each with an entry in the log', () => {
  const index = new Index().put('part.1', 'part.2', 'part.3');
  const removeKeys = ['part.1', 'gone', 'part.2'].map((name) => ({ name, instance: '' }));

  index.prepare('whole', 'tag');
  index.complete('whole', 'tag', 9, { removeKeys });
  expect(index.names()).toEqual(['part.3', 'whole']);
  expect(index.list().header.stats.get(ObjectCategory.main)).toMatchObject({ entries: 2n, size: 10n });
  expect(
    index
      .bilog()
      .slice(3)
      .map(({ key, op, zonesTrace }) => [key.name, op, zonesTrace]),
  ).toEqual([
    ['whole', ModifyOp.add, ['zone']],
    ['part.1', ModifyOp.delete, []],
    ['part.2', ModifyOp.delete, []],
  ]);
});

test('a listing shows names up to the delimiter once, and goes on behind them', () => {
  const index = new Index().put('a', 'dir/1', 'dir/2', 'dir/sub/3', 'e', 'é', 'other/x');

  expect(index.names({ delimiter: '/' })).toEqual(['a', 'dir/', 'e', 'other/', 'é']);
  expect(index.list({ delimiter: '/' }).entries.get('dir/')?.flags).toBe(EntryFlag.commonPrefix);
  expect(index.names({ delimiter: '/', prefix: 'dir/' })).toEqual(['dir/1', 'dir/2', 'dir/sub/']);
  expect(index.names({ start: { name: 'dir/', instance: '' }, delimiter: '/' })).toEqual(['e', 'other/', 'é']);
  const page = index.list({ delimiter: '/', max: 2 });
  expect([...page.entries.keys()]).toEqual(['a', 'dir/']);
  expect(page).toMatchObject({ code: 0, truncated: true, marker: { name: 'dir/\xff', instance: '' } });
});

test('names before and behind the special keys are listed, these are not', () => {
  const index = new Index().put('a', '\xc3\xa9');

  expect([...index.object.stored.omap.keys()].filter((key) => key.startsWith('\x80'))).toHaveLength(2);
  expect(index.names()).toEqual(['a', '\xc3\xa9']);
  expect(index.names({ max: 1, start: { name: 'a', instance: '' } })).toEqual(['\xc3\xa9']);
});

test('a listing asks for another call when many entries have nothing to show', () => {
  const index = new Index();
  for (let i = 0; i < 9; i++) index.put(`v${i}`);
  const stored = new Map(index.object.stored.omap);
  for (const [key, value] of stored) {
    const hidden = value.slice();
    // The flags are the last but 8 bytes of an entry.
    if (key.startsWith('v')) hidden[hidden.length - 10] = EntryFlag.versionMarker;
    stored.set(key, hidden);
  }
  index.object.stored = { ...index.object.stored, omap: stored };

  expect(index.list({ max: 1 })).toMatchObject({ code: Errno.EFBIG, truncated: true, marker: { name: 'v7' } });
});

test('a suggestion counts for an entry that nothing is pending of, or nothing young', () => {
  const index = new Index().put('a', 'b');
  const entry = { ...NO_ENTRY, key: { name: 'a', instance: '' }, exists: true, meta: metaOf(50), indexVersion: 9n };
  const suggest = (op: number) => index.call('dir_suggest_changes', encodeSuggestInput([{ op, entry }]));

  index.prepare('a', 'dead');
  suggest(SuggestedOp.update);
  expect(index.list().entries.get('a')?.meta.size).toBe(1n);
  index.object.time = { sec: index.object.time.sec + 121, nsec: 0 };
  suggest(SuggestedOp.update | SUGGEST_LOG_OP);
  expect(index.list().entries.get('a')?.meta.size).toBe(50n);
  expect(index.list().header.stats.get(ObjectCategory.main)).toMatchObject({ entries: 2n, size: 51n });
  suggest(SuggestedOp.remove);
  expect(index.names()).toEqual(['b']);
});

test('a suggestion from before the last change of an entry counts no more', () => {
  const index = new Index().put('a', 'b');
  const entry = { ...NO_ENTRY, key: { name: 'b', instance: '' }, indexVersion: 0n };

  index.call('dir_suggest_changes', encodeSuggestInput([{ op: SuggestedOp.remove, entry }]));
  expect(index.names()).toEqual(['a', 'b']);
});

test('the log is trimmed up to an entry, and says when it stops and goes on', () => {
  const index = new Index().put('a', 'b');
  const [first] = index.bilog();
  const trim = () => index.call('bi_log_trim', encodeBilogTrimInput({ start: '', end: first!.id }));

  expect(trim()).toBe(0);
  expect(trim()).toBe(Errno.ENODATA);
  index.call('bi_log_stop');
  index.put('c');
  index.call('bi_log_resync');
  expect(index.bilog().map(({ op }) => op)).toEqual([ModifyOp.add, ModifyOp.syncStop, ModifyOp.resync]);
});

test('a rebuilt header has the sums of the entries', () => {
  const index = new Index().put('a', 'b');
  const { header } = index.object.stored;
  index.call('bucket_set_tag_timeout', encodeTagTimeoutInput(5n));
  index.object.stored = { ...index.object.stored, header };
  index.complete('b', '', 0, { op: ModifyOp.delete });
  index.object.stored = { ...index.object.stored, header };

  expect(index.check().existing.stats.get(ObjectCategory.main)?.entries).toBe(2n);
  expect(index.check().calculated.stats.get(ObjectCategory.main)?.entries).toBe(1n);
  index.call('bucket_rebuild_index');
  expect(index.check().existing.stats).toEqual(index.check().calculated.stats);
});

const step = fc.record({
  kind: fc.constantFrom('prepare', 'add', 'delete', 'cancel', 'update', 'remove', 'later'),
  name: fc.constantFrom('a', 'b'),
  tag: fc.constantFrom('', 'one', 'two'),
  isLate: fc.boolean(),
  size: fc.constantFrom(1, 4096, 5000),
  category: fc.constantFrom(ObjectCategory.main, ObjectCategory.multiMeta),
});

test('the sums in the header are those of the entries that exist, whatever the order of changes', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 40 }), (steps) => {
      const index = new Index();
      for (const [i, { kind, name, tag, isLate, size, category }] of steps.entries()) {
        const meta = { ...metaOf(size), category };
        const entry = { ...NO_ENTRY, key: { name, instance: '' }, exists: true, meta, indexVersion: BigInt(i) };
        if (kind === 'prepare') index.prepare(name, tag);
        else if (kind === 'later') index.object.time = { sec: index.object.time.sec + 100, nsec: 0 };
        else if (kind === 'update' || kind === 'remove') {
          index.call('dir_suggest_changes', encodeSuggestInput([{ op: SuggestedOp[kind], entry }]));
        } else index.complete(name, tag, isLate ? 1 : i + 1, { op: ModifyOp[kind], meta });
      }

      const { header, entries } = index.list();
      let sums: BucketStats = new Map();
      for (const { exists, meta } of entries.values()) if (exists) sums = accountEntry(sums, meta, 1n);
      const counted = new Map([...header.stats].filter(([, { entries: count }]) => count > 0n));
      expect(counted).toEqual(sums);
    }),
  );
});
