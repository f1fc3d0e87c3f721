/** What an OSD knows of an object besides its contents (object_info_t), kept as one of the object's xattrs. */
import {
  type Bytes,
  Decoder,
  decodeEVersion,
  decodeUTime,
  Encoder,
  type EVersion,
  encodeEVersion,
  encodeUTime,
  type RawString,
  type UTime,
} from '@spirula/encoding';
import { decodeWatchItems, encodeWatchItems, type WatchItem } from '@spirula/messages';

/** The xattr that holds it (OI_ATTR). Those of users stand behind it, with `_` before their names. */
export const OBJECT_INFO_ATTR: RawString = '_';

export interface ObjectInfo {
  /** The write that made the object what it is, and the one before. */
  readonly version: EVersion;
  readonly priorVersion: EVersion;
  /** What clients are told and assert on. */
  readonly userVersion: number;
  readonly size: number;
  readonly mtime: UTime;
  /** The last truncation that clients ordered among themselves; 0: none. */
  readonly truncateSeq: number;
  readonly truncateSize: number;
  /** Whether it was written since somebody last said that it is clean: cache tiers ask. */
  readonly isDirty: boolean;
  /** Clients to be told of notifies, in the order of their cookies, then of their own numbers. */
  readonly watchers: readonly WatchItem[];
  /** The object is deleted, and only holds on to its clones (FLAG_WHITEOUT). */
  readonly whiteout: boolean;
  /** Of a clone: the snapshots it is the object of, newest first. The head's snap set says the same. */
  readonly snaps: readonly bigint[];
}

const VERSION = 1;
/** With its version in one byte it has 61 in all: an engine keeps arrays of up to 64 in its own heap, which is much cheaper. */
const BYTES = 61;
/** Behind that stands what most objects do not have, each part after its number. */
const Part = { watchers: 1, clean: 2, whiteout: 3, snaps: 4 } as const;

export function encodeObjectInfo(info: ObjectInfo): Bytes {
  const encoder = new Encoder(BYTES);
  encoder.u8(VERSION);
  encodeEVersion(encoder, info.version);
  encodeEVersion(encoder, info.priorVersion);
  encoder.u64(info.userVersion);
  encoder.u64(info.size);
  encodeUTime(encoder, info.mtime);
  encoder.u32(info.truncateSeq);
  encoder.u64(info.truncateSize);
  if (!info.isDirty) encoder.u8(Part.clean);
  if (info.watchers.length > 0) {
    encoder.u8(Part.watchers);
    encoder.blob(encodeWatchItems(info.watchers));
  }
  if (info.whiteout) encoder.u8(Part.whiteout);
  if (info.snaps.length > 0) {
    encoder.u8(Part.snaps);
    encoder.list(info.snaps, (snap) => encoder.u64big(snap));
  }
  return encoder.finish();
}

/** @throws MalformedInput */
export function decodeObjectInfo(bytes: Bytes): ObjectInfo {
  const decoder = new Decoder(bytes);
  const version = decoder.u8('object info version');
  if (version !== VERSION) decoder.fail('object info version', `is ${version}, known is ${VERSION}`);
  const fixed = {
    version: decodeEVersion(decoder, 'version'),
    priorVersion: decodeEVersion(decoder, 'prior version'),
    userVersion: decoder.u64('user version'),
    size: decoder.u64('size'),
    mtime: decodeUTime(decoder, 'mtime'),
    truncateSeq: decoder.u32('truncate seq'),
    truncateSize: decoder.u64('truncate size'),
  };
  let isDirty = true;
  let watchers: readonly WatchItem[] = [];
  let whiteout = false;
  let snaps: readonly bigint[] = [];
  while (decoder.remaining > 0) {
    const part = decoder.u8('part');
    switch (part) {
      case Part.watchers:
        watchers = decodeWatchItems(decoder.blob('watchers'));
        break;
      case Part.clean:
        isDirty = false;
        break;
      case Part.whiteout:
        whiteout = true;
        break;
      case Part.snaps:
        snaps = decoder.list('snaps', 8, () => decoder.u64big('snap'));
        break;
      default:
        decoder.fail('part', `is ${part}, which is not known`);
    }
  }
  return { ...fixed, isDirty, watchers, whiteout, snaps };
}

/** Name under which the store keeps a user's xattr. */
export function storedAttrName(name: RawString): RawString {
  return `_${name}`;
}

/** The user's name of a stored xattr; undefined for the OSD's own. */
export function userAttrName(stored: RawString): RawString | undefined {
  return stored.length > 1 && stored.startsWith('_') ? stored.slice(1) : undefined;
}
