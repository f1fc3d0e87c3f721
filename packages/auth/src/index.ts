export {
  type CryptoKey,
  decodeCryptoKey,
  encodeCryptoKey,
  formatCryptoKey,
  KEY_BYTES,
  parseCryptoKey,
} from './crypto-key.ts';
export type { CapsService, EntityAuth } from './entity-auth.ts';
export { compareEntityNames, parseEntityName } from './entity-order.ts';
export { formatKeyring, type Keyring, MalformedKeyring, parseKeyring, sortedCaps, sortedEntities } from './keyring.ts';
