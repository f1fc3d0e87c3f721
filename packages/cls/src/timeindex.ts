/** Values in the order of times: each an omap value under `1_SECONDS.MICROS_EXT` (cls/timeindex/cls_timeindex.cc). */
import {
  type Bytes,
  compareUTimes,
  type Decoder,
  decodeUTime,
  Encoder,
  Errno,
  encodeUTime,
  type RawString,
  type UTime,
} from '@spirula/encoding';
import type { MethodContext } from './method-context.ts';
import { ClassError, MethodFlag, method, type ObjectClass } from './object-class.ts';
import { decodeTimeListInput, TIME_KEY_PREFIX, type TimeListInput, timeKeyPrefix } from './time-key.ts';

const MAX_ENTRIES = 1000;
/** Least bytes of an entry: its struct, a time, two strings. */
const ENTRY_BYTES = 6 + 8 + 2 * 4;
/** Of a key's rest so many characters are shown. */
const MAX_EXT = 255;

export interface TimeindexEntry {
  readonly time: UTime;
  /** What the key goes on with. */
  readonly ext: RawString;
  readonly value: Bytes;
}

function encoded(body: (encoder: Encoder) => void): Bytes {
  const encoder = new Encoder();
  encoder.struct(1, 1, () => body(encoder));
  return encoder.finish();
}

function encodeEntries(encoder: Encoder, entries: readonly TimeindexEntry[]): void {
  encoder.list(entries, ({ time, ext, value }) =>
    encoder.struct(1, 1, () => {
      encodeUTime(encoder, time);
      encoder.rawString(ext);
      encoder.blob(value);
    }),
  );
}

function decodeEntries(decoder: Decoder): TimeindexEntry[] {
  return decoder.list('entries', ENTRY_BYTES, () =>
    decoder.struct('entry', 1, () => ({
      time: decodeUTime(decoder, 'key time'),
      ext: decoder.rawString('key ext'),
      value: decoder.blob('value'),
    })),
  );
}

export function encodeTimeindexAddInput(entries: readonly TimeindexEntry[]): Bytes {
  return encoded((encoder) => encodeEntries(encoder, entries));
}

function decodeAddInput(decoder: Decoder): TimeindexEntry[] {
  return decoder.struct('add', 1, () => decodeEntries(decoder));
}

function add(object: MethodContext, entries: readonly TimeindexEntry[]): void {
  for (const { time, ext, value } of entries) object.omapSet(new Map([[timeKeyPrefix(time) + ext, value]]));
}

/**
 * What a key tells, as C's scanf takes it apart: the rest ends at white space, and microseconds are given as if they were
 * nanoseconds (16.2.15 keeps both).
 */
function parseKey(key: RawString): Pick<TimeindexEntry, 'time' | 'ext'> {
  const [, sec = '0', usec = '0', ext = ''] = /^1_(\d+)(?:\.(\d+)(?:_[\t-\r ]*([^\t-\r ]*))?)?/.exec(key) ?? [];
  return { time: { sec: Number(sec) >>> 0, nsec: Number(usec) >>> 0 }, ext: ext.slice(0, MAX_EXT) };
}

function list(object: MethodContext, { from, marker, to, maxEntries }: TimeListInput): Bytes {
  const end = compareUTimes(to, from) >= 0 ? timeKeyPrefix(to) : undefined;
  const page = object.omapList({
    after: marker === '' ? timeKeyPrefix(from) : marker,
    prefix: TIME_KEY_PREFIX,
    max: maxEntries < 0 ? MAX_ENTRIES : Math.min(maxEntries, MAX_ENTRIES),
  });
  const entries: TimeindexEntry[] = [];
  let last: RawString = '';
  let truncated = page.more;
  for (const [key, value] of page.entries) {
    if (end !== undefined && key.slice(0, end.length) >= end) {
      truncated = false;
      break;
    }
    last = key;
    entries.push({ ...parseKey(key), value });
  }
  return encoded((encoder) => {
    encodeEntries(encoder, entries);
    encoder.rawString(last);
    encoder.bool(truncated);
  });
}

export interface TimeindexListReply {
  /** Their times and the rest of their keys are not to be relied on: see `parseKey`. */
  readonly entries: readonly TimeindexEntry[];
  /** The last entry's key. */
  readonly marker: RawString;
  readonly truncated: boolean;
}

/** @throws MalformedInput */
export function decodeTimeindexListReply(decoder: Decoder): TimeindexListReply {
  return decoder.struct('list reply', 1, () => ({
    entries: decodeEntries(decoder),
    marker: decoder.rawString('marker'),
    truncated: decoder.bool('truncated'),
  }));
}

export interface TimeindexTrimInput {
  readonly from: UTime;
  /** Included, with every key of that microsecond; `toMarker` likewise, with every key that begins with it. */
  readonly to: UTime;
  /** Keys instead of times, when not empty. */
  readonly fromMarker: RawString;
  readonly toMarker: RawString;
}

export function encodeTimeindexTrimInput({ from, to, fromMarker, toMarker }: TimeindexTrimInput): Bytes {
  return encoded((encoder) => {
    encodeUTime(encoder, from);
    encodeUTime(encoder, to);
    encoder.rawString(fromMarker);
    encoder.rawString(toMarker);
  });
}

function decodeTrimInput(decoder: Decoder): TimeindexTrimInput {
  return decoder.struct('trim', 1, () => ({
    from: decodeUTime(decoder, 'from time'),
    to: decodeUTime(decoder, 'to time'),
    fromMarker: decoder.rawString('from marker'),
    toMarker: decoder.rawString('to marker'),
  }));
}

/** At most 1000 entries; who wants more asks again, until ENODATA says that none is left. */
function trim(object: MethodContext, { from, to, fromMarker, toMarker }: TimeindexTrimInput): void {
  const end = toMarker === '' ? timeKeyPrefix(to) : toMarker;
  const after = fromMarker === '' ? timeKeyPrefix(from) : fromMarker;
  const page = object.omapList({ after, prefix: TIME_KEY_PREFIX, max: MAX_ENTRIES });
  const keys = [...page.entries.keys()];
  const beyond = keys.findIndex((key) => key.slice(0, end.length) > end);
  const trimmed = beyond < 0 ? keys : keys.slice(0, beyond);
  if (trimmed.length === 0) throw new ClassError(Errno.ENODATA);
  for (const key of trimmed) object.omapRemove([key]);
}

const { read, write } = MethodFlag;

export const timeindexClass: ObjectClass = {
  name: 'timeindex',
  methods: {
    add: method(read | write, decodeAddInput, add),
    list: method(read, decodeTimeListInput, list),
    trim: method(read | write, decodeTrimInput, trim),
  },
};
