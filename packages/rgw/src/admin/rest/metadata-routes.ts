/** `/admin/metadata` (rgw_rest_metadata.cc): which users and buckets there are, and what is stored of each. */
import { base64 } from '@scure/base';
import { type RawString, rawFromBytes, textFromRaw, utf8 } from '@spirula/encoding';
import { formatUserId, parseUserId } from '../../formats/user-id.ts';
import { list, type Node } from '../document.ts';
import { timeText } from '../user-json.ts';
import { pageOf } from './pages.ts';
import { RestError } from './rest-error.ts';
import { answer, numberArg, type RestContext, type RestRoute, rawArg } from './rest-request.ts';
import { metadataUserNode } from './user-document.ts';

/** What is stored of one, with who changed it last; undefined: there is none. */
interface Entry {
  readonly version: { readonly ver: bigint; readonly tag: RawString };
  readonly modified: Parameters<typeof timeText>[0];
  readonly data: Node;
}

interface Section {
  names(context: RestContext): Promise<RawString[]>;
  find?(context: RestContext, key: RawString): Promise<Entry | undefined>;
}

const sections: Readonly<Record<string, Section>> = {
  bucket: {
    names: ({ admin }) => collect(admin.store.buckets.list()),
    async find({ admin }, key) {
      const slash = key.indexOf('/');
      const found = await admin.store.buckets.loadEntryPoint(
        slash < 0 ? '' : key.slice(0, slash),
        key.slice(slash + 1),
      );
      if (!found) return undefined;
      const { bucket, owner, created, linked } = found.entryPoint;
      const pool = (which: 'data' | 'dataExtra' | 'index') => textFromRaw(bucket.explicitPlacement?.[which].name ?? '');
      return {
        version: found.version,
        modified: found.modified,
        data: {
          bucket: {
            name: textFromRaw(bucket.name),
            marker: bucket.marker,
            bucket_id: bucket.bucketId,
            tenant: textFromRaw(bucket.tenant),
            explicit_placement: {
              data_pool: pool('data'),
              data_extra_pool: pool('dataExtra'),
              index_pool: pool('index'),
            },
          },
          owner: textFromRaw(formatUserId(owner)),
          creation_time: timeText(created),
          linked: String(linked),
          has_bucket_info: 'false',
        },
      };
    },
  },
  'bucket.instance': { names: ({ admin }) => collect(admin.store.buckets.listInstances()) },
  /** One-time passwords: nothing here makes one. */
  otp: { names: async () => [] },
  user: {
    async names({ admin }) {
      return (await collect(admin.store.users.list())).map(formatUserId);
    },
    async find({ admin }, key) {
      const user = await admin.store.users.load(parseUserId(key));
      return user && { version: user.version, modified: user.modified, data: metadataUserNode(user) };
    },
  },
};

export const metadata: RestRoute = {
  cap: ['metadata', 'read'],
  async run(context) {
    const { section: name } = context;
    if (name === '') return answer('keys', list('key', Object.keys(sections)));
    const section = sections[name];
    if (!section) throw new RestError('NoSuchKey', 'There is no such kind of metadata');
    const key = context.params.has('myself') ? formatUserId(context.caller.id) : rawArg(context, 'key');
    if (key !== undefined) return await one(context, name, section, key);
    const most = numberArg(context, 'max-entries');
    const names = await section.names(context);
    if (most === undefined) return answer('keys', list('key', pageOf(names, '', BigInt(names.length)).keys));
    const page = pageOf(names, markerOf(context), most);
    return answer('result', {
      keys: list('key', page.keys),
      truncated: String(page.truncated),
      count: page.keys.length,
      ...(page.marker !== undefined && { marker: base64.encode(utf8(page.marker)) }),
    });
  },
};

async function one(context: RestContext, name: string, section: Section, key: RawString) {
  if (!section.find) throw new RestError('NotImplemented', `What is stored of a ${name} is not told`);
  const found = await section.find(context, key);
  if (!found) throw new RestError('NoSuchKey', `There is no such ${name}`);
  const { version, modified, data } = found;
  return answer('metadata_info', {
    key: `${name}:${textFromRaw(key)}`,
    ver: { tag: textFromRaw(version.tag), ver: Number(version.ver) },
    mtime: timeText(modified),
    data,
  });
}

/** Undone from base64; what is not base64 begins at the first. */
function markerOf(context: RestContext): RawString {
  try {
    return rawFromBytes(base64.decode(rawArg(context, 'marker') ?? ''));
  } catch {
    return '';
  }
}

async function collect<T>(found: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of found) all.push(each);
  return all;
}
