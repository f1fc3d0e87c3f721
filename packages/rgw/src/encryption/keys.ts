/** Keys that objects are encrypted with, but those that clients bring. */
import { base64 } from '@scure/base';
import { type Bytes, Errno, type RawString } from '@spirula/encoding';
import { ObjectOperation, RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import type { Zone } from '../store/zone.ts';
import { encryptBlocks, KEY_BYTES } from './block-cipher.ts';

/** In the pool of buckets: a name that none can have. */
const ZONE_KEY = '.sse-s3.key';

export class EncryptionKeys {
  readonly #zone: Zone;
  readonly #world: Pick<World, 'config' | 'crypto'>;
  #zoneKey: Promise<Bytes> | undefined;

  constructor(zone: Zone, world: Pick<World, 'config' | 'crypto'>) {
    this.#zone = zone;
    this.#world = world;
  }

  /** rgw_crypt_require_ssl: whether keys, and what they protect, go over TLS only. */
  get requireTls(): boolean {
    return this.#world.config.rgw_crypt_require_ssl;
  }

  /** rgw_crypt_s3_kms_encryption_keys: keys for tests, by their ids. Undefined: there is none of that id, or it is no key. */
  kmsKey(id: RawString): Bytes | undefined {
    if (this.#world.config.rgw_crypt_s3_kms_backend !== 'testing') return undefined;
    for (const pair of this.#world.config.rgw_crypt_s3_kms_encryption_keys.split(/[\s,]+/)) {
      const at = pair.indexOf('=');
      if (at > 0 && pair.slice(0, at) === id) return readKey(pair.slice(at + 1));
    }
    return undefined;
  }

  /** rgw_crypt_default_encryption_key: what is encrypted without having been asked for. */
  get defaultKey(): Bytes | undefined {
    return readKey(this.#world.config.rgw_crypt_default_encryption_key);
  }

  /** The zone's own, made when it is needed first. @throws RadosError */
  zoneKey(): Promise<Bytes> {
    this.#zoneKey ??= this.#findZoneKey().catch((error: unknown) => {
      this.#zoneKey = undefined;
      throw error;
    });
    return this.#zoneKey;
  }

  /** The key of one object, from another and a text that was drawn for the object. */
  derive(master: Bytes, selector: Bytes): Bytes {
    return encryptBlocks(this.#world.crypto, master, selector);
  }

  newSelector(): Bytes {
    return this.#world.crypto.randomBytes(KEY_BYTES);
  }

  async #findZoneKey(): Promise<Bytes> {
    const io = this.#zone.system('domainRoot');
    try {
      const key = this.#world.crypto.randomBytes(KEY_BYTES);
      await io.operate(ZONE_KEY, new ObjectOperation().create(true).writeFull(key));
      return key;
    } catch (error) {
      if (!(error instanceof RadosError) || error.code !== Errno.EEXIST) throw error;
      return (await io.read(ZONE_KEY)).slice();
    }
  }
}

/** Undefined: it has not 256 bits in base64. */
export function readKey(text: string): Bytes | undefined {
  try {
    const key = base64.decode(text);
    return key.length === KEY_BYTES ? key : undefined;
  } catch {
    return undefined;
  }
}
