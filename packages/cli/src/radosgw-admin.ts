/** `spirula radosgw-admin …`: users and buckets of the object gateway (rgw/rgw_admin.cc), as far as its commands are supported. */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { makeConfig } from '@spirula/config';
import { RadosError } from '@spirula/rados';
import { ADMIN_COMMANDS, AdminError, openZone, runAdminCommand } from '@spirula/rgw';
import { type ClusterConnection, type Connect, connectByConf } from './ceph/connect.ts';
import { environmentArguments, type ToolEnvironment } from './ceph/environment.ts';
import { describeErrno } from './ceph/errno-text.ts';
import { type OptionTable, parseOptions } from './ceph/global-options.ts';
import { UserError } from './cluster/user-error.ts';
import { version } from './version.ts';

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
] as const;
const FLAGS = ['gen-access-key', 'gen-secret', 'system', 'admin', 'yes-i-really-mean-it'] as const;

const OPTIONS: OptionTable = {
  '-h': ['help', 'flag'],
  '--help': ['help', 'flag'],
  '-v': ['version', 'flag'],
  '--version': ['version', 'flag'],
  '-c': ['conf', 'value'],
  '--conf': ['conf', 'value'],
  '--id': ['id', 'value'],
  '-n': ['name', 'value'],
  '--name': ['name', 'value'],
  '-k': ['keyring', 'value'],
  '--keyring': ['keyring', 'value'],
  '-m': ['mon_host', 'value'],
  '-i': ['uid', 'value'],
  '-b': ['bucket', 'value'],
  ...Object.fromEntries(VALUES.flatMap((name) => spellings(name).map((each) => [each, [name, 'value']]))),
  ...Object.fromEntries(FLAGS.flatMap((name) => spellings(name).map((each) => [each, [name, 'flag']]))),
};

const CONNECT_TIMEOUT_SECONDS = 300;
const NSEC_PER_MSEC = 1_000_000;
const MSEC_PER_SEC = 1000;
const USEC_PER_MSEC = 1000;

const USAGE = `usage: radosgw-admin COMMAND [--uid UID] [--tenant T] [--bucket NAME] ...

${ADMIN_COMMANDS.map((command) => `  ${command}`).join('\n')}

  user      [--display-name TEXT] [--email ADDRESS] [--max-buckets N] [--system] [--admin] [--caps 'users=*;buckets=read']
  key       --access-key KEY | --gen-access-key, [--secret-key S] [--key-type s3|swift]
  subuser   --subuser UID:NAME [--access read|write|readwrite|full] [--secret S]
  role      --role-name NAME [--path /P/] [--assume-role-policy-doc JSON] [--policy-name P] [--policy-doc JSON] [--path-prefix /P/]
  quota     --quota-scope user|bucket [--max-size 10G] [--max-objects N]
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
  const { options, words: given, incomplete } = parseOptions([...environmentArguments(), ...argv], OPTIONS);
  const words = given.flatMap((word) => (word === 'role-policy' ? ['role', 'policy'] : [word]));
  if (options.has('version')) {
    env.stdout(`spirula version ${version}\n`);
    return 0;
  }
  if (options.has('help')) {
    env.stdout(USAGE);
    return 0;
  }
  if (incomplete !== undefined) return refuse(env, 1, `Option ${incomplete} requires an argument.`);
  if (words.length === 0) return refuse(env, 1, 'radosgw-admin: -h or --help for usage');
  if (!ADMIN_COMMANDS.includes(words.join(' '))) {
    return refuse(env, 1, `ERROR: Unrecognized argument: '${words.at(-1)}'\nradosgw-admin: -h or --help for usage`);
  }

  let connection: ClusterConnection | undefined;
  try {
    connection = await connect(env, options, CONNECT_TIMEOUT_SECONDS);
    const entropy = { randomBytes: (count: number) => new Uint8Array(randomBytes(count)) };
    const log = { warn: (text: string) => env.stderr(`${text}\n`) };
    const zone = await openZone(connection.rados, entropy, log);
    env.stdout(await runAdminCommand({ zone, entropy, now, sleep, log, config: makeConfig() }, words, options));
    return 0;
  } catch (error) {
    if (error instanceof AdminError) return refuse(env, error.code & 0xff, error.message);
    if (error instanceof UserError) return refuse(env, 1, error.message);
    if (error instanceof RadosError) {
      return refuse(env, -error.code & 0xff, `ERROR: ${error.message}: ${describeErrno(error.code)}`);
    }
    throw error;
  } finally {
    await connection?.close();
  }
}

function sleep(us: number): Promise<void> {
  return setTimeout(us / USEC_PER_MSEC);
}

function now() {
  const millis = Date.now();
  return { sec: Math.floor(millis / MSEC_PER_SEC), nsec: (millis % MSEC_PER_SEC) * NSEC_PER_MSEC };
}

function refuse(env: ToolEnvironment, code: number, complaint: string): number {
  env.stderr(`${complaint}\n`);
  return code;
}
