/** Commands of radosgw-admin about entries of buckets' indexes, and about their logs. */
import { BiType } from '@spirula/cls';
import { MalformedInput, type RawString, rawFromText, textFromRaw } from '@spirula/encoding';
import type { BucketInfo } from '../formats/bucket-info.ts';
import type { ObjectKey } from '../formats/object.ts';
import { indexHeaders } from '../store/bucket-index.ts';
import { keyOfIndex } from '../store/layout.ts';
import { RawIndex } from '../store/raw-index.ts';
import type { Admin, CommandTable } from './admin.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { type AdminOptions, entriesOf, namedBucket, requireObject, shardGiven } from './command-options.ts';
import { biEntryJson, bilogEntryJson, biTypeOf, parseBiEntry } from './index-json.ts';
import { parseJsonBytes } from './json-reader.ts';
import { instanceOf } from './named-instance.ts';

interface Opened {
  readonly info: BucketInfo;
  readonly index: RawIndex;
}

export const indexCommands: CommandTable = {
  'bi list': async (admin, options) => {
    const { index } = await open(admin, options, 'ERROR: bucket name not specified');
    const name = rawFromText(options.get('object') ?? '');
    const entries: unknown[] = [];
    for (const shard of shardsOf(index, options)) {
      for await (const entry of index.list(shard, name)) entries.push(biEntryJson(entry));
    }
    return entries;
  },
  'bi get': async (admin, options) => {
    const { index } = await open(admin, options, 'ERROR: bucket name not specified');
    requireObject(options);
    const type = biTypeOf(options.get('index-type') ?? 'plain');
    if (type === undefined) throw new AdminError(AdminCode.EINVAL, 'ERROR: invalid bucket index entry type');
    const entry = await index.get(keyOf(options), type);
    if (!entry) throw new AdminError(AdminCode.ENOENT, 'ERROR: bi_get(): (2) No such file or directory');
    return biEntryJson(entry);
  },
  'bi put': async (admin, options) => {
    const { index } = await open(admin, options, 'ERROR: bucket name not specified');
    let entry: ReturnType<typeof parseBiEntry>;
    try {
      entry = parseBiEntry(parseJsonBytes(await admin.readInput(options)));
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      throw new AdminError(1, 'failed to parse JSON', error.message);
    }
    await index.put(options.has('object') ? keyOf(options) : nameOfEntry(entry.key), entry);
  },
  'bi purge': async (admin, options) => {
    const { info, index } = await open(admin, options, 'ERROR: bucket name not specified');
    const current = await admin.buckets.require(...nameOf(options));
    const isCurrent = current.info.bucket.bucketId === info.bucket.bucketId;
    if (isCurrent && !options.has('yes-i-really-mean-it')) {
      const why = 'specified bucket instance points to a current bucket instance';
      throw new AdminError(AdminCode.EINVAL, `${why}\ndo you really mean it? (requires --yes-i-really-mean-it)`);
    }
    await index.purge();
  },
  'bilog list': async (admin, options) => {
    const { index } = await open(admin, options);
    const { shard: markedShard, id } = parseMarker(options.get('marker') ?? '');
    const max = entriesOf(options, 1000);
    const entries: unknown[] = [];
    for (const shard of shardsOf(index, options)) {
      if (shard < (markedShard ?? 0)) continue;
      const after = markedShard === undefined || shard === markedShard ? id : '';
      for await (const entry of index.log(shard, after)) {
        if (entries.length >= max) return entries;
        entries.push(bilogEntryJson(entry, index.isSharded ? shard : undefined));
      }
    }
    return entries;
  },
  'bilog trim': async (admin, options) => {
    const { index } = await open(admin, options);
    const start = parseMarker(options.get('start-marker') ?? '');
    const end = parseMarker(options.get('end-marker') ?? '');
    for (const shard of shardsOf(index, options)) {
      const isMeant = (marked: number | undefined) => marked === undefined || marked === shard;
      if (isMeant(start.shard) && isMeant(end.shard)) await index.trimLog(shard, start.id, end.id);
    }
  },
  'bilog status': async (admin, options) => {
    const { info } = await open(admin, options);
    const headers = await indexHeaders(admin.store.zone.placement(info.placement).index, info);
    return { markers: headers.map(({ maxMarker }, key) => ({ key, val: textFromRaw(maxMarker) })) };
  },
  // There is no other zone that could have read it: nothing is trimmed by itself.
  'bilog autotrim': async () => undefined,
  'olh readlog': async (admin, options) => {
    const { index } = await open(admin, options);
    requireObject(options);
    const key = keyOf(options);
    const olh = await index.get(key, BiType.olh);
    if (!olh) return { is_truncated: 'false', log: [] };
    const { entry } = biEntryJson(olh) as { readonly entry: { readonly pending_log?: unknown } };
    return { is_truncated: 'false', log: entry.pending_log ?? [] };
  },
};

async function open(admin: Admin, options: AdminOptions, missing = 'ERROR: bucket not specified'): Promise<Opened> {
  if (namedBucket(options).name === '') throw new AdminError(AdminCode.EINVAL, missing);
  const { info } = await instanceOf(admin, options);
  return { info, index: new RawIndex(admin.store.zone.placement(info.placement).index, info) };
}

function nameOf(options: AdminOptions): [tenant: RawString, name: RawString] {
  const { tenant, name } = namedBucket(options);
  return [tenant, name];
}

function keyOf(options: AdminOptions): ObjectKey {
  const raw = (name: string) => rawFromText(options.get(name) ?? '');
  return keyOfIndex({ name: raw('object'), instance: raw('object-version') });
}

/** Of an omap key of the index. */
function nameOfEntry(key: RawString): ObjectKey {
  const name = key.replace(/^\x80\d+_/, '').split('\0', 1)[0]!;
  return keyOfIndex({ name, instance: '' });
}

function shardsOf(index: RawIndex, options: AdminOptions): number[] {
  const given = shardGiven(options);
  const all = Array.from({ length: index.shards }, (_, shard) => shard);
  return given === undefined || !index.isSharded ? all : all.filter((shard) => shard === given);
}

/** `SHARD#ID`, or an id. */
function parseMarker(text: string): { readonly shard: number | undefined; readonly id: RawString } {
  const match = /^(\d+)#(.*)$/s.exec(text);
  return match ? { shard: Number(match[1]), id: rawFromText(match[2]!) } : { shard: undefined, id: rawFromText(text) };
}
