/** `config-key …`: keys and values that anyone may leave here (mon/KVMonitor.cc). */
import { type Bytes, Errno, fromUtf8, utf8 } from '@spirula/encoding';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  invalid,
  jsonAlways,
  type MonCommandEntry,
  refuse,
  succeed,
  text,
} from './command.ts';

const MODULE = 'config-key';
const KEY = { name: 'key', type: 'CephString' } as const;
const VALUE = { name: 'val', type: 'CephString', req: 'false' } as const;
/** Longest key that fits into the store, with room for what the store puts before it. */
const MAX_KEY_BYTES = 960;

const set = ['set', 'put'].map((verb) => command(['config-key', verb, KEY, VALUE], 'keep a value', 'rw', put, MODULE));
const remove = ['rm', 'del'].map((verb) => command(['config-key', verb, KEY], 'remove a key', 'rw', rm, MODULE));
const list = ['ls', 'list'].map((verb) =>
  command(
    ['config-key', verb],
    'list the keys',
    'r',
    (args, { kv }) =>
      jsonAlways(
        args,
        Array.from(kv.list(), ([key]) => key),
      ),
    MODULE,
  ),
);

export const configKeyCommands: readonly MonCommandEntry[] = [
  command(['config-key', 'get', KEY], 'show a value', 'r', get, MODULE),
  ...set,
  ...remove,
  command(['config-key', 'exists', KEY], 'tell whether a key is there', 'r', exists, MODULE),
  ...list,
  command(
    ['config-key', 'dump', { name: 'key', type: 'CephString', req: 'false' }],
    'show all keys with their values, or those that begin so',
    'r',
    (args, { kv }) => {
      const entries = Array.from(kv.list(text(args, 'key') ?? ''), ([key, value]) => [key, shown(value)]);
      return jsonAlways(args, Object.fromEntries(entries));
    },
    MODULE,
  ),
];

function get(args: CommandArgs, { kv }: CommandContext): CommandOutcome {
  const value = kv.get(text(args, 'key') ?? '');
  return value === undefined ? refuse(Errno.ENOENT, '') : succeed(value);
}

function exists(args: CommandArgs, { kv }: CommandContext): CommandOutcome {
  const key = text(args, 'key') ?? '';
  if (kv.get(key) === undefined) return refuse(Errno.ENOENT, `key '${key}' doesn't exist`);
  return succeed('', `key '${key}' exists`);
}

function put(args: CommandArgs, { kv, input, config }: CommandContext): CommandOutcome {
  const key = text(args, 'key');
  if (key === undefined) return invalid('must specify a key');
  if (utf8(key).length > MAX_KEY_BYTES) return refuse(Errno.EFBIG, `keys are limited to ${MAX_KEY_BYTES} bytes`);
  const given = text(args, 'val');
  const value = given === undefined ? input : utf8(given);
  const most = config.mon_config_key_max_entry_size;
  if (value.length > most) {
    return refuse(
      Errno.EFBIG,
      `error: entry size limited to ${most} bytes. Use 'mon config key max entry size' to manually adjust`,
    );
  }
  kv.set(key, value.slice());
  return changed(`set ${key}`);
}

function rm(args: CommandArgs, { kv }: CommandContext): CommandOutcome {
  const key = text(args, 'key');
  if (key === undefined) return invalid('must specify a key');
  kv.set(key, undefined);
  return changed('key deleted');
}

/** Text as it is; of other bytes only how many there are. */
function shown(value: Bytes): string {
  const isText = value.every((byte) => byte === 0x0a || byte === 0x09 || (byte >= 0x20 && byte < 0x7f));
  return isText ? fromUtf8(value) : `<<< binary blob of length ${value.length} >>>`;
}
