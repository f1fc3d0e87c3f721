/**
 * The options of one daemon while it runs (common/config.cc). What counts, from the least:
 *
 *   default   compiled in
 *   mon       what the monitors keep for this daemon; changes while it runs
 *   file      what it was started with: ceph.conf
 *   override  `config set` and `injectargs` over `tell` or the admin socket, until it stops
 */
import { Errno } from '@spirula/encoding';
import { expandMeta, type Metavariables } from './metavariables.ts';
import { canUpdateAtRuntime, formatValue, hasFlag, type Option, type OptionValue } from './option.ts';
import { allOptions, type Config, defaultOf, findOption, isRead } from './options.ts';
import { parseValue } from './parse-value.ts';

const SOURCES = ['mon', 'file', 'override'] as const;
export type ConfigSource = 'default' | (typeof SOURCES)[number];

export type SetResult =
  | { readonly ok: true }
  /** `code` is a negative errno: ENOENT, EINVAL, ERANGE, or EPERM for what only counts with the next start. */
  | { readonly ok: false; readonly code: number; readonly problem: string };

/** An option as `config show` lists it. */
export interface ShownOption {
  readonly name: string;
  readonly value: string;
  readonly source: ConfigSource;
  /** What would count without `source`, the strongest first. */
  readonly overrides: readonly { readonly source: ConfigSource; readonly value: string }[];
  /** What the monitors say and this daemon cannot take. */
  readonly ignored: string | undefined;
}

export class DaemonConfig {
  /** What the daemon's code reads; changed in place. */
  readonly #values: Record<string, OptionValue>;
  readonly #meta: Metavariables;
  readonly #given: Readonly<Record<(typeof SOURCES)[number], Map<string, OptionValue>>>;
  #ignored = new Map<string, string>();
  #hasHeardMonitors = false;

  /** Takes over `values`, what the daemon was started with: they are changed in place from now on. */
  constructor(values: Config, meta: Metavariables) {
    this.#values = values as Record<string, OptionValue>;
    this.#meta = meta;
    const fromFile = Object.entries(this.#values).filter(([name, value]) => value !== findOption(name)?.default);
    this.#given = { mon: new Map(), file: new Map(fromFile), override: new Map() };
  }

  /**
   * What the monitors say now, all of it. What only counts with the next start is taken the first time, when a daemon has
   * hardly begun, and not later (md_config_t::set_mon_vals).
   */
  applyMon(texts: ReadonlyMap<string, string>): void {
    this.#ignored = new Map();
    const before = [...this.#given.mon.keys()];
    for (const [name, text] of texts) {
      const option = findOption(name);
      if (!option) continue;
      const isIgnored = hasFlag(option, 'no_mon_update') || !this.#set('mon', name, option, text).ok;
      if (isIgnored) this.#ignored.set(name, text);
    }
    for (const name of before) if (!texts.has(name)) this.#remove('mon', name);
    this.#hasHeardMonitors = true;
  }

  /** Sets an option until the daemon stops. */
  set(name: string, text: string): SetResult {
    const option = findOption(name);
    if (!option) return { ok: false, code: Errno.ENOENT, problem: '' };
    return this.#set('override', name, option, text);
  }

  /** Takes back what `set` did; false when there is no such option. */
  unset(name: string): boolean {
    if (!findOption(name)) return false;
    this.#remove('override', name);
    return true;
  }

  /** The value in force as text, with metavariables filled in; undefined when there is no such option. */
  get(name: string): string | undefined {
    const option = findOption(name);
    return option && this.#expand(formatValue(option.type, this.#inForce(name, option)));
  }

  /** What is not as compiled in; with `withDefaults` everything. */
  show(withDefaults = false): ShownOption[] {
    const shown: ShownOption[] = [];
    for (const [name, option] of allOptions()) {
      const layers = this.#layersOf(name, option).map(({ source, value }) => ({
        source,
        value: formatValue(option.type, value),
      }));
      const [{ source, value }, ...overrides] = layers as [(typeof layers)[number], ...typeof layers];
      const ignored = this.#ignored.get(name);
      if (!withDefaults && source === 'default' && ignored === undefined) continue;
      shown.push({ name, value, source, overrides, ignored });
    }
    return shown;
  }

  /** What is not as compiled in, by source, as `config diff` has it (md_config_t::diff). */
  diff(): Record<string, Record<string, OptionValue>> {
    const diff: Record<string, Record<string, OptionValue>> = {};
    for (const [name, option] of allOptions()) {
      const layers = this.#layersOf(name, option).reverse();
      if (layers.length === 1) continue;
      const dump = (value: OptionValue) => dumpValue(option, value);
      const final = dump(layers.at(-1)!.value);
      diff[name] = {
        ...Object.fromEntries(layers.map(({ source, value }) => [source, dump(value)])),
        final: typeof final === 'string' ? this.#expand(final) : final,
      };
    }
    return diff;
  }

  /** All options in force, as `config show` of a daemon has them. */
  all(): Record<string, string> {
    const { cluster, type, id } = this.#meta;
    const names = [...allOptions().keys()].map((name) => [name, this.get(name)!] as const);
    return { name: `${type}.${id}`, cluster, ...Object.fromEntries(names) };
  }

  #set(source: 'mon' | 'override', name: string, option: Option, text: string): SetResult {
    const parsed = parseValue(name, option, text);
    if (!parsed.ok) return parsed;
    const isStarted = source === 'override' || this.#hasHeardMonitors;
    if (isStarted && !canUpdateAtRuntime(option) && parsed.value !== this.#inForce(name, option)) {
      return { ok: false, code: Errno.EPERM, problem: `Configuration option '${name}' may not be modified at runtime` };
    }
    this.#given[source].set(name, parsed.value);
    this.#refresh(name, option);
    return { ok: true };
  }

  #remove(source: 'mon' | 'override', name: string): void {
    this.#given[source].delete(name);
    this.#refresh(name, findOption(name)!);
  }

  #refresh(name: string, option: Option): void {
    if (isRead(name)) this.#values[name] = this.#inForce(name, option);
  }

  #layersOf(name: string, option: Option): { source: ConfigSource; value: OptionValue }[] {
    const given = SOURCES.toReversed().flatMap((source) => {
      const value = this.#given[source].get(name);
      return value === undefined ? [] : [{ source, value }];
    });
    return [...given, { source: 'default', value: defaultOf(option, this.#meta.type !== 'client') }];
  }

  #inForce(name: string, option: Option): OptionValue {
    return this.#layersOf(name, option)[0]!.value;
  }

  #expand(text: string): string {
    return expandMeta(text, this.#meta, (name) => {
      const option = findOption(name);
      return option && formatValue(option.type, this.#inForce(name, option));
    });
  }
}

/** A value in JSON (Option::dump_value): numbers and booleans as such, sizes and spans as text. */
export function dumpValue({ type }: Option, value: OptionValue): OptionValue {
  return type === 'size' || type === 'secs' ? String(value) : value;
}
