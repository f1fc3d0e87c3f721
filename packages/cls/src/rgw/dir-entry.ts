/** What a bucket's index keeps of an object (rgw_bucket_dir_entry): an omap value under the keys of `index-key.ts`. */
import { type Bytes, type Decoder, Encoder, encodeUTime, type RawString, type UTime } from '@spirula/encoding';
import { decodeRealTime, NO_TIME } from '../real-time.ts';
import {
  decodeEntryVersion,
  decodePacked,
  type EntryVersion,
  encodeEntryVersion,
  encodePacked,
  NO_ENTRY_VERSION,
} from './entry-version.ts';
import type { ObjectKey } from './object-key.ts';

/** RGWObjCategory: sums are kept for each. */
export const ObjectCategory = { none: 0, main: 1, shadow: 2, multiMeta: 3 } as const;

/** RGWModifyOp. */
export const ModifyOp = {
  add: 0,
  delete: 1,
  cancel: 2,
  unknown: 3,
  linkOlh: 4,
  /** The version that becomes current is a delete marker. */
  linkOlhDeleteMarker: 5,
  unlinkInstance: 6,
  syncStop: 7,
  resync: 8,
} as const;

/** RGWPendingState. */
export const PendingState = { pendingModify: 0, complete: 1, unknown: 2 } as const;

/** rgw_bucket_dir_entry::FLAG_*. */
export const EntryFlag = {
  /** One of several versions. */
  version: 0x1,
  /** The newest of them. */
  current: 0x2,
  deleteMarker: 0x4,
  /** No object: says that there are versions of this name. */
  versionMarker: 0x8,
  /** No object: in listings, names up to a delimiter. */
  commonPrefix: 0x8000,
} as const;

/** rgw_bucket_dir_entry_meta. */
export interface EntryMeta {
  /** `ObjectCategory`. */
  readonly category: number;
  /** Bytes as they are stored: compressed, encrypted. */
  readonly size: bigint;
  readonly mtime: UTime;
  readonly etag: RawString;
  readonly owner: RawString;
  readonly ownerDisplayName: RawString;
  readonly contentType: RawString;
  /** Bytes as the user sees them. */
  readonly accountedSize: bigint;
  readonly userData: RawString;
  readonly storageClass: RawString;
  readonly appendable: boolean;
}

/** rgw_bucket_pending_info: a change that was announced and not completed. Several may have one tag. */
export interface PendingChange {
  readonly tag: RawString;
  /** `PendingState`. */
  readonly state: number;
  readonly timestamp: UTime;
  /** `ModifyOp`. */
  readonly op: number;
}

export interface DirEntry {
  readonly key: ObjectKey;
  readonly version: EntryVersion;
  /** Where the head object is, if not under its own name. */
  readonly locator: RawString;
  /** False: a change of it is pending, and has not been there before. */
  readonly exists: boolean;
  readonly meta: EntryMeta;
  /** In the order of their tags. */
  readonly pending: readonly PendingChange[];
  /** The header's version when it was written. */
  readonly indexVersion: bigint;
  /** Of the change that made it. */
  readonly tag: RawString;
  /** Some of `EntryFlag`. */
  readonly flags: number;
  /** Of versions: newer ones have a greater one. */
  readonly versionedEpoch: bigint;
}

export const NO_META: EntryMeta = {
  category: ObjectCategory.none,
  size: 0n,
  mtime: NO_TIME,
  etag: '',
  owner: '',
  ownerDisplayName: '',
  contentType: '',
  accountedSize: 0n,
  userData: '',
  storageClass: '',
  appendable: false,
};

export const NO_ENTRY: DirEntry = {
  key: { name: '', instance: '' },
  version: NO_ENTRY_VERSION,
  locator: '',
  exists: false,
  meta: NO_META,
  pending: [],
  indexVersion: 0n,
  tag: '',
  flags: 0,
  versionedEpoch: 0n,
};

/** Encodings before this had no length; no release that could still be asked writes them. */
const FIRST_WITH_LENGTH = 3;
/** Least bytes of a pending change: its tag, its struct, state, time and op. */
const PENDING_BYTES = 4 + 6 + 1 + 8 + 1;

export function isDeleteMarker({ flags }: DirEntry): boolean {
  return (flags & EntryFlag.deleteMarker) !== 0;
}

/** Neither an older version nor a delete marker. */
export function isVisible(entry: DirEntry): boolean {
  const isCurrent = (entry.flags & EntryFlag.version) === 0 || (entry.flags & EntryFlag.current) !== 0;
  return isCurrent && !isDeleteMarker(entry);
}

/** With another change among the pending ones, behind those of the same tag. */
export function withPending(pending: readonly PendingChange[], change: PendingChange): readonly PendingChange[] {
  const at = pending.findIndex(({ tag }) => tag > change.tag);
  return at < 0 ? [...pending, change] : pending.toSpliced(at, 0, change);
}

export function encodeMeta(encoder: Encoder, meta: EntryMeta): void {
  encoder.struct(7, 3, () => {
    encoder.u8(meta.category);
    encoder.u64big(meta.size);
    encodeUTime(encoder, meta.mtime);
    for (const text of [meta.etag, meta.owner, meta.ownerDisplayName, meta.contentType]) encoder.rawString(text);
    encoder.u64big(meta.accountedSize);
    encoder.rawString(meta.userData);
    encoder.rawString(meta.storageClass);
    encoder.bool(meta.appendable);
  });
}

/** @throws MalformedInput */
export function decodeMeta(decoder: Decoder): EntryMeta {
  return decoder.struct('meta', 7, (version) => {
    if (version < FIRST_WITH_LENGTH) decoder.fail('meta', `of version ${version}, which had no length`);
    const category = decoder.u8('category');
    const size = decoder.u64big('size');
    return {
      category,
      size,
      mtime: decodeRealTime(decoder, 'mtime'),
      etag: decoder.rawString('etag'),
      owner: decoder.rawString('owner'),
      ownerDisplayName: decoder.rawString('owner display name'),
      contentType: decoder.rawString('content type'),
      accountedSize: version < 4 ? size : decoder.u64big('accounted size'),
      userData: version < 5 ? '' : decoder.rawString('user data'),
      storageClass: version < 6 ? '' : decoder.rawString('storage class'),
      appendable: version >= 7 && decoder.bool('appendable'),
    };
  });
}

function encodePending(encoder: Encoder, { tag, state, timestamp, op }: PendingChange): void {
  encoder.rawString(tag);
  encoder.struct(2, 2, () => {
    encoder.u8(state);
    encodeUTime(encoder, timestamp);
    encoder.u8(op);
  });
}

function decodePending(decoder: Decoder): PendingChange {
  const tag = decoder.rawString('tag');
  return decoder.struct('pending', 2, (version) => {
    if (version < 2) decoder.fail('pending', `of version ${version}, which had no length`);
    const state = decoder.u8('state');
    const timestamp = decodeRealTime(decoder, 'timestamp');
    return { tag, state, timestamp, op: decoder.u8('op') };
  });
}

export function writeDirEntry(encoder: Encoder, entry: DirEntry): void {
  encoder.struct(8, 3, () => {
    encoder.rawString(entry.key.name);
    encoder.u64big(entry.version.epoch);
    encoder.bool(entry.exists);
    encodeMeta(encoder, entry.meta);
    encoder.list(entry.pending, (change) => encodePending(encoder, change));
    encoder.rawString(entry.locator);
    encodeEntryVersion(encoder, entry.version);
    encodePacked(encoder, entry.indexVersion);
    encoder.rawString(entry.tag);
    encoder.rawString(entry.key.instance);
    encoder.u16(entry.flags);
    encoder.u64big(entry.versionedEpoch);
  });
}

export function encodeDirEntry(entry: DirEntry): Bytes {
  const encoder = new Encoder(256);
  writeDirEntry(encoder, entry);
  return encoder.finish();
}

/** @throws MalformedInput */
export function decodeDirEntry(decoder: Decoder): DirEntry {
  return decoder.struct('dir entry', 8, (v) => {
    if (v < FIRST_WITH_LENGTH) decoder.fail('dir entry', `of version ${v}, which had no length`);
    const name = decoder.rawString('name');
    const epoch = decoder.u64big('epoch');
    const exists = decoder.bool('exists');
    const meta = decodeMeta(decoder);
    const pending = decoder.list('pending', PENDING_BYTES, () => decodePending(decoder));
    const locator = decoder.rawString('locator');
    const version = v < 4 ? { pool: -1n, epoch } : decodeEntryVersion(decoder);
    const indexVersion = v < 5 ? 0n : decodePacked(decoder, 'index version');
    const tag = v < 5 ? '' : decoder.rawString('tag');
    const instance = v < 6 ? '' : decoder.rawString('instance');
    const flags = v < 7 ? 0 : decoder.u16('flags');
    const versionedEpoch = v < 8 ? 0n : decoder.u64big('versioned epoch');
    const sorted = pending.sort((a, b) => (a.tag === b.tag ? 0 : a.tag < b.tag ? -1 : 1));
    const key = { name, instance };
    return { key, version, locator, exists, meta, pending: sorted, indexVersion, tag, flags, versionedEpoch };
  });
}
