import { AddrType, type EntityAddr, MalformedInput } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { decodeObjectInfo, encodeObjectInfo, type ObjectInfo } from './object-info.ts';

const addr: EntityAddr = { type: AddrType.any, nonce: 77, family: 2, ip: '10.0.0.1', port: 0 };
const plain: ObjectInfo = {
  version: { epoch: 3, version: 9 },
  priorVersion: { epoch: 2, version: 8 },
  userVersion: 7,
  size: 4096,
  mtime: { sec: 1, nsec: 2 },
  truncateSeq: 4,
  truncateSize: 5,
  isDirty: true,
  watchers: [],
  whiteout: false,
  snaps: [],
};
const watched: ObjectInfo = {
  ...plain,
  watchers: [
    { cookie: 2n ** 63n, entityType: 8, entityNum: 4117n, timeoutSeconds: 30, addr },
    { cookie: 2n ** 64n - 1n, entityType: 8, entityNum: 4118n, timeoutSeconds: 7, addr: { ...addr, nonce: 78 } },
  ],
};

const deleted: ObjectInfo = { ...plain, size: 0, whiteout: true };
const clone: ObjectInfo = { ...plain, snaps: [9n, 4n] };
const everything: ObjectInfo = { ...watched, whiteout: true, snaps: [2n] };

test.each([plain, watched, deleted, clone, everything])('an object info is read as it was written', (info) => {
  expect(decodeObjectInfo(encodeObjectInfo(info))).toEqual(info);
});

test('one with nothing out of the ordinary stays small', () => {
  expect(encodeObjectInfo(plain)).toHaveLength(61);
});

test('a part that is not known is refused', () => {
  const bytes = new Uint8Array([...encodeObjectInfo(plain), 99]);

  expect(() => decodeObjectInfo(bytes)).toThrow(MalformedInput);
});
