/**
 * Ceph's options, as far as they bear on maps: from a configuration file, $CEPH_ARGS and the command line, where those of every
 * Ceph tool stand among the tool's own (global_init, common/config.cc).
 */
import {
  ConfFileError,
  type ConfSections,
  findOption,
  lookUp,
  type Option,
  type OptionValue,
  parseConfFile,
  parseValue,
} from '@spirula/config';
import { ArgumentWords, underscored } from './argument-words.ts';
import { logLine } from './log-line.ts';
import { tryReadFile } from './map-file.ts';
import { Refusal } from './refusal.ts';
import type { OsdMapToolIo } from './tool-io.ts';

/** The option that is asked for, or Ceph's default. */
export type Settings = <V extends OptionValue>(name: string, fallback: V) => V;

export interface GlobalOptions {
  /** What is left of the command line. */
  readonly words: readonly string[];
  readonly version: boolean;
  readonly setting: Settings;
  readonly conf: ConfSections;
}

const CONF = ['-c', '--conf'];
const NAME = ['-n', '--name'];
/** Of every Ceph tool, and of no use to this one. */
const UNUSED = ['--cluster', '-i', '--id', '--user', '-m', '--mon-host', '-k', '--keyring', '-K', '--keyfile'];
const UNUSED_FLAGS = ['--no-mon-config', '-d', '-f', '--foreground'];

/** @throws Refusal when an option of every tool lacks its value. */
export function takeGlobalOptions(argv: readonly string[], io: OsdMapToolIo): GlobalOptions {
  const words = new ArgumentWords([...(io.env['CEPH_ARGS'] ?? '').split(/\s+/).filter(Boolean), ...argv]);
  const given = new Map<string, string | undefined>();
  let path = io.env['CEPH_CONF'];
  let name = 'client.admin';
  let version = false;
  const value = (names: readonly string[]): string | undefined => {
    const taken = words.takeOption(names);
    if (taken !== undefined && taken.value === undefined) {
      throw new Refusal(`Option ${taken.word} requires an argument.`);
    }
    return taken?.value;
  };
  while (!words.atEnd) {
    const conf = value(CONF);
    const who = conf === undefined ? value(NAME) : undefined;
    if (conf !== undefined) path = conf;
    else if (who !== undefined) name = who;
    else if (words.takeFlag(['-v', '--version'])) version = true;
    else if (words.current === '--') break;
    else if (!words.takeFlag(UNUSED_FLAGS) && value(UNUSED) === undefined && !takeSetting(words, given)) words.skip();
  }
  const conf = path === undefined || path === '' ? new Map() : readConf(path, io);
  const dot = name.indexOf('.');
  const entity = { type: name.slice(0, dot), id: name.slice(dot + 1) };
  return { words: words.rest, version, conf, setting: makeSettings(given, (each) => lookUp(conf, entity, each), io) };
}

/** `--osd-pool-default-size 2`, `--mon-warn-on-pool-no-redundancy`, `--no-...`. */
function takeSetting(words: ArgumentWords, given: Map<string, string | undefined>): boolean {
  const word = underscored(words.current);
  if (!word.startsWith('--')) return false;
  const name = word.slice(2).split('=')[0]!;
  const option = settable(name);
  if (option?.type === 'bool') {
    if (word.includes('=')) given.set(name, words.takeOption([`--${name}`])!.value);
    else if (words.takeFlag([`--${name}`])) given.set(name, 'true');
    return true;
  }
  if (option !== undefined || name.startsWith('debug_')) {
    given.set(name, words.takeOption([`--${name}`])!.value);
    return true;
  }
  const negated = name.startsWith('no_') ? name.slice(3) : '';
  if (settable(negated)?.type !== 'bool' || !words.takeFlag([`--${name}`])) return false;
  given.set(negated, 'false');
  return true;
}

/** Some that 16.2 has, and the tables here do not. */
const MORE_OPTIONS: Readonly<Record<string, Pick<Option, 'type' | 'default'>>> = {
  mon_warn_on_pool_pg_num_not_power_of_two: { type: 'bool', default: true },
  mon_warn_on_cache_pools_without_hit_sets: { type: 'bool', default: true },
  osd_calc_pg_upmaps_local_fallback_retries: { type: 'uint', default: 100 },
};

function settable(name: string): Option | undefined {
  const more = MORE_OPTIONS[name];
  return more === undefined ? findOption(name) : { ...more, level: 'advanced', description: '' };
}

function makeSettings(
  given: ReadonlyMap<string, string | undefined>,
  inConf: (name: string) => string | undefined,
  io: OsdMapToolIo,
): Settings {
  const parsed = new Map<string, OptionValue>();
  for (const [name, text] of given) {
    const option = settable(name);
    const shown = text ?? '';
    const result = option && text !== undefined ? parseValue(name, option, text) : undefined;
    if (result?.ok) parsed.set(name, result.value);
    else if (option !== undefined || text === undefined) {
      const problem =
        text === undefined ? `Option --${name.replaceAll('_', '-')} requires an argument.\n` : result?.problem;
      io.stderr(`parse error setting '${name}' to '${shown}' (${problem ?? ''})\n\n`);
    }
  }
  return <V extends OptionValue>(name: string, fallback: V): V => {
    const option = settable(name);
    const set = parsed.get(name);
    if (set !== undefined) return set as V;
    const text = inConf(name);
    const read = option !== undefined && text !== undefined ? parseValue(name, option, text) : undefined;
    if (read?.ok) return read.value as V;
    return (option?.default ?? fallback) as V;
  };
}

/** A configuration that cannot be read is said to be so, and nothing comes of it. */
function readConf(path: string, io: OsdMapToolIo): ConfSections {
  const bytes = tryReadFile(path, io);
  if ('problem' in bytes) {
    logLine('Errors while parsing config file!', io);
    logLine(bytes.problem, io);
    return new Map();
  }
  try {
    return parseConfFile(new TextDecoder().decode(bytes));
  } catch (error) {
    if (!(error instanceof ConfFileError)) throw error;
    logLine('Errors while parsing config file!', io);
    logLine(error.message, io);
    return new Map();
  }
}
