import { type Bytes, Decoder, type Encoder, MalformedInput } from '@spirula/encoding';
import type { Batch, KvOp } from '@spirula/world';

/*
 *  0      4        8       12           20
 *  +------+--------+-------+------------+--------------------------------+
 *  | magic| length | crc32c| sequence   | ops: {u8 kind, blob, [blob]}…  |   length: of sequence and ops
 *  +------+--------+-------+------------+--------------------------------+   crc32c: of the same
 */
const MAGIC = 0x4a4c_5053;
const HEADER_BYTES = 12;
const CRC_SEED = 0xffff_ffff;

type Crc32c = (bytes: Bytes, seed: number) => number;

/** Appends one batch as a record. */
export function appendRecord(e: Encoder, seq: number, batch: Batch, crc32c: Crc32c): void {
  const at = e.length;
  e.u32(MAGIC);
  e.u32(0);
  e.u32(0);
  e.u64(seq);
  for (const op of batch) writeOp(e, op);
  const covered = e.finish().subarray(at + HEADER_BYTES);
  e.patchU32(at + 4, covered.length);
  e.patchU32(at + 8, crc32c(covered, CRC_SEED));
}

export interface JournalRecord {
  readonly seq: number;
  readonly batch: Batch;
}

/** The whole records at the front of a journal file, and where the last of them ends. */
export function readRecords(bytes: Bytes, crc32c: Crc32c): { readonly records: JournalRecord[]; readonly end: number } {
  const records: JournalRecord[] = [];
  let end = 0;
  for (;;) {
    const record = readRecord(bytes.subarray(end), crc32c);
    if (record === undefined) return { records, end };
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
  if (length < 8 || HEADER_BYTES + length > bytes.length) return undefined;
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

function writeOp(e: Encoder, op: KvOp): void {
  switch (op.op) {
    case 'put':
      e.u8(1);
      e.blob(op.key);
      e.blob(op.value);
      break;
    case 'del':
      e.u8(2);
      e.blob(op.key);
      break;
    case 'delRange':
      e.u8(3);
      e.blob(op.start);
      e.blob(op.end);
      break;
  }
}

function readOp(d: Decoder): KvOp {
  const kind = d.u8('op.kind');
  if (kind === 1) return { op: 'put', key: d.blob('op.key'), value: d.blob('op.value').slice() };
  if (kind === 2) return { op: 'del', key: d.blob('op.key') };
  if (kind === 3) return { op: 'delRange', start: d.blob('op.start'), end: d.blob('op.end') };
  return d.fail('op.kind', `${kind} is unknown`);
}
