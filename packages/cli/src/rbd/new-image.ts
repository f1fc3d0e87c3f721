/** What the options of a line say of an image to be made (tools/rbd/Utils.cc, get_image_options; ArgumentTypes.cc). */
import { RbdFeature as Feature } from '@spirula/cls';
import { DEFAULT_FEATURES, type NewImage } from '@spirula/rbd';
import type { OptionTable } from '../ceph/global-options.ts';
import { orRefuse } from './context.ts';
import { featureBit } from './phrases.ts';
import { Refusal } from './refusal.ts';
import { parseSize } from './size.ts';
import type { VerbContext } from './verb.ts';

const EINVAL = 22;
/** RBD_FEATURES_SINGLE_CLIENT: an image that several use at once has none of them. */
const SINGLE_CLIENT = Feature.exclusiveLock | Feature.objectMap | Feature.fastDiff | Feature.journaling;
const MIN_ORDER = 12;
const MAX_ORDER = 25;

export const NEW_IMAGE_OPTIONS: OptionTable = {
  '--order': ['order', 'value'],
  '--object-size': ['object_size', 'value'],
  '--image-feature': ['image_feature', 'list'],
  '--image-shared': ['image_shared', 'flag'],
  '--stripe-unit': ['stripe_unit', 'value'],
  '--stripe-count': ['stripe_count', 'value'],
  '--data-pool': ['data_pool', 'value'],
};

/** @param usual features that it has unless the line names others @throws Refusal */
export async function newImage(
  { options, rados, env }: VerbContext,
  size: number,
  usual = DEFAULT_FEATURES,
): Promise<NewImage> {
  const order = parseOrder(options);
  const features = parseFeatures(options, usual);
  if (((features ?? usual) & Feature.journaling) !== 0n) {
    env.stderr('rbd: images with journaling are not made here: --image-feature names others\n');
  }
  const unit = options.get('stripe_unit');
  const count = options.get('stripe_count');
  if ((unit === undefined) !== (count === undefined)) {
    throw new Refusal('rbd: must specify both (or neither) of stripe-unit and stripe-count', EINVAL);
  }
  const dataPool = options.get('data_pool');
  return {
    size,
    ...(order !== undefined && { order }),
    ...(features !== undefined && { features }),
    ...(unit !== undefined && { stripes: { unit: parseSize(unit, 'stripe-unit', 'B'), count: Number(count) } }),
    ...(dataPool !== undefined && {
      dataPool: (await orRefuse(`rbd: error opening pool '${dataPool}'`, rados.ioctx(dataPool))).pool,
    }),
  };
}

function parseOrder(options: ReadonlyMap<string, string>): number | undefined {
  const order = options.get('order');
  const objectSize = options.get('object_size');
  if (order === undefined) {
    return objectSize === undefined ? undefined : Math.round(Math.log2(parseSize(objectSize, 'object-size', 'B')));
  }
  const number = Number(order);
  if (!/^\d+$/.test(order) || number < MIN_ORDER || number > MAX_ORDER) throw invalid('order');
  return number;
}

/** Undefined: the usual ones. */
function parseFeatures(options: ReadonlyMap<string, string>, usual: bigint): bigint | undefined {
  const named = options.get('image_feature');
  const isShared = options.has('image_shared');
  if (named === undefined) return isShared ? usual & ~SINGLE_CLIENT : undefined;
  let features = 0n;
  for (const name of named.split(',')) {
    const bit = featureBit(name);
    if (bit === undefined) throw invalid('image-feature');
    features |= bit;
  }
  // It comes with the object map, and goes with it.
  features = (features & Feature.objectMap) === 0n ? features & ~Feature.fastDiff : features | Feature.fastDiff;
  return isShared ? features & ~SINGLE_CLIENT : features;
}

function invalid(option: string): Refusal {
  return new Refusal(`rbd: the argument for option '--${option}' is invalid`, 1);
}
