/** Documents that administrators give, field by field (JSONDecoder, common/ceph_json.h): numbers and truths may be texts. */
import { type Bytes, MalformedInput, type RawString, rawFromBytes, type UTime } from '@spirula/encoding';
import { parseIsoDate } from '../s3/http-date.ts';

/** Strings hold the bytes of the document: those of UTF-8 text, or whatever was there. @throws MalformedInput */
export function parseJsonBytes(bytes: Bytes): unknown {
  const raw = rawFromBytes(bytes);
  try {
    return JSON.parse(raw);
  } catch (error) {
    throw new MalformedInput('document', 0, `is no JSON: ${(error as Error).message}`);
  }
}

type Given<T> = [] | [otherwise: T];

export class JsonReader {
  readonly #members: Readonly<Record<string, unknown>>;

  /** @throws MalformedInput unless it is an object */
  constructor(value: unknown, what = 'document') {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new MalformedInput(what, 0, 'is no object');
    }
    this.#members = value as Record<string, unknown>;
  }

  has(name: string): boolean {
    return this.#members[name] !== undefined;
  }

  /** As each of these: with `otherwise`, the member may be missing. @throws MalformedInput */
  raw(name: string, ...given: Given<RawString>): RawString {
    const value = this.#members[name];
    if (value === undefined && given.length > 0) return given[0]!;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    if (typeof value !== 'string') throw new MalformedInput(name, 0, 'is no text');
    return value;
  }

  integer(name: string, ...given: Given<bigint>): bigint {
    if (this.#members[name] === undefined && given.length > 0) return given[0]!;
    const text = this.raw(name);
    if (!/^-?\d{1,20}$/.test(text)) throw new MalformedInput(name, 0, 'is no whole number');
    return BigInt(text);
  }

  flag(name: string, ...given: Given<boolean>): boolean {
    if (this.#members[name] === undefined && given.length > 0) return given[0]!;
    const text = this.raw(name);
    if (/^true$/i.test(text)) return true;
    if (/^false$/i.test(text)) return false;
    return this.integer(name) !== 0n;
  }

  time(name: string, ...given: Given<UTime>): UTime {
    if (this.#members[name] === undefined && given.length > 0) return given[0]!;
    const text = this.raw(name);
    const seconds = /^(\d{1,9})\.(\d{1,9})$/.exec(text);
    if (seconds) return { sec: Number(seconds[1]), nsec: Number(seconds[2]!.padEnd(9, '0')) };
    const time = parseIsoDate(text.replace(/\+0000$/, 'Z'));
    if (!time || time.sec < 0) throw new MalformedInput(name, 0, 'is no time');
    return time;
  }

  object(name: string): JsonReader {
    return new JsonReader(this.#members[name], name);
  }

  /** Of objects; one that is missing is empty. */
  list(name: string): JsonReader[] {
    return this.#items(name).map((item) => new JsonReader(item, name));
  }

  /** Of texts; one that is missing is empty. */
  texts(name: string): RawString[] {
    return this.#items(name).map((item) => {
      if (typeof item !== 'string') throw new MalformedInput(name, 0, 'is no list of texts');
      return item;
    });
  }

  #items(name: string): readonly unknown[] {
    const value = this.#members[name] ?? [];
    if (!Array.isArray(value)) throw new MalformedInput(name, 0, 'is no list');
    return value;
  }
}
