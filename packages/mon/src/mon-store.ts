/**
 * What a monitor keeps: keys under prefixes, one a service, in the World's key-value store (MonitorDBStore).
 *
 *   paxos    first_committed, last_committed, accepted_pn, pending_pn, pending_v, v:<version> -> encoded transaction
 *   elector  epoch
 *   osdmap   first, last, full:<epoch>, inc:<epoch>         monmap, mgrmap, auth, config, logm: one service each
 */
import { type Bytes, compareBytes, crc32c, Decoder, Encoder, equalBytes, fromUtf8, utf8 } from '@spirula/encoding';
import { type Batch, invariant, type KeyValue, type KvOp } from '@spirula/world';

const SEPARATOR = '\0';
/** After every key of a prefix. */
const PAST = '\x01';
const END = Uint8Array.of(0xff);

export type StoreOp =
  | { readonly op: 'put'; readonly prefix: string; readonly key: string; readonly value: Bytes }
  | { readonly op: 'del'; readonly prefix: string; readonly key: string };

/** Changes that become durable together; as bytes they are what Paxos agrees on. */
export class MonTransaction {
  readonly ops: StoreOp[] = [];

  put(prefix: string, key: string, value: Bytes): void {
    this.ops.push({ op: 'put', prefix, key, value });
  }

  putNumber(prefix: string, key: string, value: number): void {
    const to = new Encoder(8);
    to.u64(value);
    this.put(prefix, key, to.finish());
  }

  del(prefix: string, key: string): void {
    this.ops.push({ op: 'del', prefix, key });
  }

  append(other: MonTransaction): void {
    this.ops.push(...other.ops);
  }

  get empty(): boolean {
    return this.ops.length === 0;
  }

  encode(): Bytes {
    const to = new Encoder(1024);
    to.list(this.ops, (op) => {
      to.bool(op.op === 'put');
      to.string(op.prefix);
      to.string(op.key);
      if (op.op === 'put') to.blob(op.value);
    });
    return to.finish();
  }

  /** @throws MalformedInput */
  static decode(bytes: Bytes): MonTransaction {
    const from = new Decoder(bytes);
    const transaction = new MonTransaction();
    const ops = from.list('transaction', 9, (): StoreOp => {
      const put = from.bool('transaction.op');
      const prefix = from.string('transaction.prefix');
      const key = from.string('transaction.key');
      return put ? { op: 'put', prefix, key, value: from.blob('transaction.value') } : { op: 'del', prefix, key };
    });
    from.finish('transaction');
    transaction.ops.push(...ops);
    return transaction;
  }

  toBatch(): Batch {
    return this.ops.map((op): KvOp => {
      const key = storeKey(op.prefix, op.key);
      return op.op === 'put' ? { op: 'put', key, value: op.value } : { op: 'del', key };
    });
  }
}

/** Where the keys of a prefix lie. */
export function prefixRange(prefix: string): { readonly start: Bytes; readonly end: Bytes } {
  return { start: utf8(prefix + SEPARATOR), end: utf8(prefix + PAST) };
}

/** Prefix of a raw key; undefined for bytes that are no key of this store. */
export function prefixOf(key: Bytes): string | undefined {
  const text = fromUtf8(key);
  const end = text.indexOf(SEPARATOR);
  return end > 0 && equalBytes(utf8(text), key) ? text.slice(0, end) : undefined;
}

function storeKey(prefix: string, key: string): Bytes {
  return utf8(prefix + SEPARATOR + key);
}

/** A version as a key, in numeric order. */
export function versionKey(version: number): string {
  return version.toString(16).padStart(14, '0');
}

export class MonStore {
  readonly #kv: KeyValue;

  constructor(kv: KeyValue) {
    this.#kv = kv;
  }

  get(prefix: string, key: string): Bytes | undefined {
    return this.#kv.get(storeKey(prefix, key));
  }

  /** 0 when it was never written. */
  getNumber(prefix: string, key: string): number {
    const bytes = this.get(prefix, key);
    return bytes === undefined ? 0 : new Decoder(bytes).u64(`${prefix}.${key}`);
  }

  /** Keys of a prefix in order, with their values. */
  *list(prefix: string): Iterable<readonly [key: string, value: Bytes]> {
    for (const [key, value] of this.#kv.range(prefixRange(prefix))) {
      yield [fromUtf8(key).slice(prefix.length + 1), value];
    }
  }

  /** Every prefix there is. */
  prefixes(): string[] {
    const prefixes: string[] = [];
    for (let start: Bytes = utf8(SEPARATOR); ; start = prefixRange(prefixes.at(-1)!).end) {
      const [first] = this.#kv.range({ start, end: END, limit: 1 });
      if (first === undefined) return prefixes;
      const prefix = prefixOf(first[0]);
      invariant(prefix !== undefined, 'every key has a prefix');
      prefixes.push(prefix);
    }
  }

  /** Checksum of all entries of the prefixes that `skip` leaves. */
  digest(skip: (prefix: string) => boolean): number {
    let digest = 0xffff_ffff;
    for (const prefix of this.prefixes()) {
      if (skip(prefix)) continue;
      for (const [key, value] of this.#kv.range(prefixRange(prefix))) digest = crc32c(value, crc32c(key, digest));
    }
    return digest;
  }

  /** Entries of every prefix after `after`, raw, up to about `maxBytes`: a chunk of a store sync. */
  chunk(
    after: Bytes,
    maxBytes: number,
    skip: (prefix: string) => boolean,
  ): { entries: [Bytes, Bytes][]; done: boolean } {
    const entries: [Bytes, Bytes][] = [];
    let bytes = 0;
    const start = after.length === 0 ? utf8(SEPARATOR) : after;
    for (const [key, value] of this.#kv.range({ start, end: END })) {
      if (compareBytes(key, after) === 0) continue;
      if (skip(prefixOf(key)!)) continue;
      if (bytes > maxBytes) return { entries, done: false };
      entries.push([key.slice(), value.slice()]);
      bytes += key.length + value.length;
    }
    return { entries, done: true };
  }
}
