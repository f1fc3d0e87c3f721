export {
  type CryptoKey,
  decodeCryptoKey,
  encodeCryptoKey,
  formatCryptoKey,
  KEY_BYTES,
  parseCryptoKey,
} from './crypto-key.ts';
