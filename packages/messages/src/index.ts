export type { AuthMessage, AuthReply } from './auth.ts';
export { decodeMessage, encodeMessage, isPrivate, UnknownMessage } from './codec.ts';
export type { Command, CommandReply, MgrCommand, MgrCommandReply } from './command.ts';
export { parseCommandLine } from './command-line.ts';
export { parseSignature } from './command-signature.ts';
export type { ConfigMessage } from './config.ts';
export { CopyFromFlag, copyFromArgs, copyFromInput, copyFromOp } from './copy-from.ts';
export type { GetPoolStats, GetPoolStatsReply } from './get-pool-stats.ts';
export {
  decodeLogEntry,
  encodeLogEntry,
  LOG_LEVELS,
  type LogAck,
  type LogEntry,
  type LogLevel,
  type LogMessage,
  priorityOf,
} from './log.ts';
export type { Message, PrivateMessage, PublicMessage } from './message.ts';
export type { MgrMapMessage } from './mgr-map.ts';
export type { MonCommand, MonCommandAck } from './mon-command.ts';
export type { MonGetMap } from './mon-get-map.ts';
export type { MonGetVersion, MonGetVersionReply } from './mon-get-version.ts';
export type { MonMapMessage } from './mon-map.ts';
export type { MonSubscribe, Subscription } from './mon-subscribe.ts';
export type { OsdBackoff } from './osd-backoff.ts';
export type { OsdMapMessage } from './osd-map.ts';
export {
  type ExtentArgs,
  NO_REQUEST,
  NOSNAP,
  type ObjectLocator,
  OpFlag,
  OsdFlag,
  type OsdOp,
  OsdOpCode,
  type OsdOpMessage,
  type OsdOpReply,
  type OsdOpResult,
  osdOpName,
  outputBytes,
  type ReqId,
  SNAPDIR,
} from './osd-op.ts';
export {
  type AllocHintArgs,
  allocHintArgs,
  allocHintOp,
  assertVerArgs,
  assertVerOp,
  type CallArgs,
  type ChecksumArgs,
  ChecksumType,
  CmpXattrMode,
  CmpXattrOp,
  callArgs,
  callOp,
  checksumArgs,
  checksumOp,
  decodeOpEntries,
  extentArgs,
  extentOp,
  notifyArgs,
  notifyOp,
  omapGetKeysOp,
  omapGetValsOp,
  type PgnlsArgs,
  pgnlsArgs,
  pgnlsOp,
  plainOp,
  rollbackArgs,
  rollbackOp,
  type WatchArgs,
  WatchOp,
  watchArgs,
  watchOp,
  writesameArgs,
  writesameOp,
  type XattrArgs,
  xattrArgs,
  xattrOp,
} from './osd-op-args.ts';
export { encodeObjectLocator } from './osd-op-codec.ts';
export {
  type HealthCheck,
  type ObjectStatSum,
  type OsdStat,
  type PgMapDigest,
  type PgStat,
  type PingStat,
  type PoolStat,
  ZERO_SUM,
} from './pg-stat.ts';
export type { Ping } from './ping.ts';
export { PoolOpCode, type PoolOpMessage, type PoolOpReply } from './pool-op.ts';
export type { CommandDescription, MgrBeacon, MgrOpen, MonMgrReport, PgStats } from './private/mgr.ts';
export type {
  ConnectedPeers,
  MonElection,
  MonForward,
  MonGlobalId,
  MonMetadata,
  MonPaxos,
  MonProbe,
  MonRoute,
  MonScrub,
  MonStanding,
  MonSync,
  MonTimecheck,
  StoreChecksums,
} from './private/mon-to-mon.ts';
export {
  type ImageKey,
  type ImagePerf,
  type MgrConfigure,
  NO_OSD_PERF,
  type OsdPerfCounters,
  type OsdPerfQuery,
  type OsdPerfReport,
  type OsdPerfReports,
  sumOfOsdPerf,
} from './private/osd-perf.ts';
export type {
  OsdAlive,
  OsdBeacon,
  OsdBoot,
  OsdFailure,
  OsdFull,
  OsdMarkMeDown,
  OsdPgTemp,
} from './private/osd-to-mon.ts';
export type {
  Lease,
  ObjectChange,
  ObjectPart,
  OsdLink,
  OsdLinkAck,
  OsdPeerMessage,
  OsdPing,
  OsdRepOp,
  OsdRepOpReply,
  OsdToOsdMessage,
  PartCursor,
  PgBackfillProgress,
  PgBackfillProgressReply,
  PgBackfillRemove,
  PgInfoMessage,
  PgLeaseAcks,
  PgLeases,
  PgLogMessage,
  PgNotify,
  PgPull,
  PgPush,
  PgPushReply,
  PgQuery,
  PgRemove,
  PgReserve,
  PgScan,
  PgScanReply,
} from './private/osd-to-osd.ts';
export {
  type MissingItem,
  missingItemRecord,
  NO_COUNTS,
  type OpReturn,
  type PastInterval,
  type PgCounts,
  type PgHistory,
  type PgInfo,
  type PgLogDup,
  type PgLogEntry,
  type PgLogPart,
  pastIntervalsRecord,
  pgInfoRecord,
  pgLogDupRecord,
  pgLogEntryRecord,
} from './private/pg-records.ts';
export type { Statfs, StatfsReply } from './statfs.ts';
export {
  decodeNotifyAck,
  decodeNotifyOutcome,
  decodeNotifyRequest,
  decodeWatchItems,
  encodeNotifyAck,
  encodeNotifyOutcome,
  encodeNotifyRequest,
  encodeWatchItems,
  type NotifyAck,
  type NotifyOutcome,
  type WatcherName,
  type WatchItem,
  type WatchNotify,
} from './watch-notify.ts';
