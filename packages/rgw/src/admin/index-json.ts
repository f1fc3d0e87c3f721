/** Entries of buckets' indexes as radosgw-admin prints them, and as it takes them (cls_rgw_types.cc). */
import {
  type BiEntry,
  type BilogEntry,
  BiType,
  type DirEntry,
  decodeDirEntry,
  decodeOlhEntry,
  encodeDirEntry,
  encodeOlhEntry,
  type OlhEntry,
  type OlhLogEntry,
  OlhOp,
} from '@spirula/cls';
import { MalformedInput, type RawString, textFromRaw, type UTime } from '@spirula/encoding';
import { formatIsoDate } from '../s3/http-date.ts';
import { decodeStored } from '../store/meta-object.ts';
import { JsonReader } from './json-reader.ts';
import { RawName } from './json-text.ts';
import { timeText } from './user-json.ts';

const TYPE_NAMES = ['invalid', 'plain', 'instance', 'olh'];
/** RGWModifyOp, as a log tells it. */
const OP_NAMES = [
  'write',
  'del',
  'cancel',
  'invalid',
  'link_olh',
  'link_olh_del',
  'unlink_instance',
  'syncstop',
  'resync',
];
const STATE_NAMES = ['pending', 'complete'];
const OLH_OP_NAMES: ReadonlyMap<number, string> = new Map([
  [OlhOp.link, 'link_olh'],
  [OlhOp.unlink, 'unlink_olh'],
  [OlhOp.removeInstance, 'remove_instance'],
]);
const UNKNOWN_OP = 'unknown';

const text = (raw: RawString) => textFromRaw(raw);

/** rgw_bucket_dir_entry::dump */
export function dirEntryJson(entry: DirEntry) {
  const { key, version, meta } = entry;
  return {
    name: new RawName(key.name),
    instance: text(key.instance),
    ver: { pool: version.pool, epoch: version.epoch },
    locator: text(entry.locator),
    exists: String(entry.exists),
    meta: {
      category: meta.category,
      size: meta.size,
      mtime: timeText(meta.mtime),
      etag: text(meta.etag),
      storage_class: text(meta.storageClass),
      owner: text(meta.owner),
      owner_display_name: text(meta.ownerDisplayName),
      content_type: text(meta.contentType),
      accounted_size: meta.accountedSize,
      user_data: text(meta.userData),
      appendable: String(meta.appendable),
    },
    tag: text(entry.tag),
    flags: entry.flags,
    pending_map: entry.pending.map(({ tag, state, timestamp, op }) => ({
      key: text(tag),
      val: { state, timestamp: timeText(timestamp), op },
    })),
    versioned_epoch: entry.versionedEpoch,
  };
}

function olhLogEntryJson({ epoch, op, opTag, key, deleteMarker }: OlhLogEntry) {
  return {
    epoch,
    op: OLH_OP_NAMES.get(op) ?? UNKNOWN_OP,
    op_tag: text(opTag),
    key: { name: new RawName(key.name), instance: text(key.instance) },
    delete_marker: String(deleteMarker),
  };
}

/** rgw_bucket_olh_entry::dump */
function olhEntryJson(entry: OlhEntry) {
  return {
    key: { name: new RawName(entry.key.name), instance: text(entry.key.instance) },
    delete_marker: String(entry.deleteMarker),
    epoch: entry.epoch,
    pending_log: [...entry.pendingLog].map(([key, entries]) => ({ key, val: entries.map(olhLogEntryJson) })),
    tag: text(entry.tag),
    exists: String(entry.exists),
    pending_removal: String(entry.pendingRemoval),
  };
}

/** rgw_cls_bi_entry::dump. @throws RadosError EIO when it does not parse */
export function biEntryJson({ type, key, data }: BiEntry) {
  const entry =
    type === BiType.olh
      ? olhEntryJson(decodeStored(key, data, decodeOlhEntry))
      : dirEntryJson(decodeStored(key, data, decodeDirEntry));
  return { type: TYPE_NAMES[type] ?? 'invalid', idx: new RawName(key), entry };
}

/** rgw_bi_log_entry::dump. @param shard undefined: the index has one */
export function bilogEntryJson(entry: BilogEntry, shard: number | undefined) {
  const { key, timestamp, version } = entry;
  return {
    op_id: text(shard === undefined ? entry.id : `${shard}#${entry.id}`),
    op_tag: text(entry.tag),
    op: OP_NAMES[entry.op] ?? 'invalid',
    object: new RawName(key.name),
    instance: text(key.instance),
    state: STATE_NAMES[entry.state] ?? 'invalid',
    index_ver: entry.indexVersion,
    timestamp: exactTime(timestamp),
    ver: { pool: version.pool, epoch: version.epoch },
    bilog_flags: entry.flags,
    versioned: (entry.flags & 1) !== 0,
    owner: text(entry.owner),
    owner_display_name: text(entry.ownerDisplayName),
    zones_trace: entry.zonesTrace.map((each) => ({ entry: String(each) })),
  };
}

/** `2026-12-01T02:12:33.369070213Z` */
function exactTime(time: UTime): string {
  return formatIsoDate(time).replace(/\.\d+Z$/, `.${String(time.nsec).padStart(9, '0')}Z`);
}

/** BIIndexType by name. Undefined: there is none. */
export function biTypeOf(name: string): number | undefined {
  const type = TYPE_NAMES.indexOf(name);
  return type <= 0 ? undefined : type;
}

/** What `bi get` prints, as `bi put` takes it. @throws MalformedInput */
export function parseBiEntry(document: unknown): BiEntry {
  const json = new JsonReader(document);
  const type = biTypeOf(json.raw('type'));
  if (type === undefined) throw new MalformedInput('type', 0, 'is none of plain, instance, olh');
  const key = json.raw('idx');
  const entry = json.object('entry');
  return {
    type,
    key,
    data: type === BiType.olh ? encodeOlhEntry(olhOf(entry)) : encodeDirEntry(dirEntryOf(entry)),
  };
}

function dirEntryOf(json: JsonReader): DirEntry {
  const [version, meta] = [json.object('ver'), json.object('meta')];
  return {
    key: { name: json.raw('name'), instance: json.raw('instance', '') },
    version: { pool: version.integer('pool'), epoch: version.integer('epoch') },
    locator: json.raw('locator', ''),
    exists: json.flag('exists'),
    meta: {
      category: Number(meta.integer('category')),
      size: meta.integer('size'),
      mtime: meta.time('mtime'),
      etag: meta.raw('etag', ''),
      storageClass: meta.raw('storage_class', ''),
      owner: meta.raw('owner', ''),
      ownerDisplayName: meta.raw('owner_display_name', ''),
      contentType: meta.raw('content_type', ''),
      accountedSize: meta.integer('accounted_size'),
      userData: meta.raw('user_data', ''),
      appendable: meta.flag('appendable', false),
    },
    pending: json.list('pending_map').map((item) => {
      const value = item.object('val');
      return {
        tag: item.raw('key'),
        state: Number(value.integer('state')),
        timestamp: value.time('timestamp'),
        op: Number(value.integer('op')),
      };
    }),
    indexVersion: 0n,
    tag: json.raw('tag', ''),
    flags: Number(json.integer('flags')),
    versionedEpoch: json.integer('versioned_epoch', 0n),
  };
}

function olhOf(json: JsonReader): OlhEntry {
  const keyOf = (from: JsonReader) => ({ name: from.raw('name'), instance: from.raw('instance', '') });
  const opOf = (name: string) => [...OLH_OP_NAMES].find(([, each]) => each === name)?.[0] ?? OlhOp.unknown;
  const log = json.list('pending_log').map((item) => {
    const entries = item.list('val').map((each) => ({
      epoch: each.integer('epoch'),
      op: opOf(each.raw('op')),
      opTag: each.raw('op_tag'),
      key: keyOf(each.object('key')),
      deleteMarker: each.flag('delete_marker'),
    }));
    return [item.integer('key'), entries] as const;
  });
  return {
    key: keyOf(json.object('key')),
    deleteMarker: json.flag('delete_marker'),
    epoch: json.integer('epoch'),
    pendingLog: new Map(log),
    tag: json.raw('tag', ''),
    exists: json.flag('exists'),
    pendingRemoval: json.flag('pending_removal', false),
  };
}
