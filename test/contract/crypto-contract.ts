import { type Bytes, concatBytes, fromHex, toHex, utf8 } from '@spirula/encoding';
import type { CrcName, Crypto, HashName } from '@spirula/world';
import { expect } from 'vitest';
import { type ContractCase, Recorder } from './contract-fixture.ts';

/** FIPS 180-4 and RFC 1321: of `abc`. */
const HASHES: Readonly<Record<HashName, string>> = {
  md5: '900150983cd24fb0d6963f7d28e17f72',
  sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  sha512:
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
};

/** RFC 2202 and 4231, test case 2: key `Jefe`. */
const HMACS: Readonly<Record<HashName, string>> = {
  md5: '750c783e6ab0b503eaa86e310a5db738',
  sha1: 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79',
  sha256: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  sha512:
    '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
};

/** Of `123456789`, from each one's usual start. Ceph's crc32c is the standard one (e3069283) without the last inversion. */
const CRCS: Readonly<Record<CrcName, readonly [seed: bigint, crc: bigint]>> = {
  crc32: [0n, 0xcbf4_3926n],
  crc32c: [0xffff_ffffn, 0x1cf9_6d7cn],
  crc64nvme: [0n, 0xae8b_1486_0a79_9888n],
};

const crypto = (name: string, check: (crypto: Crypto) => void): ContractCase => ({
  name: `crypto: ${name}`,
  async run(fixture) {
    check((await Recorder.start(fixture, 0)).world.crypto);
  },
});

function sequence(length: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => i * 7 + (i >> 8));
}

export const CRYPTO_CONTRACT: readonly ContractCase[] = [
  crypto('hashes, whole and in parts', (crypto) => {
    for (const name of Object.keys(HASHES) as HashName[]) {
      expect(toHex(crypto.hash(name, utf8('abc')))).toBe(HASHES[name]);
      const hasher = crypto.hasher(name);
      for (const part of ['a', '', 'bc']) hasher.update(utf8(part));
      expect(toHex(hasher.digest())).toBe(HASHES[name]);
    }
  }),
  crypto('HMACs', (crypto) => {
    for (const name of Object.keys(HMACS) as HashName[]) {
      expect(toHex(crypto.hmac(name, utf8('Jefe'), utf8('what do ya want for nothing?')))).toBe(HMACS[name]);
    }
  }),
  crypto('checksums, of every length and alignment, whole and continued', (crypto) => {
    for (const name of Object.keys(CRCS) as CrcName[]) {
      const [seed, crc] = CRCS[name];
      expect(crypto.crc(name, utf8('123456789'), seed)).toBe(crc);
      expect(crypto.crc(name, utf8(''), seed)).toBe(seed);
      const bytes = sequence(1100);
      for (let cut = 0; cut <= 600; cut += 37) {
        const front = crypto.crc(name, bytes.subarray(3, 3 + cut), seed);
        expect(crypto.crc(name, bytes.subarray(3 + cut), front)).toBe(crypto.crc(name, bytes.subarray(3), seed));
      }
    }
    // Zeros from seed 0 stay 0: what Ceph's form has and the standard one has not.
    expect(crypto.crc32c(new Uint8Array(1000), 0)).toBe(0);
    for (const length of [0, 9, 255, 256, 4096]) {
      const bytes = sequence(length);
      expect(BigInt(crypto.crc32c(bytes, 77))).toBe(crypto.crc('crc32c', bytes, 77n));
    }
  }),
  crypto('AES-CBC: the standard’s first blocks, padding, and refusal of what does not unpad', (crypto) => {
    // NIST SP 800-38A, F.2.1 and F.2.5.
    const iv = fromHex('000102030405060708090a0b0c0d0e0f');
    const plain = fromHex('6bc1bee22e409f96e93d7e117393172a');
    const key16 = fromHex('2b7e151628aed2a6abf7158809cf4f3c');
    const key32 = fromHex('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4');
    expect(toHex(crypto.aesCbcEncrypt(key16, iv, plain)).slice(0, 32)).toBe('7649abac8119b246cee98e9b12e9197d');
    expect(toHex(crypto.aesCbcEncrypt(key32, iv, plain)).slice(0, 32)).toBe('f58c4c04d6e5f1ba779eabfb5f7bfbd6');
    for (const length of [0, 1, 15, 16, 17, 100]) {
      const sealed = crypto.aesCbcEncrypt(key16, iv, sequence(length));
      expect(sealed).toHaveLength((Math.floor(length / 16) + 1) * 16);
      expect(crypto.aesCbcDecrypt(key16, iv, sealed)).toEqual(sequence(length));
    }
    expect(crypto.aesCbcDecrypt(key16, iv, sequence(15))).toBeUndefined();
    expect(crypto.aesCbcDecrypt(key16, iv, new Uint8Array(0))).toBeUndefined();
    // Of wrong keys one in 256 happens to unpad.
    const sealed = crypto.aesCbcEncrypt(key16, iv, plain);
    const refused = Array.from({ length: 20 }, (_, i) => crypto.aesCbcDecrypt(key16.with(0, i), iv, sealed));
    expect(refused.filter((opened) => opened === undefined).length).toBeGreaterThan(10);
  }),
  crypto('AES-GCM: the standard’s vectors, and refusal of what is not authentic', (crypto) => {
    // McGrew and Viega, test cases 4 and 16.
    const nonce = fromHex('cafebabefacedbaddecaf888');
    const aad = fromHex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
    const plain = fromHex(
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    );
    const key16 = fromHex('feffe9928665731c6d6a8f9467308308');
    const key32 = concatBytes([key16, key16]);
    expect(toHex(crypto.aesGcmSeal(key16, nonce, plain, aad)).slice(-32)).toBe('5bc94fbc3221a5db94fae95ae7121a47');
    expect(toHex(crypto.aesGcmSeal(key32, nonce, plain, aad)).slice(-32)).toBe('76fc6ece0f4e1768cddf8853bb2d551b');
    const sealed = crypto.aesGcmSeal(key16, nonce, plain, aad);
    expect(sealed).toHaveLength(plain.length + 16);
    expect(crypto.aesGcmOpen(key16, nonce, sealed, aad)).toEqual(plain);
    expect(crypto.aesGcmOpen(key16, nonce, sealed)).toBeUndefined();
    expect(crypto.aesGcmOpen(key32, nonce, sealed, aad)).toBeUndefined();
    for (const at of [0, plain.length, sealed.length - 1]) {
      expect(crypto.aesGcmOpen(key16, nonce, sealed.with(at, sealed[at]! ^ 1), aad)).toBeUndefined();
    }
    expect(crypto.aesGcmOpen(key16, nonce, sealed.subarray(0, 10), aad)).toBeUndefined();
  }),
  crypto('random bytes differ; secrets compare', (crypto) => {
    expect(crypto.randomBytes(16)).toHaveLength(16);
    expect(toHex(crypto.randomBytes(16))).not.toBe(toHex(crypto.randomBytes(16)));
    expect(crypto.timingSafeEqual(utf8('abc'), utf8('abc'))).toBe(true);
    expect(crypto.timingSafeEqual(utf8('abc'), utf8('abd'))).toBe(false);
    expect(crypto.timingSafeEqual(utf8('abc'), utf8('ab'))).toBe(false);
  }),
];
