/** `spirula rbd …`: Ceph's image command line (tools/rbd), as far as its verbs are supported. */
import { RadosError } from '@spirula/rados';
import { type ClusterConnection, type Connect, connectByConf } from './ceph/connect.ts';
import type { ToolEnvironment } from './ceph/environment.ts';
import { describeErrno } from './ceph/errno-text.ts';
import type { OptionTable } from './ceph/global-options.ts';
import { CLIENT_OPTIONS, parseToolLine, refuse } from './ceph/tool.ts';
import { UserError } from './cluster/user-error.ts';
import type { Verb } from './rbd/context.ts';
import { exportImage } from './rbd/export.ts';
import { imageMetaGet, imageMetaLs, info, ls, snapLs } from './rbd/image-verbs.ts';
import { Refusal } from './rbd/refusal.ts';
import { clone, create, flatten, importImage, resize, rm, snapshotVerbs } from './rbd/write-verbs.ts';

const OPTIONS: OptionTable = {
  ...CLIENT_OPTIONS,
  '-p': ['pool', 'value'],
  '--pool': ['pool', 'value'],
  '--namespace': ['namespace', 'value'],
  '--image': ['image', 'value'],
  '--snap': ['snap', 'value'],
  '--path': ['path', 'value'],
  '-l': ['long', 'flag'],
  '--long': ['long', 'flag'],
  '-a': ['all', 'flag'],
  '--all': ['all', 'flag'],
  '--format': ['format', 'value'],
  '--pretty-format': ['pretty', 'flag'],
  '--no-progress': ['no_progress', 'flag'],
  '-s': ['size', 'value'],
  '--size': ['size', 'value'],
  '--object-size': ['object_size', 'value'],
  '--stripe-unit': ['stripe_unit', 'value'],
  '--stripe-count': ['stripe_count', 'value'],
  '--data-pool': ['data_pool', 'value'],
  '--dest': ['dest', 'value'],
  '--rbd-default-clone-format': ['clone_format', 'value'],
  '--allow-shrink': ['allow_shrink', 'flag'],
};
const CONNECT_TIMEOUT_SECONDS = 300;

const USAGE = `usage: rbd [-c CONF] [--format plain|json] [--pretty-format] COMMAND

  IMAGE is [POOL/[NAMESPACE/]]NAME; the pool is rbd where none is named.

  ls [-l] [POOL[/NAMESPACE]]         images; -l: with sizes, snapshots, parents and locks
  info IMAGE[@SNAPSHOT]              what an image is made of
  snap ls [--all] IMAGE              snapshots; --all: those that nobody made by hand, too
  create IMAGE --size SIZE           [--object-size B] [--stripe-unit B --stripe-count N] [--data-pool POOL]
  import FILE [IMAGE]                an image of its bytes [--no-progress] and what create takes
  resize IMAGE --size SIZE           larger, or with --allow-shrink smaller
  rm IMAGE                           one without snapshots
  snap create|rm IMAGE@SNAPSHOT      take one, or remove it
  snap protect|unprotect IMAGE@SNAPSHOT
  snap rollback IMAGE@SNAPSHOT       make an image what it was
  clone IMAGE@SNAPSHOT IMAGE         one that shows it [--rbd-default-clone-format 1|2] and what create takes
  flatten IMAGE                      make a clone one no more [--no-progress]
  image-meta ls IMAGE                what programs have noted of an image
  image-meta get IMAGE KEY
  export IMAGE[@SNAPSHOT] [FILE]     its bytes (- is standard output) [--no-progress]
`;

/** By the one or two words that name them. */
const verbs: Readonly<Record<string, Verb>> = {
  ls,
  list: ls,
  info,
  export: exportImage,
  create,
  import: importImage,
  resize,
  rm,
  remove: rm,
  clone,
  flatten,
  ...snapshotVerbs,
  'snap ls': snapLs,
  'snap list': snapLs,
  'image-meta ls': imageMetaLs,
  'image-meta list': imageMetaLs,
  'image-meta get': imageMetaGet,
};

/** Runs one command line; resolves to the exit status. */
export async function rbd(
  argv: readonly string[],
  env: ToolEnvironment,
  connect: Connect = connectByConf,
): Promise<number> {
  const line = parseToolLine(argv, env, { name: 'rbd', options: OPTIONS, usage: USAGE });
  if (typeof line === 'number') return line;
  const { options, words } = line;
  const count = verbs[words.slice(0, 2).join(' ')] ? 2 : 1;
  const verb = verbs[words.slice(0, count).join(' ')];
  if (!verb) return refuse(env, 1, `error: unknown option '${words.slice(0, 2).join(' ')}'\n\n${USAGE.trimEnd()}`);
  const format = options.get('format') ?? 'plain';
  if (format !== 'plain' && format !== 'json') return refuse(env, 22, `rbd: unknown format '${format}'`);

  let connection: ClusterConnection | undefined;
  try {
    connection = await connect(env, options, CONNECT_TIMEOUT_SECONDS);
    await verb({ env, options, args: words.slice(count), rados: connection.rados });
    return 0;
  } catch (error) {
    if (error instanceof Refusal) return refuse(env, error.status, error.message);
    if (error instanceof UserError) return refuse(env, 1, error.message);
    if (error instanceof RadosError) return refuse(env, -error.code, `rbd: ${describeErrno(error.code)}`);
    throw error;
  } finally {
    await connection?.close();
  }
}
