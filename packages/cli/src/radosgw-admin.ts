/** `spirula radosgw-admin …`: users and buckets of the object gateway (rgw/rgw_admin.cc), as far as its commands are supported. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { RadosError } from '@spirula/rados';
import { ADMIN_COMMANDS, AdminError, findAdminCommand, runAdminCommand, Store } from '@spirula/rgw';
import { type ClusterConnection, type Connect, connectByConf } from './ceph/connect.ts';
import type { ToolEnvironment } from './ceph/environment.ts';
import { describeErrno } from './ceph/errno-text.ts';
import type { OptionTable } from './ceph/global-options.ts';
import { CLIENT_OPTIONS, parseToolLine, refuse } from './ceph/tool.ts';
import { UserError } from './cluster/user-error.ts';

/** Options of commands, with a value each. */
const VALUES = [
  'uid',
  'tenant',
  'display-name',
  'email',
  'access-key',
  'secret-key',
  'secret',
  'key-type',
  'subuser',
  'access',
  'caps',
  'max-buckets',
  'quota-scope',
  'max-size',
  'max-objects',
  'bucket',
  'topic',
  'subscription',
  'event-id',
  'role-name',
  'path',
  'path-prefix',
  'assume-role-policy-doc',
  'policy-name',
  'policy-doc',
  'num-shards',
  'start-date',
  'end-date',
  'categories',
  'object',
  'object-version',
  'placement-id',
  'storage-class',
  'index-pool',
  'data-pool',
  'data-extra-pool',
  'placement-index-type',
  'compression',
  'tags',
  'tags-add',
  'tags-rm',
  'bucket-id',
  'new-uid',
  'index-type',
  'shard-id',
  'max-entries',
  'marker',
  'start-marker',
  'end-marker',
  'prefix',
  'infile',
  'format',
  'metadata-key',
  'rgw-zone',
  'zone-id',
  'rgw-zonegroup',
  'zonegroup-id',
  'source-zone',
  'date',
  'rgw-obj-fs',
  'min-rewrite-size',
  'max-rewrite-size',
  'min-rewrite-stripe-size',
  'pool',
  'job-id',
  'totp-serial',
  'totp-seed',
  'totp-pin',
  'context',
  'package',
] as const;
/** Alone, or with `=true` or `=false` behind. */
const FLAGS = [
  'gen-access-key',
  'gen-secret',
  'system',
  'admin',
  'show-log-entries',
  'show-log-sum',
  'yes-i-really-mean-it',
  'purge-data',
  'purge-objects',
  'include-all',
  'sync-stats',
  'reset-stats',
  'warnings-only',
  'fix',
  'check-objects',
  'commit',
  'allow-unordered',
  'extra-info',
  'verbose',
  'skip-zero-entries',
] as const;

const OPTIONS: OptionTable = {
  ...CLIENT_OPTIONS,
  '-i': ['uid', 'value'],
  '-b': ['bucket', 'value'],
  ...Object.fromEntries(VALUES.flatMap((name) => spellings(name).map((each) => [each, [name, 'value']]))),
  ...Object.fromEntries(FLAGS.flatMap((name) => spellings(name).map((each) => [each, [name, 'flag']]))),
};

const CONNECT_TIMEOUT_SECONDS = 300;
const USEC_PER_MSEC = 1000;

const USAGE = `usage: radosgw-admin COMMAND [--uid UID] [--tenant T] [--bucket NAME] ...

${ADMIN_COMMANDS.map((command) => `  ${command}`).join('\n')}

  user      [--display-name TEXT] [--email ADDRESS] [--max-buckets N] [--system] [--admin] [--caps 'users=*;buckets=read']
  key       --access-key KEY | --gen-access-key, [--secret-key S] [--key-type s3|swift]
  subuser   --subuser UID:NAME [--access read|write|readwrite|full] [--secret S]
  role      --role-name NAME [--path /P/] [--assume-role-policy-doc JSON] [--policy-name P] [--policy-doc JSON] [--path-prefix /P/]
  quota     --quota-scope user|bucket [--max-size 10G] [--max-objects N]
  placement --placement-id ID [--storage-class CLASS] [--tags LIST]; of a zone: [--data-pool P] [--index-pool P] [--compression TYPE]
  reshard   --bucket NAME --num-shards N [--yes-i-really-mean-it]
`;

/** With dashes or with underscores, as Ceph's options. */
function spellings(name: string): string[] {
  return [...new Set([`--${name}`, `--${name.replaceAll('-', '_')}`])];
}

/** Runs one command line; resolves to the exit status. */
export async function radosgwAdmin(
  argv: readonly string[],
  env: ToolEnvironment,
  connect: Connect = connectByConf,
): Promise<number> {
  const line = parseToolLine(argv, env, { name: 'radosgw-admin', options: OPTIONS, usage: USAGE });
  if (typeof line === 'number') return line;
  const { options, words } = line;
  if (words.length === 0) return refuse(env, 1, 'radosgw-admin: -h or --help for usage');
  let connection: ClusterConnection | undefined;
  try {
    findAdminCommand(words);
    connection = await connect(env, options, CONNECT_TIMEOUT_SECONDS);
    const { rados, world } = connection;
    const log = { ...world.log, warn: (text: string) => env.stderr(`${text}\n`) };
    const own = { clock: world.clock, config: world.config, crypto: world.crypto, memory: world.memory, log };
    const store = await Store.open(rados, own, sleep);
    env.stdout(await runAdminCommand({ store, world: own, readInput }, words, options));
    return 0;
  } catch (error) {
    if (error instanceof AdminError) {
      env.stdout(error.said);
      return refuse(env, error.code & 0xff, [error.message, error.detail].filter(Boolean).join('\n'));
    }
    if (error instanceof UserError) return refuse(env, 1, error.message);
    if (error instanceof RadosError) {
      return refuse(env, -error.code & 0xff, `ERROR: ${error.message}: ${describeErrno(error.code)}`);
    }
    throw error;
  } finally {
    await connection?.close();
  }
}

/** The file of `--infile`, or stdin. @throws UserError */
async function readInput(options: ReadonlyMap<string, string>): Promise<Uint8Array<ArrayBuffer>> {
  const path = options.get('infile');
  try {
    return new Uint8Array(path === undefined ? await buffer(process.stdin) : await readFile(path));
  } catch (error) {
    throw new UserError(`cannot read ${path ?? 'stdin'}: ${(error as Error).message}`);
  }
}

function sleep(us: number): Promise<void> {
  return setTimeout(us / USEC_PER_MSEC);
}
