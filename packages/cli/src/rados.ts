/** `spirula rados …`: Ceph's object command line (tools/rados/rados.cc), as far as its verbs are supported. */
import type { IoCtx, Rados } from '@spirula/rados';
import { RadosError } from '@spirula/rados';
import { type ClusterConnection, type Connect, connectByConf } from './ceph/connect.ts';
import type { ToolEnvironment } from './ceph/environment.ts';
import { describeErrno } from './ceph/errno-text.ts';
import type { OptionTable } from './ceph/global-options.ts';
import { CLIENT_OPTIONS, parseToolLine, refuse } from './ceph/tool.ts';
import { UserError } from './cluster/user-error.ts';
import { bench, cleanup } from './rados/bench.ts';
import { Refusal, type VerbContext } from './rados/context.ts';
import { lockVerb } from './rados/lock-verbs.ts';
import { objectVerbs } from './rados/object-verbs.ts';
import { df, ls, lspools } from './rados/pool-verbs.ts';
import { selectSnap, snapVerbs } from './rados/snap-verbs.ts';
import { watchVerbs } from './rados/watch-verbs.ts';

const OPTIONS: OptionTable = {
  ...CLIENT_OPTIONS,
  '-p': ['pool', 'value'],
  '--pool': ['pool', 'value'],
  '-N': ['namespace', 'value'],
  '--namespace': ['namespace', 'value'],
  '-s': ['snap', 'value'],
  '--snap': ['snap', 'value'],
  '--snapid': ['snapid', 'value'],
  '--all': ['all', 'flag'],
  '-A': ['all', 'flag'],
  '--object-locator': ['locator', 'value'],
  '-o': ['outfile', 'value'],
  '-f': ['format', 'value'],
  '--format': ['format', 'value'],
  '-b': ['block_size', 'value'],
  '--block-size': ['block_size', 'value'],
  '-O': ['object_size', 'value'],
  '--object-size': ['object_size', 'value'],
  '-t': ['concurrent', 'value'],
  '--concurrent-ios': ['concurrent', 'value'],
  '--max-objects': ['max_objects', 'value'],
  '--no-cleanup': ['no_cleanup', 'flag'],
  '--no-hints': ['no_hints', 'flag'],
  '--no-verify': ['no_verify', 'flag'],
  '--run-name': ['run_name', 'value'],
  '--prefix': ['prefix', 'value'],
  '--offset': ['offset', 'value'],
  '--force-full': ['force_full', 'flag'],
  '--lock-cookie': ['lock_cookie', 'value'],
  '--lock-tag': ['lock_tag', 'value'],
  '--lock-description': ['lock_description', 'value'],
  '--lock-duration': ['lock_duration', 'value'],
  '--lock-type': ['lock_type', 'value'],
};
const CONNECT_TIMEOUT_SECONDS = 300;

const USAGE = `usage: rados [-c CONF] [-p POOL] [-N NAMESPACE] [-f json|json-pretty] COMMAND

  lspools                            names of the pools
  df                                 what pools and the cluster hold
  ls [--all]                         objects of the namespace, or of all
  put OBJECT FILE [--offset N]       store a file (- is standard input)
  get OBJECT FILE                    fetch an object (- is standard output)
  append OBJECT FILE                 add to the end of an object
  truncate OBJECT LENGTH             cut an object, or lengthen it with zeros
  lssnap                             snapshots of the pool
  mksnap|rmsnap NAME                 take one, or remove it
  -s NAME, --snapid ID               read what objects were in a snapshot
  rollback OBJECT NAME               make an object what it was in a snapshot
  listsnaps OBJECT                   versions of an object that are kept for snapshots
  create OBJECT                      make an empty object
  rm OBJECT... [--force-full]        remove objects
  cp OBJECT TARGET                   copy an object with its xattrs and omap
  stat OBJECT                        size and time of the last change
  listxattr OBJECT
  getxattr|rmxattr OBJECT NAME
  setxattr OBJECT NAME VALUE
  listomapkeys|listomapvals OBJECT
  getomapval OBJECT KEY [FILE]
  setomapval OBJECT KEY VALUE
  rmomapkey OBJECT KEY
  getomapheader OBJECT [FILE]
  setomapheader OBJECT VALUE
  clearomap OBJECT
  watch OBJECT                       show notifies of an object, until enter
  notify OBJECT MESSAGE              tell all who watch an object
  listwatchers OBJECT                who watches an object
  lock list OBJECT                   locks that were ever taken
  lock info OBJECT LOCK              who holds a lock
  lock get OBJECT LOCK               [--lock-type exclusive|shared] [--lock-cookie C] [--lock-tag T] [--lock-duration S]
  lock break OBJECT LOCK CLIENT      take it from client.4161 [--lock-cookie C]
  bench SECONDS write|seq|rand       [-b SIZE] [-O SIZE] [-t N] [--no-cleanup] [--run-name NAME] [--no-verify]
  cleanup [--run-name NAME] [--prefix PREFIX]
`;

type Verb = (context: VerbContext) => Promise<void>;

/** Verbs that need no pool. */
const clusterVerbs: Readonly<Record<string, Verb>> = { lspools, df };
/** Verbs on a pool, with the fewest words each takes after itself. */
const poolVerbs: Readonly<Record<string, { readonly run: Verb; readonly least: number }>> = {
  ls: { run: ls, least: 0 },
  bench: { run: bench, least: 2 },
  cleanup: { run: cleanup, least: 0 },
  ...objectVerbs,
  ...watchVerbs,
  lock: lockVerb(USAGE),
  ...snapVerbs,
};

/** Runs one command line; resolves to the exit status. */
export async function rados(
  argv: readonly string[],
  env: ToolEnvironment,
  connect: Connect = connectByConf,
): Promise<number> {
  const line = parseToolLine(argv, env, { name: 'rados', options: OPTIONS, usage: USAGE });
  if (typeof line === 'number') return line;
  const { options, words } = line;
  const [verb = '', ...args] = words;
  if (verb === '') return refuse(env, 1, 'rados: you must give an action. Try --help');
  const poolVerb = poolVerbs[verb];
  if (!poolVerb && !clusterVerbs[verb]) {
    return refuse(env, 1, `unrecognized command ${verb}; -h or --help for usage\nerror 22: (22) Invalid argument`);
  }
  if (poolVerb && !options.has('pool')) return refuse(env, 1, 'either pool name or pg id needs to be specified');
  if (poolVerb && args.length < poolVerb.least) return refuse(env, 1, USAGE.trimEnd());

  let connection: ClusterConnection | undefined;
  try {
    connection = await connect(env, options, CONNECT_TIMEOUT_SECONDS);
    const context = await makeContext(env, options, args, connection.rados);
    await (poolVerb?.run ?? clusterVerbs[verb]!)(context);
    return 0;
  } catch (error) {
    if (error instanceof Refusal || error instanceof UserError) return refuse(env, 1, error.message);
    if (error instanceof RadosError) return refuse(env, 1, `error ${-error.code}: ${describeErrno(error.code)}`);
    throw error;
  } finally {
    await connection?.close();
  }
}

async function makeContext(
  env: ToolEnvironment,
  options: ReadonlyMap<string, string>,
  args: readonly string[],
  client: Rados,
): Promise<VerbContext> {
  const pool = options.get('pool') ?? '';
  let io: IoCtx | undefined;
  if (pool !== '') {
    try {
      io = await client.ioctx(pool);
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      throw new Refusal(`error opening pool ${pool}: ${describeErrno(error.code)}`);
    }
  }
  const context = { env, options, args, rados: client, pool, io };
  const snap = io && selectSnap(context, client.snapshots(io.pool));
  return io && snap ? { ...context, io: io.with({ snapid: snap.id }) } : context;
}
