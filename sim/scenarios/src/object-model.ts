/** What an object is to a client: the rules that a cluster must keep. */
import { type Bytes, compareBytes, EMPTY, Errno, type RawString } from '@spirula/encoding';

/** One part of a compound operation that changes an object. */
export type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly data: Bytes }
  | { readonly kind: 'writeFull'; readonly data: Bytes }
  | { readonly kind: 'append'; readonly data: Bytes }
  | { readonly kind: 'truncate'; readonly size: number }
  | { readonly kind: 'remove' }
  | { readonly kind: 'setXattr'; readonly name: RawString; readonly value: Bytes }
  | { readonly kind: 'omapSet'; readonly key: RawString; readonly value: Bytes }
  | { readonly kind: 'omapRm'; readonly key: RawString };

/** An object that exists. */
export interface Content {
  readonly data: Bytes;
  readonly xattrs: ReadonlyMap<RawString, Bytes>;
  readonly omap: ReadonlyMap<RawString, Bytes>;
}

/** An object at one moment. Two with the same key are the same. */
export interface ObjectState {
  readonly key: string;
  /** Undefined: there is no such object. */
  readonly content: Content | undefined;
}

export interface Outcome {
  readonly state: ObjectState;
  /** 0 or a negative errno. */
  readonly result: number;
}

export const ABSENT: ObjectState = { key: 'absent', content: undefined };
const NEW: Content = { data: EMPTY, xattrs: new Map(), omap: new Map() };

export function stateOf(content: Content | undefined): ObjectState {
  if (content === undefined) return ABSENT;
  const { data, xattrs, omap } = content;
  return { key: `${data.length}.${hashBytes(data)} ${hashMap(xattrs)} ${hashMap(omap)}`, content };
}

/** Runs the parts in order, all or nothing, as an OSD does. */
export function applyChanges(state: ObjectState, changes: readonly Change[]): Outcome {
  let { content } = state;
  for (const change of changes) {
    const needsObject = change.kind === 'remove' || change.kind === 'omapRm';
    if (needsObject && content === undefined) return { state, result: Errno.ENOENT };
    content = applyChange(content, change);
  }
  return { state: stateOf(content), result: 0 };
}

function applyChange(content: Content | undefined, change: Change): Content | undefined {
  const before = content ?? NEW;
  switch (change.kind) {
    case 'write': {
      const { offset, data } = change;
      const after = resize(before.data, Math.max(before.data.length, offset + data.length));
      after.set(data, offset);
      return { ...before, data: after };
    }
    case 'writeFull':
      return { ...before, data: change.data };
    case 'append': {
      const after = resize(before.data, before.data.length + change.data.length);
      after.set(change.data, before.data.length);
      return { ...before, data: after };
    }
    case 'truncate':
      return content === undefined ? undefined : { ...content, data: resize(content.data, change.size) };
    case 'remove':
      return undefined;
    case 'setXattr':
      return { ...before, xattrs: new Map(before.xattrs).set(change.name, change.value) };
    case 'omapSet':
      return { ...before, omap: new Map(before.omap).set(change.key, change.value) };
    case 'omapRm': {
      if (content === undefined) return undefined;
      const omap = new Map(content.omap);
      omap.delete(change.key);
      return { ...content, omap };
    }
  }
}

/** A copy, cut off or filled up with zeros. */
function resize(data: Bytes, size: number): Uint8Array {
  const resized = new Uint8Array(size);
  resized.set(data.subarray(0, size));
  return resized;
}

function hashMap(map: ReadonlyMap<RawString, Bytes>): string {
  return [...map]
    .map(([key, value]) => `${key}=${value.length}.${hashBytes(value)}`)
    .sort()
    .join();
}

/** 64 bits, two lanes; good enough to tell apart what one run writes. */
export function hashBytes(bytes: Bytes): string {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  let i = 0;
  for (; i + 4 <= bytes.length; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    a = Math.imul(a ^ word, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b ^ word, 0x5bd1e995);
    b ^= b >>> 13;
  }
  for (; i < bytes.length; i++) {
    a = Math.imul(a ^ bytes[i]!, 0x01000193);
    b = Math.imul(b ^ bytes[i]!, 0x5bd1e995);
    b ^= b >>> 13;
  }
  return `${(a >>> 0).toString(16)}${(b >>> 0).toString(16)}`;
}

/** For people: what an object is like, and whose writes it holds. */
export function describeState({ content }: ObjectState): string {
  if (content === undefined) return 'nothing';
  const { data, xattrs, omap } = content;
  const parts = [`${data.length} bytes ${describeData(data)}`];
  if (xattrs.size > 0) parts.push(`xattrs ${describeMap(xattrs)}`);
  if (omap.size > 0) parts.push(`omap ${describeMap(omap)}`);
  return parts.join(', ');
}

/** The marks that the workload leaves in what it writes, each once, in order; runs of zeros as such. */
export function describeData(data: Bytes): string {
  const marks: string[] = [];
  for (const mark of text(data.subarray(0, MAX_DESCRIBED)).match(/<[^<>]*>|\0+|[^<\0]+/g) ?? []) {
    const shown = mark.startsWith('\0') ? '0' : mark;
    if (marks.at(-1) !== shown) marks.push(shown);
  }
  return marks.slice(0, MAX_MARKS).join('') + (marks.length > MAX_MARKS ? '…' : '');
}

const MAX_DESCRIBED = 64 << 10;
const MAX_MARKS = 30;

function describeMap(map: ReadonlyMap<RawString, Bytes>): string {
  return [...map]
    .map(([key, value]) => `${key}=${text(value)}`)
    .sort()
    .join(' ');
}

function text(bytes: Bytes): string {
  let out = '';
  for (const byte of bytes) out += String.fromCharCode(byte);
  return out;
}

/** What a read of a part of an object brings; undefined when there is no such object. */
export function readState({ content }: ObjectState, offset: number, length: number): Bytes | undefined {
  return content?.data.subarray(offset, offset + length);
}

/** Whether two reads brought the same. */
export function sameRead(a: Bytes | undefined, b: Bytes | undefined): boolean {
  return a === undefined || b === undefined ? a === b : compareBytes(a, b) === 0;
}
