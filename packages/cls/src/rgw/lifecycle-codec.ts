/** Which buckets have lifecycle rules, and how far their processing is (cls_rgw_lc_entry, cls_rgw_lc_obj_head). */
import { type Bytes, type Decoder, Encoder, type RawString } from '@spirula/encoding';

export interface LifecycleEntry {
  /** `TENANT:NAME:MARKER`; its omap key. */
  readonly bucket: RawString;
  /** Seconds. */
  readonly startTime: bigint;
  /** LC_BUCKET_STATUS: 0 uninitialised, 1 processing, 2 failed, 3 complete. */
  readonly status: number;
}

export const NO_LIFECYCLE_ENTRY: LifecycleEntry = { bucket: '', startTime: 0n, status: 0 };

/** The omap header: the round that is under way. */
export interface LifecycleHead {
  /** Seconds. */
  readonly startDate: bigint;
  /** The bucket that was begun last. */
  readonly marker: RawString;
}

export const NO_LIFECYCLE_HEAD: LifecycleHead = { startDate: 0n, marker: '' };

/** Since then entries know when their processing began. */
const FIRST_WITH_START = 3;
/** Least bytes of an entry, and of one from before. */
const ENTRY_BYTES = 6 + 4 + 8 + 4;
const OLD_ENTRY_BYTES = 4 + 4;

function encoded(version: number, compat: number, body: (encoder: Encoder) => void): Bytes {
  const encoder = new Encoder(64);
  encoder.struct(version, compat, () => body(encoder));
  return encoder.finish();
}

function writeEntry(encoder: Encoder, { bucket, startTime, status }: LifecycleEntry): void {
  encoder.struct(1, 1, () => {
    encoder.rawString(bucket);
    encoder.u64big(startTime);
    encoder.u32(status);
  });
}

export function encodeLifecycleEntry(entry: LifecycleEntry): Bytes {
  const encoder = new Encoder(64);
  writeEntry(encoder, entry);
  return encoder.finish();
}

/** @throws MalformedInput */
export function decodeLifecycleEntry(decoder: Decoder): LifecycleEntry {
  return decoder.struct('lc entry', 1, () => ({
    bucket: decoder.rawString('bucket'),
    startTime: decoder.u64big('start time'),
    status: decoder.u32('status'),
  }));
}

/** As it was before entries knew when they began. @throws MalformedInput */
export function decodeOldLifecycleEntry(decoder: Decoder): LifecycleEntry {
  return { bucket: decoder.rawString('bucket'), startTime: 0n, status: decoder.i32('status') >>> 0 };
}

/** cls_rgw_lc_set_entry_op, cls_rgw_lc_rm_entry_op. */
export function encodeLifecycleEntryInput(entry: LifecycleEntry): Bytes {
  return encoded(2, 2, (encoder) => writeEntry(encoder, entry));
}

export function decodeLifecycleEntryInput(decoder: Decoder): LifecycleEntry {
  return decoder.struct('lc entry', 2, (version) =>
    version < 2 ? decodeOldLifecycleEntry(decoder) : decodeLifecycleEntry(decoder),
  );
}

/** cls_rgw_lc_get_entry_op, cls_rgw_lc_get_next_entry_op: the entry of this bucket, or the one behind it. */
export function encodeLifecycleMarkerInput(marker: RawString): Bytes {
  return encoded(1, 1, (encoder) => encoder.rawString(marker));
}

export function decodeLifecycleMarkerInput(decoder: Decoder): RawString {
  return decoder.struct('lc marker', 1, () => decoder.rawString('marker'));
}

/** cls_rgw_lc_get_entry_ret; cls_rgw_lc_get_next_entry_ret is of version 2. */
export function encodeLifecycleEntryReply(entry: LifecycleEntry, version: 1 | 2): Bytes {
  return encoded(version, version, (encoder) => writeEntry(encoder, entry));
}

/** @throws MalformedInput */
export function decodeLifecycleEntryReply(decoder: Decoder): LifecycleEntry {
  return decoder.struct('lc entry', 2, () => decodeLifecycleEntry(decoder));
}

function writeHead(encoder: Encoder, { startDate, marker }: LifecycleHead): void {
  encoder.struct(1, 1, () => {
    encoder.u64big(startDate);
    encoder.rawString(marker);
  });
}

export function encodeLifecycleHead(head: LifecycleHead): Bytes {
  const encoder = new Encoder(64);
  writeHead(encoder, head);
  return encoder.finish();
}

/** @throws MalformedInput */
export function decodeLifecycleHead(decoder: Decoder): LifecycleHead {
  return decoder.struct('lc head', 1, () => ({
    startDate: decoder.u64big('start date'),
    marker: decoder.rawString('marker'),
  }));
}

/** What `lc_put_head` takes and `lc_get_head` answers. */
export function encodeLifecycleHeadInput(head: LifecycleHead): Bytes {
  return encoded(1, 1, (encoder) => writeHead(encoder, head));
}

/** @throws MalformedInput */
export function decodeLifecycleHeadReply(decoder: Decoder): LifecycleHead {
  return decoder.struct('lc head', 1, () => decodeLifecycleHead(decoder));
}

/** cls_rgw_lc_list_entries_op. */
export interface LifecycleListInput {
  /** Entries behind this bucket. */
  readonly marker: RawString;
  readonly max: number;
  /** Of the one who asks; the answer is of the same. */
  readonly version: number;
}

export function encodeLifecycleListInput({ marker, max }: Omit<LifecycleListInput, 'version'>): Bytes {
  return encoded(FIRST_WITH_START, 1, (encoder) => {
    encoder.rawString(marker);
    encoder.u32(max);
  });
}

export function decodeLifecycleListInput(decoder: Decoder): LifecycleListInput {
  return decoder.struct('lc list', FIRST_WITH_START, (version) => ({
    marker: decoder.rawString('marker'),
    max: decoder.u32('max entries'),
    version,
  }));
}

/** cls_rgw_lc_list_entries_ret. */
export interface LifecycleListReply {
  readonly entries: readonly LifecycleEntry[];
  readonly truncated: boolean;
}

export function encodeLifecycleListReply({ entries, truncated }: LifecycleListReply, version: number): Bytes {
  return encoded(version, 1, (encoder) => {
    if (version >= FIRST_WITH_START) encoder.list(entries, (entry) => writeEntry(encoder, entry));
    else {
      encoder.map(
        byBucket(entries),
        (bucket) => encoder.rawString(bucket),
        (status) => encoder.u32(status),
      );
    }
    encoder.bool(truncated);
  });
}

/** Of two of one bucket the first counts. */
function byBucket(entries: readonly LifecycleEntry[]): ReadonlyMap<RawString, number> {
  const all = new Map([...entries].reverse().map(({ bucket, status }) => [bucket, status]));
  return new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @throws MalformedInput */
export function decodeLifecycleListReply(decoder: Decoder): LifecycleListReply {
  return decoder.struct('lc list', FIRST_WITH_START, (version) => {
    const isOld = version < FIRST_WITH_START;
    const decode = isOld ? decodeOldLifecycleEntry : decodeLifecycleEntry;
    const entries = decoder.list('entries', isOld ? OLD_ENTRY_BYTES : ENTRY_BYTES, () => decode(decoder));
    return { entries, truncated: version >= 2 && decoder.bool('truncated') };
  });
}
