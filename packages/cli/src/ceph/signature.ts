/** Finding the command that words mean, and its arguments (pybind/ceph_argparse.py: matchnum, validate, validate_command). */
import {
  ArgumentError,
  type ArgumentSpec,
  type ArgumentValue,
  conciseArgument,
  Float,
  isRequired,
  readArgument,
  repeats,
  showArgument,
} from './argument-types.ts';

/** Flag of get_command_descriptions. */
export const CommandFlag = { obsolete: 2, deprecated: 4, mgr: 8, poll: 16, hidden: 32 } as const;

type Part = string | ArgumentSpec;

export interface Signature {
  readonly sig: readonly Part[];
  readonly help: string;
  readonly flags: number;
}

/** What is sent: `prefix`, and the arguments by name. */
export type CommandObject = Record<string, ArgumentValue | ArgumentValue[]>;

/** The command as JSON, floats with their decimal point. */
export function formatCommand(command: CommandObject): string {
  const format = (value: ArgumentValue | ArgumentValue[]): string => {
    if (Array.isArray(value)) return `[${value.map(format).join(',')}]`;
    return value instanceof Float ? value.toString() : JSON.stringify(value);
  };
  return `{${Object.entries(command)
    .map(([name, value]) => `${JSON.stringify(name)}:${format(value)}`)
    .join(',')}}`;
}

export type ValidatedCommand =
  | { readonly ok: true; readonly command: CommandObject; readonly toMgr: boolean }
  /** Lines for standard error. */
  | { readonly ok: false; readonly complaints: readonly string[] };

/** The answer to get_command_descriptions. @throws SyntaxError when it is no JSON. */
export function parseDescriptions(json: string): readonly Signature[] {
  const descriptions = JSON.parse(json) as Record<string, { sig: Part[]; help?: string; flags?: number }>;
  return Object.values(descriptions).map(({ sig, help = '', flags = 0 }) => ({ sig, help, flags }));
}

/** `osd pool stats [<pool_name>]`. */
export function conciseSignature({ sig }: Signature): string {
  return sig.map((part) => (typeof part === 'string' ? part : conciseArgument(part))).join(' ');
}

function readWord(word: string, part: Part, isNamed: boolean, partial: boolean): ArgumentValue[] {
  if (typeof part === 'string') {
    if (partial ? part.startsWith(word) : part === word) return [part];
    throw new ArgumentError('prefix', `no match for ${word}`);
  }
  const splits = repeats(part) && (isNamed || part.type !== 'CephString');
  return (splits ? word.split(',') : [word]).map((each) => readArgument(each, part, partial));
}

function fits(word: string, part: Part, partial: boolean): boolean {
  try {
    readWord(word, part, false, partial);
    return true;
  } catch (error) {
    if (error instanceof ArgumentError) return false;
    throw error;
  }
}

const isRequiredPart = (part: Part) => typeof part === 'string' || isRequired(part);
const repeatsPart = (part: Part) => typeof part !== 'string' && repeats(part);
/** How often an argument stands in a row; `N` counts as any number. */
const countOf = (part: Part) => (typeof part === 'string' || part.n === undefined ? 1 : Number(part.n));

/** How many required parts of a signature the words match from the start. With `partial`, the last word may be cut off. */
function countMatches(words: readonly string[], sig: readonly Part[], partial: boolean): number {
  let at = 0;
  let matched = 0;
  for (const part of sig) {
    for (let seen = 0; repeatsPart(part) || seen < countOf(part); seen++) {
      if (at >= words.length) return matched;
      const isLast = at === words.length - 1;
      if (fits(words[at]!, part, partial && isLast)) at += 1;
      else if (isRequiredPart(part)) return matched;
      else break;
    }
    if (isRequiredPart(part)) matched += 1;
  }
  return matched;
}

const CONFIRMATIONS = [
  '--yes-i-really-mean-it',
  '--yes-i-really-really-mean-it',
  '--yes-i-really-really-mean-it-not-faking',
  '--force',
];

/** Reads all words against one signature. */
class Validation {
  readonly #sig: readonly Part[];
  readonly #words: string[];
  readonly #command: CommandObject = {};
  readonly #named: ReadonlyMap<string, ArgumentSpec>;
  #matched = 0;
  #refused: { readonly word: string; readonly error: ArgumentError } | undefined;

  constructor(words: readonly string[], sig: readonly Part[]) {
    this.#words = [...words];
    this.#sig = sig;
    const specs = sig.filter((part): part is ArgumentSpec => typeof part !== 'string');
    this.#named = new Map(specs.map((spec) => [spec.name, spec]));
  }

  /** @throws ArgumentError */
  run(): CommandObject {
    for (const part of this.#sig) this.#readPart(part);
    const required = this.#sig.filter(isRequiredPart).length;
    if (this.#matched < required) throw new ArgumentError('tooFew', 'not enough arguments given');
    if (this.#words.length > 0) {
      const list = this.#words.map((word) => `'${word}'`).join(', ');
      const reason = this.#refused ? `${this.#refused.word} not valid:  ${this.#refused.error.message}\n` : '';
      throw new ArgumentError('invalid', `${reason}unused arguments: [${list}]`);
    }
    return this.#command;
  }

  #readPart(part: Part): void {
    for (let seen = 0; repeatsPart(part) || seen < countOf(part); ) {
      const word = this.#words.shift();
      if (word === undefined) {
        this.#onMissing(part, seen);
        return;
      }
      if (this.#readNamed(word)) continue;
      if (word.startsWith('--') && !mayBeValue(word, part)) {
        throw new ArgumentError('invalid', `Unexpected argument '${word}'`);
      }
      let values: ArgumentValue[];
      try {
        values = readWord(word, part, false, false);
      } catch (error) {
        if (!(error instanceof ArgumentError) || isRequiredPart(part)) throw error;
        // Not needed here: it may be the next argument.
        this.#refused = { word, error };
        this.#words.unshift(word);
        return;
      }
      this.#store(part, values);
      this.#refused = undefined;
      seen += 1;
    }
  }

  #onMissing(part: Part, seen: number): void {
    if (!isRequiredPart(part) || (typeof part !== 'string' && part.name in this.#command)) return;
    if (repeatsPart(part) && seen > 0) return;
    const shown = typeof part === 'string' ? part : showArgument(part);
    if (repeatsPart(part)) throw new ArgumentError('invalid', `saw ${seen} of ${shown}, expected at least 1`);
    if (seen === 0) throw new ArgumentError('missing', `missing required parameter ${shown}`);
    throw new ArgumentError('invalid', `saw ${seen} of ${shown}, expected ${countOf(part)}`);
  }

  /** `--name=value`, `--name value`, and `--flag` for booleans. */
  #readNamed(word: string): boolean {
    const match = /^--([^=]+)(?:=(.+))?$/s.exec(word);
    if (!match) return false;
    const [, name = '', given] = match;
    const spec = this.#named.get(name.replaceAll('-', '_'));
    if (!spec) return false;
    const value = given ?? (spec.type === 'CephBool' ? 'true' : this.#words.shift());
    if (value === undefined) return false;
    this.#store(spec, readWord(value, spec, true, false));
    return true;
  }

  #store(part: Part, values: ArgumentValue[]): void {
    this.#matched += 1;
    const last = values.at(-1)!;
    if (typeof part === 'string') {
      const before = this.#command['prefix'];
      this.#command['prefix'] = before === undefined ? last : `${String(before)} ${last}`;
    } else if (repeats(part)) {
      const before = this.#command[part.name];
      this.#command[part.name] = [...(Array.isArray(before) ? before : []), ...values];
    } else this.#command[part.name] = last;
  }
}

function mayBeValue(word: string, part: Part): boolean {
  return (typeof part !== 'string' && part.type === 'CephChoices') || CONFIRMATIONS.includes(word);
}

/** Which commands the words come nearest to; several when they match equally far. */
function findNearest(words: readonly string[], signatures: readonly Signature[]): readonly Signature[] {
  let best = 0;
  let nearest: Signature[] = [];
  for (const signature of signatures) {
    if ((signature.flags & CommandFlag.obsolete) !== 0) continue;
    let matched = countMatches(words, signature.sig, true);
    // Words matched whole are worth more than the last one cut off.
    if (matched >= Math.floor(best) && matched === countMatches(words, signature.sig, false)) matched += 0.5;
    if (matched < best) continue;
    if (matched > best) nearest = [];
    best = matched;
    nearest.push(signature);
  }
  return nearest;
}

/** The command that `words` mean. */
export function validateCommand(words: readonly string[], signatures: readonly Signature[]): ValidatedCommand {
  const nearest = findNearest(words, signatures);
  const required = ({ sig }: Signature) => sig.filter(isRequiredPart).length;
  for (const signature of nearest.toSorted((a, b) => required(a) - required(b))) {
    try {
      const command = new Validation(words, signature.sig).run();
      return { ok: true, command, toMgr: (signature.flags & CommandFlag.mgr) !== 0 };
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      if (error.kind === 'prefix' || error.kind === 'tooFew') continue;
      if (error.kind === 'missing' && nearest.length > 1) break;
      return {
        ok: false,
        complaints: [`Invalid command: ${error.message}`, `${conciseSignature(signature)} :  ${signature.help}`],
      };
    }
  }
  const shown = nearest
    .filter(({ flags }) => (flags & (CommandFlag.deprecated | CommandFlag.hidden)) === 0)
    .slice(0, 10);
  return {
    ok: false,
    complaints: [`no valid command found; ${shown.length} closest matches:`, ...shown.map(conciseSignature)],
  };
}
