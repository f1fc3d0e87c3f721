/** How the tools that speak to a cluster begin: `spirula rados`, `spirula radosgw-admin`. */
import { version } from '../version.ts';
import { environmentArguments, type ToolEnvironment } from './environment.ts';
import { type OptionTable, parseOptions } from './global-options.ts';

/** Which cluster, and as whom; help and version. */
export const CLIENT_OPTIONS: OptionTable = {
  '-h': ['help', 'flag'],
  '--help': ['help', 'flag'],
  '-v': ['version', 'flag'],
  '--version': ['version', 'flag'],
  '-c': ['conf', 'value'],
  '--conf': ['conf', 'value'],
  '--id': ['id', 'value'],
  '--user': ['id', 'value'],
  '-n': ['name', 'value'],
  '--name': ['name', 'value'],
  '-k': ['keyring', 'value'],
  '--keyring': ['keyring', 'value'],
  '--key': ['key', 'value'],
  '--keyfile': ['keyfile', 'value'],
  '-m': ['mon_host', 'value'],
  '--mon-host': ['mon_host', 'value'],
  '--mon_host': ['mon_host', 'value'],
};

export interface ToolLine {
  readonly options: ReadonlyMap<string, string>;
  readonly words: readonly string[];
}

/** Reads a line, behind $CEPH_ARGS. A number: all is done or refused, and that is the exit status. */
export function parseToolLine(
  argv: readonly string[],
  env: Pick<ToolEnvironment, 'stdout' | 'stderr'>,
  tool: { readonly name: string; readonly options: OptionTable; readonly usage: string },
): ToolLine | number {
  const { options, words, incomplete } = parseOptions([...environmentArguments(), ...argv], tool.options);
  if (options.has('version')) {
    env.stdout(`spirula version ${version}\n`);
    return 0;
  }
  if (options.has('help')) {
    env.stdout(tool.usage);
    return 0;
  }
  if (incomplete !== undefined) return refuse(env, 1, `Option ${incomplete} requires an argument.`);
  if (argv.length === 0) return refuse(env, 1, `${tool.name}: -h or --help for usage`);
  return { options, words };
}

/** Says on stderr why something is not done, and gives the exit status. */
export function refuse(env: Pick<ToolEnvironment, 'stderr'>, status: number, complaint: string): number {
  if (complaint !== '') env.stderr(`${complaint}\n`);
  return status;
}
