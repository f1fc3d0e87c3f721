/** Commands about what pools are for (OSDMonitor::_command_pool_application). */
import { Errno } from '@spirula/encoding';
import type { OsdMap, Pool } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  flag,
  invalid,
  jsonAlways,
  type MonCommandEntry,
  refuse,
  succeed,
  text,
  unchanged,
} from './command.ts';
import { findPool, POOL, SURE, unrecognizedPool } from './pool-arguments.ts';

const APP = { name: 'app', type: 'CephString' };
const NAMED_APP = { ...APP, goodchars: '[A-Za-z0-9-_.]' };
const KEY = { name: 'key', type: 'CephString' };
const MAX_APPLICATIONS = 4;
const MAX_KEYS = 64;
/** Of the names of applications and keys, and of values. */
const MAX_LENGTH = 128;

type Applications = Pool['applicationMetadata'];

export const poolApplicationCommands: readonly MonCommandEntry[] = [
  changes(['enable', POOL, NAMED_APP, SURE], 'say what a pool is for', enable),
  changes(['disable', POOL, APP, SURE], 'no longer say what a pool is for', disable),
  changes(
    [
      'set',
      POOL,
      APP,
      { ...KEY, goodchars: '[A-Za-z0-9-_.]' },
      { name: 'value', type: 'CephString', goodchars: '[A-Za-z0-9-_.=]' },
    ],
    'keep a value for what a pool is for',
    set,
  ),
  changes(['rm', POOL, APP, KEY], 'no longer keep a value for what a pool is for', remove),
  command(
    [
      'osd',
      'pool',
      'application',
      'get',
      { ...POOL, req: 'false' },
      { ...APP, req: 'false' },
      { ...KEY, req: 'false' },
    ],
    'show what pools are for',
    'r',
    get,
    'osd',
  ),
];

interface Request {
  readonly pool: string;
  readonly app: string;
  readonly key: string;
  readonly value: string;
  readonly isSure: boolean;
}

/** What a pool is for from then on, with what to say; or why nothing changes. */
type Change = { readonly applications: Applications; readonly status: string } | CommandOutcome;

function changes(
  signature: readonly [verb: string, ...args: Parameters<typeof command>[0]],
  help: string,
  change: (applications: Applications, request: Request) => Change,
): MonCommandEntry {
  return command(
    ['osd', 'pool', 'application', ...signature],
    help,
    'rw',
    (args, { osd }) => {
      const pool = text(args, 'pool') ?? '';
      const id = findPool(osd.map, pool);
      if (id === undefined) return unrecognizedPool(pool);
      const app = text(args, 'app') ?? '';
      if (app === '') return invalid('application name must be provided');
      const now = osd.pendingPool(id)!;
      const request = { pool, app, key: text(args, 'key') ?? '', value: text(args, 'value') ?? '' };
      const result = change(now.applicationMetadata, { ...request, isSure: flag(args, 'yes_i_really_mean_it') });
      if ('code' in result) return result;
      osd.setPool(id, { ...now, applicationMetadata: result.applications });
      return changed(result.status);
    },
    'osd',
  );
}

function withEntry<T>(map: ReadonlyMap<string, T>, name: string, value: T): ReadonlyMap<string, T> {
  return new Map([...map, [name, value] as const].sort(([a], [b]) => (a < b ? -1 : Number(a > b))));
}

function without<T>(map: ReadonlyMap<string, T>, name: string): ReadonlyMap<string, T> {
  return new Map([...map].filter(([each]) => each !== name));
}

function enable(applications: Applications, { pool, app, isSure }: Request): Change {
  const status = `enabled application '${app}' on pool '${pool}'`;
  if (applications.has(app)) return { applications, status };
  if (applications.size > 0 && !isSure) {
    return refuse(
      Errno.EPERM,
      `Are you SURE? Pool '${pool}' already has an enabled application; pass --yes-i-really-mean-it to proceed anyway`,
    );
  }
  if (applications.size >= MAX_APPLICATIONS) {
    return invalid(`too many enabled applications on pool '${pool}'; max ${MAX_APPLICATIONS}`);
  }
  if (app.length > MAX_LENGTH) return invalid(`application name '${app}' too long; max length ${MAX_LENGTH}`);
  return { applications: withEntry(applications, app, new Map()), status };
}

function disable(applications: Applications, { pool, app, isSure }: Request): Change {
  if (!isSure) {
    return refuse(
      Errno.EPERM,
      `Are you SURE? Disabling an application within a pool might result in loss of application functionality; pass --yes-i-really-mean-it to proceed anyway`,
    );
  }
  if (!applications.has(app)) return unchanged(`application '${app}' is not enabled on pool '${pool}'`);
  return { applications: without(applications, app), status: `disable application '${app}' on pool '${pool}'` };
}

function set(applications: Applications, { pool, app, key, value }: Request): Change {
  if (key === '') return invalid('key must be provided');
  const values = applications.get(app);
  if (values === undefined) return notEnabled(pool, app);
  if (values.size >= MAX_KEYS && !values.has(key)) {
    return invalid(`too many keys set for application '${app}' on pool '${pool}'; max ${MAX_KEYS}`);
  }
  // 16.2.15 names the application here.
  if (key.length > MAX_LENGTH) return invalid(`key '${app}' too long; max length ${MAX_LENGTH}`);
  if (value.length > MAX_LENGTH) return invalid(`value '${value}' too long; max length ${MAX_LENGTH}`);
  return {
    applications: withEntry(applications, app, withEntry(values, key, value)),
    status: `set application '${app}' key '${key}' to '${value}' on pool '${pool}'`,
  };
}

function remove(applications: Applications, { pool, app, key }: Request): Change {
  if (key === '') return invalid('key must be provided');
  const values = applications.get(app);
  if (values === undefined) return notEnabled(pool, app);
  if (!values.has(key)) return unchanged(`application '${app}' on pool '${pool}' does not have key '${key}'`);
  return {
    applications: withEntry(applications, app, without(values, key)),
    status: `removed application '${app}' key '${key}' on pool '${pool}'`,
  };
}

function notEnabled(pool: string, app: string): CommandOutcome {
  return refuse(Errno.ENOENT, `application '${app}' is not enabled on pool '${pool}'`);
}

function get(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const name = text(args, 'pool') ?? '';
  if (name === '') return jsonAlways(args, dumpAll(map));
  const id = findPool(map, name);
  if (id === undefined) return unrecognizedPool(name);
  const applications = map.pools.get(id)!.applicationMetadata;
  const app = text(args, 'app') ?? '';
  if (app === '') return jsonAlways(args, dump(applications));
  const values = applications.get(app);
  if (values === undefined) return refuse(Errno.ENOENT, `pool '${name}' has no application '${app}'`);
  const key = text(args, 'key') ?? '';
  if (key === '') return jsonAlways(args, Object.fromEntries(values));
  const value = values.get(key);
  return value === undefined
    ? refuse(Errno.ENOENT, `application '${app}' on pool '${name}' does not have key '${key}'`)
    : succeed(`${value}\n`);
}

function dump(applications: Applications) {
  return Object.fromEntries([...applications].map(([app, values]) => [app, Object.fromEntries(values)]));
}

function dumpAll(map: OsdMap) {
  return Object.fromEntries(
    [...map.pools].map(([id, pool]) => [map.poolNames.get(id) ?? '', dump(pool.applicationMetadata)]),
  );
}
