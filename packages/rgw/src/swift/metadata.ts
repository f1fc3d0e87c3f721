/** What users give accounts, containers and objects of their own: `X-Container-Meta-Color: red`. */
import { type Bytes, bytesFromRaw, type RawString } from '@spirula/encoding';
import { attrText, USER_META_PREFIX } from '../store/object-attrs.ts';
import type { SwiftHeaders } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';

export type MetaOwner = 'account' | 'container' | 'object';

/** rgw_max_attr_size and rgw_max_attrs_num_in_req have no bounds; these are Swift's own. */
const MAX_VALUE_BYTES = 256;
const MAX_COUNT = 90;

/** Xattrs that a request sets, and (undefined) takes away. @throws SwiftError BadRequest */
export function metaChanges(headers: ReadonlyMap<string, string>, owner: MetaOwner): Map<RawString, Bytes | undefined> {
  const changes = new Map<RawString, Bytes | undefined>();
  for (const [header, value] of headers) {
    const given = header.startsWith(`x-${owner}-meta-`) ? header.slice(`x-${owner}-meta-`.length) : undefined;
    const removed = header.startsWith(`x-remove-${owner}-meta-`)
      ? header.slice(`x-remove-${owner}-meta-`.length)
      : undefined;
    const name = given ?? removed;
    if (name === undefined || name === '') continue;
    if (value.length > MAX_VALUE_BYTES) throw new SwiftError('BadRequest', `${header} is too long`);
    const isGiven = given !== undefined && value !== '';
    if (isGiven || !changes.has(USER_META_PREFIX + name)) {
      changes.set(USER_META_PREFIX + name, isGiven ? bytesFromRaw(value) : undefined);
    }
  }
  if (changes.size > MAX_COUNT) throw new SwiftError('BadRequest', 'There are too many metadata headers');
  return changes;
}

/** Those of an object that is written: what takes away has nothing to take away. */
export function newMeta(headers: ReadonlyMap<string, string>, owner: MetaOwner): Map<RawString, Bytes> {
  const given = [...metaChanges(headers, owner)].filter((each): each is [RawString, Bytes] => each[1] !== undefined);
  return new Map(given);
}

export function metaHeaders(attrs: ReadonlyMap<RawString, Bytes>, owner: MetaOwner): SwiftHeaders {
  const title = owner[0]!.toUpperCase() + owner.slice(1);
  return [...attrs]
    .filter(([name]) => name.startsWith(USER_META_PREFIX))
    .map(([name, value]) => [`X-${title}-Meta-${capitalised(name.slice(USER_META_PREFIX.length))}`, attrText(value)]);
}

/** As HTTP headers are usually written: clients of Swift look for them so. */
export function capitalised(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase());
}
