/** `rbd rename` (tools/rbd/action/Rename.cc). */
import { rawFromText } from '@spirula/encoding';
import { renameImage } from '@spirula/rbd';
import { openPool, orRefuse } from './context.ts';
import { imageWorld } from './image-world.ts';
import { Refusal } from './refusal.ts';
import { takeDestinationSpec, takeImageSpec } from './spec.ts';
import { DESTINATION_OPTIONS, IMAGE_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

const EINVAL = 22;

async function rename(context: VerbContext): Promise<void> {
  const from = takeImageSpec(context, { snapshot: 'none' });
  const to = takeDestinationSpec(context, { snapshot: 'none', checked: 'all' }, from);
  const isOtherPool = from.pool !== to.pool;
  if (isOtherPool || from.namespace !== to.namespace) {
    const what = isOtherPool ? 'pool' : 'namespace';
    const [source, destination] = isOtherPool ? [from.pool, to.pool] : [from.namespace, to.namespace];
    throw new Refusal(
      `rbd: mv/rename across ${what}s not supported\nsource ${what}: ${source} dest ${what}: ${destination}`,
      EINVAL,
    );
  }
  const io = await openPool(context, from);
  const renaming = renameImage(context.rados, io, rawFromText(from.image), rawFromText(to.image), imageWorld);
  await orRefuse('rbd: rename error', renaming);
}

export const renameVerbs: readonly VerbDefinition[] = [
  {
    names: ['rename', 'mv'],
    usage: [['rename IMAGE IMAGE', 'give it another name in its pool']],
    options: { ...IMAGE_OPTIONS, ...DESTINATION_OPTIONS },
    maxArgs: 2,
    run: rename,
  },
];
