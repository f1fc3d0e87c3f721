import type { AddrVec, EntityName, UTime, Uuid } from '@spirula/encoding';
import {
  type Decoder,
  decodeAddrVec,
  type Encoder,
  EntityType,
  type EntityTypeName,
  encodeAddrVec,
} from '@spirula/encoding';
import { encodePaxosHeader, Priority, type PublicCodec, UUID_BYTES } from './public-codec.ts';

/** Levels of the cluster log, lowest first (clog_type, common/LogEntry.h). */
export const LOG_LEVELS = ['debug', 'info', 'sec', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The number that a level goes by in messages; -1: there is no such level. */
export function priorityOf(level: string): number {
  return (LOG_LEVELS as readonly string[]).indexOf(level);
}

/** One line of the cluster log. */
export interface LogEntry {
  readonly name: EntityName;
  /** Its number among those of its type (entity_name_t): a monitor's rank, a manager's gid, an OSD's id; -1: none is known. */
  readonly rank: bigint;
  readonly addrs: AddrVec;
  readonly stamp: UTime;
  readonly seq: number;
  /** 0 debug, 1 info, 2 sec, 3 warn, 4 error. */
  readonly priority: number;
  readonly text: string;
  /** `cluster`, `audit`, `cephadm`; empty for the first line of all. */
  readonly channel: string;
}

/** Lines for the cluster log, or from it to a `log-*` subscriber (MLog). */
export interface LogMessage {
  readonly type: 'log';
  readonly fsid: Uuid;
  /** To a subscriber: the version of the log that these lines reach up to. What is not newer than before it leaves out. */
  readonly version: number;
  readonly entries: readonly LogEntry[];
}

/** To who sent lines: those up to this number stand in the log (MLogAck). */
export interface LogAck {
  readonly type: 'log_ack';
  readonly fsid: Uuid;
  readonly last: number;
}

const LOG_ENTRY_BYTES = 6 + 8 + 9 + 5 + 8 + 8 + 2 + 8;
const typeNames = new Map<number, EntityTypeName>(
  Object.entries(EntityType).map(([name, type]) => [type, name as EntityTypeName]),
);

/** LogEntry v5. */
export function encodeLogEntry(front: Encoder, entry: LogEntry): void {
  front.struct(5, 5, () => {
    front.u32(EntityType[entry.name.type]);
    front.string(entry.name.id);
    front.u8(EntityType[entry.name.type]);
    front.u64big(entry.rank);
    encodeAddrVec(front, entry.addrs);
    front.u32(entry.stamp.sec);
    front.u32(entry.stamp.nsec);
    front.u64(entry.seq);
    front.u16(entry.priority);
    front.string(entry.text);
    front.string(entry.channel);
  });
}

/** @throws MalformedInput */
export function decodeLogEntry(front: Decoder): LogEntry {
  return front.struct('log entry', 5, () => {
    const number = front.u32('entity type');
    const type = typeNames.get(number) ?? front.fail('entity type', `is ${number}`);
    const id = front.string('entity id');
    front.u8('rank type');
    const rank = front.i64big('rank');
    return {
      name: { type, id },
      rank,
      addrs: decodeAddrVec(front, 'addresses'),
      stamp: { sec: front.u32('stamp'), nsec: front.u32('stamp') },
      seq: front.u64('seq'),
      priority: front.u16('priority'),
      text: front.string('text'),
      channel: front.string('channel'),
    };
  });
}

export const logCodec: PublicCodec<LogMessage> = {
  code: 52,
  version: 1,
  compat: 1,
  priority: Priority.normal,
  encodeFront(front, { fsid, version, entries }) {
    encodePaxosHeader(front, version);
    front.raw(fsid);
    front.list(entries, (entry) => encodeLogEntry(front, entry));
  },
  decode(front) {
    const version = front.u64('version');
    front.raw(10, 'rest of the paxos header');
    return {
      type: 'log',
      version,
      fsid: front.raw(UUID_BYTES, 'fsid'),
      entries: front.list('log entries', LOG_ENTRY_BYTES, () => decodeLogEntry(front)),
    };
  },
};

export const logAckCodec: PublicCodec<LogAck> = {
  code: 53,
  version: 1,
  compat: 1,
  priority: Priority.normal,
  encodeFront(front, { fsid, last }) {
    front.raw(fsid);
    front.u64(last);
    // A channel that nobody fills in.
    front.string('');
  },
  decode(front) {
    const fsid = front.raw(UUID_BYTES, 'fsid');
    const last = front.u64('last');
    front.string('channel');
    return { type: 'log_ack', fsid, last };
  },
};
