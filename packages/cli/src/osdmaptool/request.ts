/** What the tool's command line asks for (main of src/tools/osdmaptool.cc). */
import { ArgumentWords, parseInt32, type TakenOption } from './argument-words.ts';
import { misuse, Refusal } from './refusal.ts';

/** How a map is shown: as text, or in a form such as `json`. */
export type Form = 'plain' | (string & {});

export interface Request {
  path: string;
  print: boolean;
  printForm: Form;
  tree: boolean;
  treeForm: Form;
  health: boolean;
  createSimple: boolean;
  createFromConf: boolean;
  withDefaultPool: boolean;
  clobber: boolean;
  osds: number;
  pgBits: number;
  pgpBits: number;
  exportCrush: string;
  importCrush: string;
  markUpIn: boolean;
  /** -1: none; so the next two. */
  markOut: number;
  markUp: number;
  markIn: number;
  adjustCrushWeight: string;
  clearTemp: boolean;
  cleanTemps: boolean;
  upmapCleanup: boolean;
  upmap: boolean;
  upmapFile: string;
  upmapMax: number;
  upmapDeviation: number;
  readonly upmapPools: Set<string>;
  upmapActive: boolean;
  save: boolean;
  testMapPgs: boolean;
  testMapPgsDump: boolean;
  testMapPgsDumpAll: boolean;
  testRandom: boolean;
  testCrush: boolean;
  testMapPg: string;
  testMapObject: string;
  /** -1: all. */
  pool: number;
  /** Not above 0: as the pools have it. */
  pgNum: number;
  rangeFirst: number;
  rangeLast: number;
}

function emptyRequest(): Request {
  return {
    path: '',
    ...{ print: false, printForm: 'plain', tree: false, treeForm: 'plain', health: false },
    ...{ createSimple: false, createFromConf: false, withDefaultPool: false, clobber: false },
    ...{ osds: 0, pgBits: 6, pgpBits: 6, exportCrush: '', importCrush: '' },
    ...{ markUpIn: false, markOut: -1, markUp: -1, markIn: -1, adjustCrushWeight: '' },
    ...{ clearTemp: false, cleanTemps: false },
    ...{ upmapCleanup: false, upmap: false, upmapFile: '-', upmapMax: 10, upmapDeviation: 5, upmapActive: false },
    upmapPools: new Set(),
    save: false,
    ...{ testMapPgs: false, testMapPgsDump: false, testMapPgsDumpAll: false, testRandom: false, testCrush: false },
    ...{ testMapPg: '', testMapObject: '', pool: -1, pgNum: -1, rangeFirst: -1, rangeLast: -1 },
  };
}

/** Names of the fields that hold a V. */
type FieldOf<V> = { [K in keyof Request]: Request[K] extends V ? K : never }[keyof Request];
type Set_<V> = (request: Request, value: V) => void;

/** `--name`: sets a field. */
const FLAGS: readonly (readonly [names: readonly string[], field: FieldOf<boolean>])[] = [
  [['-p', '--print'], 'print'],
  [['--upmap-active'], 'upmapActive'],
  [['--health'], 'health'],
  [['--with-default-pool'], 'withDefaultPool'],
  [['--create-from-conf'], 'createFromConf'],
  [['--mark-up-in'], 'markUpIn'],
  [['--clear-temp'], 'clearTemp'],
  [['--clean-temps'], 'cleanTemps'],
  [['--test-map-pgs'], 'testMapPgs'],
  [['--test-map-pgs-dump'], 'testMapPgsDump'],
  [['--test-map-pgs-dump-all'], 'testMapPgsDumpAll'],
  [['--test-random'], 'testRandom'],
  [['--clobber'], 'clobber'],
  [['--test-crush'], 'testCrush'],
  [['--save'], 'save'],
];

/** `--name N`. `isChecked`: what is wrong with it, or was with another before it, ends the tool. */
const NUMBERS: readonly (readonly [name: string, field: FieldOf<number>, isChecked?: true])[] = [
  ['--osd-pg-bits', 'pgBits'],
  ['--osd-pgp-bits', 'pgpBits'],
  ['--upmap-max', 'upmapMax'],
  ['--upmap-deviation', 'upmapDeviation'],
  ['--createsimple', 'osds', true],
  ['--pg-bits', 'pgBits', true],
  ['--pgp-bits', 'pgpBits', true],
  ['--range-first', 'rangeFirst'],
  ['--range-last', 'rangeLast'],
  ['--pool', 'pool', true],
];

/** `--name text`, without which the tool ends. */
const TEXTS: readonly (readonly [name: string, set: Set_<string>])[] = [
  ['--mark-out', (request, text) => (request.markOut = leadingNumber('--mark-out', text))],
  ['--mark-up', (request, text) => (request.markUp = leadingNumber('--mark-up', text))],
  ['--mark-in', (request, text) => (request.markIn = leadingNumber('--mark-in', text))],
  ['--upmap-pool', (request, text) => request.upmapPools.add(text)],
  ['--export-crush', (request, text) => (request.exportCrush = text)],
  ['--import-crush', (request, text) => (request.importCrush = text)],
  ['--test-map-pg', (request, text) => (request.testMapPg = text)],
  ['--test-map-object', (request, text) => (request.testMapObject = text)],
];

/** As those; Ceph's tool keeps their values elsewhere (see `lastText`). */
const UPMAP_FILES: readonly (readonly [name: string, set: Set_<string>])[] = [
  ['--upmap-cleanup', (request, text) => Object.assign(request, { upmapFile: text, upmapCleanup: true })],
  ['--upmap', (request, text) => Object.assign(request, { upmapFile: text, upmapCleanup: true, upmap: true })],
];

/** `--name [text]`: as the last word, they take the text of the option of TEXTS or of these before them, as 16.2.15 does. */
const OPTIONAL_TEXTS: readonly (readonly [name: string, set: Set_<string>])[] = [
  ['--dump', (request, text) => Object.assign(request, { print: true }, isForm(text) && { printForm: text })],
  ['--tree', (request, text) => Object.assign(request, { tree: true }, isForm(text) && { treeForm: text })],
  ['--pg-num', (request, text) => (request.pgNum = parsePgNum(text))],
  ['--adjust-crush-weight', (request, text) => (request.adjustCrushWeight = text)],
];

/** @throws Refusal with Ceph's words, on which it calls for `usage` or not. */
export function parseRequest(argv: readonly string[]): Request {
  const parser = new RequestParser(argv);
  const request = parser.parse();
  const files = parser.rest;
  if (files.length === 0) throw misuse('must specify osdmap filename');
  if (files.length > 1) throw misuse('too many arguments');
  if (request.upmapDeviation < 1) throw misuse('upmap-deviation must be >= 1');
  return { ...request, path: files[0]! };
}

class RequestParser {
  readonly #words: ArgumentWords;
  readonly #request = emptyRequest();
  #lastText = '';
  /** What was wrong so far, which some options look at. */
  #problems = '';

  constructor(argv: readonly string[]) {
    this.#words = new ArgumentWords(argv);
  }

  get rest(): readonly string[] {
    return this.#words.rest;
  }

  parse(): Request {
    const words = this.#words;
    while (!words.atEnd) {
      if (words.takeFlag(['--'])) break;
      if (!this.#takeFlag() && !this.#takeNumber() && !this.#takeText() && !this.#takeOptionalText()) words.skip();
    }
    return this.#request;
  }

  #takeFlag(): boolean {
    const flag = FLAGS.find(([names]) => this.#words.takeFlag(names));
    if (flag !== undefined) this.#request[flag[1]] = true;
    return flag !== undefined;
  }

  #takeNumber(): boolean {
    for (const [name, field, isChecked] of NUMBERS) {
      const taken = this.#words.takeOption([name]);
      if (taken === undefined) continue;
      if (taken.value === undefined) this.#problems += `${withoutValue(taken)}\n`;
      else {
        const parsed = parseInt32(taken.value);
        this.#request[field] = 'value' in parsed ? parsed.value : parsed.fallback;
        if ('problem' in parsed) this.#problems += parsed.problem;
      }
      if (isChecked && this.#problems !== '') throw new Refusal(this.#problems);
      if (field === 'osds') this.#request.createSimple = true;
      return true;
    }
    return false;
  }

  #takeText(): boolean {
    for (const [name, set] of [...TEXTS, ...UPMAP_FILES]) {
      const taken = this.#words.takeOption([name]);
      if (taken === undefined) continue;
      if (taken.value === undefined) throw new Refusal(withoutValue(taken));
      if (!UPMAP_FILES.some(([each]) => each === name)) this.#lastText = taken.value;
      set(this.#request, taken.value);
      return true;
    }
    return false;
  }

  #takeOptionalText(): boolean {
    for (const [name, set] of OPTIONAL_TEXTS) {
      const taken = this.#words.takeOption([name]);
      if (taken === undefined) continue;
      if (taken.value === undefined) this.#problems += `${withoutValue(taken)}\n`;
      this.#lastText = taken.value ?? this.#lastText;
      set(this.#request, this.#lastText);
      return true;
    }
    return false;
  }
}

function withoutValue({ word }: TakenOption): string {
  return `Option ${word} requires an argument.`;
}

function isForm(text: string): boolean {
  return text !== '' && text !== 'plain';
}

function parsePgNum(text: string): number {
  if (/^\s*[+-]?\d+$/.test(text)) return Number(text);
  throw new Refusal(`error parsing integer value Expected option value to be integer, got '${text}'`);
}

/** As C's strtod: what follows the number is nobody's. */
function leadingNumber(option: string, text: string): number {
  const number = Number.parseFloat(text);
  if (Number.isNaN(number)) throw new Refusal(`osdmaptool: ${option} takes the number of an OSD, not '${text}'`);
  return Math.trunc(number);
}
