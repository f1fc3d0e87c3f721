/**
 * How objects are encrypted at rest (AES_256_CBC, rgw_crypt.cc): AES-256-CBC in chunks of 4 KiB, each with an IV of its place, so
 * that any chunk is read by itself and nothing grows. What is left behind the last whole block of 16 bytes is XORed with the block
 * before it, encrypted once more; or, at the beginning of a chunk, with its IV, encrypted.
 *
 * It hides data from whoever has the disks. It does not show that they were changed: the digests of objects do.
 */
import { type Bytes, utf8 } from '@spirula/encoding';
import { type Crypto, invariant } from '@spirula/world';

export const CHUNK_BYTES = 4096;
export const KEY_BYTES = 32;
const BLOCK_BYTES = 16;
/** What the number of a place's block is added to, both big-endian. */
const IV_BASE = utf8('aes256iv_ctr1337');
const NO_IV = new Uint8Array(BLOCK_BYTES);

export class BlockCipher {
  readonly #crypto: Pick<Crypto, 'aesCbcEncrypt' | 'aesCbcDecrypt'>;
  readonly #key: Bytes;

  /** @param key 32 bytes */
  constructor(crypto: Pick<Crypto, 'aesCbcEncrypt' | 'aesCbcDecrypt'>, key: Bytes) {
    invariant(key.length === KEY_BYTES, 'the key has 256 bits');
    this.#crypto = crypto;
    this.#key = key;
  }

  /** @param offset of the data in its stream: a multiple of 4096. Only a stream's last data may end within a chunk. */
  encrypt(plain: Bytes, offset: number): Bytes {
    const sealed = new Uint8Array(plain.length);
    for (let at = 0; at < plain.length; at += CHUNK_BYTES) {
      const chunk = plain.subarray(at, at + CHUNK_BYTES);
      const whole = wholeBlocks(chunk);
      const iv = ivOf(offset + at);
      if (whole > 0) sealed.set(this.#crypto.aesCbcEncrypt(this.#key, iv, chunk.subarray(0, whole), 'none'), at);
      this.#mask(sealed.subarray(at, at + whole), iv, chunk.subarray(whole), sealed.subarray(at + whole));
    }
    return sealed;
  }

  /** As `encrypt`: from the beginning of a chunk, to the end of one or of the stream. */
  decrypt(sealed: Bytes, offset: number): Bytes {
    const plain = new Uint8Array(sealed.length);
    for (let at = 0; at < sealed.length; at += CHUNK_BYTES) {
      const chunk = sealed.subarray(at, at + CHUNK_BYTES);
      const whole = wholeBlocks(chunk);
      const iv = ivOf(offset + at);
      if (whole > 0) plain.set(this.#crypto.aesCbcDecrypt(this.#key, iv, chunk.subarray(0, whole), 'none')!, at);
      this.#mask(chunk.subarray(0, whole), iv, chunk.subarray(whole), plain.subarray(at + whole));
    }
    return plain;
  }

  /** The bytes behind the last whole block, there and back. */
  #mask(sealedBlocks: Bytes, iv: Bytes, rest: Bytes, out: Bytes): void {
    if (rest.length === 0) return;
    const before = sealedBlocks.length > 0 ? sealedBlocks.subarray(-BLOCK_BYTES) : iv;
    const mask = this.#crypto.aesCbcEncrypt(this.#key, NO_IV, before, 'none');
    for (let i = 0; i < rest.length; i++) out[i] = rest[i]! ^ mask[i]!;
  }
}

/** One block of 16 bytes after the other, each by itself (AES_256_ECB_encrypt): how keys of objects are made of others. */
export function encryptBlocks(crypto: Pick<Crypto, 'aesCbcEncrypt'>, key: Bytes, blocks: Bytes): Bytes {
  const sealed = new Uint8Array(blocks.length);
  for (let at = 0; at < blocks.length; at += BLOCK_BYTES) {
    sealed.set(crypto.aesCbcEncrypt(key, NO_IV, blocks.subarray(at, at + BLOCK_BYTES), 'none'), at);
  }
  return sealed;
}

function wholeBlocks({ length }: Bytes): number {
  return length - (length % BLOCK_BYTES);
}

function ivOf(offset: number): Bytes {
  const iv = IV_BASE.slice();
  let index = Math.floor(offset / BLOCK_BYTES);
  let carry = 0;
  for (let i = BLOCK_BYTES - 1; i >= 0; i--) {
    const sum = (index % 256) + iv[i]! + carry;
    iv[i] = sum & 0xff;
    carry = sum >> 8;
    index = Math.floor(index / 256);
  }
  return iv;
}
