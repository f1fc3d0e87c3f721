/** `spirula rbd …`: Ceph's image command line (tools/rbd), as far as its verbs are supported. */
import { RadosError } from '@spirula/rados';
import { type ClusterConnection, type Connect, connectByConf } from './ceph/connect.ts';
import { environmentArguments, type ToolEnvironment } from './ceph/environment.ts';
import { describeErrno } from './ceph/errno-text.ts';
import { type OptionTable, parseOptions } from './ceph/global-options.ts';
import { CLIENT_OPTIONS, parseToolLine, refuse } from './ceph/tool.ts';
import { UserError } from './cluster/user-error.ts';
import { benchVerbs } from './rbd/bench.ts';
import { childrenVerbs } from './rbd/children-verb.ts';
import { cloneVerbs } from './rbd/clone-verbs.ts';
import { configVerbs } from './rbd/config-verbs.ts';
import { copyVerbs } from './rbd/copy-verbs.ts';
import { diffVerbs } from './rbd/diff-verbs.ts';
import { exportVerbs } from './rbd/export.ts';
import { featureVerbs } from './rbd/feature-verbs.ts';
import { groupVerbs } from './rbd/group-verbs.ts';
import { imageMetaVerbs } from './rbd/image-meta-verbs.ts';
import { imageVerbs } from './rbd/image-verbs.ts';
import { importVerbs } from './rbd/import.ts';
import { importDiffVerbs } from './rbd/import-diff.ts';
import { lockVerbs } from './rbd/lock-verbs.ts';
import { mergeDiffVerbs } from './rbd/merge-diff.ts';
import { migrationVerbs } from './rbd/migration-verbs.ts';
import { mirrorBootstrapVerbs } from './rbd/mirror-bootstrap-verbs.ts';
import { mirrorImageVerbs } from './rbd/mirror-image-verbs.ts';
import { mirrorPoolVerbs } from './rbd/mirror-pool-verbs.ts';
import { objectMapVerbs } from './rbd/object-map-verbs.ts';
import { perfVerbs } from './rbd/perf-verbs.ts';
import { poolVerbs } from './rbd/pool-verbs.ts';
import { Refusal } from './rbd/refusal.ts';
import { renameVerbs } from './rbd/rename-verb.ts';
import { snapshotVerbs } from './rbd/snapshot-verbs.ts';
import { trashVerbs } from './rbd/trash-verbs.ts';
import type { VerbDefinition } from './rbd/verb.ts';
import { Words } from './rbd/words.ts';
import { writeVerbs } from './rbd/write-verbs.ts';

/** In the order of --help. */
const VERBS: readonly VerbDefinition[] = [
  ...imageVerbs,
  ...writeVerbs,
  ...renameVerbs,
  ...featureVerbs,
  ...snapshotVerbs,
  ...cloneVerbs,
  ...childrenVerbs,
  ...imageMetaVerbs,
  ...lockVerbs,
  ...trashVerbs,
  ...groupVerbs,
  ...poolVerbs,
  ...configVerbs,
  ...mirrorPoolVerbs,
  ...mirrorBootstrapVerbs,
  ...mirrorImageVerbs,
  ...copyVerbs,
  ...migrationVerbs,
  ...exportVerbs,
  ...importVerbs,
  ...importDiffVerbs,
  ...mergeDiffVerbs,
  ...diffVerbs,
  ...objectMapVerbs,
  ...benchVerbs,
  ...perfVerbs,
];

const VERB_BY_NAME: ReadonlyMap<string, VerbDefinition> = new Map(
  VERBS.flatMap((verb) => verb.names.map((name) => [name, verb] as const)),
);
/** Words of the longest name. */
const MAX_NAME_WORDS = Math.max(...[...VERB_BY_NAME.keys()].map((name) => name.split(' ').length));

/** Of all verbs: which one is meant is known when the words are. */
const OPTIONS: OptionTable = Object.assign({}, CLIENT_OPTIONS, ...VERBS.map(({ options }) => options));

const CONNECT_TIMEOUT_SECONDS = 300;

const USAGE_COLUMN = 38;
const USAGE = `usage: rbd [-c CONF] [--format plain|json] [--pretty-format] COMMAND

  IMAGE is [POOL/[NAMESPACE/]]NAME; the pool is rbd where none is named.

${VERBS.flatMap(({ usage }) => usage.map(([line, meaning]) => `  ${line.padEnd(USAGE_COLUMN)} ${meaning}`.trimEnd())).join('\n')}
`;

/** Runs one command line; resolves to the exit status. */
export async function rbd(
  argv: readonly string[],
  env: ToolEnvironment,
  connect: Connect = connectByConf,
): Promise<number> {
  const line = parseToolLine(argv, env, { name: 'rbd', options: OPTIONS, usage: USAGE });
  if (typeof line === 'number') return line;
  const found = findVerb(line.words);
  if (!found) {
    env.stdout(USAGE);
    return refuse(env, 1, `error: unknown option '${line.words.join(' ')}'\n`);
  }
  const { verb, nameWords } = found;
  // Again, by the options of this verb: others are words now.
  const { options, words } = parseOptions([...environmentArguments(), ...argv], { ...CLIENT_OPTIONS, ...verb.options });
  const unknown = words.find((word) => word.length > 1 && word.startsWith('-'));
  if (unknown !== undefined) return refuse(env, 1, `rbd: unrecognised option '${unknown.replace(/=.*/s, '')}'`);
  const args = words.slice(nameWords);
  if (args.length > verb.maxArgs) return refuse(env, 1, 'rbd: too many arguments');
  const format = options.get('format') ?? 'plain';
  if (format !== 'plain' && format !== 'json') {
    return refuse(env, 1, "rbd: the argument for option '--format' is invalid");
  }

  const context = { env, options, args: new Words(args) };
  let connection: ClusterConnection | undefined;
  try {
    if ('runOffline' in verb) {
      await verb.runOffline(context);
      return 0;
    }
    connection = await connect(env, options, CONNECT_TIMEOUT_SECONDS);
    await verb.run({ ...context, rados: connection.rados });
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

/** The verb whose name is the longest that the words begin with. */
function findVerb(words: readonly string[]): { readonly verb: VerbDefinition; readonly nameWords: number } | undefined {
  for (let nameWords = MAX_NAME_WORDS; nameWords > 0; nameWords--) {
    const verb = VERB_BY_NAME.get(words.slice(0, nameWords).join(' '));
    if (verb) return { verb, nameWords };
  }
  return undefined;
}
