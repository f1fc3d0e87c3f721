import { Encoder } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { decodeSuperblock, encodeSuperblock, type OsdSuperblock } from './osd-superblock.ts';

const SUPERBLOCK: OsdSuperblock = {
  fsid: new Uint8Array(16).fill(1),
  osdUuid: new Uint8Array(16).fill(2),
  whoami: 3,
  oldestMap: 4,
  newestMap: 5,
  mountedEpoch: 6,
  cleanThru: 7,
  admittedIn: 8,
};

test('a superblock is read as it was written', () => {
  expect(decodeSuperblock(encodeSuperblock(SUPERBLOCK))).toEqual(SUPERBLOCK);
});

test('the OSD of a superblock from before admission was asked for is admitted', () => {
  const { fsid, osdUuid, whoami, oldestMap, newestMap, mountedEpoch, cleanThru } = SUPERBLOCK;
  const encoder = new Encoder(64);
  encoder.struct(1, 1, () => {
    encoder.raw(fsid);
    encoder.raw(osdUuid);
    for (const value of [whoami, oldestMap, newestMap, mountedEpoch, cleanThru]) encoder.u32(value);
  });

  expect(decodeSuperblock(encoder.finish())).toEqual({ ...SUPERBLOCK, admittedIn: 1 });
});
