/**
 * What a monitor keeps: keys under prefixes, one a service, in the World's key-value store (MonitorDBStore).
 *
 *   paxos    first_committed, last_committed, accepted_pn, pending_pn, pending_v, v:<version> -> encoded transaction
 *   elector  epoch
 *   mkfs     monmap, the map in force at this monitor; met, with whom it was in quorum under it
 *   mon_sync in_sync, last_committed_floor, both only while a copy of another's store is not complete
 *   osdmap   first, last, full:<epoch>, inc:<epoch>
 *   monmap   last_committed, full:<epoch>                   mgrmap, auth, config, logm: one service each
 */
import {
  type Bytes,
  compareBytes,
  crc32c,
  Decoder,
  Encoder,
  equalBytes,
  fromUtf8,
  MalformedInput,
  utf8,
} from '@spirula/encoding';
import type { StoreChecksums } from '@spirula/messages';
import { type Batch, invariant, type KeyValue, type KvOp } from '@spirula/world';

const SEPARATOR = '\0';
/** After every key of a prefix. */
const PAST = '\x01';
const CRC_SEED = 0xffff_ffff;
const END = Uint8Array.of(0xff);
/** What a key-value store takes. */
const MAX_KEY_BYTES = 1024;
/** Prefixes of what belongs to one monitor alone: no other says what they hold. */
const OWN_PREFIXES = ['elector', 'mkfs', 'mon_sync'];

export function isOwnPrefix(prefix: string): boolean {
  return OWN_PREFIXES.includes(prefix);
}

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
    return finishChecked(to);
  }

  /**
   * A transaction that may be agreed on: damaged bytes, and changes to what belongs to one monitor alone, are refused.
   *
   * @throws MalformedInput
   */
  static decode(bytes: Bytes): MonTransaction {
    const from = decoderOfChecked(bytes, 'transaction');
    const transaction = new MonTransaction();
    const ops = from.list('transaction', 9, (): StoreOp => {
      const put = from.bool('transaction.op');
      const prefix = from.string('transaction.prefix');
      const key = from.string('transaction.key');
      checkKey(storeKey(prefix, key), 'transaction.key');
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

/** The entries of a chunk of a store sync. */
export function encodeEntries(entries: readonly (readonly [key: Bytes, value: Bytes])[]): Bytes {
  const to = new Encoder(4096);
  to.list(entries, ([key, value]) => {
    to.blob(key);
    to.blob(value);
  });
  return finishChecked(to);
}

/**
 * What stores the entries of a chunk, copied: what a message holds is not kept.
 *
 * @throws MalformedInput
 */
export function decodeEntries(data: Bytes): KvOp[] {
  const from = decoderOfChecked(data, 'sync');
  const ops = from.list('sync', 8, (): KvOp => {
    const key = from.blob('sync.key').slice();
    checkKey(key, 'sync.key');
    return { op: 'put', key, value: from.blob('sync.value').slice() };
  });
  from.finish('sync');
  return ops;
}

/** What was written, with its checksum behind it. */
function finishChecked(to: Encoder): Bytes {
  to.u32(crc32c(to.written(0), CRC_SEED));
  return to.finish();
}

function decoderOfChecked(bytes: Bytes, field: string): Decoder {
  const end = bytes.length - 4;
  if (end < 0) throw new MalformedInput(field, 0, 'has no checksum');
  const body = bytes.subarray(0, end);
  if (new Decoder(bytes.subarray(end)).u32(field) !== crc32c(body, CRC_SEED)) {
    throw new MalformedInput(field, end, 'the checksum is another');
  }
  return new Decoder(body);
}

/** Refuses what is no key of this store, and those that belong to one monitor alone. */
function checkKey(key: Bytes, field: string): void {
  const prefix = prefixOf(key);
  if (key.length > MAX_KEY_BYTES || prefix === undefined || isOwnPrefix(prefix)) {
    throw new MalformedInput(field, 0, `'${prefix ?? ''}' keys are not to be written`);
  }
}

/** Where the keys of a prefix lie. */
export function prefixRange(prefix: string): { readonly start: Bytes; readonly end: Bytes } {
  return { start: utf8(prefix + SEPARATOR), end: utf8(prefix + PAST) };
}

/** Prefix of a raw key; undefined for bytes that are no key of this store. */
function prefixOf(key: Bytes): string | undefined {
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

  /** Checksums of the prefixes that `skip` leaves, each by itself. */
  checksums(skip: (prefix: string) => boolean): ReadonlyMap<string, StoreChecksums> {
    const checksums = new Map<string, StoreChecksums>();
    for (const prefix of this.prefixes()) {
      if (skip(prefix)) continue;
      let [keys, crc] = [0, CRC_SEED];
      for (const [key, value] of this.#kv.range(prefixRange(prefix))) {
        keys += 1;
        crc = crc32c(value, crc32c(key, crc));
      }
      checksums.set(prefix, { keys, crc });
    }
    return checksums;
  }

  /** Checksum of all entries of the prefixes that `skip` leaves. */
  digest(skip: (prefix: string) => boolean): number {
    let digest = CRC_SEED;
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
