/** Images that were put into the trash, by their ids (cls/rbd/cls_rbd.cc, trash_*). */
import { type Bytes, type Decoder, Errno, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, type ClassMethod, decodeStored, MethodFlag, method } from '../object-class.ts';
import { encodeWith, entriesFrom, firstOf, readKey, writeKey } from '../stored-key.ts';
import { found, isValidId } from './header-keys.ts';
import { decodeTrashedImage, encodeTrashedImage, type TrashedImage } from './trash-codec.ts';

const READ = MethodFlag.read;
const READ_WRITE = MethodFlag.read | MethodFlag.write;
const PREFIX = 'id_';

function trashAdd(object: MethodContext, id: RawString, image: TrashedImage): void {
  if (!isValidId(id)) throw new ClassError(Errno.EINVAL);
  if (readKey(object, PREFIX + id, decodeTrashedImage) !== undefined) throw new ClassError(Errno.EEXIST);
  writeKey(object, PREFIX + id, (encoder) => encodeTrashedImage(encoder, image));
}

function trashList(object: MethodContext, { after, max }: { after: RawString; max: bigint }): Bytes {
  const entries = [...firstOf(entriesFrom(object, PREFIX, PREFIX + after), max)];
  const images = entries.map(([key, value]) => [key, decodeStored(value, decodeTrashedImage)] as const);
  return encodeWith((encoder) =>
    encoder.list(images, ([key, image]) => {
      encoder.rawString(key.slice(PREFIX.length));
      encodeTrashedImage(encoder, image);
    }),
  );
}

interface StateInput {
  readonly id: RawString;
  readonly state: number;
  readonly expected: number;
}

/** @throws ClassError ESTALE: it is in neither of the two states */
function trashStateSet(object: MethodContext, { id, state, expected }: StateInput): void {
  const image = found(readKey(object, PREFIX + id, decodeTrashedImage));
  if (image.state === expected) {
    writeKey(object, PREFIX + id, (encoder) => encodeTrashedImage(encoder, { ...image, state }));
  } else if (image.state !== state) {
    throw new ClassError(Errno.ESTALE);
  }
}

const idInput = (input: Decoder) => input.rawString('id');

export const trashMethods: Readonly<Record<string, ClassMethod>> = {
  trash_add: method(
    READ_WRITE,
    (input) => input,
    (object, input) => {
      object.create(false);
      trashAdd(object, idInput(input), decodeTrashedImage(input));
    },
  ),
  trash_remove: method(READ_WRITE, idInput, (object, id) => {
    found(object.omapGet(PREFIX + id));
    object.omapRemove([PREFIX + id]);
  }),
  trash_list: method(READ, (input) => ({ after: input.rawString('start after'), max: input.u64big('max') }), trashList),
  /** Answers what is stored. */
  trash_get: method(READ, idInput, (object, id) => found(object.omapGet(PREFIX + id))),
  trash_state_set: method(
    READ_WRITE,
    (input): StateInput => ({ id: idInput(input), state: input.u8('state'), expected: input.u8('expected state') }),
    trashStateSet,
  ),
};
