/** Verbs of clones (tools/rbd/action/Clone.cc, Flatten.cc). */
import { rawFromText } from '@spirula/encoding';
import { cloneImage } from '@spirula/rbd';
import { openPool, orRefuse, withImage } from './context.ts';
import { imageWorld } from './image-world.ts';
import { NEW_IMAGE_OPTIONS, newImage } from './new-image.ts';
import { withProgress } from './progress.ts';
import { Refusal } from './refusal.ts';
import { takeDestinationSpec, takeImageSpec } from './spec.ts';
import {
  DESTINATION_OPTIONS,
  IMAGE_OPTIONS,
  PROGRESS_OPTIONS,
  SNAPSHOT_OPTIONS,
  type VerbContext,
  type VerbDefinition,
} from './verb.ts';

const EINVAL = 22;

async function clone(context: VerbContext): Promise<void> {
  const { options, rados } = context;
  const from = takeImageSpec(context, { snapshot: 'required' });
  const to = takeDestinationSpec(context, { snapshot: 'none', checked: 'all' });
  const { size: _, ...like } = await newImage(context, 0);
  const format = options.get('clone_format') ?? 'auto';
  if (!['1', '2', 'auto'].includes(format)) throw new Refusal(`rbd: clone format '${format}'`, EINVAL);
  const parent = {
    io: await openPool(context, from),
    name: rawFromText(from.image),
    snapshot: rawFromText(from.snapshot),
  };
  const place = { io: await openPool(context, to), name: rawFromText(to.image) };
  const chosen = { ...like, ...(format !== 'auto' && ({ format: format === '1' ? 1 : 2 } as const)) };
  await orRefuse('rbd: clone error', cloneImage(rados, parent, place, chosen, imageWorld));
}

async function flatten(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'none' });
  await withImage(context, await openPool(context, spec), spec.image, (image) =>
    orRefuse(
      'rbd: flatten error',
      withProgress(context, 'Image flatten', (onProgress) => image.flatten(onProgress)),
    ),
  );
}

export const cloneVerbs: readonly VerbDefinition[] = [
  {
    names: ['clone'],
    usage: [['clone IMAGE@SNAPSHOT IMAGE', 'one that shows it [--rbd-default-clone-format 1|2] and what create takes']],
    options: {
      ...SNAPSHOT_OPTIONS,
      ...DESTINATION_OPTIONS,
      ...NEW_IMAGE_OPTIONS,
      '--rbd-default-clone-format': ['clone_format', 'value'],
    },
    maxArgs: 2,
    run: clone,
  },
  {
    names: ['flatten'],
    usage: [['flatten IMAGE', 'make a clone one no more [--no-progress]']],
    options: { ...IMAGE_OPTIONS, ...PROGRESS_OPTIONS },
    maxArgs: 1,
    run: flatten,
  },
];
