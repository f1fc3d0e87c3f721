/** How much users have transferred, by the hour (rgw_usage_log_entry and what adds, reads and trims it). */
import { type Bytes, type Decoder, Encoder, type RawString } from '@spirula/encoding';

/** rgw_usage_data. Sums are 64-bit numbers, and wrap. */
export interface Usage {
  readonly bytesSent: bigint;
  readonly bytesReceived: bigint;
  readonly ops: bigint;
  readonly successfulOps: bigint;
}

export interface UsageEntry {
  /** As `USER`, `TENANT$USER` or `TENANT$NAMESPACE$USER`. */
  readonly owner: RawString;
  /** '': the owner. */
  readonly payer: RawString;
  readonly bucket: RawString;
  /** Begin of the hour, in seconds. */
  readonly epoch: bigint;
  /** Of all categories. */
  readonly total: Usage;
  /** By category, ascending: what was done, as `get_obj`. */
  readonly byCategory: ReadonlyMap<RawString, Usage>;
}

export const NO_USAGE: Usage = { bytesSent: 0n, bytesReceived: 0n, ops: 0n, successfulOps: 0n };

/** Least bytes of an entry, of a category, and of what is read of a user's bucket. */
const ENTRY_BYTES = 6 + 2 * 4 + 5 * 8;
const CATEGORY_BYTES = 4 + 6 + 4 * 8;
const READ_BYTES = 6 + 2 * 4 + ENTRY_BYTES;

function encoded(version: number, compat: number, body: (encoder: Encoder) => void): Bytes {
  const encoder = new Encoder(128);
  encoder.struct(version, compat, () => body(encoder));
  return encoder.finish();
}

/** A user as rgw_user reads and writes it: what is empty of tenant and namespace is left out. */
function canonicalUser(text: RawString): RawString {
  const at = text.indexOf('$');
  if (at < 0) return text;
  const tenant = text.slice(0, at);
  const rest = text.slice(at + 1);
  const next = rest.indexOf('$');
  const [namespace, id] = next < 0 ? ['', rest] : [rest.slice(0, next), rest.slice(next + 1)];
  if (namespace !== '') return `${tenant}$${namespace}$${id}`;
  return tenant === '' ? id : `${tenant}$${id}`;
}

/** Whether a user has no id: there is none. */
export function isNobody(user: RawString): boolean {
  return user === '' || user.endsWith('$');
}

function encodeUsage(encoder: Encoder, { bytesSent, bytesReceived, ops, successfulOps }: Usage): void {
  for (const sum of [bytesSent, bytesReceived, ops, successfulOps]) encoder.u64big(sum);
}

function decodeUsage(decoder: Decoder): Usage {
  return {
    bytesSent: decoder.u64big('bytes sent'),
    bytesReceived: decoder.u64big('bytes received'),
    ops: decoder.u64big('ops'),
    successfulOps: decoder.u64big('successful ops'),
  };
}

function writeUsageEntry(encoder: Encoder, entry: UsageEntry): void {
  encoder.struct(3, 1, () => {
    encoder.rawString(entry.owner);
    encoder.rawString(entry.bucket);
    encoder.u64big(entry.epoch);
    encodeUsage(encoder, entry.total);
    encoder.map(
      entry.byCategory,
      (category) => encoder.rawString(category),
      (usage) => encoder.struct(1, 1, () => encodeUsage(encoder, usage)),
    );
    encoder.rawString(entry.payer);
  });
}

export function encodeUsageEntry(entry: UsageEntry): Bytes {
  const encoder = new Encoder(128);
  writeUsageEntry(encoder, entry);
  return encoder.finish();
}

/** @throws MalformedInput */
export function decodeUsageEntry(decoder: Decoder): UsageEntry {
  return decoder.struct('usage', 3, (version) => {
    const owner = canonicalUser(decoder.rawString('owner'));
    const bucket = decoder.rawString('bucket');
    const epoch = decoder.u64big('epoch');
    const total = decodeUsage(decoder);
    const byCategory = version < 2 ? new Map([['', total]]) : decodeCategories(decoder);
    const payer = version < 3 ? '' : canonicalUser(decoder.rawString('payer'));
    return { owner, payer, bucket, epoch, total, byCategory };
  });
}

function decodeCategories(decoder: Decoder): ReadonlyMap<RawString, Usage> {
  const categories = decoder.map(
    'categories',
    CATEGORY_BYTES,
    () => decoder.rawString('category'),
    () => decoder.struct('usage', 1, () => decodeUsage(decoder)),
  );
  return new Map([...categories].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** rgw_cls_usage_log_add_op. @param user who is asked about; the class takes no notice */
export function encodeAddUsageInput(entries: readonly UsageEntry[], user: RawString): Bytes {
  return encoded(2, 1, (encoder) => {
    encoder.struct(1, 1, () => encoder.list(entries, (entry) => writeUsageEntry(encoder, entry)));
    encoder.rawString(user);
  });
}

export function decodeAddUsageInput(decoder: Decoder): readonly UsageEntry[] {
  return decoder.struct('add usage', 2, (version) => {
    const entries = decoder.struct('info', 1, () =>
      decoder.list('entries', ENTRY_BYTES, () => decodeUsageEntry(decoder)),
    );
    if (version >= 2) decoder.rawString('user');
    return entries;
  });
}

/** Which entries are meant. */
export interface UsageRange {
  /** Seconds; the end is not included. */
  readonly start: bigint;
  readonly end: bigint;
  /** '': all. */
  readonly user: RawString;
  /** '': all. */
  readonly bucket: RawString;
}

/** rgw_cls_usage_log_read_op. */
export interface ReadUsageInput extends UsageRange {
  /** `next` of the answer before; '' in the first call. */
  readonly marker: RawString;
  /** 0: 1000. */
  readonly max: number;
}

export function encodeReadUsageInput({ start, end, user, marker, max, bucket }: ReadUsageInput): Bytes {
  return encoded(2, 1, (encoder) => {
    encoder.u64big(start);
    encoder.u64big(end);
    encoder.rawString(user);
    encoder.rawString(marker);
    encoder.u32(max);
    encoder.rawString(bucket);
  });
}

export function decodeReadUsageInput(decoder: Decoder): ReadUsageInput {
  return decoder.struct('read usage', 2, (version) => ({
    start: decoder.u64big('start epoch'),
    end: decoder.u64big('end epoch'),
    user: decoder.rawString('owner'),
    marker: decoder.rawString('iter'),
    max: decoder.u32('max entries'),
    bucket: version < 2 ? '' : decoder.rawString('bucket'),
  }));
}

/** What one user has transferred with one bucket, in all hours that were asked for. */
export interface BucketUsage {
  readonly user: RawString;
  readonly bucket: RawString;
  readonly usage: UsageEntry;
}

/** rgw_cls_usage_log_read_ret. */
export interface ReadUsageReply {
  /** In the order of users, then of buckets. */
  readonly usage: readonly BucketUsage[];
  readonly truncated: boolean;
  readonly next: RawString;
}

export function encodeReadUsageReply({ usage, truncated, next }: ReadUsageReply): Bytes {
  return encoded(1, 1, (encoder) => {
    encoder.list(usage, (each) => {
      encoder.struct(1, 1, () => {
        encoder.rawString(each.user);
        encoder.rawString(each.bucket);
      });
      writeUsageEntry(encoder, each.usage);
    });
    encoder.bool(truncated);
    encoder.rawString(next);
  });
}

/** @throws MalformedInput */
export function decodeReadUsageReply(decoder: Decoder): ReadUsageReply {
  return decoder.struct('read usage', 1, () => ({
    usage: decoder.list('usage', READ_BYTES, () => {
      const of = decoder.struct('user bucket', 1, () => ({
        user: decoder.rawString('user'),
        bucket: decoder.rawString('bucket'),
      }));
      return { ...of, usage: decodeUsageEntry(decoder) };
    }),
    truncated: decoder.bool('truncated'),
    next: decoder.rawString('next iter'),
  }));
}

/** rgw_cls_usage_log_trim_op. */
export function encodeTrimUsageInput({ start, end, user, bucket }: UsageRange): Bytes {
  return encoded(3, 2, (encoder) => {
    encoder.u64big(start);
    encoder.u64big(end);
    encoder.rawString(user);
    encoder.rawString(bucket);
  });
}

export function decodeTrimUsageInput(decoder: Decoder): UsageRange {
  return decoder.struct('trim usage', 3, (version) => ({
    start: decoder.u64big('start epoch'),
    end: decoder.u64big('end epoch'),
    user: decoder.rawString('user'),
    bucket: version < 3 ? '' : decoder.rawString('bucket'),
  }));
}
