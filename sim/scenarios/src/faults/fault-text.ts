/**
 * Faults in a line, for shells, reports and people:
 *
 *     crash osd.1 osd.2                       the subject: who is meant, selectors as in targets.ts
 *     partition mon.a | rest oneWay           two groups; a flag
 *     delay primary of 1.7 upTo=200ms for 10s other fields as key=value; how long it lasts
 *     command osd out ids=["2"]               or as JSON: command {"prefix":"osd out","ids":["2"]}
 *
 * What fields a kind has, and what may stand in them, is read off its schema: a new kind needs nothing here.
 */
import type { z } from 'zod';
import { type Daemons, daemons, FAULT_SCHEMAS, type Fault, type FaultKind, span } from './fault.ts';
import { FaultSyntaxError, quoteWord, splitWords, type Word } from './fault-words.ts';

export interface FaultLine {
  readonly fault: Fault;
  /** A span of time. */
  readonly for?: string;
}

/** Makes a command of the words of an operator; without one, the words are its prefix and arguments are named. */
export type ReadCommand = (words: readonly string[]) => Readonly<Record<string, unknown>>;

type Schema = z.core.$ZodType;
type FieldForm = 'daemons' | 'groups' | 'command' | 'flag' | 'value';
type Fields = Readonly<Record<string, Schema>>;

const OF_PG = ['primary', 'replicas', 'acting'];
const RESERVED = ['for', 'of', '|'];

/** @throws FaultSyntaxError */
export function parseFault(line: string, readCommand: ReadCommand = readNamed): FaultLine {
  const [kind, ...words] = splitWords(line);
  const schema = FAULT_SCHEMAS[kind?.text as FaultKind];
  if (kind === undefined || !Object.hasOwn(FAULT_SCHEMAS, kind.text)) {
    const known = Object.keys(FAULT_SCHEMAS).join(', ');
    throw new FaultSyntaxError(`${kind?.text ?? 'nothing'}: expected a fault: ${known}`);
  }
  const duration = takeDuration(words);
  const fault = new FaultReader(kind.text, schema.shape, readCommand).read(words);
  const checked = schema.safeParse(fault);
  if (!checked.success) {
    const [{ path, message }] = checked.error.issues as [z.core.$ZodIssue];
    throw new FaultSyntaxError(`${kind.text}: ${path.join('.')}: ${message}`);
  }
  return { fault: checked.data as Fault, ...(duration !== undefined && { for: duration }) };
}

/** Takes `for 30s` off the end. */
function takeDuration(words: Word[]): string | undefined {
  const at = words.findIndex(({ text, quoted, key }) => text === 'for' && !quoted && key === undefined);
  if (at < 0) return undefined;
  const [, length, extra] = words.splice(at);
  if (extra !== undefined) throw new FaultSyntaxError(`${extra.text}: expected nothing after "for ${length!.text}"`);
  const checked = span.safeParse(length?.text);
  if (!checked.success) throw new FaultSyntaxError(`for ${length?.text ?? ''}: expected a span of time such as 30s`);
  return checked.data;
}

/** Reads the words of one fault by the fields of its schema. */
class FaultReader {
  readonly #kind: string;
  readonly #fields: Fields;
  readonly #readCommand: ReadCommand;

  constructor(kind: string, fields: Fields, readCommand: ReadCommand) {
    this.#kind = kind;
    this.#fields = fields;
    this.#readCommand = readCommand;
  }

  read(words: readonly Word[]): Record<string, unknown> {
    const subject = subjectOf(this.#fields);
    const fault: Record<string, unknown> = { fault: this.#kind };
    if (subject !== undefined && formOf(this.#fields[subject]!) === 'command') {
      const isJson = words[0]?.text.startsWith('{') === true;
      fault[subject] = this.#readWholeCommand(isJson ? words.slice(0, 1) : words);
      // As JSON it ends where it ends; what follows are fields of the fault.
      words = isJson ? words.slice(1) : [];
    }
    const rest: Word[] = [];
    for (const word of words) {
      if (word.key !== undefined) this.#readField(fault, word.key, word.text);
      else if (!word.quoted && this.#isFlag(word.text)) fault[word.text] = true;
      else rest.push(word);
    }
    if (rest.length === 0) return fault;
    if (subject === undefined) throw new FaultSyntaxError(`${rest[0]!.text}: ${this.#expected()}`);
    fault[subject] = this.#readSubject(formOf(this.#fields[subject]!), rest);
    return fault;
  }

  #readField(fault: Record<string, unknown>, key: string, text: string): void {
    const schema = key === 'fault' ? undefined : this.#fieldOf(key);
    if (schema === undefined) throw new FaultSyntaxError(`${key}: ${this.#expected()}`);
    fault[key] = readValue(key, schema as z.ZodType, text);
  }

  #fieldOf(name: string): Schema | undefined {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  #isFlag(name: string): boolean {
    const schema = this.#fieldOf(name);
    return schema !== undefined && formOf(schema) === 'flag';
  }

  #readSubject(form: FieldForm, words: readonly Word[]): unknown {
    if (form === 'daemons') return readDaemons(words);
    if (form === 'groups') {
      const at = words.findIndex(isBar);
      const groups = [words.slice(0, at), words.slice(at + 1)];
      if (at < 0 || groups.some(({ length }) => length === 0) || groups[1]!.some(isBar)) {
        const said = words.map(({ text }) => text).join(' ');
        throw new FaultSyntaxError(`${said}: expected two groups, such as mon.a | rest`);
      }
      return groups.map(readDaemons);
    }
    const [word, extra] = words;
    if (extra !== undefined) throw new FaultSyntaxError(`${extra.text}: ${this.#expected()}`);
    return word!.text;
  }

  #readWholeCommand(words: readonly Word[]): unknown {
    const [first] = words;
    if (first === undefined) throw new FaultSyntaxError(`${this.#kind}: expected a command, such as osd out 2`);
    if (!first.text.startsWith('{')) {
      return this.#readCommand(words.map(({ key, text }) => (key === undefined ? text : `${key}=${text}`)));
    }
    try {
      return JSON.parse(first.text);
    } catch {
      throw new FaultSyntaxError(`${first.text}: expected a command as JSON`);
    }
  }

  /** What may be said of this kind of fault. */
  #expected(): string {
    const subject = subjectOf(this.#fields);
    const names = Object.keys(this.#fields).filter((name) => name !== 'fault' && name !== subject);
    const forms = names.map((name) => (formOf(this.#fields[name]!) === 'flag' ? name : `${name}=...`));
    const all = [...(subject === undefined ? [] : [subject]), ...forms, 'for 30s'];
    return `expected, after ${this.#kind}: ${all.join(', ')}`;
  }
}

function isBar({ text, quoted }: Word): boolean {
  return text === '|' && !quoted;
}

/** The field that is said without its name: whom it strikes, or the first text that must be given. */
function subjectOf(fields: Fields): string | undefined {
  const names = Object.keys(fields).filter((name) => name !== 'fault');
  const whom = names.find((name) => ['daemons', 'groups', 'command'].includes(formOf(fields[name]!)));
  return whom ?? names.find((name) => fields[name]!._zod.def.type === 'string');
}

function formOf(schema: Schema): FieldForm {
  if (schema === daemons) return 'daemons';
  const { def } = schema._zod;
  if (def.type === 'optional' || def.type === 'readonly' || def.type === 'default') {
    return formOf((def as unknown as { readonly innerType: Schema }).innerType);
  }
  if (def.type === 'boolean') return 'flag';
  if (def.type === 'object') return 'command';
  if (def.type === 'tuple' && (def as unknown as z.core.$ZodTupleDef).items[0] === daemons) return 'groups';
  return 'value';
}

function readDaemons(words: readonly Word[]): Daemons {
  const selectors: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const [{ text, quoted }, of, whose] = words.slice(i) as [Word, ...Word[]];
    if (isBar(words[i]!)) throw new FaultSyntaxError('|: expected one group only');
    if (!quoted && OF_PG.includes(text) && of?.text === 'of' && !of.quoted && whose !== undefined) {
      selectors.push(`${text} of ${whose.text}`);
      i += 2;
    } else selectors.push(text);
  }
  return selectors.length === 1 ? selectors[0]! : selectors;
}

/** The text itself when the field takes texts, else what it says as JSON. */
function readValue(key: string, schema: z.ZodType, text: string): unknown {
  const asText = schema.safeParse(text);
  if (asText.success) return asText.data;
  let value: unknown = text;
  try {
    value = JSON.parse(text);
  } catch {
    // It is no JSON: what the schema says of the text is what there is to say.
  }
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const [{ message }] = checked.error.issues as [z.core.$ZodIssue];
  throw new FaultSyntaxError(`${key}=${text}: ${message}`);
}

const NAMED = /^(\w+)=(.*)$/s;

function readNamed(words: readonly string[]): Readonly<Record<string, unknown>> {
  const prefix = words.filter((word) => !NAMED.test(word)).join(' ');
  const named = words.flatMap((word) => {
    const match = NAMED.exec(word);
    return match === null ? [] : [[match[1]!, readArgument(match[2]!)] as const];
  });
  return { prefix, ...Object.fromEntries(named) };
}

function readArgument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A fault in a line that `parseFault` reads back. */
export function describeFault(fault: Fault): string {
  const fields: Fields = FAULT_SCHEMAS[fault.fault].shape;
  const subject = subjectOf(fields);
  const words: string[] = [fault.fault];
  const flags = Object.keys(fields).filter((name) => formOf(fields[name]!) === 'flag');
  const given = fault as unknown as Readonly<Record<string, unknown>>;
  if (subject !== undefined && given[subject] !== undefined) {
    words.push(describeSubject(formOf(fields[subject]!), given[subject], flags));
  }
  for (const name of Object.keys(fields)) {
    const value = given[name];
    if (name === 'fault' || name === subject || value === undefined) continue;
    if (value === true && flags.includes(name)) words.push(name);
    else words.push(`${name}=${typeof value === 'string' ? quoteWord(value) : JSON.stringify(value)}`);
  }
  return words.join(' ');
}

function describeSubject(form: FieldForm, value: unknown, flags: readonly string[]): string {
  switch (form) {
    case 'daemons':
      return describeDaemons(value as Daemons, flags);
    case 'groups':
      return (value as readonly Daemons[]).map((group) => describeDaemons(group, flags)).join(' | ');
    case 'command':
      return JSON.stringify(value);
    default:
      return quoteWord(String(value), [...RESERVED, ...flags]);
  }
}

function describeDaemons(value: Daemons, flags: readonly string[]): string {
  const quote = (text: string) => quoteWord(text, [...RESERVED, ...flags]);
  return (typeof value === 'string' ? [value] : value)
    .map((selector) => {
      const [which, of, ...whose] = selector.split(' ');
      const isOfPg = OF_PG.includes(which!) && of === 'of' && whose.length > 0;
      return isOfPg ? `${which} of ${quote(whose.join(' '))}` : quote(selector);
    })
    .join(' ');
}
