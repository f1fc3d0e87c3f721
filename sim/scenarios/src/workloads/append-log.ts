/**
 * One log as its readers may see it: records only ever come behind those that are there.
 *
 *   acknowledged before a read began: in it
 *   in a read that ended before:      at the same place
 *   of one writer:                    in the order in which it asked, and each once
 */
import { type Bytes, bytesFromRaw, compareBytes, type RawString, rawFromBytes } from '@spirula/encoding';

/** `c0.17`: who asked, and its number. */
export type RecordId = string;

type Fate = 'under way' | 'acknowledged' | 'unknown' | 'refused';

/** What was certain when a read began. */
export interface ReadStart {
  readonly acknowledged: readonly RecordId[];
  readonly seen: number;
}

export class AppendLog {
  readonly name: RawString;
  readonly #recordBytes: number;
  readonly #fates = new Map<RecordId, Fate>();
  readonly #acknowledged: RecordId[] = [];
  /** The longest that any read has brought. */
  #longest: readonly RecordId[] = [];
  /** Of the reads that have ended. */
  #seen = 0;

  constructor(name: RawString, recordBytes: number) {
    this.name = name;
    this.#recordBytes = recordBytes;
  }

  get bytes(): number {
    return Math.max(this.#longest.length, this.#acknowledged.length) * this.#recordBytes;
  }

  beginAppend(id: RecordId): Bytes {
    this.#fates.set(id, 'under way');
    return renderRecord(id, this.#recordBytes);
  }

  endAppend(id: RecordId, fate: Exclude<Fate, 'under way'>): void {
    this.#fates.set(id, fate);
    if (fate === 'acknowledged') this.#acknowledged.push(id);
  }

  beginRead(): ReadStart {
    return { acknowledged: this.#acknowledged.slice(), seen: this.#seen };
  }

  /** What is wrong with what a read has brought, if anything. */
  endRead({ acknowledged, seen }: ReadStart, data: Bytes): string | undefined {
    const records = this.#parse(data);
    if (typeof records === 'string') return records;
    const problem = this.#findDisorder(records) ?? findMissing(records, acknowledged) ?? this.#findRewritten(records);
    if (problem !== undefined) return problem;
    if (records.length < seen) return `${records.length} records were read, and ${seen} before`;
    this.#seen = Math.max(this.#seen, records.length);
    if (records.length > this.#longest.length) this.#longest = records;
    return undefined;
  }

  /** What is wrong with a copy in a store, when nothing is under way. */
  findLost(data: Bytes): string | undefined {
    const records = this.#parse(data);
    if (typeof records === 'string') return records;
    return this.#findDisorder(records) ?? findMissing(records, this.#acknowledged) ?? this.#findRewritten(records);
  }

  #parse(data: Bytes): RecordId[] | string {
    if (data.length % this.#recordBytes !== 0) return `${data.length} bytes are not whole records`;
    const records: RecordId[] = [];
    for (let at = 0; at < data.length; at += this.#recordBytes) {
      const bytes = data.subarray(at, at + this.#recordBytes);
      const id = rawFromBytes(bytes.subarray(0, bytes.indexOf(SEPARATOR)));
      if (!this.#fates.has(id) || compareBytes(renderRecord(id, this.#recordBytes), bytes) !== 0) {
        return `what is at byte ${at} nobody has appended`;
      }
      records.push(id);
    }
    return records;
  }

  #findDisorder(records: readonly RecordId[]): string | undefined {
    const present = new Set<RecordId>();
    const last = new Map<string, number>();
    for (const id of records) {
      if (present.has(id)) return `record ${id} is there twice`;
      present.add(id);
      const fate = this.#fates.get(id);
      if (fate === 'refused') return `record ${id} was refused and is there`;
      // Nobody waited for it: it may have come whenever it liked.
      if (fate === 'unknown') continue;
      const [writer, number] = [id.slice(0, id.indexOf('.')), Number(id.slice(id.indexOf('.') + 1))];
      const before = last.get(writer) ?? 0;
      if (number < before) return `record ${id} comes after ${writer}.${before}`;
      last.set(writer, number);
    }
    return undefined;
  }

  #findRewritten(records: readonly RecordId[]): string | undefined {
    const shared = Math.min(records.length, this.#longest.length);
    for (let i = 0; i < shared; i++) {
      if (records[i] !== this.#longest[i]) {
        return `record ${i} is ${records[i]}, and was ${this.#longest[i]} in another read`;
      }
    }
    return undefined;
  }
}

const SEPARATOR = '|'.charCodeAt(0);

/** So many bytes, the same for one id. */
function renderRecord(id: RecordId, length: number): Bytes {
  return bytesFromRaw(`${id}|`.padEnd(length, id).slice(0, length));
}

function findMissing(records: readonly RecordId[], acknowledged: readonly RecordId[]): string | undefined {
  const present = new Set(records);
  const missing = acknowledged.find((id) => !present.has(id));
  return missing && `record ${missing} was acknowledged and is not there`;
}
