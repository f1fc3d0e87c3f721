/** The log of a bucket's changes, from which other zones follow them (rgw_bi_log_entry and what lists and trims them). */
import { type Bytes, type Decoder, Encoder, encodeUTime, type RawString, type UTime } from '@spirula/encoding';
import { decodeRealTime } from '../real-time.ts';
import {
  decodeEntryVersion,
  decodePacked,
  type EntryVersion,
  encodeEntryVersion,
  encodePacked,
} from './entry-version.ts';
import type { ObjectKey } from './object-key.ts';
import { decodeZonesTrace, encodeZonesTrace, type ZonesTrace } from './zones-trace.ts';

/** RGWBILogFlags: the change was one of versions. */
export const BILOG_VERSIONED = 0x1;

export interface BilogEntry {
  /** Its key, without the prefix. */
  readonly id: RawString;
  readonly key: ObjectKey;
  readonly timestamp: UTime;
  readonly version: EntryVersion;
  /** `ModifyOp`. */
  readonly op: number;
  /** `PendingState`. */
  readonly state: number;
  readonly indexVersion: bigint;
  readonly tag: RawString;
  readonly flags: number;
  /** Of delete markers. */
  readonly owner: RawString;
  readonly ownerDisplayName: RawString;
  readonly zonesTrace: ZonesTrace;
}

/** Least bytes of an entry: its struct, four strings and a time among others. */
const ENTRY_BYTES = 6 + 3 * 4 + 8;

function writeBilogEntry(encoder: Encoder, entry: BilogEntry): void {
  encoder.struct(4, 1, () => {
    encoder.rawString(entry.id);
    encoder.rawString(entry.key.name);
    encodeUTime(encoder, entry.timestamp);
    encodeEntryVersion(encoder, entry.version);
    encoder.rawString(entry.tag);
    encoder.u8(entry.op);
    encoder.u8(entry.state);
    encodePacked(encoder, entry.indexVersion);
    encoder.rawString(entry.key.instance);
    encoder.u16(entry.flags);
    encoder.rawString(entry.owner);
    encoder.rawString(entry.ownerDisplayName);
    encodeZonesTrace(encoder, entry.zonesTrace);
  });
}

export function encodeBilogEntry(entry: BilogEntry): Bytes {
  const encoder = new Encoder(128);
  writeBilogEntry(encoder, entry);
  return encoder.finish();
}

/** @throws MalformedInput */
export function decodeBilogEntry(decoder: Decoder): BilogEntry {
  return decoder.struct('bilog entry', 4, (v) => {
    const id = decoder.rawString('id');
    const name = decoder.rawString('object');
    const timestamp = decodeRealTime(decoder, 'timestamp');
    const version = decodeEntryVersion(decoder);
    const tag = decoder.rawString('tag');
    const op = decoder.u8('op');
    const state = decoder.u8('state');
    const indexVersion = decodePacked(decoder, 'index version');
    const instance = v < 2 ? '' : decoder.rawString('instance');
    const flags = v < 2 ? 0 : decoder.u16('flags');
    const owner = v < 3 ? '' : decoder.rawString('owner');
    const ownerDisplayName = v < 3 ? '' : decoder.rawString('owner display name');
    const zonesTrace = v < 4 ? [] : decodeZonesTrace(decoder);
    const key = { name, instance };
    return { id, key, timestamp, version, op, state, indexVersion, tag, flags, owner, ownerDisplayName, zonesTrace };
  });
}

/** cls_rgw_bi_log_list_op. */
export interface BilogListInput {
  /** Entries behind this id. */
  readonly marker: RawString;
  readonly max: number;
}

export function encodeBilogListInput({ marker, max }: BilogListInput): Bytes {
  const encoder = new Encoder(64);
  encoder.struct(1, 1, () => {
    encoder.rawString(marker);
    encoder.u32(max);
  });
  return encoder.finish();
}

export function decodeBilogListInput(decoder: Decoder): BilogListInput {
  return decoder.struct('bilog list', 1, () => ({ marker: decoder.rawString('marker'), max: decoder.u32('max') }));
}

/** cls_rgw_bi_log_list_ret. */
export interface BilogListReply {
  readonly entries: readonly BilogEntry[];
  readonly truncated: boolean;
}

export function encodeBilogListReply({ entries, truncated }: BilogListReply): Bytes {
  const encoder = new Encoder();
  encoder.struct(1, 1, () => {
    encoder.list(entries, (entry) => writeBilogEntry(encoder, entry));
    encoder.bool(truncated);
  });
  return encoder.finish();
}

/** @throws MalformedInput */
export function decodeBilogListReply(decoder: Decoder): BilogListReply {
  return decoder.struct('bilog list', 1, () => ({
    entries: decoder.list('entries', ENTRY_BYTES, () => decodeBilogEntry(decoder)),
    truncated: decoder.bool('truncated'),
  }));
}

/** cls_rgw_bi_log_trim_op: ids behind `start`, and up to and with `end` (''; all). */
export interface BilogTrimInput {
  readonly start: RawString;
  readonly end: RawString;
}

export function encodeBilogTrimInput({ start, end }: BilogTrimInput): Bytes {
  const encoder = new Encoder(64);
  encoder.struct(1, 1, () => {
    encoder.rawString(start);
    encoder.rawString(end);
  });
  return encoder.finish();
}

export function decodeBilogTrimInput(decoder: Decoder): BilogTrimInput {
  return decoder.struct('bilog trim', 1, () => ({
    start: decoder.rawString('start marker'),
    end: decoder.rawString('end marker'),
  }));
}
