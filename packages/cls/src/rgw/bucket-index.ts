/** Reading and writing what the index of a bucket keeps: one object for each shard of it. */
import { type Bytes, type Decoder, Errno, type RawString, type UTime } from '@spirula/encoding';
import type { MethodContext, OmapPage } from '../method-context.ts';
import { ClassError, decodeStored } from '../object-class.ts';
import { type BilogEntry, encodeBilogEntry } from './bilog-codec.ts';
import { type DirEntry, decodeDirEntry, EntryFlag, encodeDirEntry } from './dir-entry.ts';
import { type DirHeader, decodeDirHeader, encodeDirHeader, NO_DIR_HEADER } from './dir-header.ts';
import { entryKey, instanceKey, LOG_PREFIX, SPECIAL, SPECIAL_END } from './index-key.ts';
import type { ObjectKey } from './object-key.ts';

const SPECIAL_BYTE = SPECIAL.charCodeAt(0);

/** What changes of entries need of their object; also what gathers many of them (`OmapOverlay`). */
export type IndexObject = Pick<
  MethodContext,
  'now' | 'subopVersion' | 'omapGet' | 'omapSet' | 'omapRemove' | 'omapHeader' | 'omapSetHeader'
>;

/** @throws ClassError EIO when it does not parse */
export function readHeader(object: IndexObject): DirHeader {
  const stored = object.omapHeader();
  return stored.length === 0 ? NO_DIR_HEADER : decodeStored(stored, decodeDirHeader);
}

/** Writes it under the next version. */
export function writeHeader(object: IndexObject, header: DirHeader): void {
  object.omapSetHeader(encodeDirHeader({ ...header, version: BigInt.asUintN(64, header.version + 1n) }));
}

/** Undefined: it is not there. @throws ClassError EIO when it does not parse */
export function readValue<T>(object: IndexObject, key: RawString, decode: (decoder: Decoder) => T): T | undefined {
  const stored = object.omapGet(key);
  return stored && decodeStored(stored, decode);
}

export function writeValue(object: IndexObject, key: RawString, value: Bytes): void {
  object.omapSet(new Map([[key, value]]));
}

export function writeEntry(object: IndexObject, key: RawString, entry: DirEntry): void {
  writeValue(object, key, encodeDirEntry(entry));
}

/** An entry, and the omap key that it has or would have. */
export interface FoundEntry {
  readonly at: RawString;
  readonly entry: DirEntry | undefined;
}

/** The entry of an object or version (read_key_entry). A name that has versions stands for the one called null. */
export function readEntry(object: IndexObject, key: ObjectKey): FoundEntry {
  const at = entryKey(key);
  const entry = readValue(object, at, decodeDirEntry);
  if (!entry || key.instance !== '' || (entry.flags & EntryFlag.versionMarker) === 0) return { at, entry };
  const nullAt = instanceKey(key);
  return { at: nullAt, entry: readValue(object, nullAt, decodeDirEntry) };
}

/** What a change logs of itself. */
export interface LoggedChange extends Pick<BilogEntry, 'key' | 'op' | 'tag' | 'version' | 'zonesTrace'> {
  readonly timestamp: UTime;
  readonly state: number;
  /** The header's, unless given. */
  readonly indexVersion?: bigint;
  readonly flags: number;
  readonly owner?: RawString;
  readonly ownerDisplayName?: RawString;
}

/** Adds to the log of changes, under the header's version; the header that then is to be written. */
export function logChange(object: IndexObject, header: DirHeader, change: LoggedChange): DirHeader {
  const id = `${String(header.version).padStart(11, '0')}.${object.subopVersion()}`;
  const entry = { owner: '', ownerDisplayName: '', indexVersion: header.version, ...change, id };
  writeValue(object, LOG_PREFIX + id, encodeBilogEntry(entry));
  return id > header.maxMarker ? { ...header, maxMarker: id } : header;
}

/** A page of entries, those under special keys left out (get_obj_vals). */
export function listPlain(object: MethodContext, after: RawString, prefix: RawString, max: number): OmapPage {
  const page = object.omapList({ after, prefix, max });
  const keys = [...page.entries.keys()];
  const [first, last] = [keys[0], keys.at(-1)];
  if (first === undefined || last === undefined) return page;
  if (last.charCodeAt(0) < SPECIAL_BYTE || first.charCodeAt(0) > SPECIAL_BYTE) return page;

  const entries = new Map([...page.entries].filter(([key]) => !key.startsWith(SPECIAL)));
  if (entries.size === max || !page.more) return { entries, more: page.more };
  const next = entries.size > 0 && last > SPECIAL_END ? last : SPECIAL_END;
  const rest = object.omapList({ after: next, prefix, max: max - entries.size });
  return { entries: new Map([...entries, ...rest.entries]), more: rest.more };
}

/** @throws ClassError EINVAL: the one who asks for it is told that it does not parse */
export function decodeListed(value: Bytes, code: number = Errno.EINVAL): DirEntry {
  try {
    return decodeStored(value, decodeDirEntry);
  } catch (error) {
    throw error instanceof ClassError ? new ClassError(code) : error;
  }
}
