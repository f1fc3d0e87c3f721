/** The namespaces of a pool that images are in (cls/rbd/cls_rbd.cc, namespace_*). */
import { type Decoder, EMPTY, Errno, type RawString } from '@spirula/encoding';
import { ClassError, type ClassMethod, MethodFlag, method } from '../object-class.ts';
import { encodeWith, entriesFrom, firstOf } from '../stored-key.ts';
import { found } from './header-keys.ts';

const READ = MethodFlag.read;
const READ_WRITE = MethodFlag.read | MethodFlag.write;
const PREFIX = 'name_';

const keyInput = (input: Decoder): RawString => PREFIX + input.rawString('name');

export const namespaceMethods: Readonly<Record<string, ClassMethod>> = {
  namespace_add: method(READ_WRITE, keyInput, (object, key) => {
    if (object.omapGet(key) !== undefined) throw new ClassError(Errno.EEXIST);
    object.omapSet(new Map([[key, EMPTY]]));
  }),
  namespace_remove: method(READ_WRITE, keyInput, (object, key) => {
    found(object.omapGet(key));
    object.omapRemove([key]);
  }),
  namespace_list: method(
    READ,
    (input) => ({ after: input.rawString('start after'), max: input.u64big('max') }),
    (object, { after, max }) => {
      const entries = firstOf(entriesFrom(object, PREFIX, PREFIX + after), max);
      return encodeWith((encoder) => encoder.list(entries, ([key]) => encoder.rawString(key.slice(PREFIX.length))));
    },
  ),
};
