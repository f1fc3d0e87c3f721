/** Names of images or groups and their ids, each found by the other, in one object of the pool (cls/rbd/cls_rbd.cc, dir_*). */
import { type Decoder, Errno, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, type ClassMethod, decodeStored, MethodFlag, method } from '../object-class.ts';
import { encodeWith, entriesFrom, firstOf, readKey, writeKey } from '../stored-key.ts';
import { found, isValidId } from './header-keys.ts';

const READ = MethodFlag.read;
const READ_WRITE = MethodFlag.read | MethodFlag.write;
const NAME_PREFIX = 'name_';
const ID_PREFIX = 'id_';
/** DIRECTORY_STATE_*: whether images may come. */
const DirectoryState = { ready: 0, addDisabled: 1 } as const;

interface NameAndId {
  readonly name: RawString;
  readonly id: RawString;
}

const nameAndId = (input: Decoder): NameAndId => ({ name: input.rawString('name'), id: input.rawString('id') });

function readString(object: MethodContext, key: RawString): RawString | undefined {
  return readKey(object, key, (decoder) => decoder.rawString(key));
}

/** @param isNew whether the id must not be there yet; EBADF: it is */
function addEntry(object: MethodContext, { name, id }: NameAndId, isNew: boolean): void {
  if (name === '' || !isValidId(id)) throw new ClassError(Errno.EINVAL);
  if (object.omapGet(NAME_PREFIX + name) !== undefined) throw new ClassError(Errno.EEXIST);
  if (isNew && object.omapGet(ID_PREFIX + id) !== undefined) throw new ClassError(Errno.EBADF);
  const string = (text: RawString) => encodeWith((encoder) => encoder.rawString(text));
  object.omapSet(
    new Map([
      [ID_PREFIX + id, string(name)],
      [NAME_PREFIX + name, string(id)],
    ]),
  );
}

/** @throws ClassError ESTALE: name and id have others */
function removeEntry(object: MethodContext, { name, id }: NameAndId): void {
  const storedId = found(readString(object, NAME_PREFIX + name));
  const storedName = found(readString(object, ID_PREFIX + id));
  if (storedName !== name || storedId !== id) throw new ClassError(Errno.ESTALE);
  object.omapRemove([NAME_PREFIX + name]);
  object.omapRemove([ID_PREFIX + id]);
}

const listEntries = method(
  READ,
  (input) => ({ after: input.rawString('start after'), max: input.u64big('max') }),
  (object, { after, max }) => {
    const entries = [...firstOf(entriesFrom(object, NAME_PREFIX, NAME_PREFIX + after), max)];
    const ids = entries.map(([, value]) => decodeStored(value, (decoder) => decoder.rawString('id')));
    return encodeWith((encoder) => {
      encoder.u32(entries.length);
      for (const [i, [key]] of entries.entries()) {
        encoder.rawString(key.slice(NAME_PREFIX.length));
        encoder.rawString(ids[i]!);
      }
    });
  },
);

const addEntryMethod = method(
  READ_WRITE,
  (input) => input,
  (object, input) => {
    object.create(false);
    addEntry(object, nameAndId(input), true);
  },
);

const removeEntryMethod = method(READ_WRITE, nameAndId, removeEntry);

const renameEntryMethod = method(
  READ_WRITE,
  (input) => ({ from: input.rawString('from'), to: input.rawString('to'), id: input.rawString('id') }),
  (object, { from, to, id }) => {
    removeEntry(object, { name: from, id });
    addEntry(object, { name: to, id }, false);
  },
);

/** @throws ClassError EBUSY: there are images already */
function setState(object: MethodContext, state: number): void {
  if (state === DirectoryState.addDisabled) {
    object.stat();
    if (object.omapList({ after: NAME_PREFIX, prefix: NAME_PREFIX, max: 1 }).entries.size > 0) {
      throw new ClassError(Errno.EBUSY);
    }
  } else if (state !== DirectoryState.ready) {
    throw new ClassError(Errno.EINVAL);
  }
  writeKey(object, 'state', (encoder) => encoder.u8(state));
}

const stateInput = (input: Decoder) => input.u8('state');

function lookUp(prefix: RawString): ClassMethod {
  return method(
    READ,
    (input) => input.rawString('key'),
    (object, key) => {
      const value = found(readString(object, prefix + key));
      return encodeWith((encoder) => encoder.rawString(value));
    },
  );
}

export const directoryMethods: Readonly<Record<string, ClassMethod>> = {
  dir_get_id: lookUp(NAME_PREFIX),
  dir_get_name: lookUp(ID_PREFIX),
  dir_list: listEntries,
  dir_add_image: addEntryMethod,
  dir_remove_image: removeEntryMethod,
  dir_rename_image: renameEntryMethod,
  dir_state_assert: method(READ, stateInput, (object, state) => {
    if (found(readKey(object, 'state', stateInput)) !== state) throw new ClassError(Errno.ENOENT);
  }),
  dir_state_set: method(READ_WRITE, stateInput, setState),
  group_dir_list: listEntries,
  group_dir_add: addEntryMethod,
  group_dir_remove: removeEntryMethod,
  group_dir_rename: renameEntryMethod,
};
