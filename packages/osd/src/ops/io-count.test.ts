import { EMPTY } from '@spirula/encoding';
import { extentOp, OsdOpCode, plainOp, writesameOp, xattrOp } from '@spirula/messages';
import { expect, test } from 'vitest';
import { ioOf, NO_IO, sumOfIo } from './io-count.ts';

const KIB = 1024;

const NOTHING = { output: EMPTY };

test('each op counts whole KiB of what it reads or writes', () => {
  const write = (bytes: number) => ioOf(extentOp(OsdOpCode.write, 0, bytes, new Uint8Array(bytes)), NOTHING, 0);

  expect([write(0), write(1), write(1024), write(1025)].map(({ writeBytes }) => writeBytes / KIB)).toEqual([
    0, 1, 1, 2,
  ]);
  expect(sumOfIo(write(1), write(1))).toEqual({ reads: 0, readBytes: 0, writes: 2, writeBytes: 2 * KIB });
  const read = ioOf(extentOp(OsdOpCode.read, 0, 9000), { output: new Uint8Array(1500) }, 0);
  expect(read).toEqual({ reads: 1, readBytes: 2 * KIB, writes: 0, writeBytes: 0 });
});

test('of a sparse read the data count, not the map of them', () => {
  const answer = { output: new Uint8Array(40), pieces: [new Uint8Array(512), new Uint8Array(512)] };

  expect(ioOf(extentOp(OsdOpCode.sparseRead, 0, 8192), answer, 0).readBytes).toBe(KIB);
});

test('a repeated pattern counts as all that it fills, a copy as what it brings', () => {
  expect(ioOf(writesameOp(0, 4096, new Uint8Array(2)), NOTHING, 0).writeBytes).toBe(4 * KIB);
  expect(ioOf(plainOp(OsdOpCode.copyFrom2, new Uint8Array(9)), NOTHING, 5000).writeBytes).toBe(5 * KIB);
});

test('xattrs that are written count as writes without bytes; creations and hints not at all', () => {
  expect(ioOf(xattrOp(OsdOpCode.setxattr, 'name', new Uint8Array(5000)), NOTHING, 0)).toEqual({ ...NO_IO, writes: 1 });
  expect(ioOf(plainOp(OsdOpCode.create), NOTHING, 0)).toEqual(NO_IO);
  expect(ioOf(plainOp(OsdOpCode.setAllocHint), NOTHING, 0)).toEqual(NO_IO);
});
