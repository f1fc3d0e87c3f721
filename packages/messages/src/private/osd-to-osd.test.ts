import { EMPTY, MalformedInput } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { NOSNAP } from '../osd-op.ts';
import { packPlain, unpackPlain } from './msgpack.ts';
import { type DataExtent, type PgPush, privateCodecs } from './osd-to-osd.ts';

const oid = { pool: 1, nspace: '', key: '', name: 'a', snap: NOSNAP, hash: 7, max: false };
const { schema } = privateCodecs.pg_push;
const never = () => expect.unreachable();

function travel(extents: readonly DataExtent[], data: Uint8Array): PgPush['part'] {
  const part = {
    oid,
    version: { epoch: 1, version: 1 },
    size: 100,
    extents,
    data,
    attrs: new Map(),
    omapHeader: EMPTY,
  };
  const push = {
    pgid: { pool: 1, seed: 0 },
    epoch: 5,
    part: { ...part, omap: new Map(), first: true, last: true },
    next: { offset: 100, omapAfter: undefined },
  };
  const packed = packPlain(schema.pack(push, { payloads: [], lastObject: undefined, packMessage: never }));
  const context = { lastObject: undefined, takePayload: () => data, unpackMessage: never };
  return schema.unpack(unpackPlain(packed), 'push', context).part;
}

test('a part of an object says where its data belong', () => {
  const extents = [
    { offset: 0, length: 2 },
    { offset: 99, length: 1 },
  ];

  expect(travel(extents, new Uint8Array(3)).extents).toEqual(extents);
});

test.each([
  ['whose data are too few', [{ offset: 0, length: 4 }], 3],
  ['that reaches beyond its object', [{ offset: 98, length: 3 }], 3],
  ['that says nothing', [{ offset: 5, length: 0 }], 0],
  [
    'that goes back',
    [
      { offset: 5, length: 2 },
      { offset: 6, length: 1 },
    ],
    3,
  ],
])('a part %s is refused', (_, extents, bytes) => {
  expect(() => travel(extents, new Uint8Array(bytes))).toThrow(MalformedInput);
});
