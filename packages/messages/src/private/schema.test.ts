import { type Bytes, MalformedInput } from '@spirula/encoding';
import type { WireMessage } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import { packPlain, unpackPlain } from './msgpack.ts';
import {
  anyMessage,
  bigint,
  hobject,
  i32,
  list,
  literal,
  map,
  object,
  optional,
  payload,
  pgid,
  rawString,
  type Schema,
  set,
  string,
  tuple,
  u32,
  union,
  uuid,
} from './schema.ts';

/** There and back through bytes; payloads beside. */
function journey<T>(schema: Schema<T>, value: T): T {
  const payloads: Bytes[] = [];
  const packed = packPlain(
    schema.pack(value, {
      payloads,
      lastObject: undefined,
      packMessage: (message) => message.type,
    }),
  );
  return schema.unpack(unpackPlain(packed), 'value', {
    lastObject: undefined,
    takePayload: (length) => {
      const next = payloads.shift()!;
      expect(next.length).toBe(length);
      return next;
    },
    unpackMessage: (plain) => ({ type: plain as string }),
  });
}

const step = union('kind', { start: { at: u32 }, stop: { why: optional(string), last: pgid } });

describe('values come back as they went', () => {
  test.each<[string, Schema<never>, unknown]>([
    ['large bigint', bigint as unknown as Schema<never>, 0xffff_ffff_ffff_fffen],
    ['small bigint', bigint as unknown as Schema<never>, 3n],
    ['negative bigint', bigint as unknown as Schema<never>, -(1n << 63n)],
    ['nothing', optional(u32) as unknown as Schema<never>, undefined],
    ['map', map(u32, list(string)) as unknown as Schema<never>, new Map([[3, ['a', 'ä']]])],
    ['set', set(i32) as unknown as Schema<never>, new Set([-1, 5])],
    ['tuple', tuple(u32, string) as unknown as Schema<never>, [1, 'x']],
    ['union', step as unknown as Schema<never>, { kind: 'stop', why: undefined, last: { pool: 1, seed: 2 } }],
    ['raw string', rawString as unknown as Schema<never>, '\x00\x7f\x80\xff'],
    ['object name', hobject as unknown as Schema<never>, name(0xffff_ffff_ffff_fffen)],
    ['message', anyMessage as unknown as Schema<never>, { type: 'ping' } satisfies WireMessage],
  ])('%s', (_, schema, value) => {
    expect(journey(schema, value as never)).toEqual(value);
  });

  test('payloads are the same bytes, wherever they stand', () => {
    const pushes = list(object({ oid: string, data: payload }));
    const value = [
      { oid: 'a', data: new Uint8Array(3) },
      { oid: 'b', data: new Uint8Array(5) },
    ];

    expect(journey(pushes, value).map((push) => push.data)).toEqual(value.map((push) => push.data));
    expect(journey(pushes, value)[1]!.data).toBe(value[1]!.data);
  });
});

function name(snap: bigint) {
  return { pool: -3, nspace: '', key: '', name: 'obj\xff', snap, hash: 0xffff_ffff, max: false };
}

describe('what does not fit is refused by its field', () => {
  const context = {
    lastObject: undefined,
    takePayload: (): Bytes => {
      throw new MalformedInput('data', 0, 'not there');
    },
    unpackMessage: (): WireMessage => ({ type: 'none' }),
  };

  test.each<[Schema<unknown>, unknown, string]>([
    [object({ osd: u32 }) as Schema<unknown>, [-1], 'osd at offset 0: not an integer in 0 .. 4294967295'],
    [object({ osd: u32 }) as Schema<unknown>, [1, 2], 'value at offset 0: not 1 fields'],
    [object({ osd: u32 }) as Schema<unknown>, { osd: 1 }, 'value at offset 0: not an array'],
    [object({ who: string }) as Schema<unknown>, [3], 'who at offset 0: not a string'],
    [literal('a', 'b') as Schema<unknown>, 'c', 'value at offset 0: not one of a, b'],
    [step as Schema<unknown>, ['fly', []], 'kind at offset 0: not one of start, stop'],
    [map(u32, u32) as Schema<unknown>, [1], 'value at offset 0: not pairs of key and value'],
    [uuid as Schema<unknown>, new Uint8Array(15), 'value at offset 0: not 16 bytes'],
    [rawString as Schema<unknown>, 'ā', 'value at offset 0: not a string of bytes'],
    [bigint as Schema<unknown>, 0.5, 'value at offset 0: not a 64-bit integer'],
  ])('%#', (schema, plain, problem) => {
    expect(() => schema.unpack(plain, 'value', context)).toThrow(new MalformedInput('x', 0, 'x').constructor);
    expect(() => schema.unpack(plain, 'value', context)).toThrow(problem);
  });
});

describe('msgpack that would cost more than it holds', () => {
  test.each([
    ['an array of four milliards', [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ['a string of a gigabyte', [0xdb, 0x40, 0, 0, 0]],
    ['a map', [0x81, 0x01, 0x02]],
    ['an extension', [0xd4, 0x00, 0x00]],
    ['nesting without end', new Array<number>(100).fill(0x91)],
    ['bytes after the end', [0x01, 0x02]],
    ['nothing', []],
  ])('%s is refused', (_, bytes) => {
    expect(() => unpackPlain(new Uint8Array(bytes))).toThrow(MalformedInput);
  });
});

test('an object that comes again is named once, and is the same object afterwards', () => {
  const [a, b] = ['a', 'b'].map((name) => ({ pool: 1, nspace: '', key: '', name, snap: 5n, hash: 7, max: false }));
  const back = journey(list(hobject), [a!, a!, b!, a!]);

  expect(back).toEqual([a, a, b, a]);
  expect(back[1]).toBe(back[0]);
  expect(() => journey(list(hobject), []) && hobject.unpack(null, 'oid', { lastObject: undefined } as never)).toThrow(
    'oid at offset 0: not an object',
  );
});
