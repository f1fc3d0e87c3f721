/** What the options of a line say of an image to be made (tools/rbd/Utils.cc, get_image_options). */
import type { NewImage } from '@spirula/rbd';
import type { OptionTable } from '../ceph/global-options.ts';
import { orRefuse } from './context.ts';
import { Refusal } from './refusal.ts';
import { parseSize } from './size.ts';
import type { VerbContext } from './verb.ts';

const EINVAL = 22;

export const NEW_IMAGE_OPTIONS: OptionTable = {
  '--object-size': ['object_size', 'value'],
  '--stripe-unit': ['stripe_unit', 'value'],
  '--stripe-count': ['stripe_count', 'value'],
  '--data-pool': ['data_pool', 'value'],
};

/** @throws Refusal */
export async function newImage({ options, rados }: VerbContext, size: number): Promise<NewImage> {
  const objectSize = options.get('object_size');
  const unit = options.get('stripe_unit');
  const count = options.get('stripe_count');
  if ((unit === undefined) !== (count === undefined)) {
    throw new Refusal('rbd: must specify both (or neither) of stripe-unit and stripe-count', EINVAL);
  }
  const dataPool = options.get('data_pool');
  return {
    size,
    ...(objectSize !== undefined && { order: Math.ceil(Math.log2(parseSize(objectSize, 'object-size', 'B'))) }),
    ...(unit !== undefined && { stripes: { unit: parseSize(unit, 'stripe-unit', 'B'), count: Number(count) } }),
    ...(dataPool !== undefined && {
      dataPool: (await orRefuse(`rbd: error opening pool '${dataPool}'`, rados.ioctx(dataPool))).pool,
    }),
  };
}
