import type { AuthMessage, AuthReply } from './auth.ts';
import type { Command, CommandReply, MgrCommand, MgrCommandReply } from './command.ts';
import type { ConfigMessage } from './config.ts';
import type { GetPoolStats, GetPoolStatsReply } from './get-pool-stats.ts';
import type { LogAck, LogMessage } from './log.ts';
import type { MgrMapMessage } from './mgr-map.ts';
import type { MonCommand, MonCommandAck } from './mon-command.ts';
import type { MonGetMap } from './mon-get-map.ts';
import type { MonGetVersion, MonGetVersionReply } from './mon-get-version.ts';
import type { MonMapMessage } from './mon-map.ts';
import type { MonSubscribe } from './mon-subscribe.ts';
import type { OsdBackoff } from './osd-backoff.ts';
import type { OsdMapMessage } from './osd-map.ts';
import type { OsdOpMessage, OsdOpReply } from './osd-op.ts';
import type { Ping } from './ping.ts';
import type { PoolOpMessage, PoolOpReply } from './pool-op.ts';
import type { MgrBeacon, MgrOpen, MonMgrReport, PgStats } from './private/mgr.ts';
import type { MonToMonMessage } from './private/mon-to-mon.ts';
import type { OsdPerfMessage } from './private/osd-perf.ts';
import type {
  OsdAlive,
  OsdBeacon,
  OsdBoot,
  OsdFailure,
  OsdFull,
  OsdMarkMeDown,
  OsdPgTemp,
} from './private/osd-to-mon.ts';
import type { OsdToOsdMessage } from './private/osd-to-osd.ts';
import type { Statfs, StatfsReply } from './statfs.ts';
import type { WatchNotify } from './watch-notify.ts';

/** What Ceph's clients know: travels in Ceph's encoding. */
export type PublicMessage =
  | AuthMessage
  | AuthReply
  | Command
  | CommandReply
  | ConfigMessage
  | GetPoolStats
  | GetPoolStatsReply
  | LogMessage
  | LogAck
  | MgrCommand
  | MgrCommandReply
  | MgrMapMessage
  | MonCommand
  | MonCommandAck
  | MonGetMap
  | MonGetVersion
  | MonGetVersionReply
  | MonMapMessage
  | MonSubscribe
  | OsdBackoff
  | OsdMapMessage
  | OsdOpMessage
  | OsdOpReply
  | Ping
  | PoolOpMessage
  | PoolOpReply
  | Statfs
  | StatfsReply
  | WatchNotify;

/** What daemons say to daemons: private type numbers, msgpack fronts. */
export type PrivateMessage =
  | MgrBeacon
  | MgrOpen
  | MonMgrReport
  | MonToMonMessage
  | OsdAlive
  | OsdBeacon
  | OsdBoot
  | OsdFailure
  | OsdFull
  | OsdMarkMeDown
  | OsdPerfMessage
  | OsdPgTemp
  | OsdToOsdMessage
  | PgStats;

/** Every message there is. */
export type Message = PublicMessage | PrivateMessage;
