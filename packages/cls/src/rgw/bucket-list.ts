/** bucket_list: what listings of a bucket show, and how the sums of its entries are checked (rgw_bucket_list, check_index). */
import { type Bytes, Decoder, Errno, type RawString } from '@spirula/encoding';
import type { MethodContext, OmapPage } from '../method-context.ts';
import { ClassError, MethodFlag, type MethodOutcome, rawMethod } from '../object-class.ts';
import { decodeListInput, encodeCheckIndexReply, encodeListReply, type ListInput } from './bucket-codec.ts';
import { decodeListed, listPlain, readHeader, readValue, writeHeader } from './bucket-index.ts';
import { type DirEntry, decodeDirEntry, EntryFlag, isVisible, NO_ENTRY } from './dir-entry.ts';
import { accountEntry, type BucketStats, type DirHeader, NO_DIR_HEADER } from './dir-header.ts';
import { INSTANCE_PREFIX, instanceKey, listKey, parseListKey } from './index-key.ts';
import { NO_OBJECT_KEY, type ObjectKey } from './object-key.ts';

/** So many pages are read at most, so that a listing that finds nothing to show ends. */
const MAX_PAGES = 8;
/** Entries that are counted at a time. */
const COUNT_PAGE = 1000;

interface Found {
  readonly entries: ReadonlyMap<RawString, DirEntry>;
  readonly truncated: boolean;
  readonly marker: ObjectKey;
}

/** EFBIG, with an answer: nothing to show so far, go on from its marker. */
export const bucketList = rawMethod(MethodFlag.read, (object, input): MethodOutcome => {
  const asked = decodeListInput(new Decoder(input));
  const header = readHeader(object);
  const found = asked.max === 0 ? NOTHING_FOUND : list(object, asked);
  const code = found.truncated && found.entries.size === 0 ? Errno.EFBIG : 0;
  return { code, output: encodeListReply({ header, ...found }) };
});

const NOTHING_FOUND: Found = { entries: new Map(), truncated: false, marker: NO_OBJECT_KEY };

function list(object: MethodContext, asked: ListInput): Found {
  const { max, prefix, delimiter } = asked;
  const found = new Map<RawString, DirEntry>();
  let after = startOf(object, asked.start);
  if (delimiter !== '' && after > prefix && after.endsWith(delimiter)) after = afterDelimiter(after);
  let marker = NO_OBJECT_KEY;
  let lastCommon: RawString = '';
  let [more, done] = [true, false];

  for (let pages = 0; pages < MAX_PAGES && more && !done && found.size < max; pages++) {
    const page = listPlain(object, after, prefix, max - found.size);
    more = page.more;
    done = page.entries.size === 0;
    let skipTo: RawString = '';
    for (const [key, value] of page.entries) {
      if (key < skipTo) continue;
      const entry = decodeListed(value);
      after = key;
      marker = entry.key;
      const shown = shownName(key, entry, asked);
      if (shown === undefined) continue;
      const at = delimiter === '' ? -1 : shown.indexOf(delimiter, prefix.length);
      if (at < 0 || prefix.length > shown.length) {
        if (found.size < max) found.set(key, entry);
        continue;
      }
      const common = shown.slice(0, at + delimiter.length);
      if (common === lastCommon) continue;
      lastCommon = common;
      if (found.size < max) found.set(common, commonPrefix(common));
      // All that has this prefix is passed over, in this page and in the next.
      after = skipTo = afterDelimiter(common);
      marker = { name: after, instance: '' };
    }
  }
  const truncated = more && !done;
  return { entries: sorted(found), truncated, marker: truncated ? marker : NO_OBJECT_KEY };
}

/** Behind which key a listing begins (encode_list_index_key). A version that is not there is taken for its object's last. */
function startOf(object: MethodContext, start: ObjectKey): RawString {
  if (start.instance === '') return start.name;
  try {
    const key = start.instance === 'null' ? { ...start, instance: '' } : start;
    const entry = readValue(object, instanceKey(key), decodeDirEntry);
    return entry ? listKey(entry) : `${start.name}\x01`;
  } catch (error) {
    // 16.2.15 begins with the first entry when that of the version does not parse.
    if (error instanceof ClassError) return '';
    throw error;
  }
}

/** The name of an entry that is to be shown. */
function shownName(key: RawString, entry: DirEntry, { start, listVersions }: ListInput): RawString | undefined {
  const parsed = parseListKey(key);
  if (!parsed || (entry.flags & EntryFlag.versionMarker) !== 0) return undefined;
  // Versions of the name that a listing of current ones starts behind are of the page before.
  if (!listVersions && (!isVisible(entry) || start.name === parsed.name)) return undefined;
  return parsed.name;
}

/** Behind everything that has this prefix: no UTF-8 text has a byte \xff. */
function afterDelimiter(prefix: RawString): RawString {
  return `${prefix}\xff`;
}

function commonPrefix(name: RawString): DirEntry {
  return { ...NO_ENTRY, key: { name, instance: '' }, flags: EntryFlag.commonPrefix };
}

function sorted(entries: ReadonlyMap<RawString, DirEntry>): ReadonlyMap<RawString, DirEntry> {
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The sums of all objects and versions that exist. A version counts where it is kept, not where listings meet it. */
function countEntries(object: MethodContext): BucketStats {
  const plain = countPages((after) => listPlain(object, after, '', COUNT_PAGE), '', new Map(), isUnversioned);
  const versions = (after: RawString) => object.omapList({ after, prefix: INSTANCE_PREFIX, max: COUNT_PAGE });
  return countPages(versions, INSTANCE_PREFIX, plain, () => true);
}

function isUnversioned({ flags }: DirEntry): boolean {
  return flags === 0;
}

function countPages(
  read: (after: RawString) => OmapPage,
  start: RawString,
  given: BucketStats,
  isCounted: (entry: DirEntry) => boolean,
): BucketStats {
  let [stats, after, more] = [given, start, true];
  while (more) {
    const page = read(after);
    for (const [key, value] of page.entries) {
      const entry = decodeListed(value, Errno.EIO);
      if (entry.exists && isCounted(entry)) stats = accountEntry(stats, entry.meta, 1n);
      after = key;
    }
    more = page.more && page.entries.size > 0;
  }
  return stats;
}

function calculated(object: MethodContext, existing: DirHeader): DirHeader {
  const { tagTimeout, version, syncStopped } = existing;
  return { ...NO_DIR_HEADER, tagTimeout, version, syncStopped, stats: countEntries(object) };
}

export function checkIndex(object: MethodContext): Bytes {
  const existing = readHeader(object);
  return encodeCheckIndexReply({ existing, calculated: calculated(object, existing) });
}

export function rebuildIndex(object: MethodContext): void {
  writeHeader(object, calculated(object, readHeader(object)));
}
