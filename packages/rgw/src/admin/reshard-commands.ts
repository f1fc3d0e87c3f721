/** Commands of radosgw-admin about the shards of buckets' indexes. */
import type { Admin, CommandTable } from './admin.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { type AdminOptions, namedBucket } from './command-options.ts';
import { Said } from './role-admin.ts';

const reshardBucket = async ({ reshards }: Admin, options: AdminOptions) => {
  if (options.has('verbose')) {
    throw new AdminError(AdminCode.EOPNOTSUPP, 'ERROR: --verbose is not supported: entries are copied in batches');
  }
  return new Said(await reshards.reshard(namedBucket(options), shardsOf(options), options.has('yes-i-really-mean-it')));
};

export const reshardCommands: CommandTable = {
  'bucket reshard': reshardBucket,
  'reshard bucket': reshardBucket,
  'reshard add': ({ reshards }, options) =>
    reshards.add(namedBucket(options), shardsOf(options), options.has('yes-i-really-mean-it')),
  'reshard list': ({ reshards }) => reshards.list(),
  'reshard status': ({ reshards }, options) => reshards.status(namedBucket(options)),
  'reshard process': ({ reshards }) => reshards.process(),
  'reshard cancel': ({ reshards }, options) =>
    reshards.cancel(namedBucket(options), options.has('yes-i-really-mean-it')),
  ...Object.fromEntries(
    ['stale-instances', 'stale'].flatMap((stale): [string, CommandTable[string]][] => [
      [`reshard ${stale} list`, ({ reshards }) => reshards.listStale()],
      [`reshard ${stale} delete`, ({ reshards }) => reshards.removeStale()],
      [`reshard ${stale} rm`, ({ reshards }) => reshards.removeStale()],
    ]),
  ),
};

function shardsOf(options: AdminOptions): number | undefined {
  const text = options.get('num-shards');
  if (text === undefined) return undefined;
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  const problem = `Expected option value to be integer, got '${text}'`;
  throw new AdminError(AdminCode.EINVAL, `ERROR: failed to parse num shards: ${problem}`);
}
