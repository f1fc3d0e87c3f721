/** Commands of radosgw-admin about metadata. */
import { rawFromText, textFromRaw } from '@spirula/encoding';
import type { Admin, CommandTable } from './admin.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { type AdminOptions, entriesOf } from './command-options.ts';
import { isGone } from './metadata-admin.ts';
import { splitKey } from './metadata-json.ts';

export const metadataCommands: CommandTable = {
  'metadata list [*]': async ({ metadata }, options) => {
    const { kind } = splitKey(rawFromText(options.get('metadata-key') ?? ''));
    if (kind === '') return metadata.kinds;
    return await said('get', () => metadataPage(metadata, kind, options));
  },
  'metadata get [*]': ({ metadata }, options) => {
    const [kind, key] = requireKey(options, 'get');
    return said('get', () => metadata.get(kind, key));
  },
  'metadata put [*]': async ({ metadata, readInput }, options) => {
    const [kind, key] = requireKey(options, 'put');
    const document = await readInput(options);
    await said('put', () => metadata.put(kind, key, document));
  },
  'metadata rm [*]': async ({ metadata }, options) => {
    const [kind, key] = requireKey(options, 'remove');
    await said('remove', () => metadata.remove(kind, key));
  },
};

/** All names, or with `--max-entries` a page of them, and where the next one begins. */
export async function metadataPage(metadata: Admin['metadata'], kind: string, options: AdminOptions) {
  const names = await metadata.names(kind);
  if (!options.has('max-entries')) return names.map(textFromRaw);
  const after = options.get('marker');
  const begin = after === undefined ? 0 : names.findIndex((name) => textFromRaw(name) === after) + 1;
  const end = begin + entriesOf(options, names.length);
  const keys = names.slice(begin, end).map(textFromRaw);
  const truncated = end < names.length;
  return { keys, truncated: String(truncated), count: keys.length, ...(truncated && { marker: keys.at(-1) ?? '' }) };
}

/** @throws AdminError EOPNOTSUPP: no entry is named */
function requireKey(options: AdminOptions, verb: string): [kind: string, key: string] {
  const { kind, key } = splitKey(rawFromText(options.get('metadata-key') ?? ''));
  if (key === undefined) {
    throw new AdminError(AdminCode.EOPNOTSUPP, `ERROR: can't ${verb} key: (95) Operation not supported`);
  }
  return [textFromRaw(kind), key];
}

const ERROR_TEXTS: ReadonlyMap<number, string> = new Map([
  [AdminCode.EINVAL, '(22) Invalid argument'],
  [AdminCode.EEXIST, '(17) File exists'],
  [AdminCode.EOPNOTSUPP, '(95) Operation not supported'],
]);

async function said<T>(verb: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (isGone(error)) {
      throw new AdminError(AdminCode.ENOENT, `ERROR: can't ${verb} key: (2) No such file or directory`);
    }
    if (!(error instanceof AdminError)) throw error;
    const { code, message } = error;
    throw new AdminError(code, `ERROR: can't ${verb} key: ${ERROR_TEXTS.get(code) ?? `(${code})`}`, message);
  }
}
