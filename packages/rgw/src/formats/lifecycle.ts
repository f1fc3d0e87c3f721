/** When objects of a bucket end (RGWLifecycleConfiguration, rgw_lc.h): its xattr `user.rgw.lc`. */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';
import { ascending } from './ascending.ts';
import { decodeTags, encodeTags, type Tags } from './tags.ts';

/** LCExpiration: after days, or at a date; as their texts, '' when not given. */
export interface LifecycleExpiration {
  readonly days: string;
  readonly date: string;
}

export interface LifecycleTransition extends LifecycleExpiration {
  readonly storageClass: RawString;
}

export interface LifecycleRule {
  readonly id: RawString;
  /** Of rules without a filter. */
  readonly prefix: RawString;
  /** `Enabled` or `Disabled`. */
  readonly status: string;
  readonly expiration: LifecycleExpiration;
  readonly noncurrentExpiration: LifecycleExpiration;
  /** Of uploads that nobody completes. */
  readonly multipartExpiration: LifecycleExpiration;
  /** Whether delete markers go that hide nothing. */
  readonly expireDeleteMarkers: boolean;
  readonly filter: { readonly prefix: RawString; readonly tags: Tags };
  /** By storage class. */
  readonly transitions: ReadonlyMap<RawString, LifecycleTransition>;
  readonly noncurrentTransitions: ReadonlyMap<RawString, LifecycleTransition>;
}

export const NO_EXPIRATION: LifecycleExpiration = { days: '', date: '' };
/** Least bytes of a rule under its id, and of a transition under its class: a struct and strings. */
const RULE_BYTES = 4 + 6 + 3 * 4;
const TRANSITION_BYTES = 4 + 6 + 3 * 4;

function encodeExpiration(to: Encoder, { days, date }: LifecycleExpiration): void {
  to.struct(3, 2, () => {
    to.string(days);
    to.string(date);
  });
}

function decodeExpiration(from: Decoder): LifecycleExpiration {
  return from.struct('expiration', 3, (version) => ({
    days: from.string('days'),
    date: version >= 3 ? from.string('date') : '',
  }));
}

function encodeTransitions(to: Encoder, transitions: ReadonlyMap<RawString, LifecycleTransition>): void {
  to.map(
    ascending(transitions),
    (storageClass) => to.rawString(storageClass),
    ({ days, date, storageClass }) =>
      to.struct(1, 1, () => {
        to.string(days);
        to.string(date);
        to.rawString(storageClass);
      }),
  );
}

function decodeTransitions(from: Decoder): Map<RawString, LifecycleTransition> {
  return from.map(
    'transitions',
    TRANSITION_BYTES,
    () => from.rawString('storage class'),
    () =>
      from.struct('transition', 1, () => ({
        days: from.string('days'),
        date: from.string('date'),
        storageClass: from.rawString('storage class'),
      })),
  );
}

function encodeRule(to: Encoder, rule: LifecycleRule): void {
  to.struct(6, 1, () => {
    to.rawString(rule.id);
    to.rawString(rule.prefix);
    to.string(rule.status);
    encodeExpiration(to, rule.expiration);
    encodeExpiration(to, rule.noncurrentExpiration);
    encodeExpiration(to, rule.multipartExpiration);
    to.bool(rule.expireDeleteMarkers);
    to.struct(2, 1, () => {
      to.rawString(rule.filter.prefix);
      encodeTags(to, rule.filter.tags);
    });
    encodeTransitions(to, rule.transitions);
    encodeTransitions(to, rule.noncurrentTransitions);
  });
}

function decodeRule(from: Decoder): LifecycleRule {
  return from.struct('rule', 6, (version) => ({
    id: from.rawString('id'),
    prefix: from.rawString('prefix'),
    status: from.string('status'),
    expiration: decodeExpiration(from),
    noncurrentExpiration: version >= 2 ? decodeExpiration(from) : NO_EXPIRATION,
    multipartExpiration: version >= 3 ? decodeExpiration(from) : NO_EXPIRATION,
    expireDeleteMarkers: version >= 4 && from.bool('expire delete markers'),
    filter:
      version >= 5
        ? from.struct('filter', 2, (filterVersion) => ({
            prefix: from.rawString('filter prefix'),
            tags: filterVersion >= 2 ? decodeTags(from) : new Map(),
          }))
        : { prefix: '', tags: new Map() },
    transitions: version >= 6 ? decodeTransitions(from) : new Map(),
    noncurrentTransitions: version >= 6 ? decodeTransitions(from) : new Map(),
  }));
}

/** Rules in the order of their ids. */
export function encodeLifecycle(to: Encoder, rules: readonly LifecycleRule[]): void {
  const sorted = [...rules].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  to.struct(1, 1, () =>
    to.list(sorted, (rule) => {
      to.rawString(rule.id);
      encodeRule(to, rule);
    }),
  );
}

/** @throws MalformedInput */
export function decodeLifecycle(from: Decoder): LifecycleRule[] {
  return from.struct('lifecycle', 1, () =>
    from.list('rules', RULE_BYTES, () => {
      from.blob('id');
      return decodeRule(from);
    }),
  );
}
