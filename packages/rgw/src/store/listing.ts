/**
 * The objects of a bucket in the order of their names: the shards of its index merged (RGWRados::Bucket::List,
 * cls_bucket_list_ordered).
 */
import { type DirEntry, EntryFlag, type EntryMeta, isVisible, SuggestedOp, type Suggestion } from '@spirula/cls';
import type { RawString } from '@spirula/encoding';
import { decodeAcl } from '../formats/acl.ts';
import { type BucketInfo, isVersioned } from '../formats/bucket-info.ts';
import { decoded } from '../formats/encoded.ts';
import { entryMetaOf } from './head-write.ts';
import { keyToIndexName, NULL_INSTANCE, oidToKey } from './layout.ts';
import { Attr } from './object-attrs.ts';
import { IndexMoved, isAnnounced, type ObjectIndex } from './object-index.ts';
import type { ObjectStore } from './objects.ts';

export interface ListedObject {
  readonly kind: 'object';
  /** Without namespace. */
  readonly name: RawString;
  readonly meta: EntryMeta;
}

/** Names up to a delimiter. */
interface ListedPrefix {
  readonly kind: 'prefix';
  readonly name: RawString;
}

export type Listed = ListedObject | ListedPrefix;

export interface ListQuery {
  readonly prefix: RawString;
  /** '': none. */
  readonly delimiter: RawString;
  /** Names behind this one. */
  readonly after: RawString;
  readonly ns: RawString;
  /** Of a page: how many are wanted about. */
  readonly hint: number;
  /** All versions, delete markers too; without, current ones. `after`: of the name behind which it begins, those behind this one. */
  readonly versions?: { readonly after: RawString };
}

/** rgw_list_bucket_min_readahead */
const MIN_PAGE = 64;
const MAX_PAGE = 1000;
/** Behind everything that begins like what it is put to: UTF-8 has no such byte. */
const BEHIND = '\xff';

/** All that is listed, as it is asked for; pages are read as large as `hint` makes sensible. */
export async function* listObjects(store: ObjectStore, bucket: BucketInfo, query: ListQuery): AsyncGenerator<Listed> {
  const { prefix, delimiter, ns } = query;
  let common: RawString | undefined;
  for await (const { name, meta } of mergeShards(store, bucket, query)) {
    const key = oidToKey(name);
    if (!key || key.ns !== ns || !key.name.startsWith(prefix)) continue;
    if (common !== undefined && key.name.startsWith(common)) continue;
    const at = delimiter === '' ? -1 : key.name.indexOf(delimiter, prefix.length);
    if (at >= 0) {
      common = key.name.slice(0, at + delimiter.length);
      if (common > query.after) yield { kind: 'prefix', name: common };
    } else if (key.name > query.after && meta) {
      yield { kind: 'object', name: key.name, meta };
    }
  }
}

/** Undefined `meta`: a common prefix that a shard made. */
interface MergedEntry {
  /** As the index has it, namespace in front. */
  readonly name: RawString;
  readonly instance: RawString;
  readonly flags: number;
  readonly meta: EntryMeta | undefined;
}

/** Entries of all shards in the order of their names, from where the query begins; also when the index moves meanwhile. */
export async function* mergeShards(
  store: ObjectStore,
  bucket: BucketInfo,
  query: ListQuery,
): AsyncGenerator<MergedEntry> {
  const index = store.index(bucket);
  const given = new Given();
  for (;;) {
    try {
      for await (const entry of mergeOnce(store, bucket, index, query, given.name)) yield* given.next(entry);
      yield* given.end();
      return;
    } catch (error) {
      if (!(error instanceof IndexMoved)) throw error;
      given.again();
    }
  }
}

/** What a listing has given, so that it can begin anew at the name given last: of that no version twice, nor one newer than those. */
class Given {
  #name: RawString | undefined;
  readonly #instances = new Set<RawString>();
  /** Versions of the name, newer than those that were given: of interest if those are no more. */
  #newer: MergedEntry[] | undefined;

  get name(): RawString | undefined {
    return this.#name;
  }

  *next(entry: MergedEntry): Generator<MergedEntry> {
    if (entry.name !== this.#name) {
      yield* this.end();
      this.#name = entry.name;
      this.#instances.clear();
    } else if (this.#instances.has(entry.instance)) {
      this.#newer = undefined;
      return;
    } else if (this.#newer) {
      this.#newer.push(entry);
      return;
    }
    this.#instances.add(entry.instance);
    yield entry;
  }

  *end(): Generator<MergedEntry> {
    const newer = this.#newer ?? [];
    this.#newer = undefined;
    yield* newer;
  }

  again(): void {
    if (this.#name !== undefined) this.#newer = [];
  }
}

/** @param from the first name, as the index has it; undefined: as the query says. @throws IndexMoved */
async function* mergeOnce(
  store: ObjectStore,
  bucket: BucketInfo,
  index: ObjectIndex,
  query: ListQuery,
  from: RawString | undefined,
): AsyncGenerator<MergedEntry> {
  const cursors = Array.from(
    { length: index.shards },
    (_, shard) => new ShardCursor(store, bucket, index, shard, query, from),
  );
  await Promise.all(cursors.map((cursor) => cursor.fill()));
  for (;;) {
    let first: ShardCursor | undefined;
    for (const cursor of cursors) {
      if (cursor.current && (!first?.current || cursor.current.name < first.current.name)) first = cursor;
    }
    if (!first?.current) return;
    yield first.current;
    if (!first.advance()) await first.fill();
  }
}

/** Where the listing of one shard is. */
class ShardCursor {
  readonly #store: ObjectStore;
  readonly #bucket: BucketInfo;
  readonly #index: ObjectIndex;
  readonly #shard: number;
  readonly #prefix: RawString;
  readonly #delimiter: RawString;
  readonly #pageSize: number;
  readonly #listVersions: boolean;
  #start: { readonly name: RawString; readonly instance: RawString };
  #page: readonly MergedEntry[] = [];
  #at = 0;
  #more = true;

  /** @param from behind this name, as the index has it, but with all its versions; undefined: as the query says */
  constructor(
    store: ObjectStore,
    bucket: BucketInfo,
    index: ObjectIndex,
    shard: number,
    query: ListQuery,
    from: RawString | undefined,
  ) {
    this.#store = store;
    this.#bucket = bucket;
    this.#index = index;
    this.#shard = shard;
    const inIndex = (name: RawString) =>
      name === '' && query.ns === '' ? '' : keyToIndexName({ name, instance: '', ns: query.ns });
    this.#prefix = inIndex(query.prefix);
    // The class sees names with what escapes and namespaces put in front of them: there a `_` delimits nothing.
    this.#delimiter = query.delimiter.startsWith('_') || query.ns !== '' ? '' : query.delimiter;
    this.#listVersions = query.versions !== undefined;
    const start = startOf(query, inIndex);
    const version = query.versions?.after ?? '';
    const isVersion = version !== '' && query.after !== '' && start === inIndex(query.after);
    // The class does not find a delete marker of version null: all of the name is listed then.
    this.#start =
      from === undefined
        ? { name: start, instance: isVersion && version !== NULL_INSTANCE ? version : '' }
        : { name: from, instance: '' };
    const fair = Math.ceil(query.hint / index.shards);
    this.#pageSize = Math.min(MAX_PAGE, Math.max(MIN_PAGE, fair + Math.ceil(Math.sqrt(2 * fair))));
  }

  get current(): MergedEntry | undefined {
    return this.#page[this.#at];
  }

  /** False: the page is over, `fill` gets the next. */
  advance(): boolean {
    this.#at += 1;
    return this.#at < this.#page.length;
  }

  async fill(): Promise<void> {
    this.#page = [];
    this.#at = 0;
    while (this.#more && this.#page.length === 0) {
      const { entries, truncated, marker } = await this.#index.listShard(this.#shard, {
        start: this.#start,
        max: this.#pageSize,
        prefix: this.#prefix,
        delimiter: this.#delimiter,
        listVersions: this.#listVersions,
      });
      this.#more = truncated;
      this.#start = marker;
      this.#page = await this.#settle([...entries.values()]);
    }
  }

  /** Entries whose changes were announced and not told are what their heads say; the index is told so. */
  async #settle(entries: readonly DirEntry[]): Promise<MergedEntry[]> {
    const suggestions: Suggestion[] = [];
    const settled = await Promise.all(
      entries.map(async (entry): Promise<MergedEntry | undefined> => {
        if ((entry.flags & EntryFlag.commonPrefix) !== 0) return mergedEntry(entry, undefined);
        if (!this.#listVersions && !isVisible(entry)) return undefined;
        // What was linked is there, and its meta data with it.
        if ((entry.flags & EntryFlag.version) !== 0 || !isAnnounced(entry)) return mergedEntry(entry, entry.meta);
        return await this.#lookAtHead(entry, suggestions);
      }),
    );
    if (isVersioned(this.#bucket)) {
      for (const suggestion of suggestions) await this.#index.suggestUnchanged(this.#shard, suggestion);
    } else if (suggestions.length > 0) {
      await this.#index.suggest(this.#shard, suggestions);
    }
    return settled.filter((entry) => entry !== undefined);
  }

  async #lookAtHead(entry: DirEntry, suggestions: Suggestion[]): Promise<MergedEntry | undefined> {
    const key = oidToKey(entry.key.name);
    // An upload's bookkeeping is in another pool, and settled by the upload.
    if (key?.ns !== '') return entry.exists ? mergedEntry(entry, entry.meta) : undefined;
    const { found } = await this.#store.lookAtAny(this.#bucket, { ...key, instance: entry.key.instance });
    if (!found) {
      suggestions.push({ op: SuggestedOp.remove, entry });
      return undefined;
    }
    const acl = found.head.attrs.get(Attr.acl);
    const meta = entryMetaOf(found.head, acl && decoded(decodeAcl, acl));
    const version = { pool: BigInt(this.#store.dataPoolOf(this.#bucket)), epoch: BigInt(found.head.version) };
    suggestions.push({ op: SuggestedOp.update, entry: { ...entry, exists: true, meta, version, pending: [] } });
    return mergedEntry(entry, meta);
  }
}

function mergedEntry({ key, flags }: DirEntry, meta: EntryMeta | undefined): MergedEntry {
  return { name: key.name, instance: key.instance, flags, meta };
}

/** A listing goes on behind a name, or behind all names of the common prefix that it is. */
function startOf({ after, prefix, delimiter }: ListQuery, inIndex: (name: RawString) => RawString): RawString {
  if (after === '' || after < prefix) return '';
  const isCommonPrefix = delimiter !== '' && after.startsWith(prefix) && after.endsWith(delimiter);
  const begun = isCommonPrefix && after.indexOf(delimiter, prefix.length) === after.length - delimiter.length;
  return begun ? inIndex(after) + BEHIND : inIndex(after);
}
