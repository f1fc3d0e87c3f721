/** An image's id, in the data of the object that is named after it (cls/rbd/cls_rbd.cc, get_id, set_id). */
import { Errno } from '@spirula/encoding';
import { ClassError, type ClassMethod, decodeStored, MethodFlag, method } from '../object-class.ts';
import { encodeWith } from '../stored-key.ts';
import { isValidId } from './header-keys.ts';

export const imageIdMethods: Readonly<Record<string, ClassMethod>> = {
  get_id: method(
    MethodFlag.read,
    () => undefined,
    (object) => {
      const { size } = object.stat();
      if (size === 0) throw new ClassError(Errno.ENOENT);
      const id = decodeStored(object.read(0, size), (decoder) => decoder.rawString('id'));
      return encodeWith((encoder) => encoder.rawString(id));
    },
  ),
  set_id: method(
    MethodFlag.read | MethodFlag.write,
    (input) => input,
    (object, input) => {
      const { size } = object.stat();
      const id = input.rawString('id');
      if (!isValidId(id)) throw new ClassError(Errno.EINVAL);
      if (size !== 0) throw new ClassError(Errno.EEXIST);
      object.write(
        0,
        encodeWith((encoder) => encoder.rawString(id)),
      );
    },
  ),
};
