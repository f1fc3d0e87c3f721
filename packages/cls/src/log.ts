/**
 * A log in the order of its entries' times (cls/log/cls_log.cc). Each entry is an omap value under `1_SECONDS.MICROS_ID`, and
 * the omap header tells the latest:
 *
 *   cls_log_header { max_marker string, max_time utime }
 */
import {
  type Bytes,
  compareUTimes,
  Decoder,
  decodeUTime,
  Encoder,
  Errno,
  encodeUTime,
  MalformedInput,
  type RawString,
  type UTime,
} from '@spirula/encoding';
import type { MethodContext } from './method-context.ts';
import { ClassError, MethodFlag, method, type ObjectClass } from './object-class.ts';
import { decodeTimeListInput, TIME_KEY_PREFIX, type TimeListInput, timeKeyPrefix } from './time-key.ts';

const MAX_ENTRIES = 1000;
/** Least bytes of an entry: its struct, three strings, a time. */
const ENTRY_BYTES = 6 + 3 * 4 + 8;
const USEC_IN_NSEC = 1000;
const NSEC_PER_SEC = 1_000_000_000;
const MAX_SEC = 0xffff_ffff;

interface LogEntry {
  /** Its key; '' lets the OSD make one. */
  readonly id: RawString;
  readonly section: RawString;
  readonly name: RawString;
  readonly timestamp: UTime;
  readonly data: Bytes;
}

interface LogHeader {
  readonly maxMarker: RawString;
  readonly maxTime: UTime;
}

const NO_HEADER: LogHeader = { maxMarker: '', maxTime: { sec: 0, nsec: 0 } };

function encodeEntry(encoder: Encoder, entry: LogEntry): void {
  encoder.struct(2, 1, () => {
    encoder.rawString(entry.section);
    encoder.rawString(entry.name);
    encodeUTime(encoder, entry.timestamp);
    encoder.blob(entry.data);
    encoder.rawString(entry.id);
  });
}

function decodeEntry(decoder: Decoder): LogEntry {
  return decoder.struct('log entry', 2, (version) => ({
    section: decoder.rawString('section'),
    name: decoder.rawString('name'),
    timestamp: decodeUTime(decoder, 'timestamp'),
    data: decoder.blob('data'),
    id: version < 2 ? '' : decoder.rawString('id'),
  }));
}

function encodeHeader(encoder: Encoder, { maxMarker, maxTime }: LogHeader): void {
  encoder.struct(1, 1, () => {
    encoder.rawString(maxMarker);
    encodeUTime(encoder, maxTime);
  });
}

function decodeHeader(decoder: Decoder): LogHeader {
  return decoder.struct('log header', 1, () => ({
    maxMarker: decoder.rawString('max marker'),
    maxTime: decodeUTime(decoder, 'max time'),
  }));
}

function parseIf<T>(bytes: Bytes, decode: (decoder: Decoder) => T): T | undefined {
  try {
    return decode(new Decoder(bytes));
  } catch (error) {
    if (error instanceof MalformedInput) return undefined;
    throw error;
  }
}

/** A header that does not parse counts as none, as in Ceph. */
function readHeader(object: MethodContext): LogHeader {
  const stored = object.omapHeader();
  return (stored.length > 0 ? parseIf(stored, decodeHeader) : undefined) ?? NO_HEADER;
}

interface AddInput {
  readonly entries: readonly LogEntry[];
  /** An entry older than the latest gets that one's time for its key. */
  readonly monotonic: boolean;
}

function decodeAddInput(decoder: Decoder): AddInput {
  return decoder.struct('add', 2, (version) => ({
    entries: decoder.list('entries', ENTRY_BYTES, () => decodeEntry(decoder)),
    monotonic: version < 2 || decoder.bool('monotonic inc'),
  }));
}

function add(object: MethodContext, { entries, monotonic }: AddInput): void {
  let { maxMarker, maxTime } = readHeader(object);
  for (const entry of entries) {
    const order = compareUTimes(entry.timestamp, maxTime);
    const timestamp = monotonic && order < 0 ? maxTime : entry.timestamp;
    if (order > 0) maxTime = entry.timestamp;
    const id = entry.id === '' ? timeKeyPrefix(timestamp) + object.subopVersion() : entry.id;
    if (id > maxMarker) maxMarker = id;
    const encoder = new Encoder(64);
    encodeEntry(encoder, { ...entry, id });
    object.omapSet(new Map([[id, encoder.finish()]]));
  }
  const header = new Encoder(64);
  encodeHeader(header, { maxMarker, maxTime });
  object.omapSetHeader(header.finish());
}

function list(object: MethodContext, { from, marker, to, maxEntries }: TimeListInput): Bytes {
  const isBounded = (from.sec !== 0 || from.nsec !== 0) && compareUTimes(to, from) >= 0;
  const end = isBounded ? timeKeyPrefix(to) : undefined;
  const page = object.omapList({
    after: marker === '' ? timeKeyPrefix(from) : marker,
    prefix: TIME_KEY_PREFIX,
    max: maxEntries <= 0 ? MAX_ENTRIES : Math.min(maxEntries, MAX_ENTRIES),
  });
  const entries: LogEntry[] = [];
  let last: RawString = '';
  let truncated = page.more;
  for (const [key, value] of page.entries) {
    last = key;
    if (end !== undefined && key.slice(0, end.length) >= end) {
      truncated = false;
      break;
    }
    // What somebody else put between them is passed over.
    const entry = parseIf(value, decodeEntry);
    if (entry) entries.push(entry);
  }
  const encoder = new Encoder();
  encoder.struct(1, 1, () => {
    encoder.list(entries, (entry) => encodeEntry(encoder, entry));
    encoder.rawString(last);
    encoder.bool(truncated);
  });
  return encoder.finish();
}

interface TrimInput {
  readonly from: UTime;
  /** Included, as is `toMarker`. */
  readonly to: UTime;
  /** Keys instead of times, when not empty. */
  readonly fromMarker: RawString;
  readonly toMarker: RawString;
}

function decodeTrimInput(decoder: Decoder): TrimInput {
  return decoder.struct('trim', 2, (version) => ({
    from: decodeUTime(decoder, 'from time'),
    to: decodeUTime(decoder, 'to time'),
    fromMarker: version < 2 ? '' : decoder.rawString('from marker'),
    toMarker: version < 2 ? '' : decoder.rawString('to marker'),
  }));
}

/** The next microsecond (utime_t addition, which ends at the latest second there is). */
function justAfter({ sec, nsec }: UTime): UTime {
  const next = nsec + USEC_IN_NSEC;
  if (next <= NSEC_PER_SEC) return { sec, nsec: next };
  return { sec: Math.min(MAX_SEC, sec + Math.floor(next / NSEC_PER_SEC)), nsec: next % NSEC_PER_SEC };
}

/** ENODATA when there is nothing to trim (any more). */
function trim(object: MethodContext, { from, to, fromMarker, toMarker }: TrimInput): void {
  const end = toMarker === '' ? timeKeyPrefix(justAfter(to)) : `${toMarker}\0`;
  const page = object.omapList({ after: fromMarker === '' ? timeKeyPrefix(from) : fromMarker, max: 1 });
  const [first] = page.entries.keys();
  if (first === undefined || end < first) throw new ClassError(Errno.ENODATA);
  object.omapRemoveRange(first, end);
}

function info(object: MethodContext): Bytes {
  const encoder = new Encoder(64);
  encoder.struct(1, 1, () => encodeHeader(encoder, readHeader(object)));
  return encoder.finish();
}

const { read, write } = MethodFlag;

export const logClass: ObjectClass = {
  name: 'log',
  methods: {
    add: method(read | write, decodeAddInput, add),
    list: method(read, decodeTimeListInput, list),
    trim: method(read | write, decodeTrimInput, trim),
    info: method(read, (decoder) => decoder.struct('info', 1, () => undefined), info),
  },
};
