/**
 * References that others hold to an object, which goes with the last of them (cls/refcount/cls_refcount.cc). They are an
 * xattr, `refcount`:
 *
 *   obj_refcount { refs map<tag, true>, retired set<tag> }      a tag that was put once is not put again
 *
 * An object without the xattr may be taken to have one reference, of the empty tag (`implicit`).
 */
import { type Bytes, type Decoder, Encoder, Errno, type RawString } from '@spirula/encoding';
import type { MethodContext } from './method-context.ts';
import { ClassError, decodeStored, MethodFlag, method, type ObjectClass } from './object-class.ts';

const REFCOUNT_ATTR: RawString = 'refcount';
const WILDCARD: RawString = '';
const STRING_BYTES = 4;

interface References {
  readonly refs: ReadonlySet<RawString>;
  readonly retired: ReadonlySet<RawString>;
}

function sorted(tags: Iterable<RawString>): RawString[] {
  return [...tags].sort((a, b) => (a < b ? -1 : 1));
}

function decodeReferences(decoder: Decoder): References {
  return decoder.struct('refcount', 2, (version) => {
    const refs = decoder.map(
      'refs',
      STRING_BYTES + 1,
      () => decoder.rawString('tag'),
      () => decoder.bool('ref'),
    );
    const retired = version < 2 ? [] : decoder.list('retired', STRING_BYTES, () => decoder.rawString('tag'));
    return { refs: new Set(refs.keys()), retired: new Set(retired) };
  });
}

function encodeReferences({ refs, retired }: References): Bytes {
  const encoder = new Encoder(64);
  encoder.struct(2, 1, () => {
    encoder.list(sorted(refs), (tag) => {
      encoder.rawString(tag);
      encoder.bool(true);
    });
    encoder.list(sorted(retired), (tag) => encoder.rawString(tag));
  });
  return encoder.finish();
}

/** @throws ClassError ENOENT: there is no object */
function readReferences(object: MethodContext, implicit: boolean): References {
  const stored = object.getXattr(REFCOUNT_ATTR);
  if (stored !== undefined) return decodeStored(stored, decodeReferences);
  return { refs: new Set(implicit ? [WILDCARD] : []), retired: new Set() };
}

function writeReferences(object: MethodContext, references: References): void {
  object.setXattr(REFCOUNT_ATTR, encodeReferences(references));
}

interface TagInput {
  readonly tag: RawString;
  readonly implicit: boolean;
}

function decodeTagInput(decoder: Decoder): TagInput {
  return decoder.struct('reference', 1, () => ({
    tag: decoder.rawString('tag'),
    implicit: decoder.bool('implicit ref'),
  }));
}

/** Of `get` and `put`. `implicit`: an object that nobody has said anything of has one reference, which any tag stands for. */
export function encodeReferenceInput({ tag, implicit }: TagInput): Bytes {
  const encoder = new Encoder(64);
  encoder.struct(1, 1, () => {
    encoder.rawString(tag);
    encoder.bool(implicit);
  });
  return encoder.finish();
}

function get(object: MethodContext, { tag, implicit }: TagInput): void {
  const { refs, retired } = readReferences(object, implicit);
  writeReferences(object, { refs: new Set([...refs, tag]), retired });
}

function put(object: MethodContext, { tag, implicit }: TagInput): void {
  const { refs, retired } = readReferences(object, implicit);
  if (refs.size === 0) throw new ClassError(Errno.EINVAL);
  const found = refs.has(tag) ? tag : implicit && refs.has(WILDCARD) ? WILDCARD : undefined;
  if (found === undefined || retired.has(tag)) return;
  const left = new Set(refs);
  left.delete(found);
  if (left.size === 0) object.remove();
  else writeReferences(object, { refs: left, retired: new Set([...retired, tag]) });
}

function set(object: MethodContext, tags: readonly RawString[]): void {
  if (tags.length === 0) object.remove();
  else writeReferences(object, { refs: new Set(tags), retired: new Set() });
}

function encodeTags(tags: ReadonlySet<RawString>): Bytes {
  const encoder = new Encoder(64);
  encoder.struct(1, 1, () => encoder.list(sorted(tags), (tag) => encoder.rawString(tag)));
  return encoder.finish();
}

const { read, write } = MethodFlag;

export const refcountClass: ObjectClass = {
  name: 'refcount',
  methods: {
    get: method(read | write, decodeTagInput, get),
    put: method(read | write, decodeTagInput, put),
    set: method(
      read | write,
      (decoder) => decoder.struct('set', 1, () => decoder.list('refs', STRING_BYTES, () => decoder.rawString('tag'))),
      set,
    ),
    read: method(
      read,
      (decoder) => decoder.struct('read', 1, () => decoder.bool('implicit ref')),
      (object, implicit) => encodeTags(readReferences(object, implicit).refs),
    ),
  },
};
