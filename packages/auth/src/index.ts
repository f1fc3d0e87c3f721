export {
  type CryptoKey,
  decodeCryptoKey,
  encodeCryptoKey,
  formatCryptoKey,
  KEY_BYTES,
  parseCryptoKey,
} from './crypto-key.ts';
export type { CapsService, EntityAuth } from './entity-auth.ts';
