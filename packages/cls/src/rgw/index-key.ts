/**
 * Under which omap keys the index of a bucket keeps what (cls_rgw.cc):
 *
 *   NAME                               an object, or the mark that there are versions of it
 *   NAME \0v EPOCH \0i INSTANCE        a version, where listings meet it: the newest first
 *   \x80 0_ VERSION.ID                 the log of changes
 *   \x80 1000_ NAME \0i INSTANCE       a version, by its name; with \0d behind it: the delete marker of version null
 *   \x80 1001_ NAME                    which version is the current one (OLH, object logical head)
 *
 * No UTF-8 text begins with \x80, so names of objects lie before these keys or behind them.
 */
import type { RawString } from '@spirula/encoding';
import type { DirEntry } from './dir-entry.ts';
import type { ObjectKey } from './object-key.ts';

/** What every key begins with that is no name. */
export const SPECIAL: RawString = '\x80';
/** Behind every key that is none. */
export const SPECIAL_END: RawString = '\x81';
export const LOG_PREFIX: RawString = `${SPECIAL}0_`;
export const INSTANCE_PREFIX: RawString = `${SPECIAL}1000_`;
export const OLH_PREFIX: RawString = `${SPECIAL}1001_`;
/** Behind the last of them that is used. */
export const LAST_PREFIX: RawString = `${SPECIAL}9999_`;

const INT64_LIMIT = 1n << 63n;

export function instanceKey({ name, instance }: ObjectKey): RawString {
  return `${INSTANCE_PREFIX}${name}\0i${instance}`;
}

/** Apart from that of the object of version null, which may be beneath it. */
export function deleteMarkerKey(key: ObjectKey): RawString {
  return `${instanceKey(key)}\0d`;
}

export function olhKey(name: RawString): RawString {
  return OLH_PREFIX + name;
}

/** Where the entry of a key is, unless there are versions of it. */
export function entryKey(key: ObjectKey): RawString {
  return key.instance === '' ? key.name : instanceKey(key);
}

/** Where listings meet a version. */
export function listKey({ key, versionedEpoch }: DirEntry): RawString {
  return `${key.name}\0v${decreasingNumber(versionedEpoch)}\0i${key.instance}`;
}

const RANGES: readonly (readonly [first: string, limit: bigint, digits: number])[] = [
  ['9', 0x10n, 2],
  ['8', 0x100n, 3],
  ['7', 0x1000n, 4],
  ['6', 0x1_0000n, 5],
  ['5', 0x1_0000_0000n, 10],
];

/** Text that is less for a greater number. */
function decreasingNumber(number: bigint): RawString {
  const range = RANGES.find(([, limit]) => number < limit);
  if (range) {
    const [first, limit, digits] = range;
    return first + String(limit - 1n - number).padStart(digits, '0');
  }
  // As printf's %020lld of the negated number: a sign takes one of the places.
  const negated = BigInt.asIntN(64, -number);
  return negated < 0n ? `4-${String(-negated).padStart(19, '0')}` : `4${String(negated).padStart(20, '0')}`;
}

/** The object that a key which listings meet is of. Undefined: none that 16.2.15 could tell. */
export function parseListKey(key: RawString): ObjectKey | undefined {
  const [name = '', ...values] = key.split('\0');
  if (values.length === 0) return { name: key, instance: '' };
  // A NUL that ends the key begins nothing.
  if (values.at(-1) === '') values.pop();
  if (values.length === 0) return undefined;
  let instance: RawString = '';
  for (const value of values) {
    if (value.startsWith('i')) instance = value.slice(1);
    else if (value.startsWith('v') && !isInt64(value.slice(1))) return undefined;
  }
  return { name, instance };
}

/** As strict_strtoll reads it. Epochs of more than 32 bits are no number in it: 16.2.15 does not list such versions. */
function isInt64(text: string): boolean {
  const digits = /^[\t-\r ]*([+-]?\d+)$/.exec(text)?.[1];
  if (digits === undefined) return false;
  const value = BigInt(digits.replace('+', ''));
  return value >= -INT64_LIMIT && value < INT64_LIMIT;
}
