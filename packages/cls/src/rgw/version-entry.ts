/** A version of an object in the index: kept under its name, and once more where listings meet it (BIVerObjEntry). */
import { Errno, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError } from '../object-class.ts';
import { decodeListed, readEntry, readValue, writeEntry } from './bucket-index.ts';
import { type DirEntry, decodeDirEntry, EntryFlag, type EntryMeta, isDeleteMarker, NO_ENTRY } from './dir-entry.ts';
import { deleteMarkerKey, instanceKey, listKey } from './index-key.ts';
import type { ObjectKey } from './object-key.ts';

/** What 16.2.15 gives every delete marker for a tag. */
const DELETE_MARKER_TAG = 'delete-marker';
/** Of objects that were there before the bucket had versions. */
const CONVERTED_EPOCH = 1n;

export class VersionEntry {
  readonly #object: MethodContext;
  readonly #key: ObjectKey;
  /** Its omap key, as it was read. */
  #at: RawString = '';
  #isRead = false;
  entry: DirEntry = NO_ENTRY;

  constructor(object: MethodContext, key: ObjectKey) {
    this.#object = object;
    this.#key = key;
  }

  get isDeleteMarker(): boolean {
    return isDeleteMarker(this.entry);
  }

  /** False: it is not there. @param markerFirst of version null, whose delete marker may stand beside it, take that */
  read(markerFirst = true): boolean {
    const { at, entry } = readVersion(this.#object, this.#key, markerFirst);
    this.#at = at;
    this.entry = entry ?? NO_ENTRY;
    this.#isRead = entry !== undefined;
    return this.#isRead;
  }

  becomeDeleteMarker(meta: EntryMeta): void {
    const tag = DELETE_MARKER_TAG;
    this.entry = { ...this.entry, key: this.#key, flags: EntryFlag.deleteMarker, meta, tag };
    this.#isRead = true;
  }

  becomeConverted(): void {
    this.entry = { ...this.entry, versionedEpoch: CONVERTED_EPOCH };
  }

  removeListed(): void {
    this.#object.omapRemove([listKey(this.entry)]);
  }

  remove(): void {
    this.#object.omapRemove([this.#at]);
  }

  /** Puts it where its epoch belongs. */
  write(versionedEpoch: bigint, isCurrent: boolean): void {
    if (this.entry.versionedEpoch > 0n) this.removeListed();
    // 16.2.15 forgets the epoch of one that it has not read before: it stays where it is.
    this.entry = { ...this.entry, versionedEpoch };
    this.#writeBoth(EntryFlag.version | (isCurrent ? EntryFlag.current : 0), 0);
  }

  /** It is no longer the current one. */
  demote(): void {
    this.#writeBoth(0, EntryFlag.current);
  }

  #writeBoth(set: number, reset: number): void {
    if (!this.#isRead && !this.read()) throw new ClassError(Errno.ENOENT);
    const entry = { ...this.entry, flags: (this.entry.flags & ~reset) | set };
    this.entry = entry;
    const isNullMarker = isDeleteMarker(entry) && entry.key.instance === '';
    this.#at = isNullMarker ? deleteMarkerKey(this.#key) : instanceKey(this.#key);
    writeEntry(this.#object, this.#at, entry);
    writeEntry(this.#object, listKey(entry), entry);
  }

  /** The version before it, if there is one. */
  next(): ObjectKey | undefined {
    const { name } = this.#key;
    const { entries } = this.#object.omapList({ after: listKey(this.entry), prefix: name, max: 1 });
    const [value] = entries.values();
    if (!value) return undefined;
    const { key } = decodeListed(value, Errno.EIO);
    return key.name === name ? key : undefined;
  }
}

function readVersion(object: MethodContext, key: ObjectKey, markerFirst: boolean): ReturnType<typeof readEntry> {
  if (!markerFirst || key.instance !== '') return readEntry(object, key);
  const plain = readValue(object, key.name, decodeDirEntry);
  if (!plain || (plain.flags & EntryFlag.versionMarker) === 0) return { at: key.name, entry: plain };
  const marker = readValue(object, deleteMarkerKey(key), decodeDirEntry);
  if (marker) return { at: deleteMarkerKey(key), entry: marker };
  return { at: instanceKey(key), entry: readValue(object, instanceKey(key), decodeDirEntry) };
}

/**
 * From now on there are versions of the name: what was there before is one of them, called null.
 *
 * @param demote another one is the current one
 * @param isListed whether listings are to meet it
 */
export function convertToVersioned(object: MethodContext, name: RawString, demote: boolean, isListed: boolean): void {
  const key = { name, instance: '' };
  const { entry } = readEntry(object, key);
  if (entry) {
    const flags = (entry.flags | EntryFlag.version) & ~(demote ? EntryFlag.current : 0);
    const converted = { ...entry, versionedEpoch: CONVERTED_EPOCH, flags };
    writeEntry(object, instanceKey(key), converted);
    if (isListed) writeEntry(object, listKey(converted), converted);
  }
  writeEntry(object, name, { ...NO_ENTRY, key, flags: EntryFlag.versionMarker });
}
