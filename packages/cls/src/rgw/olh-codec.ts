/**
 * Which version of an object is the current one (OLH, object logical head): an entry of the index for each name that has
 * versions, and what methods take and give to change it (rgw_bucket_olh_entry, cls_rgw_ops.h).
 */
import { type Bytes, type Decoder, Encoder, encodeUTime, type RawString, type UTime } from '@spirula/encoding';
import { decodeRealTime, NO_TIME } from '../real-time.ts';
import { decodeMeta, type EntryMeta, encodeMeta } from './dir-entry.ts';
import { decodeObjectKey, encodeObjectKey, NO_OBJECT_KEY, type ObjectKey } from './object-key.ts';
import { decodeZonesTrace, encodeZonesTrace, type ZonesTrace } from './zones-trace.ts';

/** OLHLogOp: what the gateway has still to do with the objects of the data pool. */
export const OlhOp = {
  unknown: 0,
  /** The head points to the version. */
  link: 1,
  /** There is no version left. */
  unlink: 2,
  /** The version's object goes. */
  removeInstance: 3,
} as const;

/** rgw_bucket_olh_log_entry. */
export interface OlhLogEntry {
  readonly epoch: bigint;
  /** `OlhOp`. */
  readonly op: number;
  readonly opTag: RawString;
  readonly key: ObjectKey;
  readonly deleteMarker: boolean;
}

/** By the epoch of the OLH that made them, ascending. */
export type OlhLog = ReadonlyMap<bigint, readonly OlhLogEntry[]>;

export interface OlhEntry {
  /** The current version. */
  readonly key: ObjectKey;
  /** Whether that is a delete marker. */
  readonly deleteMarker: boolean;
  /** Counted up with each change. */
  readonly epoch: bigint;
  readonly pendingLog: OlhLog;
  /** Of the head object that it is of: another one makes it another OLH. */
  readonly tag: RawString;
  readonly exists: boolean;
  /** No version is left, and the head object is to go. */
  readonly pendingRemoval: boolean;
}

export const NO_OLH: OlhEntry = {
  key: NO_OBJECT_KEY,
  deleteMarker: false,
  epoch: 0n,
  pendingLog: new Map(),
  tag: '',
  exists: false,
  pendingRemoval: false,
};

/** Least bytes of an entry of the log, and of an epoch's list of them. */
const LOG_ENTRY_BYTES = 6 + 8 + 1 + 4;
const EPOCH_BYTES = 8 + 4;

function encoded(version: number, body: (encoder: Encoder) => void): Bytes {
  const encoder = new Encoder(128);
  encoder.struct(version, 1, () => body(encoder));
  return encoder.finish();
}

function encodeLog(encoder: Encoder, log: OlhLog): void {
  encoder.map(
    log,
    (epoch) => encoder.u64big(epoch),
    (entries) =>
      encoder.list(entries, ({ epoch, op, opTag, key, deleteMarker }) =>
        encoder.struct(1, 1, () => {
          encoder.u64big(epoch);
          encoder.u8(op);
          encoder.rawString(opTag);
          encodeObjectKey(encoder, key);
          encoder.bool(deleteMarker);
        }),
      ),
  );
}

function decodeLogEntry(decoder: Decoder): OlhLogEntry {
  return decoder.struct('olh log entry', 1, () => ({
    epoch: decoder.u64big('epoch'),
    op: decoder.u8('op'),
    opTag: decoder.rawString('op tag'),
    key: decodeObjectKey(decoder, 'key'),
    deleteMarker: decoder.bool('delete marker'),
  }));
}

function decodeLog(decoder: Decoder): OlhLog {
  const log = decoder.map(
    'log',
    EPOCH_BYTES,
    () => decoder.u64big('epoch'),
    () => decoder.list('entries', LOG_ENTRY_BYTES, () => decodeLogEntry(decoder)),
  );
  return new Map([...log].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function encodeOlhEntry(entry: OlhEntry): Bytes {
  return encoded(1, (encoder) => {
    encodeObjectKey(encoder, entry.key);
    encoder.bool(entry.deleteMarker);
    encoder.u64big(entry.epoch);
    encodeLog(encoder, entry.pendingLog);
    encoder.rawString(entry.tag);
    encoder.bool(entry.exists);
    encoder.bool(entry.pendingRemoval);
  });
}

/** @throws MalformedInput */
export function decodeOlhEntry(decoder: Decoder): OlhEntry {
  return decoder.struct('olh', 1, () => ({
    key: decodeObjectKey(decoder, 'key'),
    deleteMarker: decoder.bool('delete marker'),
    epoch: decoder.u64big('epoch'),
    pendingLog: decodeLog(decoder),
    tag: decoder.rawString('tag'),
    exists: decoder.bool('exists'),
    pendingRemoval: decoder.bool('pending removal'),
  }));
}

/** rgw_cls_link_olh_op: a version becomes the current one, if none is newer. */
export interface LinkOlhInput {
  readonly key: ObjectKey;
  readonly olhTag: RawString;
  /** It is a delete marker, which this makes. */
  readonly deleteMarker: boolean;
  readonly opTag: RawString;
  /** Of the delete marker. */
  readonly meta: EntryMeta;
  /** 0: the next. */
  readonly olhEpoch: bigint;
  readonly logOp: boolean;
  readonly bilogFlags: number;
  /** Unless zero: only if the version that is there is older. */
  readonly unmodifiedSince: UTime;
  /** Whether parts of a second count in that. */
  readonly highPrecision: boolean;
  readonly zonesTrace: ZonesTrace;
}

export function encodeLinkOlhInput(input: LinkOlhInput): Bytes {
  return encoded(5, (encoder) => {
    encodeObjectKey(encoder, input.key);
    encoder.rawString(input.olhTag);
    encoder.bool(input.deleteMarker);
    encoder.rawString(input.opTag);
    encodeMeta(encoder, input.meta);
    encoder.u64big(input.olhEpoch);
    encoder.bool(input.logOp);
    encoder.u16(input.bilogFlags);
    encoder.u64(input.unmodifiedSince.sec);
    encodeUTime(encoder, input.unmodifiedSince);
    encoder.bool(input.highPrecision);
    encodeZonesTrace(encoder, input.zonesTrace);
  });
}

export function decodeLinkOlhInput(decoder: Decoder): LinkOlhInput {
  return decoder.struct('link olh', 5, (version) => ({
    key: decodeObjectKey(decoder, 'key'),
    olhTag: decoder.rawString('olh tag'),
    deleteMarker: decoder.bool('delete marker'),
    opTag: decoder.rawString('op tag'),
    meta: decodeMeta(decoder),
    olhEpoch: decoder.u64big('olh epoch'),
    logOp: decoder.bool('log op'),
    bilogFlags: decoder.u16('bilog flags'),
    unmodifiedSince: decodeUnmodifiedSince(decoder, version),
    highPrecision: version >= 4 && decoder.bool('high precision time'),
    zonesTrace: version < 5 ? [] : decodeZonesTrace(decoder),
  }));
}

/** Seconds; since version 3 followed by the time itself. */
function decodeUnmodifiedSince(decoder: Decoder, version: number): UTime {
  if (version < 2) return NO_TIME;
  const seconds = decoder.u64big('unmod since');
  return version < 3 ? { sec: Number(seconds & 0xffff_ffffn), nsec: 0 } : decodeRealTime(decoder, 'unmod since');
}

/** rgw_cls_unlink_instance_op: a version goes; the one before it becomes current. */
export interface UnlinkInstanceInput {
  readonly key: ObjectKey;
  readonly opTag: RawString;
  readonly olhEpoch: bigint;
  readonly logOp: boolean;
  readonly bilogFlags: number;
  readonly olhTag: RawString;
  readonly zonesTrace: ZonesTrace;
}

export function encodeUnlinkInstanceInput(input: UnlinkInstanceInput): Bytes {
  return encoded(3, (encoder) => {
    encodeObjectKey(encoder, input.key);
    encoder.rawString(input.opTag);
    encoder.u64big(input.olhEpoch);
    encoder.bool(input.logOp);
    encoder.u16(input.bilogFlags);
    encoder.rawString(input.olhTag);
    encodeZonesTrace(encoder, input.zonesTrace);
  });
}

export function decodeUnlinkInstanceInput(decoder: Decoder): UnlinkInstanceInput {
  return decoder.struct('unlink instance', 3, (version) => ({
    key: decodeObjectKey(decoder, 'key'),
    opTag: decoder.rawString('op tag'),
    olhEpoch: decoder.u64big('olh epoch'),
    logOp: decoder.bool('log op'),
    bilogFlags: decoder.u16('bilog flags'),
    olhTag: version < 2 ? '' : decoder.rawString('olh tag'),
    zonesTrace: version < 3 ? [] : decodeZonesTrace(decoder),
  }));
}

/** rgw_cls_bucket_clear_olh_op. */
export interface ClearOlhInput {
  /** Without an instance. */
  readonly olh: ObjectKey;
  readonly olhTag: RawString;
}

/** rgw_cls_read_olh_log_op, rgw_cls_trim_olh_log_op: what is behind the epoch is read, what is up to it trimmed. */
export interface OlhLogInput extends ClearOlhInput {
  readonly epoch: bigint;
}

function encodeOlh({ olh, olhTag }: ClearOlhInput, epoch?: bigint): Bytes {
  return encoded(1, (encoder) => {
    encodeObjectKey(encoder, olh);
    if (epoch !== undefined) encoder.u64big(epoch);
    encoder.rawString(olhTag);
  });
}

function decodeOlh<T>(decoder: Decoder, between: () => T): ClearOlhInput & T {
  return decoder.struct('olh', 1, () => ({
    olh: decodeObjectKey(decoder, 'olh'),
    ...between(),
    olhTag: decoder.rawString('olh tag'),
  }));
}

export function encodeClearOlhInput(input: ClearOlhInput): Bytes {
  return encodeOlh(input);
}

export function decodeClearOlhInput(decoder: Decoder): ClearOlhInput {
  return decodeOlh(decoder, () => ({}));
}

export function encodeOlhLogInput(input: OlhLogInput): Bytes {
  return encodeOlh(input, input.epoch);
}

export function decodeOlhLogInput(decoder: Decoder): OlhLogInput {
  return decodeOlh(decoder, () => ({ epoch: decoder.u64big('ver marker') }));
}

/** rgw_cls_read_olh_log_ret. */
export interface OlhLogReply {
  readonly log: OlhLog;
  readonly truncated: boolean;
}

export function encodeOlhLogReply({ log, truncated }: OlhLogReply): Bytes {
  return encoded(1, (encoder) => {
    encodeLog(encoder, log);
    encoder.bool(truncated);
  });
}

/** @throws MalformedInput */
export function decodeOlhLogReply(decoder: Decoder): OlhLogReply {
  return decoder.struct('olh log', 1, () => ({ log: decodeLog(decoder), truncated: decoder.bool('truncated') }));
}
