export {
  AuthMethod,
  AuthPurpose,
  type Claim,
  type ClientAuth,
  ConnectionMode,
  noneClient,
  noneServer,
  type ServerAuth,
} from './auth.ts';
export {
  type ConnectionConfig,
  type ConnectionEvent,
  DEFAULT_LIMITS,
  type MessageLimits,
  MsgrConnection,
  type OutgoingMessage,
  type RawMessage,
} from './connection.ts';
export type { Crc32c } from './frame.ts';
export type { ClientRole, Role, Self, ServerRole } from './handshake.ts';
