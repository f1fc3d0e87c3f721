/**
 * What cephx encrypts (auth/cephx/CephxProtocol.h, encode_encrypt): AES-128-CBC under a fixed IV of `u8 1, u64 magic` and
 * the thing itself. The magic tells the right key from a wrong one.
 */
import { type Bytes, Decoder, Encoder, MalformedInput, utf8 } from '@spirula/encoding';
import type { Crypto } from '@spirula/world';

export type CephxCrypto = Pick<Crypto, 'aesCbcEncrypt' | 'aesCbcDecrypt' | 'randomBytes' | 'timingSafeEqual'>;

const IV: Bytes = utf8('cephsageyudagreg');
const VERSION = 1;
const MAGIC = 0xff00_9cad_8826_aa55n;

/** Seals what `write` writes. */
export function seal(crypto: CephxCrypto, key: Bytes, write: (plain: Encoder) => void): Bytes {
  const plain = new Encoder(128);
  plain.u8(VERSION);
  plain.u64big(MAGIC);
  write(plain);
  return crypto.aesCbcEncrypt(key, IV, plain.finish());
}

/** @throws MalformedInput when it was sealed with another key, or not at all. */
export function unseal<T>(
  crypto: CephxCrypto,
  key: Bytes,
  sealed: Bytes,
  what: string,
  read: (plain: Decoder) => T,
): T {
  const bytes = crypto.aesCbcDecrypt(key, IV, sealed);
  if (bytes === undefined) throw new MalformedInput(what, 0, 'is sealed with another key');
  const plain = new Decoder(bytes);
  plain.u8(what);
  if (plain.u64big(what) !== MAGIC) plain.fail(what, 'is sealed with another key');
  return read(plain);
}

/**
 * What a client makes of both challenges with its key (cephx_calc_client_server_challenge): the sealed challenges with their
 * length before them, folded by words of eight bytes; what is left over does not count.
 */
export function answerChallenges(crypto: CephxCrypto, key: Bytes, server: bigint, client: bigint): Bytes {
  const sealed = seal(crypto, key, (plain) => {
    plain.u64big(server);
    plain.u64big(client);
  });
  const framed = new Encoder(sealed.length + 4);
  framed.blob(sealed);
  const bytes = framed.finish();
  const folded = new Uint8Array(8);
  const end = bytes.length - (bytes.length % 8);
  for (let i = 0; i < end; i++) folded[i % 8]! ^= bytes[i]!;
  return folded;
}

/** Drawn for challenges and nonces; never 0. */
export function drawU64(crypto: CephxCrypto): bigint {
  return new Decoder(crypto.randomBytes(8)).u64big('random') || 1n;
}
