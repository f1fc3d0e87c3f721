/**
 * What the methods of `fifo` take and give, and what its objects keep (cls_fifo_types.h, cls_fifo_ops.h). Parts
 * had tags once: 16.2.15 leaves them empty, and takes no notice of those that it is given.
 */
import { type Bytes, type Decoder, Encoder, encodeUTime, type RawString, type UTime } from '@spirula/encoding';
import { decodeRealTime } from '../real-time.ts';

/** objv: a drawn name, and a number that is counted up. */
export interface FifoVersion {
  readonly instance: RawString;
  readonly number: number;
}

/** data_params. */
export interface FifoParams {
  readonly maxPartSize: number;
  readonly maxEntrySize: number;
  /** A part that is filled beyond takes no more. */
  readonly fullSize: number;
}

/** journal_entry: something to do with a part, which whoever meets it finishes. */
export interface JournalEntry {
  /** journal_entry::Op: 1 create, 2 set head, 3 remove. */
  readonly op: number;
  readonly part: number;
}

/** info: the head object. */
export interface FifoInfo {
  readonly id: RawString;
  readonly version: FifoVersion;
  readonly partPrefix: RawString;
  readonly params: FifoParams;
  readonly tailPart: number;
  readonly headPart: number;
  readonly minPushPart: number;
  readonly maxPushPart: number;
  /** In the order of what is to do, then of parts. */
  readonly journal: readonly JournalEntry[];
}

/** part_header: at the begin of each part. */
export interface PartHeader {
  readonly params: FifoParams;
  /** Before each entry. */
  readonly magic: bigint;
  /** The oldest entry; the newest; where the next one comes. */
  readonly minOffset: number;
  readonly lastOffset: number;
  readonly nextOffset: number;
  readonly minIndex: number;
  readonly maxIndex: number;
  readonly maxTime: UTime;
}

const JOURNAL_BYTES = 6 + 4 + 8 + 4;

function encodeV1(body: (encoder: Encoder) => void): Bytes {
  const encoder = new Encoder(128);
  encoder.struct(1, 1, () => body(encoder));
  return encoder.finish();
}

function encodeVersion(encoder: Encoder, { instance, number }: FifoVersion): void {
  encoder.struct(1, 1, () => {
    encoder.rawString(instance);
    encoder.u64(number);
  });
}

function decodeVersion(decoder: Decoder): FifoVersion {
  return decoder.struct('version', 1, () => ({ instance: decoder.rawString('instance'), number: decoder.u64('ver') }));
}

function encodeParams(encoder: Encoder, { maxPartSize, maxEntrySize, fullSize }: FifoParams): void {
  encoder.struct(1, 1, () => {
    for (const size of [maxPartSize, maxEntrySize, fullSize]) encoder.u64(size);
  });
}

function decodeParams(decoder: Decoder): FifoParams {
  return decoder.struct('params', 1, () => ({
    maxPartSize: decoder.u64('max part size'),
    maxEntrySize: decoder.u64('max entry size'),
    fullSize: decoder.u64('full size threshold'),
  }));
}

const NO_TAG: RawString = '';

function encodeJournalEntry(encoder: Encoder, { op, part }: JournalEntry): void {
  encoder.struct(1, 1, () => {
    encoder.i32(op);
    encoder.i64(part);
    encoder.rawString(NO_TAG);
  });
}

function decodeJournalEntry(decoder: Decoder): JournalEntry {
  return decoder.struct('journal entry', 1, () => ({
    op: decoder.i32('op'),
    part: decoder.i64('part number'),
  }));
}

function writeInfo(encoder: Encoder, info: FifoInfo): void {
  encoder.struct(1, 1, () => {
    encoder.rawString(info.id);
    encodeVersion(encoder, info.version);
    encoder.rawString(info.partPrefix);
    encodeParams(encoder, info.params);
    for (const part of [info.tailPart, info.headPart, info.minPushPart, info.maxPushPart]) encoder.i64(part);
    encoder.u32(0);
    encoder.rawString(NO_TAG);
    encoder.list(info.journal, (entry) => {
      encoder.i64(entry.part);
      encodeJournalEntry(encoder, entry);
    });
  });
}

export function encodeInfo(info: FifoInfo): Bytes {
  const encoder = new Encoder(256);
  writeInfo(encoder, info);
  return encoder.finish();
}

/** @throws MalformedInput */
export function decodeInfo(decoder: Decoder): FifoInfo {
  return decoder.struct('info', 1, () => {
    const id = decoder.rawString('id');
    const version = decodeVersion(decoder);
    const partPrefix = decoder.rawString('oid prefix');
    const params = decodeParams(decoder);
    const tailPart = decoder.i64('tail part');
    const headPart = decoder.i64('head part');
    const minPushPart = decoder.i64('min push part');
    const maxPushPart = decoder.i64('max push part');
    decoder.list('tags', 8 + 4, () => [decoder.i64('part'), decoder.rawString('tag')]);
    decoder.rawString('head tag');
    const journal = decoder.list('journal', 8 + JOURNAL_BYTES, () => {
      decoder.i64('part');
      return decodeJournalEntry(decoder);
    });
    const parts = { tailPart, headPart, minPushPart, maxPushPart };
    return { id, version, partPrefix, params, ...parts, journal: journal.sort(compareJournalEntries) };
  });
}

export function compareJournalEntries(a: JournalEntry, b: JournalEntry): number {
  return a.op - b.op || a.part - b.part;
}

function writePartHeader(encoder: Encoder, header: PartHeader): void {
  encoder.struct(1, 1, () => {
    encoder.rawString(NO_TAG);
    encodeParams(encoder, header.params);
    encoder.u64big(header.magic);
    for (const offset of [header.minOffset, header.lastOffset, header.nextOffset]) encoder.u64(offset);
    encoder.u64(header.minIndex);
    encoder.u64(header.maxIndex);
    encodeUTime(encoder, header.maxTime);
  });
}

export function encodePartHeader(header: PartHeader): Bytes {
  const encoder = new Encoder(128);
  writePartHeader(encoder, header);
  return encoder.finish();
}

/** @throws MalformedInput */
export function decodePartHeader(decoder: Decoder): PartHeader {
  return decoder.struct('part header', 1, () => {
    decoder.rawString('tag');
    return {
      params: decodeParams(decoder),
      magic: decoder.u64big('magic'),
      minOffset: decoder.u64('min offset'),
      lastOffset: decoder.u64('last offset'),
      nextOffset: decoder.u64('next offset'),
      minIndex: decoder.u64('min index'),
      maxIndex: decoder.u64('max index'),
      maxTime: decodeRealTime(decoder, 'max time'),
    };
  });
}

/** create_meta. */
export function decodeCreateInput(decoder: Decoder) {
  return decoder.struct('create meta', 1, () => ({
    id: decoder.rawString('id'),
    version: decoder.optional('version', () => decodeVersion(decoder)),
    pool: decoder.rawString('pool name'),
    poolNamespace: decoder.rawString('pool namespace'),
    partPrefix: decoder.optional('oid prefix', () => decoder.rawString('oid prefix')),
    maxPartSize: decoder.u64('max part size'),
    maxEntrySize: decoder.u64('max entry size'),
    exclusive: decoder.bool('exclusive'),
  }));
}

/** get_meta: the version that it must have. */
export function decodeGetInput(decoder: Decoder): FifoVersion | undefined {
  return decoder.struct('get meta', 1, () => decoder.optional('version', () => decodeVersion(decoder)));
}

export function encodeGetReply(info: FifoInfo, partHeaderSize: number, entryOverhead: number): Bytes {
  return encodeV1((encoder) => {
    writeInfo(encoder, info);
    encoder.u32(partHeaderSize);
    encoder.u32(entryOverhead);
  });
}

/** update_meta. What is undefined stays. */
export function decodeUpdateInput(decoder: Decoder) {
  const part = (field: string) => decoder.optional(field, () => decoder.i64(field));
  const journal = (field: string) => decoder.list(field, JOURNAL_BYTES, () => decodeJournalEntry(decoder));
  return decoder.struct('update meta', 1, () => ({
    version: decodeVersion(decoder),
    tailPart: part('tail part'),
    headPart: part('head part'),
    minPushPart: part('min push part'),
    maxPushPart: part('max push part'),
    add: journal('journal entries add'),
    remove: journal('journal entries rm'),
  }));
}

/** init_part. */
export function decodeInitPartInput(decoder: Decoder): FifoParams {
  return decoder.struct('init part', 1, () => {
    decoder.rawString('tag');
    return decodeParams(decoder);
  });
}

/** push_part. */
export function decodePushInput(decoder: Decoder) {
  return decoder.struct('push part', 1, () => {
    decoder.rawString('tag');
    const entries = decoder.list('data', 4, () => decoder.blob('data'));
    return { entries, /** Bytes of all. */ total: decoder.u64('total length') };
  });
}

/** trim_part: entries up to the one at an offset. */
export function decodeTrimInput(decoder: Decoder) {
  return decoder.struct('trim part', 1, () => {
    decoder.optional('tag', () => decoder.rawString('tag'));
    const offset = decoder.u64('offset');
    return { offset, /** That one stays. */ exclusive: decoder.bool('exclusive') };
  });
}

/** list_part: entries behind the one at an offset. */
export function decodeListPartInput(decoder: Decoder) {
  return decoder.struct('list part', 1, () => {
    decoder.optional('tag', () => decoder.rawString('tag'));
    const offset = decoder.u64('offset');
    return { offset, max: decoder.i32('max entries') };
  });
}

/** part_list_entry. */
export interface PartEntry {
  readonly data: Bytes;
  readonly offset: number;
  readonly mtime: UTime;
}

export interface PartList {
  readonly entries: readonly PartEntry[];
  readonly more: boolean;
  readonly isFull: boolean;
}

export function encodePartList({ entries, more, isFull }: PartList): Bytes {
  return encodeV1((encoder) => {
    encoder.rawString(NO_TAG);
    encoder.list(entries, ({ data, offset, mtime }) =>
      encoder.struct(1, 1, () => {
        encoder.blob(data);
        encoder.u64(offset);
        encodeUTime(encoder, mtime);
      }),
    );
    encoder.bool(more);
    encoder.bool(isFull);
  });
}

export function encodePartInfo(header: PartHeader): Bytes {
  return encodeV1((encoder) => writePartHeader(encoder, header));
}
