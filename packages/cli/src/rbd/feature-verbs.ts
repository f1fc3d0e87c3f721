/** `rbd feature` (tools/rbd/action/Feature.cc). */
import { Errno } from '@spirula/encoding';
import { disableFeatures, enableFeatures, type WritableImage } from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import { openPool, refuseWith, withImage } from './context.ts';
import { featureBits } from './phrases.ts';
import { Refusal } from './refusal.ts';
import { takeImageSpec } from './spec.ts';
import { IMAGE_OPTIONS, type Verb, type VerbDefinition } from './verb.ts';

const EINVAL = 22;

function onFeatures(update: (image: WritableImage, features: bigint) => Promise<void>): Verb {
  return async (context) => {
    const spec = takeImageSpec(context, { snapshot: 'none' });
    const names = context.args.takeAll();
    if (names.length === 0) throw new Refusal('rbd: at least one feature name must be specified', EINVAL);
    const features = featureBits(names);
    if (features === undefined) throw new Refusal('rbd: the argument for option is invalid', 1);
    await withImage(context, await openPool(context, spec), spec.image, async (image) => {
      try {
        await update(image, features);
      } catch (error) {
        refuseWith(error, (code) =>
          code === Errno.EROFS
            ? `rbd: failed to update image features: journals are not kept by this client: ${describeErrno(code)}`
            : `rbd: failed to update image features: ${describeErrno(code)}`,
        );
      }
    });
  };
}

const ON_FEATURES = { options: IMAGE_OPTIONS, maxArgs: Number.POSITIVE_INFINITY } as const;

export const featureVerbs: readonly VerbDefinition[] = [
  {
    ...ON_FEATURES,
    names: ['feature enable'],
    usage: [
      ['feature enable|disable IMAGE FEATURE…', 'exclusive-lock, object-map, fast-diff; disable: deep-flatten, too'],
    ],
    run: onFeatures(enableFeatures),
  },
  { ...ON_FEATURES, names: ['feature disable'], usage: [], run: onFeatures(disableFeatures) },
];
