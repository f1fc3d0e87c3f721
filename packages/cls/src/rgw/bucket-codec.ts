/** What the methods of a bucket's index take and give (cls_rgw_ops.h). */
import { type Bytes, type Decoder, Encoder, type RawString } from '@spirula/encoding';
import { type DirEntry, decodeDirEntry, decodeMeta, type EntryMeta, encodeMeta, writeDirEntry } from './dir-entry.ts';
import {
  type BucketStats,
  type DirHeader,
  decodeDirHeader,
  decodeStats,
  encodeStats,
  writeDirHeader,
} from './dir-header.ts';
import { decodeEntryVersion, type EntryVersion, encodeEntryVersion } from './entry-version.ts';
import { decodeObjectKey, encodeObjectKey, OBJECT_KEY_BYTES, type ObjectKey } from './object-key.ts';
import { decodeZonesTrace, encodeZonesTrace, type ZonesTrace } from './zones-trace.ts';

/** What an encoder writes, as bytes. */
function encoded(body: (encoder: Encoder) => void): Bytes {
  const encoder = new Encoder(128);
  body(encoder);
  return encoder.finish();
}

export function encodeTagTimeoutInput(seconds: bigint): Bytes {
  return encoded((encoder) => encoder.struct(1, 1, () => encoder.u64big(seconds)));
}

export function decodeTagTimeoutInput(decoder: Decoder): bigint {
  return decoder.struct('tag timeout', 1, () => decoder.u64big('tag timeout'));
}

/** rgw_cls_obj_prepare_op: a change that is about to be made. */
export interface PrepareInput {
  /** `ModifyOp`. */
  readonly op: number;
  readonly key: ObjectKey;
  /** By which `complete_op` finds it; not ''. */
  readonly tag: RawString;
  readonly locator: RawString;
  readonly logOp: boolean;
  readonly bilogFlags: number;
  readonly zonesTrace: ZonesTrace;
}

export function encodePrepareInput(input: PrepareInput): Bytes {
  return encoded((encoder) =>
    encoder.struct(7, 5, () => {
      encoder.u8(input.op);
      encoder.rawString(input.tag);
      encoder.rawString(input.locator);
      encoder.bool(input.logOp);
      encodeObjectKey(encoder, input.key);
      encoder.u16(input.bilogFlags);
      encodeZonesTrace(encoder, input.zonesTrace);
    }),
  );
}

export function decodePrepareInput(decoder: Decoder): PrepareInput {
  return decoder.struct('prepare', 7, (version) => {
    if (version < 3) decoder.fail('prepare', `of version ${version}, which had no length`);
    const op = decoder.u8('op');
    const name = version < 5 ? decoder.rawString('name') : '';
    const tag = decoder.rawString('tag');
    const locator = decoder.rawString('locator');
    const logOp = version >= 4 && decoder.bool('log op');
    const key = version < 5 ? { name, instance: '' } : decodeObjectKey(decoder, 'key');
    const bilogFlags = version < 6 ? 0 : decoder.u16('bilog flags');
    return { op, key, tag, locator, logOp, bilogFlags, zonesTrace: version < 7 ? [] : decodeZonesTrace(decoder) };
  });
}

/** rgw_cls_obj_complete_op: a change that has been made, or given up. */
export interface CompleteInput extends PrepareInput {
  /** '': it was not prepared. */
  readonly tag: RawString;
  readonly version: EntryVersion;
  readonly meta: EntryMeta;
  /** Entries that go with it: parts of an upload that has become an object. */
  readonly removeKeys: readonly ObjectKey[];
}

export function encodeCompleteInput(input: CompleteInput): Bytes {
  return encoded((encoder) =>
    encoder.struct(9, 7, () => {
      encoder.u8(input.op);
      encoder.u64big(input.version.epoch);
      encodeMeta(encoder, input.meta);
      encoder.rawString(input.tag);
      encoder.rawString(input.locator);
      encoder.list(input.removeKeys, (key) => encodeObjectKey(encoder, key));
      encodeEntryVersion(encoder, input.version);
      encoder.bool(input.logOp);
      encodeObjectKey(encoder, input.key);
      encoder.u16(input.bilogFlags);
      encodeZonesTrace(encoder, input.zonesTrace);
    }),
  );
}

export function decodeCompleteInput(decoder: Decoder): CompleteInput {
  return decoder.struct('complete', 9, (v) => {
    if (v < 3) decoder.fail('complete', `of version ${v}, which had no length`);
    const op = decoder.u8('op');
    const name = v < 7 ? decoder.rawString('name') : '';
    const epoch = decoder.u64big('epoch');
    const meta = decodeMeta(decoder);
    const tag = decoder.rawString('tag');
    const locator = decoder.rawString('locator');
    const removeKeys = decodeRemoveKeys(decoder, v);
    const version = v < 5 ? { pool: -1n, epoch } : decodeEntryVersion(decoder);
    const logOp = v >= 6 && decoder.bool('log op');
    const key = v < 7 ? { name, instance: '' } : decodeObjectKey(decoder, 'key');
    const bilogFlags = v < 8 ? 0 : decoder.u16('bilog flags');
    const zonesTrace = v < 9 ? [] : decodeZonesTrace(decoder);
    return { op, key, tag, locator, logOp, bilogFlags, zonesTrace, version, meta, removeKeys };
  });
}

function decodeRemoveKeys(decoder: Decoder, version: number): readonly ObjectKey[] {
  if (version >= 4 && version < 7) {
    return decoder.list('remove', 4, () => ({ name: decoder.rawString('name'), instance: '' }));
  }
  return decoder.list('remove', OBJECT_KEY_BYTES, () => decodeObjectKey(decoder, 'key'));
}

/** rgw_cls_list_op. */
export interface ListInput {
  /** Entries behind this one. */
  readonly start: ObjectKey;
  /** Entries at most; 0: only the header. */
  readonly max: number;
  readonly prefix: RawString;
  /** Older versions and delete markers too. */
  readonly listVersions: boolean;
  /** Names that have it behind the prefix are one entry (`EntryFlag.commonPrefix`); '': none. */
  readonly delimiter: RawString;
}

export function encodeListInput(input: ListInput): Bytes {
  return encoded((encoder) =>
    encoder.struct(6, 4, () => {
      encoder.u32(input.max);
      encoder.rawString(input.prefix);
      encodeObjectKey(encoder, input.start);
      encoder.bool(input.listVersions);
      encoder.rawString(input.delimiter);
    }),
  );
}

export function decodeListInput(decoder: Decoder): ListInput {
  return decoder.struct('list', 6, (version) => {
    if (version < 2) decoder.fail('list', `of version ${version}, which had no length`);
    const name = version < 4 ? decoder.rawString('start') : '';
    const max = decoder.u32('entries');
    const prefix = version < 3 ? '' : decoder.rawString('filter prefix');
    const start = version < 4 ? { name, instance: '' } : decodeObjectKey(decoder, 'start');
    const listVersions = version >= 5 && decoder.bool('list versions');
    return { start, max, prefix, listVersions, delimiter: version < 6 ? '' : decoder.rawString('delimiter') };
  });
}

/** rgw_cls_list_ret. */
export interface ListReply {
  readonly header: DirHeader;
  /** By the keys of `index-key.ts`, ascending. */
  readonly entries: ReadonlyMap<RawString, DirEntry>;
  readonly truncated: boolean;
  /** If truncated, where to go on; `bucket_list` fails with EFBIG, and still answers this, if it has found no entry so far. */
  readonly marker: ObjectKey;
}

export function encodeListReply({ header, entries, truncated, marker }: ListReply): Bytes {
  return encoded((encoder) =>
    encoder.struct(4, 2, () => {
      encoder.struct(2, 2, () => {
        writeDirHeader(encoder, header);
        encoder.map(
          entries,
          (key) => encoder.rawString(key),
          (entry) => writeDirEntry(encoder, entry),
        );
      });
      encoder.bool(truncated);
      encodeObjectKey(encoder, marker);
    }),
  );
}

/** Least bytes of an entry with its key: a string, a struct. */
const ENTRY_BYTES = 4 + 6;

/** @throws MalformedInput */
export function decodeListReply(decoder: Decoder): ListReply {
  return decoder.struct('list', 4, (version) => {
    const dir = decoder.struct('dir', 2, () => ({
      header: decodeDirHeader(decoder),
      entries: decoder.map(
        'entries',
        ENTRY_BYTES,
        () => decoder.rawString('key'),
        () => decodeDirEntry(decoder),
      ),
    }));
    const truncated = decoder.bool('truncated');
    return { ...dir, truncated, marker: version < 4 ? { name: '', instance: '' } : decodeObjectKey(decoder, 'marker') };
  });
}

/** rgw_cls_check_index_ret: the header that is there, and the one that the entries make. */
export interface CheckIndexReply {
  readonly existing: DirHeader;
  readonly calculated: DirHeader;
}

export function encodeCheckIndexReply({ existing, calculated }: CheckIndexReply): Bytes {
  return encoded((encoder) =>
    encoder.struct(1, 1, () => {
      writeDirHeader(encoder, existing);
      writeDirHeader(encoder, calculated);
    }),
  );
}

/** @throws MalformedInput */
export function decodeCheckIndexReply(decoder: Decoder): CheckIndexReply {
  return decoder.struct('check index', 1, () => ({
    existing: decodeDirHeader(decoder),
    calculated: decodeDirHeader(decoder),
  }));
}

/** rgw_cls_bucket_update_stats_op. */
export interface UpdateStatsInput {
  /** These are the sums; false: they are added. */
  readonly absolute: boolean;
  readonly stats: BucketStats;
}

export function encodeUpdateStatsInput({ absolute, stats }: UpdateStatsInput): Bytes {
  return encoded((encoder) =>
    encoder.struct(1, 1, () => {
      encoder.bool(absolute);
      encodeStats(encoder, stats);
    }),
  );
}

export function decodeUpdateStatsInput(decoder: Decoder): UpdateStatsInput {
  return decoder.struct('update stats', 1, () => ({
    absolute: decoder.bool('absolute'),
    stats: decodeStats(decoder),
  }));
}

/** What `dir_suggest_changes` is to do, if no change of the entry is pending. */
export const SuggestedOp = { remove: 0x72, update: 0x75 } as const;
/** Beside it: the change is logged. */
export const SUGGEST_LOG_OP = 0x80;

/** An entry as the data pool has it, which a listing found to be in doubt. */
export interface Suggestion {
  /** `SuggestedOp`, with `SUGGEST_LOG_OP` or without. */
  readonly op: number;
  readonly entry: DirEntry;
}

export function encodeSuggestInput(suggestions: readonly Suggestion[]): Bytes {
  return encoded((encoder) => {
    for (const { op, entry } of suggestions) {
      encoder.u8(op);
      writeDirEntry(encoder, entry);
    }
  });
}

export function decodeSuggestInput(decoder: Decoder): readonly Suggestion[] {
  const suggestions: Suggestion[] = [];
  while (decoder.remaining > 0) suggestions.push({ op: decoder.u8('op'), entry: decodeDirEntry(decoder) });
  return suggestions;
}
