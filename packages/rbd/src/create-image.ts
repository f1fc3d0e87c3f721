/** Making an image (librbd/image/CreateRequest.cc). */

import { RbdFeature as Feature } from '@spirula/cls';
import { Errno, type RawString, rawFromText } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import { CLASS, classCall } from './class-calls.ts';
import { objectCount } from './image-layout.ts';
import { DIRECTORY, headerObject, idObject, objectMapObject } from './names.ts';
import { resizeOperation } from './object-map.ts';
import type { ImageWorld } from './writable-image.ts';

/** layering, exclusive-lock, object-map, fast-diff and deep-flatten (rbd_default_features). */
export const DEFAULT_FEATURES =
  Feature.layering | Feature.exclusiveLock | Feature.objectMap | Feature.fastDiff | Feature.deepFlatten;
/** rbd_default_order: objects of 4 MiB. */
export const DEFAULT_ORDER = 22;
/** They come with what the image is like (RBD_FEATURES_IMPLICIT_ENABLE), or with what becomes of it. */
const IMPLICIT = Feature.stripingV2 | Feature.dataPool | Feature.operations | Feature.migrating;
const MIN_ORDER = 12;
const MAX_ORDER = 25;

export interface NewImage {
  /** Bytes. */
  readonly size: number;
  /** Objects are of 2 to the power of it bytes: 12 to 25. */
  readonly order?: number;
  /** Those that come with stripes, a data pool and so on do so by themselves. */
  readonly features?: bigint;
  /** Bytes, and objects that take turns. */
  readonly stripes?: { readonly unit: number; readonly count: number };
  /** Number of the pool of the data objects, where it is another. */
  readonly dataPool?: number;
  /** Left out: a new one. */
  readonly id?: RawString;
}

/**
 * What is begun and not ended takes the name, until `rbd rm`.
 *
 * @returns its id
 * @throws RadosError EEXIST: there is one of this name; EINVAL, EDOM: it cannot be like that; EOPNOTSUPP: it would keep a journal
 */
export async function createImage(
  io: IoCtx,
  name: RawString,
  { size, order = DEFAULT_ORDER, features: asked = DEFAULT_FEATURES, stripes, dataPool, id: given }: NewImage,
  world: Pick<ImageWorld, 'randomBytes'>,
): Promise<RawString> {
  const id = given ?? newImageId(world);
  const objectSize = 2 ** order;
  const isStriped = stripes !== undefined && (stripes.unit !== objectSize || stripes.count !== 1);
  const features = checkedFeatures(
    (asked & ~IMPLICIT) | (isStriped ? Feature.stripingV2 : 0n) | (dataPool === undefined ? 0n : Feature.dataPool),
  );
  if (order < MIN_ORDER || order > MAX_ORDER) throw new RadosError(Errno.EDOM, `objects of 2^${order} bytes`);
  const isWrong = stripes && (stripes.unit < 1 || stripes.count < 1 || objectSize % stripes.unit !== 0);
  if (isWrong) throw new RadosError(Errno.EINVAL, `stripes of ${stripes.unit} bytes`);
  const prefix = dataPool === undefined ? `rbd_data.${id}` : `rbd_data.${io.pool}.${id}`;
  const call = (method: string, encode: Parameters<typeof classCall>[2]) =>
    new ObjectOperation().exec(CLASS, method, classCall(method, () => undefined, encode).input, 'write');

  const names = call('set_id', (to) => to.rawString(id));
  await io.operate(idObject(name), new ObjectOperation().create(true).add(names.ops[0]!, 'write'));
  await io.operate(
    DIRECTORY,
    call('dir_add_image', (to) => {
      to.rawString(name);
      to.rawString(id);
    }),
  );
  const header = call('create', (to) => {
    to.u64(size);
    to.u8(order);
    to.u64big(features);
    to.rawString(prefix);
    if (dataPool !== undefined) to.u64(dataPool);
  });
  if (isStriped) {
    const { input } = classCall(
      'set_stripe_unit_count',
      () => undefined,
      (to) => {
        to.u64(stripes.unit);
        to.u64(stripes.count);
      },
    );
    header.exec(CLASS, 'set_stripe_unit_count', input, 'write');
  }
  await io.operate(headerObject(id), new ObjectOperation().create(true));
  for (const op of header.ops) await io.operate(headerObject(id), new ObjectOperation().add(op, 'write'));
  if ((features & Feature.objectMap) !== 0n) {
    const layout = { objectSize, stripeUnit: stripes?.unit ?? objectSize, stripeCount: stripes?.count ?? 1 };
    await io.operate(objectMapObject(id), resizeOperation(objectCount(layout, size), false));
  }
  return id;
}

export function newImageId({ randomBytes }: Pick<ImageWorld, 'randomBytes'>): RawString {
  return rawFromText([...randomBytes(7)].map((byte) => byte.toString(16).padStart(2, '0')).join(''));
}

/** @throws RadosError EINVAL: one of them needs another; EOPNOTSUPP: a journal */
function checkedFeatures(features: bigint): bigint {
  const lacks = (feature: bigint, needed: bigint) => (features & feature) !== 0n && (features & needed) === 0n;
  const isBare =
    lacks(Feature.fastDiff, Feature.objectMap) ||
    lacks(Feature.objectMap, Feature.exclusiveLock) ||
    lacks(Feature.journaling, Feature.exclusiveLock);
  if (isBare) throw new RadosError(Errno.EINVAL, `features ${features}`);
  if ((features & Feature.journaling) !== 0n) throw new RadosError(Errno.EOPNOTSUPP, 'an image that keeps a journal');
  return features;
}
