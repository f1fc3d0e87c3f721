export { type Config, makeConfig } from '@spirula/config';
export {
  type AcceptingMethod,
  type AuthAnswer,
  type AuthDone,
  type AuthExchange,
  type Authenticated,
  type Authentication,
  AuthMethod,
  type AuthSecrets,
  CONNECTION_SECRET_BYTES,
  type ConnectingAuth,
  ConnectionMode,
} from './authentication.ts';
export { MAX_DRIFT_PPM, outlast } from './drift.ts';
export { InvariantViolation, invariant, unreachable } from './invariant.ts';
export { KvOverlay, type OverlayAnswer } from './kv-overlay.ts';
export { OrderedTable } from './ordered-table.ts';
export { Sleeper } from './sleeper.ts';
export {
  type AuthDecision,
  type AuthRequest,
  type Batch,
  type BlockDevice,
  type Clock,
  type CrcName,
  type Crypto,
  type Daemon,
  DeviceError,
  type Hasher,
  type HashName,
  type Http,
  type HttpPost,
  type HttpReply,
  type Instant,
  type KeyValue,
  type KvOp,
  type KvRange,
  type Lifecycle,
  type Log,
  type Memory,
  type Net,
  type Peer,
  type Random,
  type ResetReason,
  SECOND,
  type SessionId,
  seconds,
  type Token,
  type WireMessage,
  type World,
  type WorldEvent,
} from './world.ts';
export { WorldScope } from './world-scope.ts';
