/** What an OSD knows of itself across restarts (OSDSuperblock): kept in the store's `meta` collection. */
import { type Bytes, Decoder, Encoder, type Epoch, type OsdId, type Uuid } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import { NOSNAP } from '@spirula/messages';

export const META_CID = 'meta';

export function metaOid(name: string): HObject {
  return { pool: -1, nspace: '', key: '', name, snap: NOSNAP, hash: 0, max: false };
}

export const SUPERBLOCK_OID = metaOid('osd_superblock');

export interface OsdSuperblock {
  readonly fsid: Uuid;
  readonly osdUuid: Uuid;
  readonly whoami: OsdId;
  /** Maps kept: all of oldest .. newest. 0: none. */
  readonly oldestMap: Epoch;
  readonly newestMap: Epoch;
  /** Epoch it was marked up in last, and how far it is known to have been clean since. */
  readonly mountedEpoch: Epoch;
  readonly cleanThru: Epoch;
  /**
   * In which map the monitors said that no OSD of this uuid had been up before this store was made: see boot.ts. What happened
   * until then this OSD has no part in. 0: not yet.
   */
  readonly admittedIn: Epoch;
}

const VERSION = 2;

export function encodeSuperblock(superblock: OsdSuperblock): Bytes {
  const encoder = new Encoder(64);
  encoder.struct(VERSION, 1, () => {
    encoder.raw(superblock.fsid);
    encoder.raw(superblock.osdUuid);
    encoder.u32(superblock.whoami);
    encoder.u32(superblock.oldestMap);
    encoder.u32(superblock.newestMap);
    encoder.u32(superblock.mountedEpoch);
    encoder.u32(superblock.cleanThru);
    encoder.u32(superblock.admittedIn);
  });
  return encoder.finish();
}

/** @throws MalformedInput */
export function decodeSuperblock(bytes: Bytes): OsdSuperblock {
  const decoder = new Decoder(bytes);
  return decoder.struct('superblock', VERSION, (version) => ({
    fsid: decoder.raw(16, 'fsid'),
    osdUuid: decoder.raw(16, 'osd uuid'),
    whoami: decoder.u32('whoami'),
    oldestMap: decoder.u32('oldest map'),
    newestMap: decoder.u32('newest map'),
    mountedEpoch: decoder.u32('mounted epoch'),
    cleanThru: decoder.u32('clean thru'),
    // What was made before this was asked may have been there from the first.
    admittedIn: version < 2 ? 1 : decoder.u32('admitted in'),
  }));
}
