import type { EntityName, UTime, Uuid } from '@spirula/encoding';
import {
  type Decoder,
  decodeAddrVec,
  type Encoder,
  EntityType,
  type EntityTypeName,
  encodeAddrVec,
} from '@spirula/encoding';
import { encodePaxosHeader, Priority, type PublicCodec, skipPaxosHeader, UUID_BYTES } from './public-codec.ts';

/** One line of the cluster log. */
export interface LogEntry {
  readonly name: EntityName;
  readonly stamp: UTime;
  readonly seq: number;
  /** 0 debug, 1 info, 2 sec, 3 warn, 4 error. */
  readonly priority: number;
  readonly text: string;
  readonly channel: string;
}

/** Lines for the cluster log, or from it to a `log-*` subscriber (MLog). */
export interface LogMessage {
  readonly type: 'log';
  readonly fsid: Uuid;
  readonly entries: readonly LogEntry[];
}

const LOG_ENTRY_BYTES = 6 + 8 + 9 + 5 + 8 + 8 + 2 + 8;
const typeNames = new Map<number, EntityTypeName>(
  Object.entries(EntityType).map(([name, type]) => [type, name as EntityTypeName]),
);

/** LogEntry v5. The rank is told from the name; the addresses are left empty. */
function encodeLogEntry(front: Encoder, entry: LogEntry): void {
  front.struct(5, 5, () => {
    front.u32(EntityType[entry.name.type]);
    front.string(entry.name.id);
    front.u8(EntityType[entry.name.type]);
    front.i64(/^\d{1,9}$/.test(entry.name.id) ? Number(entry.name.id) : -1);
    encodeAddrVec(front, []);
    front.u32(entry.stamp.sec);
    front.u32(entry.stamp.nsec);
    front.u64(entry.seq);
    front.u16(entry.priority);
    front.string(entry.text);
    front.string(entry.channel);
  });
}

function decodeLogEntry(front: Decoder): LogEntry {
  return front.struct('log entry', 5, () => {
    const number = front.u32('entity type');
    const type = typeNames.get(number) ?? front.fail('entity type', `is ${number}`);
    const id = front.string('entity id');
    front.u8('rank type');
    front.i64big('rank');
    decodeAddrVec(front, 'addresses');
    return {
      name: { type, id },
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
  encodeFront(front, { fsid, entries }) {
    encodePaxosHeader(front);
    front.raw(fsid);
    front.list(entries, (entry) => encodeLogEntry(front, entry));
  },
  decode(front) {
    skipPaxosHeader(front);
    return {
      type: 'log',
      fsid: front.raw(UUID_BYTES, 'fsid'),
      entries: front.list('log entries', LOG_ENTRY_BYTES, () => decodeLogEntry(front)),
    };
  },
};
