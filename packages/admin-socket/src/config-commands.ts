/** `config …` and `injectargs` of a daemon (common/ceph_context.cc): its own options while it runs. */
import { type DaemonConfig, dumpOption, findOption, isRead } from '@spirula/config';
import { Errno } from '@spirula/encoding';
import {
  type AdminArgs,
  type AdminCommand,
  type AdminResult,
  adminCommand,
  listOf,
  refuse,
  say,
  textOf,
} from './admin-command.ts';

const VAR = { name: 'var', type: 'CephString' } as const;
const ERRNO_TEXTS: Readonly<Record<number, string>> = {
  [Errno.EPERM]: 'Operation not permitted',
  [Errno.ENOENT]: 'No such file or directory',
  [Errno.EINVAL]: 'Invalid argument',
  [Errno.ERANGE]: 'Numerical result out of range',
};

/** As Ceph prints an errno: `(22) Invalid argument`. */
export function errnoText(code: number): string {
  return `(${-code}) ${ERRNO_TEXTS[code] ?? 'Unknown error'}`;
}

/** @param onChange runs after an option was set or unset */
export function configCommands(config: DaemonConfig, onChange: () => void): readonly AdminCommand[] {
  return [
    adminCommand(['config', 'show'], 'show the options in force', () => say(config.all())),
    adminCommand(
      ['config', 'show-sources', { name: 'defaults', type: 'CephBool', req: 'false' }],
      'show the options in force, and who set them',
      (args) => say(config.show(args['defaults'] === true)),
    ),
    adminCommand(['config', 'help', { ...VAR, req: 'false' }], 'explain an option', (args) =>
      help(textOf(args, 'var')),
    ),
    adminCommand(
      ['config', 'set', VAR, { name: 'val', type: 'CephString', n: 'N' }],
      'set an option until the daemon stops',
      (args) => {
        const result = set(config, textOf(args, 'var') ?? '', listOf(args, 'val').join(' '));
        onChange();
        return result;
      },
      'rw',
    ),
    adminCommand(
      ['config', 'unset', VAR],
      'take back what config set did',
      (args) => {
        const name = textOf(args, 'var') ?? '';
        const before = config.get(name);
        if (!config.unset(name)) return refuse(Errno.EINVAL, `error unsetting '${name}': ${errnoText(Errno.EINVAL)}`);
        onChange();
        return say({}, config.get(name) === before ? '' : told(config, name));
      },
      'rw',
    ),
    adminCommand(['config', 'get', VAR], 'show an option in force', (args) => {
      const name = textOf(args, 'var') ?? '';
      const value = config.get(name);
      return value === undefined
        ? refuse(Errno.ENOENT, `error getting '${name}': ${errnoText(Errno.ENOENT)}`)
        : say({ [name]: value });
    }),
    adminCommand(['config', 'diff'], 'show the options that are not as they are by default', () =>
      say({ diff: config.diff() }),
    ),
    adminCommand(['config', 'diff', 'get', VAR], 'show what an option is, and is by default', (args) => {
      const name = textOf(args, 'var') ?? '';
      const diff = config.diff()[name];
      return say({ diff: diff === undefined ? {} : { [name]: diff } });
    }),
    adminCommand(
      ['injectargs', { name: 'injected_args', type: 'CephString', n: 'N' }],
      'set options as a command line would, until the daemon stops',
      (args) => {
        const result = inject(config, args);
        onChange();
        return result;
      },
      'rw',
    ),
  ];
}

function help(name: string | undefined): AdminResult {
  if (name === undefined) return refuse(Errno.EINVAL, 'name an option');
  const option = findOption(name);
  return option ? say({ option: dumpOption(name, option) }) : refuse(Errno.ENOENT, `Setting not found: '${name}'`);
}

function set(config: DaemonConfig, name: string, value: string): AdminResult {
  const result = config.set(name, value);
  if (!result.ok) return refuse(result.code, `error setting '${name}' to '${value}': ${errnoText(result.code)}`);
  return say({ success: told(config, name) });
}

/** What Ceph says of an option that was set. Of one that nothing reads it says so, as Ceph does of what nobody observes. */
function told(config: DaemonConfig, name: string): string {
  // Nobody is told of levels of logging: they are read each time.
  if (name.startsWith('debug_')) return '';
  return `${name} = '${config.get(name)}' ${isRead(name) ? '' : '(not observed, change may require restart) '}`;
}

/** `--name value` and `--name=value`, dashes or underscores; all words are tried (md_config_t::injectargs). */
function inject(config: DaemonConfig, args: AdminArgs): AdminResult {
  const words = listOf(args, 'injected_args').flatMap((text) => text.split(/\s+/).filter(Boolean));
  const done: string[] = [];
  const problems: string[] = [];
  const unknown: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const [, given = '', attached] = /^--([^=]+)(?:=(.*))?$/s.exec(words[i]!) ?? [];
    const name = given.replaceAll('-', '_');
    if (!findOption(name)) {
      unknown.push(words[i]!);
      continue;
    }
    if (attached === undefined) i += 1;
    const value = attached ?? words[i] ?? '';
    const result = config.set(name, value);
    if (result.ok) done.push(told(config, name));
    else problems.push(`Parse error setting ${name} to '${value}' using injectargs (${result.problem}).\n`);
  }
  if (unknown.length > 0) problems.push(` failed to parse arguments: ${unknown.join(',')}\n`);
  const status = `${problems.join('')}${done.join('')}`;
  return problems.length > 0 ? refuse(Errno.EINVAL, status) : say({}, status);
}
