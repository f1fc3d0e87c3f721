import { cbc, gcm } from '@noble/ciphers/aes.js';
import { hmac } from '@noble/hashes/hmac.js';
import { md5, sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { type Bytes, crc32c } from '@spirula/encoding';
import type { CrcName, Crypto, Hasher, HashName } from '@spirula/world';
import { crc32, crc64nvme } from './crc.ts';
import type { SeededRandom } from './random.ts';

const hashes = { md5, sha1, sha256, sha512 };

/** Real cryptography in plain JavaScript; the random bytes come from the seed. */
export class SimCrypto implements Crypto {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  randomBytes(count: number): Bytes {
    return Uint8Array.from({ length: count }, () => this.#random.below(256));
  }

  hash(name: HashName, bytes: Bytes): Bytes {
    return hashes[name](bytes);
  }

  hasher(name: HashName): Hasher {
    const hash = hashes[name].create();
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
  }

  hmac(name: HashName, key: Bytes, bytes: Bytes): Bytes {
    return hmac(hashes[name], key, bytes);
  }

  crc(name: CrcName, bytes: Bytes, seed: bigint): bigint {
    if (name === 'crc64nvme') return crc64nvme(bytes, seed);
    return BigInt(name === 'crc32' ? crc32(bytes, Number(seed)) : crc32c(bytes, Number(seed)));
  }

  crc32c(bytes: Bytes, seed: number): number {
    return crc32c(bytes, seed);
  }

  aesCbcEncrypt(key: Bytes, iv: Bytes, plain: Bytes, padding?: 'none'): Bytes {
    return cbc(key, iv, { disablePadding: padding === 'none' }).encrypt(plain);
  }

  aesCbcDecrypt(key: Bytes, iv: Bytes, sealed: Bytes, padding?: 'none'): Bytes | undefined {
    return attempt(() => cbc(key, iv, { disablePadding: padding === 'none' }).decrypt(sealed));
  }

  aesGcmSeal(key: Bytes, nonce: Bytes, plain: Bytes, aad?: Bytes): Bytes {
    return gcm(key, nonce, aad).encrypt(plain);
  }

  aesGcmOpen(key: Bytes, nonce: Bytes, sealed: Bytes, aad?: Bytes): Bytes | undefined {
    return attempt(() => gcm(key, nonce, aad).decrypt(sealed));
  }

  timingSafeEqual(a: Bytes, b: Bytes): boolean {
    if (a.length !== b.length) return false;
    let different = 0;
    for (let i = 0; i < a.length; i++) different |= a[i]! ^ b[i]!;
    return different === 0;
  }
}

/** Ciphers throw on what does not unpad or is not authentic. */
function attempt(open: () => Bytes): Bytes | undefined {
  try {
    return open();
  } catch {
    return undefined;
  }
}
