/** `/admin/metadata` (rgw_rest_metadata.cc): which users and buckets there are, what is stored of each, and changes of that. */
import { base64 } from '@scure/base';
import { type RawString, rawFromBytes, utf8 } from '@spirula/encoding';
import { formatUserId } from '../../formats/user-id.ts';
import { readShortBody } from '../../s3/xml-reader.ts';
import { list } from '../document.ts';
import { isGone } from '../metadata-admin.ts';
import { pageOf } from './pages.ts';
import { RestError } from './rest-error.ts';
import { answer, numberArg, type RestContext, type RestRoute, rawArg } from './rest-request.ts';

/** rgw_max_put_param_size */
const MAX_DOCUMENT_BYTES = 1 << 20;

const read: RestRoute = {
  cap: ['metadata', 'read'],
  async run(context) {
    const { section: name } = context;
    const { metadata } = context.admin;
    if (name === '') return answer('keys', list('key', metadata.kinds));
    const key = keyOf(context);
    if (key !== undefined) return answer('metadata_info', await found(name, () => metadata.get(name, key)));
    const most = numberArg(context, 'max-entries');
    const names = await found(name, () => metadata.names(name));
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

const put: RestRoute = {
  cap: ['metadata', 'write'],
  async run(context) {
    const { section: name, body } = context;
    const document = await readShortBody(body, MAX_DOCUMENT_BYTES);
    const key = requireKey(context);
    await found(name, () => context.admin.metadata.put(name, key, document));
    return undefined;
  },
};

const remove: RestRoute = {
  cap: ['metadata', 'write'],
  async run(context) {
    const { section: name } = context;
    const key = requireKey(context);
    await found(name, () => context.admin.metadata.remove(name, key));
    return undefined;
  },
};

export const metadataRoutes = { GET: { '': read }, PUT: { '': put }, DELETE: { '': remove } } as const;

function keyOf(context: RestContext): RawString | undefined {
  return context.params.has('myself') ? formatUserId(context.caller.id) : rawArg(context, 'key');
}

/** @throws RestError InvalidArgument */
function requireKey(context: RestContext): RawString {
  const key = keyOf(context);
  if (context.section === '' || key === undefined) throw new RestError('InvalidArgument', 'key is missing');
  return key;
}

async function found<T>(name: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (isGone(error)) throw new RestError('NoSuchKey', `There is no such ${name}`);
    throw error;
  }
}

/** Undone from base64; what is not base64 begins at the first. */
function markerOf(context: RestContext): RawString {
  try {
    return rawFromBytes(base64.decode(rawArg(context, 'marker') ?? ''));
  } catch {
    return '';
  }
}
