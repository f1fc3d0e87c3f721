import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Bytes } from '@spirula/encoding';
import type { CrcName, Crypto, Hasher, HashName } from '@spirula/world';
import { crc32, crc32c, crc64nvme } from './crc.ts';

const GCM_TAG_BYTES = 16;

/** Node's OpenSSL, and checksums. */
export const nodeCrypto: Crypto = {
  randomBytes: (count) => plain(randomBytes(count)),
  hash: (name, bytes) => plain(createHash(name).update(bytes).digest()),
  hasher: (name) => new NodeHasher(name),
  hmac: (name, key, bytes) => plain(createHmac(name, key).update(bytes).digest()),
  crc(name: CrcName, bytes: Bytes, seed: bigint): bigint {
    if (name === 'crc64nvme') return crc64nvme(bytes, seed);
    return BigInt(name === 'crc32' ? crc32(bytes, Number(seed)) : crc32c(bytes, Number(seed)));
  },
  crc32c,
  aesCbcEncrypt(key, iv, text, padding) {
    const cipher = createCipheriv(key.length === 32 ? 'aes-256-cbc' : 'aes-128-cbc', key, iv);
    cipher.setAutoPadding(padding !== 'none');
    return plain(Buffer.concat([cipher.update(text), cipher.final()]));
  },
  aesCbcDecrypt(key, iv, sealed, padding) {
    const decipher = createDecipheriv(key.length === 32 ? 'aes-256-cbc' : 'aes-128-cbc', key, iv);
    decipher.setAutoPadding(padding !== 'none');
    try {
      return plain(Buffer.concat([decipher.update(sealed), decipher.final()]));
    } catch {
      // Not whole blocks, or no padding: the wrong key, or not what was sealed.
      return undefined;
    }
  },
  aesGcmSeal(key, nonce, text, aad) {
    const cipher = createCipheriv(key.length === 32 ? 'aes-256-gcm' : 'aes-128-gcm', key, nonce);
    if (aad !== undefined) cipher.setAAD(aad);
    return plain(Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]));
  },
  aesGcmOpen(key, nonce, sealed, aad) {
    if (sealed.length < GCM_TAG_BYTES) return undefined;
    const decipher = createDecipheriv(key.length === 32 ? 'aes-256-gcm' : 'aes-128-gcm', key, nonce);
    if (aad !== undefined) decipher.setAAD(aad);
    const end = sealed.length - GCM_TAG_BYTES;
    decipher.setAuthTag(sealed.subarray(end));
    try {
      return plain(Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]));
    } catch {
      // Not authentic.
      return undefined;
    }
  },
  timingSafeEqual: (a, b) => a.length === b.length && timingSafeEqual(a, b),
};

class NodeHasher implements Hasher {
  readonly #hash;

  constructor(name: HashName) {
    this.#hash = createHash(name);
  }

  update(bytes: Bytes): void {
    this.#hash.update(bytes);
  }

  digest(): Bytes {
    return plain(this.#hash.digest());
  }
}

/** Bytes that are no Buffer: a Buffer's `slice` would not copy. */
function plain(buffer: Buffer): Bytes {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
