/**
 * Buckets with versions. Which one is current is decided here, by the epoch of the OLH; the gateway then makes the head
 * object follow, from the OLH's log, which it trims behind itself.
 *
 *   link_olh          a version that was written (or a delete marker) becomes the current one
 *   unlink_instance   a version goes, and the one before it becomes current; with the last one, the OLH is to go
 */
import { type Bytes, compareUTimes, Errno, type RawString, type UTime } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError } from '../object-class.ts';
import { BILOG_VERSIONED } from './bilog-codec.ts';
import { type LoggedChange, logChange, readHeader, readValue, writeHeader, writeValue } from './bucket-index.ts';
import { decodeDirEntry, EntryFlag, ModifyOp, PendingState } from './dir-entry.ts';
import { olhKey } from './index-key.ts';
import { type ObjectKey, sameObjectKey } from './object-key.ts';
import { Olh } from './olh.ts';
import {
  type ClearOlhInput,
  decodeOlhEntry,
  encodeOlhEntry,
  encodeOlhLogReply,
  type LinkOlhInput,
  NO_OLH,
  type OlhEntry,
  type OlhLogInput,
  OlhOp,
  type UnlinkInstanceInput,
} from './olh-codec.ts';
import { convertToVersioned, VersionEntry } from './version-entry.ts';

/** Epochs that one answer has room for. */
const MAX_LOG_EPOCHS = 1000;

/** ENOENT: no such version; or a delete marker upon a delete marker. ECANCELED: of another OLH. */
export function linkOlh(object: MethodContext, input: LinkOlhInput): void {
  const { key, deleteMarker, opTag, olhTag, olhEpoch } = input;
  const version = new VersionEntry(object, key);
  const existed = version.read(deleteMarker);
  if (!existed && !deleteMarker) throw new ClassError(Errno.ENOENT);
  const olh = new Olh(object, key);
  let hasOlh: boolean | undefined;
  if (!existed) {
    hasOlh = olh.read();
    if (hasOlh && olh.entry.deleteMarker) throw new ClassError(Errno.ENOENT);
  }
  if (existed && isUnmodified(version.entry.meta.mtime, input)) return;
  const removing =
    key.instance === '' ? replaceNull(object, key, deleteMarker) : existed && !version.isDeleteMarker && deleteMarker;
  if (deleteMarker) version.becomeDeleteMarker(input.meta);
  hasOlh ??= olh.read();
  const before = olh.entry;
  if (!olh.begin(olhEpoch)) {
    version.write(olhEpoch, false);
    return;
  }
  const { epoch } = olh.entry;
  const promote = epoch > before.epoch || (epoch === before.epoch && before.key.instance >= key.instance);
  if (hasOlh) takeOver(object, olh, input, promote);
  else {
    convertToVersioned(object, key.name, promote, !(key.instance === '' && deleteMarker));
    olh.change({ tag: olhTag });
    // Listings have just been told of what it was before.
    if (key.instance === '') version.becomeConverted();
  }
  olh.log(OlhOp.link, opTag, key, deleteMarker);
  if (removing) olh.log(OlhOp.removeInstance, opTag, key, false);
  if (promote) olh.change({ key, deleteMarker });
  olh.change({ exists: true });
  olh.write();
  version.write(epoch, promote);
  const { owner, ownerDisplayName, mtime } = version.entry.meta;
  logVersioned(object, input, epoch, {
    op: deleteMarker ? ModifyOp.linkOlhDeleteMarker : ModifyOp.linkOlh,
    timestamp: mtime,
    ...(deleteMarker && { owner, ownerDisplayName }),
  });
}

function isUnmodified(mtime: UTime, { unmodifiedSince, highPrecision }: LinkOlhInput): boolean {
  if (unmodifiedSince.sec === 0 && unmodifiedSince.nsec === 0) return false;
  const rounded = (time: UTime) => (highPrecision ? time : { ...time, nsec: 0 });
  return compareUTimes(rounded(mtime), rounded(unmodifiedSince)) >= 0;
}

/** An object of version null and its delete marker stand for one version. True: the object is to be removed. */
function replaceNull(object: MethodContext, key: ObjectKey, deleteMarker: boolean): boolean {
  const other = new VersionEntry(object, key);
  const isThere = other.read(!deleteMarker);
  if (isThere && other.isDeleteMarker !== deleteMarker) other.removeListed();
  const removing = isThere && !other.isDeleteMarker && deleteMarker;
  if (!removing) other.remove();
  return removing;
}

/** ECANCELED: the OLH is of another head object. */
function takeOver(object: MethodContext, olh: Olh, { key, olhTag }: LinkOlhInput, promote: boolean): void {
  if (olh.entry.tag !== olhTag) {
    if (!olh.entry.pendingRemoval) throw new ClassError(Errno.ECANCELED);
    olh.change({ tag: olhTag });
  }
  if (promote && olh.entry.exists && !sameObjectKey(olh.entry.key, key)) {
    new VersionEntry(object, olh.entry.key).demote();
  }
  olh.change({ pendingRemoval: false });
}

/** One that is not there is gone already. */
export function unlinkInstance(object: MethodContext, input: UnlinkInstanceInput): void {
  const { opTag, olhTag, olhEpoch } = input;
  const key = input.key.instance === 'null' ? { ...input.key, instance: '' } : input.key;
  const version = new VersionEntry(object, key);
  if (!version.read()) return;
  const olh = new Olh(object, key);
  if (!olh.read()) {
    convertToVersioned(object, key.name, true, true);
    olh.change({ key, deleteMarker: false, tag: olhTag });
    version.becomeConverted();
  }
  if (!olh.begin(olhEpoch)) {
    version.removeListed();
    if (version.isDeleteMarker) return;
    olh.log(OlhOp.removeInstance, opTag, input.key, false, olhEpoch);
    olh.write();
    return;
  }
  if (sameObjectKey(olh.entry.key, key)) linkNext(object, olh, version, key, opTag);
  if (version.isDeleteMarker) version.remove();
  else olh.log(OlhOp.removeInstance, opTag, input.key, false);
  version.removeListed();
  olh.write();
  const { mtime } = version.entry.meta;
  logVersioned(object, input, olh.entry.epoch, { op: ModifyOp.unlinkInstance, timestamp: mtime });
}

/** The current version is about to go. */
function linkNext(object: MethodContext, olh: Olh, version: VersionEntry, { name }: ObjectKey, opTag: RawString): void {
  const nextKey = version.next();
  if (!nextKey) {
    // The name stays: by it the entry is found when it is moved to another shard.
    const key = { name, instance: '' };
    olh.change({ key, deleteMarker: false });
    olh.log(OlhOp.unlink, opTag, key, false);
    olh.change({ exists: false, pendingRemoval: true });
    return;
  }
  const next = new VersionEntry(object, nextKey);
  next.write(olh.entry.epoch, true);
  olh.change({ key: nextKey, deleteMarker: next.isDeleteMarker });
  olh.log(OlhOp.link, opTag, nextKey, next.isDeleteMarker);
}

function logVersioned(
  object: MethodContext,
  { key, opTag: tag, logOp, bilogFlags, zonesTrace }: LinkOlhInput | UnlinkInstanceInput,
  epoch: bigint,
  change: Pick<LoggedChange, 'op' | 'timestamp' | 'owner' | 'ownerDisplayName'>,
): void {
  if (!logOp) return;
  const header = readHeader(object);
  if (header.syncStopped) return;
  const version = { pool: -1n, epoch };
  const flags = bilogFlags | BILOG_VERSIONED;
  const logged = { key, tag, version, flags, zonesTrace, state: PendingState.complete, ...change };
  writeHeader(object, logChange(object, header, logged));
}

/** The OLH that a gateway means. EINVAL: a version is named. ECANCELED: it is of another head object. */
function readOlhOf(object: MethodContext, olh: ObjectKey, tag: RawString): OlhEntry {
  if (olh.instance !== '') throw new ClassError(Errno.EINVAL);
  const entry = readValue(object, olhKey(olh.name), decodeOlhEntry) ?? NO_OLH;
  if (entry.tag !== tag) throw new ClassError(Errno.ECANCELED);
  return entry;
}

export function readOlhLog(object: MethodContext, { olh, epoch, olhTag }: OlhLogInput): Bytes {
  const { pendingLog } = readOlhOf(object, olh, olhTag);
  const behind = [...pendingLog].filter(([at]) => at > epoch);
  const log = new Map(behind.slice(0, MAX_LOG_EPOCHS));
  return encodeOlhLogReply({ log, truncated: behind.length > MAX_LOG_EPOCHS });
}

export function trimOlhLog(object: MethodContext, { olh, epoch, olhTag }: OlhLogInput): void {
  const entry = readOlhOf(object, olh, olhTag);
  const pendingLog = new Map([...entry.pendingLog].filter(([at]) => at > epoch));
  writeValue(object, olhKey(olh.name), encodeOlhEntry({ ...entry, pendingLog }));
}

/** There are no versions of the name any more. */
export function clearOlh(object: MethodContext, { olh, olhTag }: ClearOlhInput): void {
  readOlhOf(object, olh, olhTag);
  object.omapRemove([olhKey(olh.name)]);
  const plain = readValue(object, olh.name, decodeDirEntry);
  if (plain && (plain.flags & EntryFlag.versionMarker) !== 0) object.omapRemove([olh.name]);
}
