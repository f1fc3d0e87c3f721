/** What an option is (common/options.h): its type, its default, what values it takes, and when a change of it counts. */

export type OptionType = 'str' | 'int' | 'uint' | 'float' | 'bool' | 'size' | 'secs' | 'addr' | 'uuid';
export type OptionLevel = 'basic' | 'advanced' | 'dev' | 'unknown';
/**
 * `runtime`: counts at once; `startup`: with the next start; `no_mon_update`: the monitors cannot set it; `cluster_create`,
 * `create`: only when a cluster or a store is made.
 */
export type OptionFlag = 'runtime' | 'startup' | 'no_mon_update' | 'cluster_create' | 'create';

/** Sizes are bytes, times seconds; addresses and ids are text. */
export type OptionValue = string | number | boolean;

interface OptionTraits<T extends OptionValue = OptionValue> {
  readonly level?: OptionLevel;
  /** The default of daemons, where it differs from that of clients. */
  readonly daemonDefault?: T;
  readonly min?: number;
  readonly max?: number;
  /** Of a `str`: what it may be. */
  readonly values?: readonly string[];
  readonly flags?: readonly OptionFlag[];
  readonly services?: readonly string[];
  readonly tags?: readonly string[];
  readonly seeAlso?: readonly string[];
}

export interface Option<T extends OptionValue = OptionValue> extends OptionTraits<T> {
  readonly type: OptionType;
  readonly level: OptionLevel;
  readonly default: T;
  readonly description: string;
}

function make<T extends OptionValue>(type: OptionType) {
  return (value: T, description: string, traits: OptionTraits<T> = {}): Option<T> => ({
    level: 'advanced',
    ...traits,
    type,
    default: value,
    description,
  });
}

export const str = make<string>('str');
export const int = make<number>('int');
export const uint = make<number>('uint');
export const float = make<number>('float');
export const bool = make<boolean>('bool');
/** Bytes; written with K, M, G … (powers of 1024) too. */
export const size = make<number>('size');
/** Whole seconds; written as `5 minutes` too. */
export const secs = make<number>('secs');
export const addr = make<string>('addr');
export const uuid = make<string>('uuid');

export function hasFlag(option: Option, flag: OptionFlag): boolean {
  return option.flags?.includes(flag) ?? false;
}

/** Whether a running daemon takes a change (Option::can_update_at_runtime). */
export function canUpdateAtRuntime(option: Option): boolean {
  if (hasFlag(option, 'runtime')) return true;
  if (option.type === 'str' || option.type === 'uuid') return false;
  return !(['startup', 'cluster_create', 'create'] as const).some((flag) => hasFlag(option, flag));
}

/** A value as Ceph writes it (Option::to_str). */
export function formatValue(type: OptionType, value: OptionValue): string {
  return type === 'float' && typeof value === 'number' ? value.toFixed(6) : String(value);
}
