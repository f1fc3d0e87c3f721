export { AuthPurpose, type Claim, noneAccepting, noneConnecting, purposeOf } from './auth-none.ts';
export { MalformedCaps } from './caps-scanner.ts';
export { CephxCredentials } from './cephx-credentials.ts';
export { acceptMonitor, connectMonitor, connectMonitorToMgr, MON_ENTITY } from './cephx-mon-shared.ts';
export {
  addGeneration,
  decodeSecretsByService,
  encodeSecretsByService,
  generateKey,
  NO_SECRETS,
  needsRotation,
  type RotatingSecrets,
  rotate,
  secondsOf,
} from './cephx-rotating-secrets.ts';
export { type KeyServer, MonAuthExchange } from './cephx-server.ts';
export { argumentTexts, permissionBits } from './command-arguments.ts';
export { connectionModes } from './connection-modes.ts';
export {
  type CryptoKey,
  decodeCryptoKey,
  encodeCryptoKey,
  formatCryptoKey,
  KEY_BYTES,
  parseCryptoKey,
} from './crypto-key.ts';
export type { CapsService, EntityAuth } from './entity-auth.ts';
export { formatEntityName } from './entity-name.ts';
export { compareEntityNames, parseEntityName } from './entity-order.ts';
export { formatKeyring, type Keyring, MalformedKeyring, parseKeyring, sortedCaps, sortedEntities } from './keyring.ts';
export { checkMdsCaps } from './mds-caps.ts';
export { type MgrAsk, MgrCaps } from './mgr-caps.ts';
export { type MonAsk, MonCaps } from './mon-caps.ts';
export { type Applications, type ClassCall, type OsdAsk, OsdCaps } from './osd-caps.ts';
