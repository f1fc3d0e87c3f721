/** Entries of a bucket's index as they are stored: bi_get, bi_put, bi_list. */
import { type Bytes, type Decoder, Errno, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, decodeStored } from '../object-class.ts';
import {
  type BiEntry,
  type BiGetInput,
  type BiListInput,
  BiType,
  encodeBiEntry,
  encodeBiListReply,
} from './bi-codec.ts';
import { decodeDirEntry } from './dir-entry.ts';
import {
  entryKey,
  INSTANCE_PREFIX,
  instanceKey,
  LAST_PREFIX,
  LOG_PREFIX,
  OLH_PREFIX,
  olhKey,
  SPECIAL,
} from './index-key.ts';
import type { ObjectKey } from './object-key.ts';
import { decodeOlhEntry } from './olh-codec.ts';

const MAX_ENTRIES = 1000;
/** Kinds of keys, in the order in which listings meet those that they meet. */
const KINDS: readonly RawString[] = [LOG_PREFIX, INSTANCE_PREFIX, OLH_PREFIX, LAST_PREFIX];

/** ENOENT: it is not there. EINVAL: no such type. */
export function getBi(object: MethodContext, { key, type }: BiGetInput): Bytes {
  const at = biKey(key, type);
  const data = object.omapGet(at);
  if (!data) throw new ClassError(Errno.ENOENT);
  return encodeBiEntry({ type, key: at, data });
}

function biKey(key: ObjectKey, type: number): RawString {
  switch (type) {
    case BiType.plain:
      return key.name;
    case BiType.instance:
      return entryKey(key);
    case BiType.olh:
      return olhKey(key.name);
    default:
      throw new ClassError(Errno.EINVAL);
  }
}

export function putBi(object: MethodContext, { key, data }: BiEntry): void {
  object.omapSet(new Map([[key, data]]));
}

/** What one part of a listing has found. */
interface Part {
  readonly entries: readonly BiEntry[];
  readonly more: boolean;
}

/** Names before the special keys, versions, OLHs, names behind them: parts of one listing, as far as it gets. */
export function listBi(object: MethodContext, { max: asked, name, marker }: BiListInput): Bytes {
  const max = Math.min(asked, MAX_ENTRIES);
  const parts: readonly ((left: number) => Part)[] = [
    (left) => (marker < SPECIAL ? listNames(object, name, marker, left, SPECIAL) : { entries: [], more: false }),
    (left) => listSpecial(object, { max: left, name, marker }, BiType.instance),
    (left) => listSpecial(object, { max: left, name, marker }, BiType.olh),
    (left) => listNames(object, name, marker > LAST_PREFIX ? marker : LAST_PREFIX, left),
  ];
  const entries: BiEntry[] = [];
  let more = false;
  for (const part of parts) {
    const found = part((max - entries.length) >>> 0);
    entries.push(...found.entries);
    more = found.more;
    if (more) break;
  }
  return encodeBiListReply({ entries: entries.slice(0, max), truncated: entries.length > max || more });
}

/** @param end keys from it on are not among them */
function listNames(object: MethodContext, name: RawString, after: RawString, max: number, end?: RawString): Part {
  const page = object.omapList({ after, prefix: name, max });
  const entries: BiEntry[] = [];
  for (const [key, data] of page.entries) {
    if (end !== undefined && key >= end) return { entries, more: false };
    const entry = decodeStored(data, decodeDirEntry);
    if (name !== '' && entry.key.name > name) return { entries, more: false };
    entries.push({ type: BiType.plain, key, data });
  }
  return { entries, more: page.more };
}

/** Versions, or OLHs. */
function listSpecial(object: MethodContext, { max, name, marker }: BiListInput, type: number): Part {
  const isOlh = type === BiType.olh;
  const decode = (decoder: Decoder): { readonly key: ObjectKey } =>
    isOlh ? decodeOlhEntry(decoder) : decodeDirEntry(decoder);
  const ofName = isOlh ? olhKey(name) : instanceKey({ name, instance: '' });
  const prefix = name === '' ? (isOlh ? OLH_PREFIX : INSTANCE_PREFIX) : ofName;
  const start = isBehind(marker, prefix) ? marker : prefix;
  // The entry of version null has just this key. When no place is left for it, 16.2.15 takes that for very many.
  const first = start === marker ? undefined : object.omapGet(start);
  const left = first ? (max - 1) >>> 0 : max;
  const page = left > 0 ? object.omapList({ after: start, max: left }) : { entries: new Map(), more: false };
  const found = first ? new Map([[start, first], ...page.entries]) : page.entries;
  const entries: BiEntry[] = [];
  for (const [key, data] of found) {
    if (!key.startsWith(prefix)) return { entries, more: false };
    if (name !== '' && decodeStored(data, decode).key.name !== name) return { entries, more: false };
    if (name === '') decodeStored(data, decode);
    entries.push({ type, key, data });
  }
  return { entries, more: page.more };
}

/** In the order of kinds, then of keys (bi_entry_gt). */
function isBehind(a: RawString, b: RawString): boolean {
  const [kindA, kindB] = [kindOf(a), kindOf(b)];
  return kindA === kindB ? a > b : kindA > kindB;
}

/** 0: a name. One that has no known prefix comes before all. */
function kindOf(key: RawString): number {
  if (!key.startsWith(SPECIAL)) return 0;
  const kind = KINDS.findIndex((prefix) => key.startsWith(prefix));
  return kind < 0 ? -1 : kind + 1;
}
