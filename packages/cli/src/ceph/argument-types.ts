/** The types of command arguments (pybind/ceph_argparse.py): what a word must look like, and what it becomes in JSON. */
import { isIP } from 'node:net';

/** One argument of a signature, as get_command_descriptions gives it. */
export interface ArgumentSpec {
  readonly name: string;
  readonly type: string;
  readonly n?: string;
  readonly req?: string;
  readonly strings?: string;
  readonly range?: string;
  readonly goodchars?: string;
}

/** A word does not fit. `kind` decides whether another command may be meant. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
  readonly kind: 'prefix' | 'missing' | 'tooFew' | 'invalid';

  constructor(kind: ArgumentError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** A number that travels with a decimal point, whole or not: the monitors tell the types apart. */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  toString(): string {
    return Number.isInteger(this.value) ? this.value.toFixed(1) : String(this.value);
  }
}

export type ArgumentValue = string | number | boolean | Float;

function refuse(message: string): never {
  throw new ArgumentError('invalid', message);
}

interface ArgumentType {
  /** @throws ArgumentError when `word` does not fit. */
  read(word: string, spec: ArgumentSpec, partial: boolean): ArgumentValue;
  /** As error messages call it. */
  show(spec: ArgumentSpec): string;
}

/** @throws ArgumentError when `value` is outside the range, whose bounds are shown as the type shows its values. */
function checkRange(value: number, spec: ArgumentSpec, show: (value: number) => string): void {
  const [least, most] = (spec.range ?? '').split('|').filter(Boolean).map(Number);
  if ((least === undefined || value >= least) && (most === undefined || value <= most)) return;
  const bounds = [least, most].filter((bound) => bound !== undefined);
  refuse(`${show(value)} not in range [${bounds.map(show).join(', ')}]`);
}

function showRange(spec: ArgumentSpec): string {
  if (spec.range === undefined || spec.range === '') return '';
  const [least, most = ''] = spec.range.split('|');
  return `[${least}-${most}]`;
}

function readAddress(word: string): string {
  const [address = '', nonce] = word.replace(/^(v1|v2|any):/, '').split('/');
  if (nonce !== undefined && !/^\d+\]?$/.test(nonce)) refuse(`${word}: invalid entity, nonce ${nonce} not integer > 0`);
  const bracketed = /^\[(.*)\](?::(\d+))?$/.exec(address);
  const plain = /^([^:]*)(?::(\d+))?$/.exec(address);
  const host = bracketed?.[1] ?? plain?.[1] ?? address;
  if (isIP(host) === 0) refuse(`${host}: invalid ${host.includes('.') ? 'IPv4' : 'IPv6'} address`);
  const port = bracketed?.[2] ?? plain?.[2];
  if (port !== undefined && Number(port) > 65_535) refuse(`${port}: invalid port`);
  return word;
}

const TYPES: Readonly<Record<string, ArgumentType>> = {
  CephInt: {
    read(word, spec) {
      if (!/^[+-]?(0x[0-9a-f]+|0+|[1-9]\d*)$/i.test(word)) refuse(`${word} doesn't represent an int`);
      const magnitude = Number(word.replace(/^[+-]/, ''));
      const value = word.startsWith('-') ? -magnitude : magnitude;
      checkRange(value, spec, String);
      return value;
    },
    show: (spec) => `<int${showRange(spec)}>`,
  },
  CephFloat: {
    read(word, spec) {
      const value = Number(word);
      if (word.trim() === '' || Number.isNaN(value)) refuse(`${word} doesn't represent a float`);
      checkRange(value, spec, (each) => new Float(each).toString());
      return new Float(value);
    },
    show: (spec) => `<float${showRange(spec)}>`,
  },
  CephString: {
    read(word, { goodchars }) {
      if (goodchars === undefined || goodchars === '') return word;
      const good = new RegExp(`^${goodchars}$`);
      const bad = [...new Set(word)].filter((char) => !good.test(char));
      if (bad.length > 0) refuse(`invalid chars ${bad.join('')} in ${word}`);
      return word;
    },
    show: ({ goodchars }) => `<string${goodchars ? `(goodchars ${goodchars})` : ''}>`,
  },
  CephIPAddr: { read: readAddress, show: () => '<IPaddr[:port]>' },
  CephEntityAddr: { read: readAddress, show: () => '<EntityAddr>' },
  CephPoolname: { read: (word) => word, show: () => '<poolname>' },
  CephObjectname: { read: (word) => word, show: () => '<objectname>' },
  CephPgid: {
    read(word) {
      if (!word.includes('.')) refuse('pgid has no .');
      const [pool = '', seed = ''] = word.split(/\.(.*)/s);
      if (!/^[+-]?\d+$/.test(pool)) refuse(`pool ${pool} not integer`);
      if (Number(pool) < 0) refuse(`pool ${pool} < 0`);
      if (!/^[0-9a-f]+$/i.test(seed)) refuse(`pgnum ${seed} not hex integer`);
      return word;
    },
    show: () => '<pgid>',
  },
  CephName: {
    read(word) {
      if (['*', 'mgr', 'mon'].includes(word)) return word;
      if (!word.includes('.')) refuse(`CephName: no . in ${word}`);
      const [type = '', id = ''] = word.split(/\.(.*)/s);
      if (!['osd', 'mon', 'client', 'mds', 'mgr'].includes(type)) refuse(`unknown type ${type}`);
      if (type === 'osd' && id !== '*' && !/^\d+$/.test(id)) refuse(`osd id ${id} not integer`);
      return word;
    },
    show: () => '<name (type.id)>',
  },
  CephOsdName: {
    read(word) {
      if (word === '*') return word;
      const id = word.startsWith('osd.') ? word.slice(4) : word;
      if (id.includes('.')) refuse(`unknown type ${id.split('.')[0]}`);
      if (!/^[+-]?\d+$/.test(id)) refuse(`osd id ${id} not integer`);
      if (Number(id) < 0) refuse(`osd id ${id} is less than 0`);
      return Number(id);
    },
    show: () => '<osdname (id|osd.id)>',
  },
  CephChoices: {
    read(word, spec, partial) {
      const choices = (spec.strings ?? '').split('|');
      const fits = partial ? choices.some((choice) => choice.startsWith(word)) : choices.includes(word);
      if (!fits) refuse(`${word} not in ${choices.join('|')}`);
      return word;
    },
    show: (spec) => spec.strings ?? '',
  },
  CephBool: {
    read(word) {
      const lower = word.toLowerCase();
      if (['true', '1'].includes(lower)) return true;
      if (['false', '0'].includes(lower)) return false;
      return refuse(`${word} not one of 'true', 'false'`);
    },
    show: () => '<bool>',
  },
  CephFilepath: { read: (word) => word, show: () => '<outfilename>' },
  CephFragment: { read: (word) => word, show: () => '<CephFS fragment ID (0xvvv/bbb)>' },
  CephSocketpath: { read: (word) => word, show: () => '<admin-socket-path>' },
  CephUUID: {
    read(word) {
      if (!/^[0-9a-f]{32}$/i.test(word.replaceAll(/[-{}]/g, ''))) refuse(`invalid UUID ${word}`);
      return word;
    },
    show: () => '<uuid>',
  },
};

/** @throws ArgumentError when the word does not fit, or nothing is known of the type. */
export function readArgument(word: string, spec: ArgumentSpec, partial: boolean): ArgumentValue {
  const type = TYPES[spec.type];
  return type ? type.read(word, spec, partial) : refuse(`unknown type ${spec.type}`);
}

/** `name(<type>)`, in brackets when optional, with dots when it repeats. */
export function showArgument(spec: ArgumentSpec): string {
  const isFlag = spec.type === 'CephChoices' && !(spec.strings ?? '').includes('|');
  const text = isFlag
    ? (spec.strings ?? '')
    : `${spec.name}(${TYPES[spec.type]?.show(spec) ?? spec.type})${repeats(spec) ? '...' : ''}`;
  return isRequired(spec) ? text : `[${text}]`;
}

/** As usage lines show it. */
export function conciseArgument(spec: ArgumentSpec): string {
  let text: string;
  if (spec.type === 'CephBool') text = `--${spec.name.replaceAll('_', '-')}`;
  else if (spec.type === 'CephChoices')
    text = spec.name === 'format' ? `--format {${spec.strings}}` : (spec.strings ?? '');
  else if (spec.type === 'CephOsdName') text = '<id|osd.id>';
  else if (spec.type === 'CephName') text = '<type.id>';
  else if (spec.type === 'CephInt') text = `<${spec.name}:int>`;
  else if (spec.type === 'CephFloat') text = `<${spec.name}:float>`;
  else text = `<${spec.name}>`;
  if (repeats(spec)) text += '...';
  return isRequired(spec) ? text : `[${text}]`;
}

export function isRequired(spec: ArgumentSpec): boolean {
  return spec.req === undefined || spec.req === 'true' || spec.req === 'True';
}

export function repeats(spec: ArgumentSpec): boolean {
  return spec.n === 'N' || spec.n === 'n';
}
