import { builtinClasses, ClassRegistry } from '@spirula/cls';
import {
  type Bytes,
  bytesFromRaw,
  concatBytes,
  crc32c,
  Decoder,
  EMPTY,
  Encoder,
  Errno,
  fromUtf8,
  type RawString,
  utf8,
  xxhash32,
  xxhash64,
} from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import {
  allocHintOp,
  assertVerOp,
  ChecksumType,
  CmpXattrMode,
  CmpXattrOp,
  callOp,
  checksumOp,
  copyFromOp,
  decodeWatchItems,
  extentOp,
  NOSNAP,
  notifyOp,
  type ObjectChange,
  OpFlag,
  OsdFlag,
  type OsdOp,
  OsdOpCode,
  plainOp,
  WatchOp,
  watchOp,
  xattrOp,
} from '@spirula/messages';
import { BLOCK_BYTES, type Extents, extent, intersectExtents, UnreadableObject } from '@spirula/objectstore';
import { makeConfig } from '@spirula/world';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CopiedObject, type Copies, NO_COPIES } from './object-copier.ts';
import type { ObjectReader } from './object-draft.ts';
import { decodeObjectInfo, OBJECT_INFO_ATTR, type ObjectInfo } from './object-info.ts';
import { executeOps, mayWrite, type OpsOutcome } from './op-engine.ts';

const oid: HObject = { pool: 1, nspace: '', key: '', name: 'obj', snap: NOSNAP, hash: 7, max: false };
const config = makeConfig();
const NO_ADDR = { type: 0, nonce: 0, family: 0, ip: '', port: 0 } as const;
const classes = new ClassRegistry(builtinClasses, { loadList: '*', defaultList: '*' });
const clock = { wall: () => ({ sec: 1000, nsec: 7 }) };
const map = { requireOsdRelease: 16, requireMinCompatClient: 0 };
const crypto = { randomBytes: (count: number) => new Uint8Array(count) };

/** One object as a store would hold it after the changes given to it. */
class StoredObject implements ObjectReader {
  data: Bytes | undefined;
  attrs = new Map<RawString, Bytes>();
  header: Bytes = EMPTY;
  omap = new Map<RawString, Bytes>();

  stat = () => (this.data ? { size: this.data.length } : undefined);
  /** A block that cannot be read. */
  badBlock: number | undefined;
  read = (offset: number, length: number) => {
    const bad = (this.badBlock ?? -1) * BLOCK_BYTES;
    if (bad >= 0 && offset < bad + BLOCK_BYTES && offset + length > bad) throw new UnreadableObject('bad block');
    return this.data?.subarray(offset, offset + length) ?? EMPTY;
  };
  /** As if all of it had been written. */
  extents = (offset: number, length: number): Extents =>
    intersectExtents(extent(0, this.data?.length ?? 0), extent(offset, length));
  getAttr = (name: RawString) => this.attrs.get(name);
  getAttrs = () => this.attrs;
  omapHeader = () => this.header;
  omapGet = (keys: Iterable<RawString>) =>
    new Map([...keys].filter((key) => this.omap.has(key)).map((key) => [key, this.omap.get(key)!]));
  omapList = (start: RawString, max: number) =>
    new Map(
      [...this.omap]
        .filter(([key]) => key >= start)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, max),
    );

  resize(size: number): void {
    const grown = new Uint8Array(size);
    grown.set((this.data ?? EMPTY).subarray(0, size));
    this.data = grown;
  }

  apply(change: ObjectChange): void {
    if (change.op === 'remove') {
      Object.assign(this, { data: undefined, attrs: new Map(), header: EMPTY, omap: new Map() });
      return;
    }
    this.data ??= EMPTY;
    switch (change.op) {
      case 'touch':
        return;
      case 'write':
        this.resize(Math.max(this.data.length, change.offset + change.data.length));
        this.data.set(change.data, change.offset);
        return;
      case 'zero':
        this.data = this.data.slice().fill(0, change.offset, change.offset + change.length);
        return;
      case 'truncate':
        this.resize(change.size);
        return;
      case 'setAttrs':
        for (const [name, value] of change.attrs) this.attrs.set(name, value);
        return;
      case 'rmAttr':
        this.attrs.delete(change.name);
        return;
      case 'omapSet':
        for (const [key, value] of change.entries) this.omap.set(key, value);
        return;
      case 'omapRmKeys':
        for (const key of change.keys) this.omap.delete(key);
        return;
      case 'omapRmRange':
        for (const key of [...this.omap.keys()]) {
          if (key >= change.first && key < change.last) this.omap.delete(key);
        }
        return;
      case 'omapClear':
        this.header = EMPTY;
        this.omap.clear();
        return;
      case 'omapSetHeader':
        this.header = change.header;
    }
  }
}

/** An object and the requests made to it, one after another. */
class Bench {
  readonly stored = new StoredObject();
  info: ObjectInfo | undefined;
  version = 0;
  limits = config;
  readonly client = { session: 1, entityType: 8, entityNum: 4117n, addr: NO_ADDR, features: 0n };

  run(ops: readonly OsdOp[], flags = 0, copies: Copies = NO_COPIES): OpsOutcome {
    const outcome = executeOps(
      { oid, ops, flags, copies, mtime: { sec: 100 + this.version, nsec: 5 }, client: this.client },
      {
        info: this.info,
        version: { epoch: 3, version: this.version + 1 },
        lastUserVersion: this.version,
        isConnected: () => false,
        nextNotifyId: () => 0n,
      },
      this.stored,
      { config: this.limits, clock, crypto, classes, map },
    );
    for (const change of outcome.changes) this.stored.apply(change);
    this.info = outcome.info;
    if (outcome.modifies) this.version += 1;
    return outcome;
  }
}

function withObject(text: string): Bench {
  const bench = new Bench();
  bench.run([writeFull(text)]);
  return bench;
}

const writeFull = (text: string) => extentOp(OsdOpCode.writefull, 0, text.length, utf8(text));
const write = (offset: number, text: string) => extentOp(OsdOpCode.write, offset, text.length, utf8(text));
const append = (text: string) => extentOp(OsdOpCode.append, 0, text.length, utf8(text));
const read = (offset = 0, length = 0) => extentOp(OsdOpCode.read, offset, length);
const truncate = (size: number) => extentOp(OsdOpCode.truncate, size, 0);
const zero = (offset: number, length: number) => extentOp(OsdOpCode.zero, offset, length);
const stat = plainOp(OsdOpCode.stat);
const remove = plainOp(OsdOpCode.delete);
const create = (flags = 0) => plainOp(OsdOpCode.create, EMPTY, flags);
const failOk = (op: OsdOp): OsdOp => ({ ...op, flags: op.flags | OpFlag.failok });
const text = (outcome: OpsOutcome, op = 0) => fromUtf8(outcome.ops[op]!.output);

function keys(...names: string[]): Bytes {
  const encoder = new Encoder();
  encoder.list(names, (name) => encoder.rawString(name));
  return encoder.finish();
}

function omapSet(entries: Record<string, string>): OsdOp {
  const encoder = new Encoder();
  encoder.map(
    new Map(Object.entries(entries)),
    (key) => encoder.rawString(key),
    (value) => encoder.string(value),
  );
  return plainOp(OsdOpCode.omapSetVals, encoder.finish());
}

function omapRmRange(first: string, last: string): OsdOp {
  const range = new Encoder();
  range.rawString(first);
  range.rawString(last);
  return plainOp(OsdOpCode.omapRmKeyRange, range.finish());
}

function omapKeys(after: string, max: number): OsdOp {
  const encoder = new Encoder();
  encoder.rawString(after);
  encoder.u64(max);
  return plainOp(OsdOpCode.omapGetKeys, encoder.finish());
}

function omapVals(after: string, max: number, prefix = ''): OsdOp {
  const encoder = new Encoder();
  encoder.rawString(after);
  encoder.u64(max);
  encoder.rawString(prefix);
  return plainOp(OsdOpCode.omapGetVals, encoder.finish());
}

function decodeKeys(output: Bytes): [string[], boolean] {
  const decoder = new Decoder(output);
  return [decoder.list('keys', 4, () => decoder.rawString('key')), decoder.bool('more')];
}

function decodeVals(output: Bytes): Record<string, string> {
  const decoder = new Decoder(output);
  return Object.fromEntries(
    decoder.map(
      'vals',
      8,
      () => decoder.rawString('key'),
      () => decoder.string('value'),
    ),
  );
}

describe('data', () => {
  test('what was written is read, and said by stat', () => {
    const bench = withObject('hello world');

    expect(text(bench.run([read()]))).toBe('hello world');
    expect(text(bench.run([read(6, 100)]))).toBe('world');
    expect(text(bench.run([read(50, 10)]))).toBe('');
    const output = new Decoder(bench.run([stat]).ops[0]!.output);
    expect([output.u64('size'), output.u32('sec'), output.u32('nsec')]).toEqual([11, 100, 5]);
  });

  test('a read says in its arguments how much it read', () => {
    const outcome = withObject('hello').run([read(1, 100)]);

    expect(new Decoder(outcome.ops[0]!.args.subarray(8)).u64('length')).toBe(4);
  });

  test('an absent object is -ENOENT to reads, and to a delete; a truncate of it does nothing', () => {
    const bench = new Bench();

    expect(bench.run([stat, read()]).result).toBe(Errno.ENOENT);
    expect(bench.run([remove])).toMatchObject({ result: Errno.ENOENT, modifies: false });
    expect(bench.run([truncate(10)])).toMatchObject({ result: 0, modifies: false });
  });

  test('an op sees the size that those before it left, and the data that were stored', () => {
    const bench = withObject('aaaaaaaa');

    const outcome = bench.run([write(2, 'bb'), truncate(6), read(), append('cc'), read()], OsdFlag.returnvec);

    expect([text(outcome, 2), text(outcome, 4)]).toEqual(['aaaaaa', 'aaaaaaaa']);
    expect(fromUtf8(bench.stored.data!)).toBe('aabbaacc');
    expect(bench.info).toMatchObject({ size: 8, userVersion: 2, version: { epoch: 3, version: 2 } });
  });

  test('an object that the request makes cannot be read in it', () => {
    const bench = new Bench();

    expect(bench.run([write(0, 'new'), read()]).result).toBe(Errno.ENOENT);
    expect(bench.run([write(0, 'new'), plainOp(OsdOpCode.getxattrs)]).result).toBe(Errno.ENOENT);
    expect(bench.run([write(0, 'new'), stat], OsdFlag.returnvec).result).toBe(0);
  });

  test('a failing op undoes all of its request', () => {
    const bench = withObject('before');

    const outcome = bench.run([writeFull('after'), create(OpFlag.excl), append('!')]);

    expect(outcome).toMatchObject({ result: Errno.EEXIST, modifies: false, changes: [], userVersion: 1 });
    expect(outcome.ops.map((op) => op.rval)).toEqual([0, Errno.EEXIST, 0]);
    expect(text(bench.run([read()]))).toBe('before');
  });

  test('an op that may fail does not end its request', () => {
    const bench = withObject('x');

    const outcome = bench.run([failOk(create(OpFlag.excl)), append('y')]);

    expect(outcome.result).toBe(0);
    expect(outcome.ops[0]!.rval).toBe(Errno.EEXIST);
    expect(fromUtf8(bench.stored.data!)).toBe('xy');
  });

  test('zero keeps the size, and cuts off what reaches the end', () => {
    const bench = withObject('abcdefgh');
    bench.run([zero(2, 2)]);
    expect(text(bench.run([read()]))).toBe('ab\0\0efgh');
    bench.run([zero(6, 100)]);
    expect(text(bench.run([read()]))).toBe('ab\0\0ef');
    expect(bench.run([zero(6, 5)])).toMatchObject({ result: 0, modifies: false });
  });

  test('a write behind the end leaves zeros; an empty one there extends the object', () => {
    const bench = withObject('ab');
    bench.run([write(4, 'c')]);
    bench.run([write(8, '')]);

    expect(text(bench.run([read()]))).toBe('ab\0\0c\0\0\0');
  });

  test('lengths that are not those of the data, and sizes beyond the limit, are refused', () => {
    const bench = new Bench();

    expect(bench.run([extentOp(OsdOpCode.write, 0, 5, utf8('abc'))]).result).toBe(Errno.EINVAL);
    expect(bench.run([write(config.osd_max_object_size, 'x')]).result).toBe(Errno.EFBIG);
    expect(bench.run([write(2 ** 60, 'x')]).result).toBe(Errno.EFBIG);
    bench.run([create()]);
    expect(bench.run([truncate(config.osd_max_object_size + 1)]).result).toBe(Errno.EFBIG);
  });

  test('an object deleted and made anew in one request has nothing of the old', () => {
    const bench = withObject('old');
    bench.run([xattrOp(OsdOpCode.setxattr, 'a', utf8('1')), omapSet({ k: 'v' })]);

    const outcome = bench.run([remove, create(OpFlag.excl), stat, omapKeys('', 5)], OsdFlag.returnvec);

    expect(outcome).toMatchObject({ result: 0, delta: { objects: 0, bytes: -3, clones: 0, whiteouts: 0 } });
    expect(new Decoder(outcome.ops[2]!.output).u64('size')).toBe(0);
    expect(decodeKeys(outcome.ops[3]!.output)).toEqual([[], false]);
    expect([...bench.stored.attrs.keys()]).toEqual([OBJECT_INFO_ATTR]);
  });

  test('a deletion leaves no object, and counts', () => {
    const bench = withObject('old');

    expect(bench.run([remove])).toMatchObject({
      modifies: true,
      info: undefined,
      delta: { objects: -1, bytes: -3, clones: 0, whiteouts: 0 },
      userVersion: 2,
    });
    expect(bench.stored.data).toBeUndefined();
  });

  test('a write into a block that cannot be read is not made: the object is to be had elsewhere first', () => {
    const bench = withObject('x'.repeat(3 * BLOCK_BYTES + 100));
    bench.stored.badBlock = 1;
    const blocks = 'y'.repeat(BLOCK_BYTES);
    for (const op of [
      write(BLOCK_BYTES + 1, blocks),
      write(1, blocks),
      zero(BLOCK_BYTES + 1, 10),
      truncate(BLOCK_BYTES + 1),
    ]) {
      expect(() => bench.run([op])).toThrow(UnreadableObject);
    }

    // Nothing of the block stays, or nothing of the object.
    expect(bench.run([write(BLOCK_BYTES, blocks)]).result).toBe(0);
    expect(bench.run([append('y')]).result).toBe(0);
    expect(bench.run([writeFull('y'), append('y')]).result).toBe(0);
  });

  test('checksum sums the whole, a part, or each of its chunks, from the given value on', () => {
    const { crc32c: crc, xxhash32: xxh32, xxhash64: xxh64 } = ChecksumType;
    const bench = withObject('foobarfoobar');
    const sum = (type: number, offset = 0, length = 0, chunkSize = 0, init: Bytes = new Uint8Array(8)) => {
      const { result, ops } = bench.run([checksumOp({ offset, length, chunkSize, type }, init)]);
      const output = new Decoder(ops[0]!.output);
      const value = () => (type === xxh64 ? output.u64big('sum') : BigInt(output.u32('sum')));
      return result < 0 || output.remaining === 0 ? result : output.list('sums', 4, value);
    };
    const all = new Uint8Array(8).fill(0xff);

    expect(sum(xxh32)).toEqual([BigInt(xxhash32(utf8('foobarfoobar'), 0))]);
    expect(sum(crc, 0, 6, 0, all)).toEqual([BigInt(crc32c(utf8('foobar'), 0xffffffff))]);
    expect(sum(xxh64, 3, 9, 3, all)).toEqual(
      ['bar', 'foo', 'bar'].map((part) => xxhash64(utf8(part), 0xffff_ffff_ffff_ffffn)),
    );
    // Cut off at the end of the object, and beyond it.
    expect(sum(crc, 6, 100)).toEqual([BigInt(crc32c(utf8('foobar'), 0))]);
    expect([sum(crc, 12, 1), sum(crc, 0, 0, 4), sum(crc, 0, 7, 4), sum(crc, 6, 8, 4)]).toEqual([0, -22, -22, -22]);
    expect([sum(9), sum(crc, 0, 0, 0, EMPTY), sum(xxh64, 0, 0, 0, new Uint8Array(7))]).toEqual([-22, -22, -22]);
    bench.run([remove, create()]);
    expect(sum(crc)).toEqual([]);
    bench.run([remove]);
    expect(sum(crc)).toBe(Errno.ENOENT);
  });

  test('cmpext says where the first difference is', () => {
    const bench = withObject('abc');
    const cmp = (expected: string) => extentOp(OsdOpCode.cmpext, 1, expected.length, utf8(expected));

    expect(bench.run([cmp('bc')]).result).toBe(0);
    expect(bench.run([cmp('bc\0')]).result).toBe(0);
    expect(bench.run([cmp('bX')]).result).toBe(-4096);
  });

  test('a sparse read or map of no length answers no extent', () => {
    const bench = withObject('hello');

    for (const code of [OsdOpCode.sparseRead, OsdOpCode.mapext]) {
      expect(new Decoder(bench.run([extentOp(code, 0, 0)]).ops[0]!.output).u32('extents')).toBe(0);
    }
  });

  test('a sparse read answers one extent and its data', () => {
    const [answer] = withObject('hello').run([extentOp(OsdOpCode.sparseRead, 1, 100)]).ops;
    const output = new Decoder(concatBytes([answer!.output, ...answer!.pieces!]));

    expect([output.u32('n'), output.u64('offset'), output.u64('length'), output.string('data')]).toEqual([
      1,
      1,
      4,
      'ello',
    ]);
  });

  test('an older write that comes after a truncation does not bring back what it cut off', () => {
    const bench = withObject('abcdefgh');
    const ordered = (code: number, offset: number, data: string, seq: number, size: number): OsdOp => {
      const args = new Encoder(28);
      args.u64(offset);
      args.u64(data.length);
      args.u64(size);
      args.u32(seq);
      return { code, flags: 0, args: args.finish(), input: utf8(data) };
    };
    bench.run([ordered(OsdOpCode.truncate, 4, '', 2, 4)]);
    bench.run([ordered(OsdOpCode.write, 2, 'WXYZ', 1, 8)]);

    expect(text(bench.run([read()]))).toBe('abWX');
  });
});

describe('what a write may answer', () => {
  test('nothing, unless its client asks', () => {
    const outcome = withObject('abc').run([read(), append('d')]);

    expect(outcome.ops[0]!.output).toEqual(EMPTY);
  });

  test('little, when it does; the write is not made when that is too much', () => {
    const bench = withObject('x'.repeat(65));

    const outcome = bench.run([read(), append('d')], OsdFlag.returnvec);

    expect(outcome).toMatchObject({ result: Errno.EOVERFLOW, modifies: false });
    expect(bench.info!.size).toBe(65);
  });
});

describe('versions and unknown ops', () => {
  test('assert-ver compares with the user version', () => {
    const bench = withObject('a');
    bench.run([append('b')]);

    expect([0, 1, 2, 3].map((version) => bench.run([assertVerOp(version)]).result)).toEqual([
      Errno.EINVAL,
      Errno.ERANGE,
      0,
      Errno.EOVERFLOW,
    ]);
  });

  test('an object is dirty from its writing until it is said to be clean', () => {
    const bench = withObject('a');
    const isDirty = () => bench.run([plainOp(OsdOpCode.isDirty)]).ops[0]!.output[0];

    expect(isDirty()).toBe(1);
    bench.run([plainOp(OsdOpCode.undirty)]);
    expect(isDirty()).toBe(0);
    expect(bench.run([plainOp(OsdOpCode.undirty)])).toMatchObject({ result: 0, modifies: false });
    bench.run([append('b')]);
    expect(isDirty()).toBe(1);
    expect(bench.run([plainOp(OsdOpCode.cachePin)]).result).toBe(Errno.EINVAL);
  });

  test('ops that are not known are -EOPNOTSUPP', () => {
    expect(withObject('a').run([plainOp(OsdOpCode.call)]).result).toBe(Errno.EOPNOTSUPP);
    expect(withObject('a').run([plainOp(0x2fff)]).result).toBe(Errno.EOPNOTSUPP);
  });

  test('an allocation hint creates the object', () => {
    const bench = new Bench();

    bench.run([allocHintOp({ expectedObjectSize: 1, expectedWriteSize: 1, hintFlags: 0 })]);

    expect(bench.info).toMatchObject({ size: 0, userVersion: 1 });
    expect(decodeObjectInfo(bench.stored.attrs.get(OBJECT_INFO_ATTR)!)).toEqual(bench.info);
  });

  test('what writes is told from what reads', () => {
    expect(mayWrite([stat, read()], classes)).toBe(false);
    expect(mayWrite([stat, remove], classes)).toBe(true);
  });
});

describe('xattrs', () => {
  const set = (name: string, value: string) => xattrOp(OsdOpCode.setxattr, name, utf8(value));
  const get = (name: string) => xattrOp(OsdOpCode.getxattr, name);

  test('are set, read, listed without the OSD’s own, and removed', () => {
    const bench = new Bench();
    bench.run([set('b', '2'), set('a', '1')]);

    expect(text(bench.run([get('a')]))).toBe('1');
    expect(decodeVals(bench.run([plainOp(OsdOpCode.getxattrs)]).ops[0]!.output)).toEqual({ a: '1', b: '2' });
    bench.run([xattrOp(OsdOpCode.rmxattr, 'a')]);
    expect(bench.run([get('a')]).result).toBe(Errno.ENODATA);
    expect(bench.run([set('n'.repeat(101), 'x')]).result).toBe(Errno.ENAMETOOLONG);
  });

  test('without a name nothing is set or removed, and the object is made', () => {
    const bench = new Bench();

    expect(bench.run([set('', 'x')])).toMatchObject({
      result: 0,
      delta: { objects: 1, bytes: 0, clones: 0, whiteouts: 0 },
    });
    expect(bench.run([xattrOp(OsdOpCode.rmxattr, '')]).result).toBe(0);
    expect(decodeVals(bench.run([plainOp(OsdOpCode.getxattrs)]).ops[0]!.output)).toEqual({});
    expect(bench.run([stat]).result).toBe(0);
  });

  test('an input shorter than its lengths is refused', () => {
    const { args } = set('name', 'value');

    expect(withObject('').run([{ code: OsdOpCode.setxattr, flags: 0, args, input: utf8('na') }]).result).toBe(
      Errno.EINVAL,
    );
  });

  test('guards compare the given value with the stored one', () => {
    const bench = new Bench();
    bench.run([set('v', 'm'), set('n', '10')]);
    const guard = (name: string, value: Bytes, op: number, mode: number) =>
      bench.run([xattrOp(OsdOpCode.cmpxattr, name, value, { op, mode })]).result;
    const number = (value: bigint) => {
      const encoder = new Encoder();
      encoder.u64big(value);
      return encoder.finish();
    };

    const { string, u64 } = CmpXattrMode;
    expect(guard('v', utf8('m'), CmpXattrOp.eq, string)).toBe(1);
    expect(guard('v', utf8('z'), CmpXattrOp.gt, string)).toBe(1);
    expect(guard('v', utf8('z'), CmpXattrOp.lt, string)).toBe(Errno.ECANCELED);
    expect(guard('none', EMPTY, CmpXattrOp.eq, string)).toBe(1);
    expect(guard('n', number(9n), CmpXattrOp.lt, u64)).toBe(1);
    expect(guard('n', number(10n), CmpXattrOp.ne, u64)).toBe(Errno.ECANCELED);
    expect(guard('v', EMPTY, 9, string)).toBe(Errno.EINVAL);
  });

  test.each([
    ['12x', 12n],
    [' \t42', 42n],
    ['007', 7n],
    ['0x10', 0n],
    ['text', 0n],
    ['', 0n],
    ['-5', 2n ** 64n - 5n],
    ['18446744073709551616', 2n ** 64n - 1n],
  ])('a guard reads the number of "%s" as C does', (value, number) => {
    const bench = new Bench();
    bench.run([set('v', value)]);
    const encoder = new Encoder();
    encoder.u64big(number);
    const guard = { op: CmpXattrOp.eq, mode: CmpXattrMode.u64 };

    expect(bench.run([xattrOp(OsdOpCode.cmpxattr, 'v', encoder.finish(), guard)]).result).toBe(1);
  });

  test('a guard that fails keeps the write behind it from happening', () => {
    const bench = new Bench();
    bench.run([set('v', '1')]);

    const guard = xattrOp(OsdOpCode.cmpxattr, 'v', utf8('2'), { op: CmpXattrOp.eq, mode: CmpXattrMode.string });
    expect(bench.run([guard, writeFull('x')])).toMatchObject({ result: Errno.ECANCELED, modifies: false });
  });
});

describe('omap', () => {
  test('is set, paged through, filtered and removed from', () => {
    const bench = new Bench();
    bench.run([omapSet({ a1: '1', a2: '2', b1: '3' }), plainOp(OsdOpCode.omapSetHeader, utf8('head'))]);

    expect(decodeKeys(bench.run([omapKeys('', 2)]).ops[0]!.output)).toEqual([['a1', 'a2'], true]);
    expect(decodeKeys(bench.run([omapKeys('a2', 2)]).ops[0]!.output)).toEqual([['b1'], false]);
    expect(decodeVals(bench.run([omapVals('', 10, 'a')]).ops[0]!.output)).toEqual({ a1: '1', a2: '2' });
    expect(decodeVals(bench.run([plainOp(OsdOpCode.omapGetValsByKeys, keys('zz', 'b1'))]).ops[0]!.output)).toEqual({
      b1: '3',
    });
    expect(text(bench.run([plainOp(OsdOpCode.omapGetHeader)]))).toBe('head');

    bench.run([plainOp(OsdOpCode.omapRmKeys, keys('a1'))]);
    bench.run([omapRmRange('b', 'c')]);
    expect(decodeKeys(bench.run([omapKeys('', 10)]).ops[0]!.output)).toEqual([['a2'], false]);
    bench.run([plainOp(OsdOpCode.omapClear)]);
    expect(decodeKeys(bench.run([omapKeys('', 10)]).ops[0]!.output)).toEqual([[], false]);
  });

  test('a range that goes takes what was stored; what the same request set anew stays, as in BlueStore', () => {
    const bench = new Bench();
    bench.run([omapSet({ a: '1', b: '1' })]);
    bench.run([omapSet({ b: '2', c: '2', d: '2' }), omapRmRange('a', 'd')]);
    expect(Object.fromEntries([...bench.stored.omap].map(([key, value]) => [key, fromUtf8(value)]))).toEqual({
      c: '2',
      d: '2',
    });

    // Of an object that is made anew nothing is stored.
    bench.run([remove, omapSet({ c: '3' }), omapRmRange('a', 'z')]);
    expect([...bench.stored.omap.keys()]).toEqual(['c']);
    bench.run([omapSet({ e: '4' }), plainOp(OsdOpCode.omapRmKeys, keys('e')), omapRmRange('a', 'z')]);
    expect([...bench.stored.omap.keys()]).toEqual([]);
  });

  test('a request asks for no more entries than allowed', () => {
    const bench = new Bench();
    bench.limits = makeConfig({ osd_max_omap_entries_per_request: 1 });
    bench.run([omapSet({ a: '', b: '' })]);

    expect(decodeKeys(bench.run([omapKeys('', 100)]).ops[0]!.output)).toEqual([['a'], true]);
  });

  test('input that does not parse is refused, removal from an absent object is -ENOENT', () => {
    expect(withObject('').run([plainOp(OsdOpCode.omapSetVals, bytesFromRaw('\xff\xff\xff\xff'))]).result).toBe(
      Errno.EINVAL,
    );
    expect(new Bench().run([plainOp(OsdOpCode.omapRmKeys, keys('a'))]).result).toBe(Errno.ENOENT);
  });

  test('guards compare stored values', () => {
    const bench = new Bench();
    bench.run([omapSet({ k: 'm' })]);
    const guard = (key: string, value: string, op: number) => {
      const encoder = new Encoder();
      encoder.map(
        new Map([[key, { value, op }]]),
        (name) => encoder.rawString(name),
        (assertion) => {
          encoder.string(assertion.value);
          encoder.i32(assertion.op);
        },
      );
      return bench.run([plainOp(OsdOpCode.omapCmp, encoder.finish())]).result;
    };

    expect(guard('k', 'm', CmpXattrOp.eq)).toBe(0);
    expect(guard('k', 'n', CmpXattrOp.lt)).toBe(0);
    expect(guard('k', 'n', CmpXattrOp.gt)).toBe(Errno.ECANCELED);
    expect(guard('none', '', CmpXattrOp.eq)).toBe(0);
    expect(guard('k', 'm', CmpXattrOp.ne)).toBe(Errno.EINVAL);
  });
});

const anyOp = fc.oneof(
  fc
    .tuple(fc.nat(12), fc.string({ maxLength: 6 }))
    .map(([offset, data]) => write(offset, data.replace(/[^ -~]/g, 'x'))),
  fc.string({ maxLength: 6 }).map((data) => writeFull(data.replace(/[^ -~]/g, 'x'))),
  fc.constantFrom(append('zz'), truncate(3), truncate(9), zero(1, 3), zero(5, 90), create(), remove),
  fc.constantFrom(
    omapSet({ a: '1', c: '2' }),
    omapSet({ b: '9' }),
    plainOp(OsdOpCode.omapRmKeys, keys('a')),
    plainOp(OsdOpCode.omapClear),
  ),
  fc.constantFrom(xattrOp(OsdOpCode.setxattr, 'x', utf8('1')), xattrOp(OsdOpCode.rmxattr, 'x')),
);

test('the ops of one request leave what they leave one at a time', () => {
  fc.assert(
    fc.property(fc.array(anyOp, { maxLength: 4 }), fc.array(anyOp, { minLength: 1, maxLength: 6 }), (before, ops) => {
      const [together, apart] = [new Bench(), new Bench()];
      for (const op of before) for (const bench of [together, apart]) bench.run([op]);

      together.run(ops.map(failOk));
      for (const op of ops) apart.run([failOk(op)]);

      expect(contents(together)).toEqual(contents(apart));
      if (together.info) expect(together.stored.data!.length).toBe(together.info.size);
    }),
  );
});

function contents({ stored }: Bench) {
  const attrs = [...stored.attrs].filter(([name]) => name !== OBJECT_INFO_ATTR).sort();
  return { data: stored.data && fromUtf8(stored.data), attrs, header: stored.header, omap: [...stored.omap].sort() };
}

test('what a request reads was there before it', () => {
  const looks = [plainOp(OsdOpCode.getxattrs), plainOp(OsdOpCode.omapGetHeader), omapVals('', 2)];
  const changes = anyOp.filter(({ code }) => code !== OsdOpCode.delete && code !== OsdOpCode.omapClear);
  fc.assert(
    fc.property(fc.array(anyOp, { maxLength: 4 }), fc.array(changes, { minLength: 1, maxLength: 6 }), (before, ops) => {
      const bench = withObject('there');
      for (const op of before) bench.run([op]);
      fc.pre(bench.info !== undefined);
      const seen = bench.run(looks);

      const inside = bench.run([...ops.map(failOk), ...looks], OsdFlag.returnvec);

      if (inside.modifies) expect(inside.ops.slice(-3).map((op) => op.output)).toEqual(seen.ops.map((op) => op.output));
    }),
  );
});

describe('watching', () => {
  const watching = (op: number, cookie = 11n, timeout = 0) => watchOp({ cookie, ver: 0n, op, gen: 0, timeout });
  const watch = watching(WatchOp.watch);
  const listed = (bench: Bench) => decodeWatchItems(bench.run([plainOp(OsdOpCode.listWatchers)]).ops[0]!.output);

  test('who watches stands in the info of the object, whose contents stay what they were', () => {
    const bench = withObject('abc');
    const before = bench.info!;
    const outcome = bench.run([watch]);

    expect(outcome).toMatchObject({ result: 0, modifies: true, userVersion: before.userVersion });
    expect(outcome.effects).toMatchObject([{ kind: 'connect', pings: true, item: { cookie: 11n } }]);
    expect(decodeObjectInfo(bench.stored.attrs.get(OBJECT_INFO_ATTR)!)).toMatchObject({
      userVersion: before.userVersion,
      size: 3,
      watchers: [{ cookie: 11n, entityNum: 4117n, timeoutSeconds: 30 }],
    });
    expect(listed(bench)).toEqual(bench.info!.watchers);
  });

  test('a watch that is there is only connected', () => {
    const bench = withObject('abc');
    bench.run([watch]);

    expect(bench.run([watch])).toMatchObject({ result: 0, modifies: false, effects: [{ kind: 'connect' }] });
    expect(bench.run([watching(WatchOp.reconnect)])).toMatchObject({ result: 0, modifies: false });
  });

  test('what is written leaves the watchers', () => {
    const bench = withObject('abc');
    bench.run([watching(WatchOp.watch, 12n, 7)]);
    bench.run([watch]);
    bench.run([write(0, 'x')]);

    expect(listed(bench)).toMatchObject([
      { cookie: 11n, timeoutSeconds: 30 },
      { cookie: 12n, timeoutSeconds: 7 },
    ]);
  });

  test('what is removed has none, and they are told', () => {
    const bench = withObject('abc');
    bench.run([watch]);
    const outcome = bench.run([remove, create()]);

    expect(outcome.effects).toMatchObject([{ kind: 'disconnect', watcher: { cookie: 11n }, tell: true }]);
    expect(listed(bench)).toEqual([]);
  });

  test('an unwatch is a change once', () => {
    const bench = withObject('abc');
    bench.run([watch]);
    const unwatch = watching(WatchOp.unwatch);

    expect(bench.run([unwatch])).toMatchObject({ modifies: true, effects: [{ kind: 'disconnect', tell: false }] });
    expect(bench.run([unwatch])).toMatchObject({ result: 0, modifies: false, effects: [] });
  });

  test('what only watchers may do others may not', () => {
    const bench = withObject('abc');

    expect(bench.run([watching(WatchOp.reconnect)]).result).toBe(Errno.ENOTCONN);
    expect(bench.run([watching(WatchOp.ping)]).result).toBe(Errno.ENOTCONN);
    bench.run([watch]);
    expect(bench.run([watching(WatchOp.ping)]).result).toBe(Errno.ETIMEDOUT);
  });

  test('there is no watching and no notifying of what is not there', () => {
    expect(new Bench().run([watch])).toMatchObject({ result: Errno.ENOENT, modifies: false, effects: [] });
    expect(new Bench().run([notifyOp(OsdOpCode.notify, 1n, EMPTY)])).toMatchObject({
      result: Errno.ENOENT,
      effects: [],
    });
  });

  test('ops that fail bring nothing about', () => {
    const bench = withObject('abc');

    expect(bench.run([watch, create(OpFlag.excl)])).toMatchObject({ result: Errno.EEXIST, effects: [] });
  });

  test('a ping is a read', () => {
    expect(mayWrite([watching(WatchOp.ping)], classes)).toBe(false);
    expect(mayWrite([watching(WatchOp.reconnect)], classes)).toBe(true);
  });
});

describe('calls of classes', () => {
  const call = (cls: string, method: string, text = '') => callOp(cls, method, utf8(text));
  const add = (key: string, text: string) => {
    const input = new Encoder(32);
    input.rawString(key);
    input.rawString(text);
    return callOp('numops', 'add', input.finish());
  };

  test('a method changes the object with the rest of the request, or not at all', () => {
    const bench = new Bench();

    expect(bench.run([call('hello', 'record_hello', 'you'), append('x')]).result).toBe(0);
    expect(fromUtf8(bench.stored.data!)).toBe('Hello, you!x');
    expect(fromUtf8(bench.stored.attrs.get('_said_by')!)).toBe('client.4117 -');
    expect(bench.run([append('y'), call('hello', 'record_hello')])).toMatchObject({
      result: Errno.EEXIST,
      changes: [],
    });
  });

  test('a method sees the object as it is stored, and counts up only once what one request adds twice', () => {
    const bench = new Bench();
    bench.run([add('n', '2'), add('n', '2')]);
    expect(fromUtf8(bench.stored.omap.get('n')!)).toBe('2');

    bench.run([add('n', '5')]);
    expect(fromUtf8(bench.stored.omap.get('n')!)).toBe('7');
  });

  test('a method that does what it may not fails, and changes nothing', () => {
    const bench = withObject('data');

    expect(bench.run([call('hello', 'bad_writer', 'x')])).toMatchObject({ result: Errno.EIO, changes: [] });
    expect(bench.run([call('hello', 'bad_reader')]).result).toBe(Errno.EIO);
    expect(bench.run([call('hello', 'writes_dont_return_data')]).result).toBe(0);
  });

  test('what a read answers is told with its length; what a write does, only to who asks, and in few bytes', () => {
    const bench = withObject('data');
    const [answer] = bench.run([call('hello', 'say_hello')]).ops;
    expect(fromUtf8(answer!.output)).toBe('Hello, world!');
    expect(new Decoder(answer!.args.subarray(8)).u64('length')).toBe(13);

    const write = call('hello', 'write_return_data');
    expect(bench.run([write])).toMatchObject({ result: 0, ops: [{ rval: 42, output: EMPTY }] });
    const told = bench.run([write], OsdFlag.returnvec);
    expect([told.result, fromUtf8(told.ops[0]!.output)]).toEqual([42, 'you might see this']);
    const tooMuch = bench.run([call('hello', 'write_too_much_return_data')], OsdFlag.returnvec);
    expect(tooMuch).toMatchObject({ result: Errno.EOVERFLOW, changes: [] });
    expect(fromUtf8(bench.run([call('hello', 'write_return_data', 'x')]).ops[0]!.output)).toBe('too much input data!');
  });

  test('of no object a reading method is not called, one that may write is', () => {
    const bench = new Bench();

    expect(bench.run([call('hello', 'say_hello')]).result).toBe(Errno.ENOENT);
    expect(bench.run([call('hello', 'turn_it_to_11')]).result).toBe(0);
    expect(bench.stored.data).toEqual(EMPTY);
  });

  test('what a method does counts as if it had been asked for', () => {
    const bench = withObject('data');

    expect(bench.run([call('hello', 'turn_it_to_11')]).io).toMatchObject({
      reads: 1,
      readBytes: 1024,
      writes: 2,
      writeBytes: 1024,
    });
  });

  test('keys of a log are of the place that an entry has among the ops', () => {
    const bench = new Bench();
    const entries = new Encoder(64);
    entries.struct(1, 1, () =>
      entries.list([1], (sec) =>
        entries.struct(1, 1, () => {
          entries.rawString('');
          entries.rawString('');
          entries.u32(sec);
          entries.u32(0);
          entries.rawString('');
        }),
      ),
    );
    bench.run([append('x'), callOp('log', 'add', entries.finish())]);

    expect([...bench.stored.omap.keys()]).toEqual(['1_0000000001.000000_0.3']);
  });
});

describe('a copy', () => {
  const copied: CopiedObject = {
    data: utf8('data'),
    mtime: { sec: 5, nsec: 0 },
    userVersion: 40,
    xattrs: new Map(),
    omapHeader: EMPTY,
    omap: new Map(),
  };
  const args = { snapid: NOSNAP, sourceVersion: 0n, copyFlags: 0, sourceFadviseFlags: 0 };
  const source = { oid: 'source', locator: { pool: 1, key: '', nspace: '', hash: -1n } };

  test('knows of the truncation that its client names, as copy-from2 lets it', () => {
    const bench = withObject('before');
    const op = copyFromOp(args, source, { truncateSeq: 3, truncateSize: 2 });
    bench.run([op], 0, new Map([[op, copied]]));

    expect(bench.info).toMatchObject({ truncateSeq: 3, truncateSize: 2, size: 4, userVersion: 40 });
    // A write from before that truncation is cut off at the object's end.
    bench.run([write(2, 'late')]);
    expect(fromUtf8(bench.stored.data!)).toBe('dala');
  });

  test('knows of none otherwise', () => {
    const bench = withObject('before');
    const op = copyFromOp(args, source);
    bench.run([op], 0, new Map([[op, copied]]));

    expect(bench.info).toMatchObject({ truncateSeq: 0, truncateSize: 0, userVersion: 40 });
  });
});
