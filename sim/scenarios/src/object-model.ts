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

/** One part that lets a compound operation fail, unless the object is as it says. */
export type Guard =
  /** Fails with -EEXIST when there is one, makes one when not. */
  | { readonly kind: 'createExclusive' }
  /** Fails with -ERANGE when the object is newer, -EOVERFLOW when it is older or not there. */
  | { readonly kind: 'assertVersion'; readonly version: number }
  /** Fails with -(4095 + n) where byte n is the first that differs; zeros lie behind the object's end. */
  | { readonly kind: 'compareData'; readonly offset: number; readonly data: Bytes }
  /** Fails with -ECANCELED unless value, comparison, stored xattr holds; one that is not there is empty. */
  | { readonly kind: 'compareXattr'; readonly name: RawString; readonly comparison: Comparison; readonly value: Bytes }
  /** Fails with -ECANCELED unless the stored value, which is empty when not there, is that one. */
  | { readonly kind: 'compareOmap'; readonly key: RawString; readonly value: Bytes };

/** Names of `CmpXattrOp`. */
export type Comparison = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte';

export type Part = Guard | Change;

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
  /** The user version of its last change; undefined when the reply to that has not arrived. 0 without an object. */
  readonly version: number | undefined;
}

export interface Outcome {
  readonly state: ObjectState;
  /** 0 or a negative errno. */
  readonly result: number;
}

export const ABSENT: ObjectState = { key: 'absent', content: undefined, version: 0 };
const NEW: Content = { data: EMPTY, xattrs: new Map(), omap: new Map() };
/** A mismatch at byte n of a comparison is -(MAX_ERRNO + n). */
const MAX_ERRNO = 4095;

export function stateOf(content: Content | undefined, version: number | undefined): ObjectState {
  if (content === undefined) return ABSENT;
  const { data, xattrs, omap } = content;
  const key = `${data.length}.${hashOnce(data)} ${hashMap(xattrs)} ${hashMap(omap)} v${version ?? '?'}`;
  return { key, content, version };
}

/** The same object, its version known now. */
export function withVersion({ key, content }: ObjectState, version: number): ObjectState {
  if (content === undefined) return ABSENT;
  return { key: `${key.slice(0, key.lastIndexOf(' '))} v${version}`, content, version };
}

/** What a reply says that an object's state does not determine. */
export interface Told {
  /** The version that the object has by now; undefined: nobody was told. */
  readonly version: number | undefined;
  /** Whether an assertion about a version that is not known was found wrong, and how. */
  readonly refusal: number | undefined;
}

const TOLD_NOTHING: Told = { version: undefined, refusal: undefined };

/**
 * Runs the parts in order, all or nothing, as an OSD does: a guard finds existence and size as the parts before it left them,
 * and what the object held before them all.
 */
export function applyParts(state: ObjectState, parts: readonly Part[], told: Told = TOLD_NOTHING): Outcome {
  let { content } = state;
  let modifies = false;
  let hasOmap = true;
  for (const part of parts) {
    const result = isGuard(part)
      ? checkGuard(state, seenBetween(state.content, content, hasOmap), part, told)
      : mayChange(content, part);
    if (result < 0) return { state, result };
    if (part.kind === 'remove') hasOmap = false;
    if (part.kind === 'omapSet') hasOmap = true;
    modifies ||= part.kind === 'createExclusive' || !(isGuard(part) || (part.kind === 'truncate' && !content));
    content = part.kind === 'createExclusive' ? NEW : isGuard(part) ? content : applyChange(content, part);
  }
  return { state: modifies ? stateOf(content, told.version) : state, result: 0 };
}

function isGuard(part: Part): part is Guard {
  return part.kind.startsWith('compare') || part.kind === 'createExclusive' || part.kind === 'assertVersion';
}

function mayChange(content: Content | undefined, { kind }: Change): number {
  return content === undefined && (kind === 'remove' || kind === 'omapRm') ? Errno.ENOENT : 0;
}

/** What an object that was `before` shows to guards when the parts so far have made it `now`. */
function seenBetween(before: Content | undefined, now: Content | undefined, hasOmap: boolean): Content | undefined {
  if (now === undefined || now === before) return now;
  const { data, xattrs, omap } = before ?? NEW;
  return { data: data.subarray(0, now.data.length), xattrs, omap: hasOmap ? omap : NEW.omap };
}

/** `content` is what the guard sees of the object, `state` what it was before the parts. */
function checkGuard(state: ObjectState, content: Content | undefined, guard: Guard, told: Told): number {
  switch (guard.kind) {
    case 'createExclusive':
      return content === undefined ? 0 : Errno.EEXIST;
    case 'assertVersion':
      if (state.version === undefined) return told.refusal ?? 0;
      if (guard.version < state.version) return Errno.ERANGE;
      return guard.version > state.version ? Errno.EOVERFLOW : 0;
    case 'compareData': {
      const there = content?.data ?? EMPTY;
      const at = guard.data.findIndex((byte, i) => byte !== (there[guard.offset + i] ?? 0));
      return at < 0 ? 0 : -MAX_ERRNO - at;
    }
    case 'compareXattr': {
      if (content === undefined || state.content === undefined) return Errno.ENOENT;
      const order = compareBytes(guard.value, content.xattrs.get(guard.name) ?? EMPTY);
      return holds(guard.comparison, order) ? 0 : Errno.ECANCELED;
    }
    case 'compareOmap':
      if (content === undefined) return Errno.ENOENT;
      return compareBytes(guard.value, content.omap.get(guard.key) ?? EMPTY) === 0 ? 0 : Errno.ECANCELED;
  }
}

function holds(comparison: Comparison, order: number): boolean {
  switch (comparison) {
    case 'eq':
      return order === 0;
    case 'ne':
      return order !== 0;
    case 'gt':
      return order > 0;
    case 'gte':
      return order >= 0;
    case 'lt':
      return order < 0;
    case 'lte':
      return order <= 0;
  }
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

const hashes = new WeakMap<Bytes, string>();

/** Of the data of an object: states that differ in something else share it. */
function hashOnce(data: Bytes): string {
  let hash = hashes.get(data);
  if (hash === undefined) {
    hash = hashBytes(data);
    hashes.set(data, hash);
  }
  return hash;
}

/** 64 bits, two lanes; good enough to tell apart what one run writes. */
export function hashBytes(bytes: Bytes): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  let c = 0x7f4a7c15;
  let d = 0x2545f491;
  let i = 0;
  // Two words a step, each in two lanes: none waits for another.
  for (; i + 8 <= bytes.length; i += 8) {
    const first = view.getInt32(i, true);
    const second = view.getInt32(i + 4, true);
    a = Math.imul(a ^ first, 0x01000193);
    b = Math.imul(b ^ first, 0x5bd1e995);
    c = Math.imul(c ^ second, 0x01000193);
    d = Math.imul(d ^ second, 0x5bd1e995);
    a ^= a >>> 15;
    b ^= b >>> 13;
    c ^= c >>> 15;
    d ^= d >>> 13;
  }
  a = Math.imul(a ^ d, 0x01000193);
  b = Math.imul(b ^ c, 0x5bd1e995);
  for (; i < bytes.length; i++) {
    a = Math.imul(a ^ bytes[i]!, 0x01000193);
    b = Math.imul(b ^ bytes[i]!, 0x5bd1e995);
    b ^= b >>> 13;
  }
  return `${(a >>> 0).toString(16)}${(b >>> 0).toString(16)}`;
}

/** For people: what an object is like, and whose writes it holds. */
export function describeState({ content, version }: ObjectState): string {
  if (content === undefined) return 'nothing';
  const { data, xattrs, omap } = content;
  const parts = [`version ${version ?? 'unknown'}`, `${data.length} bytes ${describeData(data)}`];
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

/** For people: what an operation does, in short. */
export function describeParts(parts: readonly Part[]): string {
  return parts.map(describePart).join(' + ');
}

function describePart(part: Part): string {
  switch (part.kind) {
    case 'write':
    case 'compareData':
      return `${part.kind} ${part.offset}~${part.data.length} ${describeData(part.data)}`;
    case 'writeFull':
    case 'append':
      return `${part.kind} ${part.data.length} ${describeData(part.data)}`;
    case 'truncate':
      return `truncate ${part.size}`;
    case 'setXattr':
      return `setXattr ${part.name}=${text(part.value)}`;
    case 'compareXattr':
      return `compareXattr ${text(part.value)} ${part.comparison} ${part.name}`;
    case 'omapSet':
    case 'compareOmap':
      return `${part.kind} ${part.key}=${text(part.value)}`;
    case 'omapRm':
      return `omapRm ${part.key}`;
    case 'assertVersion':
      return `assertVersion ${part.version}`;
    case 'remove':
    case 'createExclusive':
      return part.kind;
  }
}

/** Whether two reads brought the same. */
export function sameRead(a: Bytes | undefined, b: Bytes | undefined): boolean {
  return a === undefined || b === undefined ? a === b : compareBytes(a, b) === 0;
}
