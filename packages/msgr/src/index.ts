export {
  type ConnectionConfig,
  type ConnectionEvent,
  DEFAULT_LIMITS,
  type MessageLimits,
  MsgrConnection,
  type MsgrCrypto,
  type OutgoingMessage,
  type RawMessage,
} from './connection.ts';
export type { ClientRole, Role, Self, ServerRole } from './handshake.ts';
