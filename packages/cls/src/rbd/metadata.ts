/** Pairs that a client keeps with an image, or with a pool (cls/rbd/cls_rbd.cc, metadata_*). */
import { type Bytes, Errno, type RawString } from '@spirula/encoding';
import { ClassError, type ClassMethod, MethodFlag, method } from '../object-class.ts';
import { encodeWith, entriesFrom, firstOf } from '../stored-key.ts';

const READ = MethodFlag.read;
const READ_WRITE = MethodFlag.read | MethodFlag.write;
const PREFIX = 'metadata_';
/** Of who does not say how many (RBD_MAX_KEYS_READ). */
const DEFAULT_MAX = 64n;

export const metadataMethods: Readonly<Record<string, ClassMethod>> = {
  metadata_list: method(
    READ,
    (input) => ({ after: input.rawString('start after'), max: input.u64big('max') }),
    (object, { after, max }) => {
      const entries = entriesFrom(object, PREFIX, PREFIX + after);
      const data = [...firstOf(entries, max === 0n ? DEFAULT_MAX : max)];
      return encodeWith((encoder) =>
        encoder.list(data, ([key, value]) => {
          encoder.rawString(key.slice(PREFIX.length));
          encoder.blob(value);
        }),
      );
    },
  ),
  metadata_set: method(
    READ_WRITE,
    (input): ReadonlyMap<RawString, Bytes> =>
      input.map(
        'metadata',
        8,
        () => PREFIX + input.rawString('key'),
        () => input.blob('value'),
      ),
    (object, entries) => object.omapSet(entries),
  ),
  metadata_remove: method(
    READ_WRITE,
    (input) => PREFIX + input.rawString('key'),
    (object, key) => object.omapRemove([key]),
  ),
  metadata_get: method(
    READ,
    (input) => PREFIX + input.rawString('key'),
    (object, key) => {
      const value = object.omapGet(key);
      if (value === undefined) throw new ClassError(Errno.ENOENT);
      return encodeWith((encoder) => encoder.blob(value));
    },
  ),
};
