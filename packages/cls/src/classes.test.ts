import { Encoder, Errno, fromUtf8, type RawString, toHex, utf8 } from '@spirula/encoding';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { builtinClasses } from './builtin-classes.ts';
import { ClassRegistry } from './class-registry.ts';
import { helloClass } from './hello.ts';
import { logClass } from './log.ts';
import { MemoryObject } from './memory-object.test-support.ts';
import { refcountClass } from './refcount.ts';
import { timeindexClass } from './timeindex.ts';
import { userClass } from './user/user.ts';
import { versionClass } from './version.ts';

function encoded(write: (encoder: Encoder) => void, version = 1) {
  const encoder = new Encoder(64);
  encoder.struct(version, 1, () => write(encoder));
  return encoder.finish();
}

const time = (encoder: Encoder, sec: number, nsec = 0) => {
  encoder.u32(sec);
  encoder.u32(nsec);
};

test('every method takes any bytes, and fails only with an errno', () => {
  const methods = builtinClasses.flatMap((cls) => Object.keys(cls.methods).map((name) => ({ cls, name })));

  fc.assert(
    fc.property(
      fc.constantFrom(...methods),
      fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 4, 255), fc.nat(255)), { maxLength: 40 }),
      fc.boolean(),
      ({ cls, name }, input, exists) => {
        const object = new MemoryObject();
        if (exists) object.call(helloClass, 'record_hello');
        const { code } = object.call(cls, name, Uint8Array.from(input));
        expect(code === 42 || (code <= 0 && code > -4096)).toBe(true);
      },
    ),
    { numRuns: 2000 },
  );
});

test('hello keeps who said it', () => {
  const object = new MemoryObject();

  expect(object.call(helloClass, 'record_hello', utf8('you')).code).toBe(0);
  expect(object.call(helloClass, 'record_hello').code).toBe(Errno.EEXIST);
  object.call(helloClass, 'turn_it_to_11');
  expect(fromUtf8(object.call(helloClass, 'replay').output)).toBe('HELLO, YOU!');
  expect(fromUtf8(object.stored.xattrs.get('said_by')!)).toBe('client.1 v2:127.0.0.1:0/1');
});

test('a version begins with a drawn tag, and counts on under conditions', () => {
  const object = new MemoryObject();
  const conditions = (...kinds: readonly (readonly [kind: number, ver: number])[]) =>
    encoded((encoder) => {
      const version = (ver: number) =>
        encoder.struct(1, 1, () => {
          encoder.u64(ver);
          encoder.rawString('');
        });
      version(0);
      encoder.list(kinds, ([kind, ver]) =>
        encoder.struct(1, 1, () => {
          version(ver);
          encoder.u32(kind);
        }),
      );
    });

  expect(object.call(versionClass, 'inc_conds', conditions([2, 1])).code).toBe(Errno.ECANCELED);
  expect(object.stored.data).toBeUndefined();
  expect(object.call(versionClass, 'inc', conditions()).code).toBe(0);
  expect(object.call(versionClass, 'inc_conds', conditions([2, 1], [4, 3])).code).toBe(0);
  const { output } = object.call(versionClass, 'read');
  expect(toHex(output.subarray(12, 24))).toBe('030000000000000018000000');
});

test('an object goes with its last reference, and a tag that was put is not put again', () => {
  const object = new MemoryObject();
  const tagged = (tag: RawString, implicit = false) =>
    encoded((encoder) => {
      encoder.rawString(tag);
      encoder.bool(implicit);
    });
  const call = (name: string, tag: RawString, implicit?: boolean) =>
    object.call(refcountClass, name, tagged(tag, implicit)).code;

  expect(call('get', 'a')).toBe(Errno.ENOENT);
  object.stored = { ...object.stored, data: utf8('x') };
  expect(call('put', 'a')).toBe(Errno.EINVAL);
  call('get', 'a', true);
  call('put', 'b', true);
  call('put', 'b', true);
  expect(object.stored.xattrs.size).toBe(1);
  call('put', 'a', true);
  expect(object.stored.data).toBeUndefined();
});

test('entries of a log keep the order of their times, and late ones come behind', () => {
  const object = new MemoryObject();
  const entry = (encoder: Encoder, sec: number) =>
    encoder.struct(1, 1, () => {
      encoder.rawString('section');
      encoder.rawString('name');
      time(encoder, sec);
      encoder.blob(utf8('data'));
    });
  const add = (...secs: number[]) =>
    object.call(
      logClass,
      'add',
      encoded((encoder) => encoder.list(secs, (sec) => entry(encoder, sec))),
    );
  const trim = (to: number) =>
    object.call(
      logClass,
      'trim',
      encoded((encoder) => {
        time(encoder, 0);
        time(encoder, to);
      }),
    ).code;

  add(5, 7);
  add(6);
  expect([...object.stored.omap.keys()].sort()).toEqual([
    '1_0000000005.000000_0.1',
    '1_0000000007.000000_0.2',
    '1_0000000007.000000_1.1',
  ]);
  expect(trim(5)).toBe(0);
  expect(trim(6)).toBe(Errno.ENODATA);
  expect(object.stored.omap.size).toBe(2);
});

test('an index of times lists what is before its end', () => {
  const object = new MemoryObject();
  const add = encoded((encoder) =>
    encoder.list([3, 5], (sec) =>
      encoder.struct(1, 1, () => {
        time(encoder, sec, 1500);
        encoder.rawString('ext');
        encoder.blob(utf8('value'));
      }),
    ),
  );
  object.call(timeindexClass, 'add', add);

  const list = encoded((encoder) => {
    time(encoder, 0);
    encoder.rawString('');
    time(encoder, 5);
    encoder.i32(10);
  });
  // 16.2.15: microseconds in the place of nanoseconds.
  expect(toHex(object.call(timeindexClass, 'list', list).output)).toContain(
    `0300000001000000${'03000000'}${toHex(utf8('ext'))}`,
  );
  expect([...object.stored.omap.keys()]).toEqual(['1_0000000003.000001_ext', '1_0000000005.000001_ext']);
});

test("a user's sums follow the buckets", () => {
  const object = new MemoryObject();
  const set = (name: string, size: number) =>
    encoded((encoder) => {
      encoder.list([name], () =>
        encoder.struct(9, 5, () => {
          encoder.rawString('');
          encoder.u64(size);
          encoder.u32(0);
          encoder.u64(1);
          encoder.struct(9, 8, () => {
            for (const text of [name, 'm', 'i', 'p']) encoder.rawString(text);
          });
          encoder.u64(4096);
          encoder.bool(false);
          time(encoder, 1);
        }),
      );
      encoder.bool(true);
      time(encoder, 9);
    });
  const sums = () => {
    const view = new DataView(object.stored.header.slice().buffer);
    return [view.getBigUint64(12, true), view.getBigUint64(20, true), view.getBigUint64(28, true)];
  };

  object.call(userClass, 'set_buckets_info', set('a', 10));
  object.call(userClass, 'set_buckets_info', set('b', 20));
  expect(sums()).toEqual([2n, 30n, 8192n]);
  const remove = encoded((encoder) =>
    encoder.struct(9, 8, () => {
      for (const text of ['a', 'm', 'i', 'p']) encoder.rawString(text);
    }),
  );
  object.call(userClass, 'remove_bucket', remove);
  expect(sums()).toEqual([1n, 20n, 4096n]);
});

test('a registry answers as an OSD does for what it may not load, and for what is not there', () => {
  const registry = new ClassRegistry(builtinClasses, { loadList: 'lock otp', defaultList: 'lock' });

  expect(registry.resolve('hello', 'say_hello')).toBe(Errno.EPERM);
  expect(registry.resolve('otp', 'otp_set')).toBe(Errno.EOPNOTSUPP);
  expect(registry.resolve('lock', 'nope')).toBe(Errno.EOPNOTSUPP);
  expect(registry.resolve('lock', 'lock')).toMatchObject({ className: 'lock', isDefault: true });
  const all = new ClassRegistry(builtinClasses, { loadList: '*', defaultList: '' });
  expect(all.resolve('hello', 'say_hello')).toMatchObject({ isDefault: false });
});
