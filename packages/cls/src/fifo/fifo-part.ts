/**
 * A part of a fifo, in the data of one object: a header, and behind it entries (entry_header_pre, entry_header):
 *
 *   magic u64, 44 u64, length of the header u64, of the data u64, index u64, 0 u32; header { mtime }; data
 */
import { type Bytes, concatBytes, Decoder, EMPTY, Encoder, Errno, encodeUTime, type UTime } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, decodeStored, type MethodOutcome } from '../object-class.ts';
import { decodeRealTime, NO_TIME } from '../real-time.ts';
import {
  type decodeListPartInput,
  decodePartHeader,
  decodePushInput,
  type decodeTrimInput,
  encodePartHeader,
  encodePartList,
  type FifoParams,
  type PartEntry,
  type PartHeader,
} from './fifo-codec.ts';

/** Room for the header. */
export const PART_HEADER_SIZE = 512;
const MAX_LIST = 512;
/** Of an entry, before its header. */
const PRE_SIZE = 5 * 8 + 4;
/** Read ahead. */
const PREFETCH = 128 << 10;
const EFAULT = -14;

function encodeEntryHeader(mtime: UTime): Bytes {
  const encoder = new Encoder(16);
  encoder.struct(1, 1, () => encodeUTime(encoder, mtime));
  return encoder.finish();
}

/** What an entry takes beside its data. */
export const ENTRY_OVERHEAD = PRE_SIZE + encodeEntryHeader(NO_TIME).length;

/** EIO: there is none. */
export function readPartHeader(object: MethodContext): PartHeader {
  return decodeStored(object.read(0, PART_HEADER_SIZE), decodePartHeader);
}

/** EIO: it has no room. */
function writePartHeader(object: MethodContext, header: PartHeader): void {
  const bytes = encodePartHeader(header);
  if (bytes.length > PART_HEADER_SIZE) throw new ClassError(Errno.EIO);
  object.write(0, bytes);
}

function isFull({ nextOffset, params }: PartHeader): boolean {
  return nextOffset > params.fullSize;
}

function sameParams(a: FifoParams, b: FifoParams): boolean {
  return a.maxPartSize === b.maxPartSize && a.maxEntrySize === b.maxEntrySize && a.fullSize === b.fullSize;
}

/** EEXIST: another one is there. */
export function initPart(object: MethodContext, params: FifoParams): void {
  if (hasData(object)) {
    if (!sameParams(readPartHeader(object).params, params)) throw new ClassError(Errno.EEXIST);
    return;
  }
  const magic = new Decoder(object.randomBytes(8)).u64big('magic');
  const offsets = { minOffset: PART_HEADER_SIZE, lastOffset: 0, nextOffset: PART_HEADER_SIZE };
  writePartHeader(object, { params, magic, ...offsets, minIndex: 0, maxIndex: 0, maxTime: object.now() });
}

function hasData(object: MethodContext): boolean {
  try {
    return object.stat().size > 0;
  } catch (error) {
    if (error instanceof ClassError && error.code === Errno.ENOENT) return false;
    throw error;
  }
}

/** How many entries it took: others had no room. EINVAL: more than a part holds. ERANGE: it is full. */
export function pushPart(object: MethodContext, input: Bytes): MethodOutcome {
  const { entries, total } = decodePushInput(new Decoder(input));
  const before = readPartHeader(object);
  const length = total + entries.length * ENTRY_OVERHEAD;
  if (length > before.params.maxPartSize) throw new ClassError(Errno.EINVAL);
  if (isFull(before)) throw new ClassError(Errno.ERANGE);
  if (entries.reduce((sum, data) => sum + data.length, 0) !== total) throw new ClassError(Errno.EINVAL);
  const now = object.now();
  let header: PartHeader = { ...before, maxTime: now };
  const written: Bytes[] = [];
  for (const data of entries) {
    if (isFull(header)) break;
    const entry = encodeEntry(header, now, data);
    const { nextOffset, maxIndex } = header;
    header = { ...header, lastOffset: nextOffset, nextOffset: nextOffset + entry.length, maxIndex: maxIndex + 1 };
    written.push(entry);
  }
  if (written.length === 0) throw new ClassError(EFAULT);
  object.write(before.nextOffset, concatBytes(written));
  writePartHeader(object, header);
  return { code: written.length, output: EMPTY };
}

function encodeEntry({ magic, maxIndex }: PartHeader, now: UTime, data: Bytes): Bytes {
  const header = encodeEntryHeader(now);
  const encoder = new Encoder(ENTRY_OVERHEAD + data.length);
  encoder.u64big(magic);
  for (const number of [PRE_SIZE, header.length, data.length, maxIndex]) encoder.u64(number);
  encoder.u32(0);
  encoder.raw(header);
  encoder.raw(data);
  return encoder.finish();
}

/** Reads entries one after the other. */
class EntryReader {
  readonly #object: MethodContext;
  readonly #header: PartHeader;
  #offset: number;
  #bytes: Bytes = EMPTY;

  constructor(object: MethodContext, header: PartHeader, offset: number) {
    this.#object = object;
    this.#header = header;
    this.#offset = Math.max(offset, header.minOffset);
  }

  get offset(): number {
    return this.#offset;
  }

  get atEnd(): boolean {
    return this.#offset >= this.#header.nextOffset;
  }

  /** ERANGE: there is none. EIO: its header does not parse. */
  next(): PartEntry & { readonly index: number } {
    const offset = this.#offset;
    const pre = new Decoder(this.#take(PRE_SIZE));
    if (pre.u64big('magic') !== this.#header.magic) throw new ClassError(Errno.ERANGE);
    const [preSize, headerSize, size, index] = ['pre', 'header', 'data', 'index'].map((field) =>
      pre.u64saturating(field),
    ) as [number, number, number, number];
    this.#take(preSize - PRE_SIZE);
    const mtime = decodeStored(this.#take(headerSize), (decoder) =>
      decoder.struct('entry header', 1, () => decodeRealTime(decoder, 'mtime')),
    );
    return { data: this.#take(size), offset, mtime, index };
  }

  #take(length: number): Bytes {
    if (this.#bytes.length < length) {
      const missing = Math.min(length - this.#bytes.length, Number.MAX_SAFE_INTEGER);
      const from = this.#offset + this.#bytes.length;
      const wanted = Math.min(Math.max(missing, PREFETCH), Math.max(this.#header.nextOffset - from, 1));
      this.#bytes = concatBytes([this.#bytes, this.#object.read(from, wanted)]);
    }
    if (length < 0 || this.#bytes.length < length) throw new ClassError(Errno.ERANGE);
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    this.#offset += length;
    return taken;
  }
}

/** The part goes when it is full and nothing of it is left. */
export function trimPart(object: MethodContext, { offset, exclusive }: ReturnType<typeof decodeTrimInput>): void {
  const header = readPartHeader(object);
  if (offset < header.minOffset || (exclusive && offset === header.minOffset)) return;
  if (offset >= header.nextOffset) {
    if (isFull(header)) object.remove();
    else writePartHeader(object, { ...header, minOffset: header.nextOffset, minIndex: header.maxIndex });
    return;
  }
  const reader = new EntryReader(object, header, offset);
  const { index } = reader.next();
  const kept = exclusive ? { minOffset: offset, minIndex: index } : { minOffset: reader.offset, minIndex: index + 1 };
  writePartHeader(object, { ...header, ...kept });
}

export function listPart(object: MethodContext, { offset, max }: ReturnType<typeof decodeListPartInput>): Bytes {
  const header = readPartHeader(object);
  const reader = new EntryReader(object, header, offset);
  if (offset >= header.minOffset && !reader.atEnd) reader.next();
  const entries: PartEntry[] = [];
  while (entries.length < Math.min(max, MAX_LIST) && !reader.atEnd) entries.push(reader.next());
  return encodePartList({ entries, more: !reader.atEnd, isFull: isFull(header) });
}
