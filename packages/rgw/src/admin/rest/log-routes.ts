/** `/admin/log` and `/admin/config` (rgw_rest_log.cc, rgw_rest_config.cc): what other zones would ask; of one zone there is little. */
import { textFromRaw } from '@spirula/encoding';
import { indexHeaders } from '../../store/bucket-index.ts';
import type { StoredBucket } from '../../store/buckets.ts';
import { RawIndex } from '../../store/raw-index.ts';
import { perShard } from '../bucket-admin.ts';
import { list, type Node } from '../document.ts';
import { bilogEntryJson } from '../index-json.ts';
import { RawName } from '../json-text.ts';
import { instanceOfKey } from '../metadata-admin.ts';
import { zoneJson } from '../zone-json.ts';
import { RestError } from './rest-error.ts';
import {
  answer,
  numberArg,
  type RestAnswer,
  type RestContext,
  type RestRoute,
  rawArg,
  textArg,
} from './rest-request.ts';

/** rgw_data_log_num_shards */
const DATA_LOG_SHARDS = 128n;
const MAX_ENTRIES = 1000n;

interface NamedIndex {
  readonly bucket: StoredBucket;
  readonly index: RawIndex;
  readonly shards: readonly number[];
}

const config: RestRoute = {
  cap: ['zone', 'read'],
  async run(context) {
    if (textArg(context, 'type') !== 'zone') throw new RestError('NoSuchKey', 'There is only type=zone');
    return answer('zone_params', nodeOf(zoneJson(context.admin.store.zone.params)));
  },
};

/** By `type`; what is told, what it needs. */
const kinds: Readonly<Record<string, { readonly cap: string; read(context: RestContext): Promise<RestAnswer> }>> = {
  metadata: {
    cap: 'mdlog',
    async read(context) {
      if (textArg(context, 'id') !== undefined) throw new RestError('InvalidArgument', 'There is no period');
      throw new RestError('NoSuchKey', 'There is no period');
    },
  },
  data: {
    cap: 'datalog',
    async read(context) {
      if (context.params.has('status')) throw new RestError('NoSuchKey', 'Nothing is synced');
      const id = numberArg(context, 'id');
      if (id === undefined) return answer('num_objects', { num_objects: Number(DATA_LOG_SHARDS) });
      if (id < 0n || id >= DATA_LOG_SHARDS) throw new RestError('InvalidArgument', 'There is no such shard');
      if (context.params.has('info')) return answer('info', { marker: '', last_update: '0.000000' });
      return answer('log_entries', { marker: '', truncated: false, entries: list('entry', []) });
    },
  },
  'bucket-index': {
    cap: 'bilog',
    async read(context) {
      if (context.params.has('status')) throw new RestError('NoSuchKey', 'Nothing is synced');
      const found = await findIndex(context);
      return context.params.has('info') ? await bilogInfo(context, found) : await bilogEntries(context, found);
    },
  },
};

const readLog: RestRoute = {
  cap: (params) => [kindOf(params).cap, 'read'],
  run: (context) => kindOf(context.params).read(context),
};

const trimLog: RestRoute = {
  cap: (params) => [kindOf(params).cap, 'write'],
  async run(context) {
    if (kindOf(context.params) !== kinds['bucket-index'])
      throw new RestError('InvalidArgument', 'Nothing is logged that could be trimmed');
    const [start, end] = [rawArg(context, 'start-marker') ?? '', rawArg(context, 'end-marker') ?? ''];
    if (end === '') throw new RestError('InvalidArgument', 'end-marker is missing');
    const { index, shards } = await findIndex(context);
    for (const shard of shards) {
      const [from, to] = [ofShard(start, shard), ofShard(end, shard)];
      if (from !== undefined && to !== undefined) await index.trimLog(shard, from, to);
    }
    return undefined;
  },
};

export const configRoutes = { GET: { '': config } } as const;
export const logRoutes = { GET: { '': readLog }, DELETE: { '': trimLog } } as const;

/** @throws RestError MethodNotAllowed */
function kindOf(params: RestContext['params']) {
  const kind = kinds[params.get('type') ?? ''];
  if (!kind) throw new RestError('MethodNotAllowed', 'type is none of metadata, data, bucket-index');
  return kind;
}

/** `bucket-instance`: `[tenant/]name:id[:shard]`. @throws RestError InvalidArgument, NoSuchKey */
async function findIndex(context: RestContext): Promise<NamedIndex> {
  const { store } = context.admin;
  const given = rawArg(context, 'bucket-instance') ?? '';
  const [name = '', id = '', shardText] = given.split(':');
  if (name === '' || id === '') throw new RestError('InvalidArgument', 'bucket-instance is missing');
  const bucket = await store.buckets.loadInstance(instanceOfKey(`${name}:${id}`));
  if (!bucket) throw new RestError('NoSuchKey', 'There is no such bucket');
  const index = new RawIndex(store.zone.placement(bucket.info.placement).index, bucket.info);
  const all = Array.from({ length: index.shards }, (_, shard) => shard);
  return { bucket, index, shards: shardText === undefined ? all : all.filter((shard) => String(shard) === shardText) };
}

async function bilogEntries(context: RestContext, { index, shards }: NamedIndex): Promise<RestAnswer> {
  const most = Number(numberArg(context, 'max-entries') ?? MAX_ENTRIES);
  const marker = rawArg(context, 'marker') ?? '';
  const entries: Node[] = [];
  for (const shard of shards) {
    const after = ofShard(marker, shard);
    if (after === undefined) continue;
    for await (const entry of index.log(shard, after)) {
      if (entries.length >= most) return answer('entries', list('entry', entries));
      entries.push(nodeOf(bilogEntryJson(entry, index.isSharded ? shard : undefined)));
    }
  }
  return answer('entries', list('entry', entries));
}

async function bilogInfo(context: RestContext, { bucket: { info }, shards }: NamedIndex): Promise<RestAnswer> {
  const headers = await indexHeaders(context.admin.store.zone.placement(info.placement).index, info);
  const asked = shards.map((shard) => [shard, headers[shard]!] as const);
  const one = asked.length === 1 ? asked[0]![1] : undefined;
  return answer('info', {
    bucket_ver: perShard(asked, ({ version }) => version),
    master_ver: perShard(asked, ({ masterVersion }) => masterVersion),
    max_marker: one ? textFromRaw(one.maxMarker) : perShard(asked, ({ maxMarker }) => maxMarker),
    syncstopped: String(asked.some(([, { syncStopped }]) => syncStopped)),
  });
}

/** `SHARD#ID` begins in its shard; an id means each. Undefined: it is behind this shard. */
function ofShard(marker: string, shard: number): string | undefined {
  const match = /^(\d+)#(.*)$/s.exec(marker);
  if (!match) return marker;
  const marked = Number(match[1]);
  return marked === shard ? match[2]! : marked < shard ? '' : undefined;
}

/** What radosgw-admin prints, as a document for here. */
function nodeOf(value: unknown): Node {
  if (value instanceof RawName) return textFromRaw(value.raw);
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return list('entry', value.map(nodeOf));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, nodeOf(member)]));
  }
  return value as string | number | boolean;
}
