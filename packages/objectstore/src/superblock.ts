import { type Bytes, Decoder, Encoder, equalBytes, formatUuid, MalformedInput } from '@spirula/encoding';
import { type BlockDevice, type Crypto, DeviceError } from '@spirula/world';
import type { StoreIdentity } from './object-store.ts';
import { BLOCK_BYTES } from './onode.ts';

const MAGIC = 'spirula object store';
/** Raised when an older program would misread what is written. */
const FORMAT = 2;
/** Bits of what a reader must know; none yet. */
const KNOWN_FEATURES = 0;

export interface Superblock extends StoreIdentity {
  /** Blocks of the device in use, the label included. */
  readonly blockCount: number;
}

/** errno EIO. */
const EIO = -5;

/**
 * What is stored here was written by another version, for another daemon, or is not whole: no daemon can start on it. One line
 * for people.
 */
export class IncompatibleStore extends DeviceError {
  constructor(message: string) {
    super(EIO, message);
  }
}

/** What to do about a store of which the metadata are damaged. */
export const REPLACE = "Remove this OSD's data and create it anew; the cluster restores what it held.";

/** The same bytes stand in the key-value store and as the label in block 0 of the device: the two belong together. */
export function encodeSuperblock(superblock: Superblock): Bytes {
  const e = new Encoder();
  e.string(MAGIC);
  e.u32(FORMAT);
  e.u64(KNOWN_FEATURES);
  e.blob(superblock.fsid);
  e.string(superblock.whoami);
  e.u64(superblock.blockCount);
  return e.finish();
}

/** @throws IncompatibleStore */
export function decodeSuperblock(value: Bytes): Superblock {
  try {
    const d = new Decoder(value);
    if (d.string('superblock.magic') !== MAGIC) throw new IncompatibleStore('this is not an object store');
    const format = d.u32('superblock.format');
    if (format !== FORMAT) {
      throw new IncompatibleStore(`the object store has format ${format}, this version reads format ${FORMAT}`);
    }
    const features = d.u64('superblock.features');
    if (features !== KNOWN_FEATURES) {
      throw new IncompatibleStore(
        `the object store needs features 0x${features.toString(16)}, which this version lacks`,
      );
    }
    return {
      fsid: d.blob('superblock.fsid').slice(),
      whoami: d.string('superblock.whoami'),
      blockCount: d.u64('superblock.blockCount'),
    };
  } catch (error) {
    if (error instanceof MalformedInput)
      throw new IncompatibleStore(`the superblock is damaged (${error.message}). ${REPLACE}`);
    throw error;
  }
}

/** Block 0: length, bytes, crc32c of both. */
export function writeLabel(block: BlockDevice, superblock: Bytes, crypto: Pick<Crypto, 'crc32c'>): void {
  const e = new Encoder(BLOCK_BYTES);
  e.blob(superblock);
  e.u32(crypto.crc32c(e.finish(), 0xffff_ffff));
  const label = new Uint8Array(BLOCK_BYTES);
  label.set(e.finish());
  block.write(0, label);
}

/** @throws IncompatibleStore when the device is not the one the key-value store was written with. */
export function checkLabel(block: BlockDevice, superblock: Bytes, crypto: Pick<Crypto, 'crc32c'>): void {
  const { blockCount, whoami, fsid } = decodeSuperblock(superblock);
  if (block.size < blockCount * BLOCK_BYTES) {
    throw new IncompatibleStore(
      `the device has ${block.size} bytes, the object store needs ${blockCount * BLOCK_BYTES}`,
    );
  }
  const found = readLabel(block, crypto);
  if (found === undefined) {
    throw new IncompatibleStore(
      `the label in the device's first block is damaged, or no object store was ever written there. ${REPLACE}`,
    );
  }
  if (equalBytes(found, superblock)) return;
  throw new IncompatibleStore(`the device is not the one of ${whoami} in cluster ${formatUuid(fsid)}`);
}

/** The superblock in a label that fits its checksum. */
function readLabel(block: BlockDevice, crypto: Pick<Crypto, 'crc32c'>): Bytes | undefined {
  const d = new Decoder(block.read(0, BLOCK_BYTES));
  try {
    const found = d.blob('label');
    const crc = crypto.crc32c(d.bytes.subarray(0, d.offset), 0xffff_ffff);
    return d.u32('label.crc') === crc ? found : undefined;
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    return undefined;
  }
}
