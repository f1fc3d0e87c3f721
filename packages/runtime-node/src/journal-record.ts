import { type Bytes, Decoder, MalformedInput, type RawString } from '@spirula/encoding';
import type { Batch, KvOp } from '@spirula/world';

/*
 *  0      4        8       12           20
 *  +------+--------+-------+------------+--------------------------------+
 *  | magic| length | crc32c| sequence   | ops: {u8 kind, blob, [blob]}…  |   length: of sequence and ops
 *  +------+--------+-------+------------+--------------------------------+   crc32c: of the same
 */
const MAGIC = 0x4a4c_5053;
const HEADER_BYTES = 12;
const SEQ_BYTES = 8;
const CRC_SEED = 0xffff_ffff;
const BUFFER_BYTES = 64 << 10;

type Crc32c = (bytes: Bytes, seed: number) => number;

/** What a batch does, in the words of an overlay. Values are parts of the record. */
export interface BatchReader {
  put(key: RawString, value: Bytes): void;
  del(key: RawString): void;
  delRange(op: Extract<KvOp, { readonly op: 'delRange' }>): void;
}

/** Puts records into buffers, filled one after another and never moved: what was taken out, and values in it, stay. */
export class RecordWriter {
  #full: Bytes[] = [];
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  /** Of the buffer: up to where it was taken out, and up to where it is filled. */
  #taken = 0;
  #at = 0;

  /** Adds one batch as a record, and tells `reader` what is in it. */
  append(seq: number, batch: Batch, crc32c: Crc32c, reader: BatchReader): void {
    const length = SEQ_BYTES + opsLength(batch);
    this.#reserve(HEADER_BYTES + length);
    const buffer = this.#buffer;
    const start = this.#at;
    const covered = start + HEADER_BYTES;
    buffer.writeUInt32LE(seq % 0x1_0000_0000, covered);
    buffer.writeUInt32LE(Math.floor(seq / 0x1_0000_0000), covered + 4);
    this.#at = covered + SEQ_BYTES;
    for (const op of batch) this.#writeOp(op, reader);
    const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset + covered, length);
    buffer.writeUInt32LE(MAGIC, start);
    buffer.writeUInt32LE(length, start + 4);
    buffer.writeUInt32LE(crc32c(bytes, CRC_SEED), start + 8);
  }

  /** The records since the last call, as parts to be written one after another. */
  take(): readonly Bytes[] {
    this.#endPart();
    const parts = this.#full;
    this.#full = [];
    return parts;
  }

  #endPart(): void {
    if (this.#at > this.#taken) this.#full.push(this.#buffer.subarray(this.#taken, this.#at));
    this.#taken = this.#at;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#buffer.length) return;
    this.#endPart();
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, count));
    this.#taken = 0;
    this.#at = 0;
  }

  #writeOp(op: KvOp, reader: BatchReader): void {
    switch (op.op) {
      case 'put': {
        this.#kind(1);
        const keyAt = this.#blob(op.key);
        const valueAt = this.#blob(op.value);
        const { buffer, byteOffset } = this.#buffer;
        const value = new Uint8Array(buffer, byteOffset + valueAt, op.value.length);
        reader.put(this.#buffer.toString('latin1', keyAt, keyAt + op.key.length), value);
        break;
      }
      case 'del': {
        this.#kind(2);
        const keyAt = this.#blob(op.key);
        reader.del(this.#buffer.toString('latin1', keyAt, keyAt + op.key.length));
        break;
      }
      case 'delRange':
        this.#kind(3);
        this.#blob(op.start);
        this.#blob(op.end);
        reader.delRange(op);
        break;
    }
  }

  #kind(kind: number): void {
    this.#buffer[this.#at] = kind;
    this.#at += 1;
  }

  /** Returns where the bytes begin. */
  #blob(bytes: Bytes): number {
    const at = this.#at + 4;
    this.#buffer.writeUInt32LE(bytes.length, this.#at);
    this.#buffer.set(bytes, at);
    this.#at = at + bytes.length;
    return at;
  }
}

function opsLength(batch: Batch): number {
  let length = 0;
  for (const op of batch) {
    if (op.op === 'put') length += 9 + op.key.length + op.value.length;
    else if (op.op === 'del') length += 5 + op.key.length;
    else length += 9 + op.start.length + op.end.length;
  }
  return length;
}

export interface JournalRecord {
  readonly seq: number;
  readonly batch: Batch;
}

/**
 * The records at the front of a journal file, and where the last of them ends: there follows what is no record, or one of
 * an earlier use of the file.
 */
export function readRecords(bytes: Bytes, crc32c: Crc32c): { readonly records: JournalRecord[]; readonly end: number } {
  const records: JournalRecord[] = [];
  let end = 0;
  for (;;) {
    const record = readRecord(bytes.subarray(end), crc32c);
    const last = records.at(-1);
    if (record === undefined || (last !== undefined && record.seq !== last.seq + 1)) return { records, end };
    records.push(record);
    end += record.bytes;
  }
}

function readRecord(bytes: Bytes, crc32c: Crc32c): (JournalRecord & { readonly bytes: number }) | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const header = new Decoder(bytes.subarray(0, HEADER_BYTES));
  if (header.u32('record.magic') !== MAGIC) return undefined;
  const length = header.u32('record.length');
  const crc = header.u32('record.crc');
  if (length < SEQ_BYTES || HEADER_BYTES + length > bytes.length) return undefined;
  const covered = bytes.subarray(HEADER_BYTES, HEADER_BYTES + length);
  if (crc32c(covered, CRC_SEED) !== crc) return undefined;
  try {
    const d = new Decoder(covered);
    const seq = d.u64('record.seq');
    const batch: KvOp[] = [];
    while (d.remaining > 0) batch.push(readOp(d));
    return { seq, batch, bytes: HEADER_BYTES + length };
  } catch (error) {
    if (error instanceof MalformedInput) return undefined;
    throw error;
  }
}

function readOp(d: Decoder): KvOp {
  const kind = d.u8('op.kind');
  if (kind === 1) return { op: 'put', key: d.blob('op.key'), value: d.blob('op.value').slice() };
  if (kind === 2) return { op: 'del', key: d.blob('op.key') };
  if (kind === 3) return { op: 'delRange', start: d.blob('op.start'), end: d.blob('op.end') };
  return d.fail('op.kind', `${kind} is unknown`);
}
