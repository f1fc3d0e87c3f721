/** `rbd cp`, `deep cp` and `sparsify` (tools/rbd/action/Copy.cc, Sparsify.cc). */
import { rawFromText } from '@spirula/encoding';
import type { IoCtx } from '@spirula/rados';
import { type CopyOptions, copyImage, deepCopyImage, type Image } from '@spirula/rbd';
import { openImage, openPool, orRefuse, withImage } from './context.ts';
import { imageWorld } from './image-world.ts';
import { SPARSE_OPTIONS, sparseSizeOf } from './import-diff.ts';
import { NEW_IMAGE_OPTIONS, newImage } from './new-image.ts';
import { withProgress } from './progress.ts';
import { takeDestinationSpec, takeImageSpec } from './spec.ts';
import {
  DESTINATION_OPTIONS,
  IMAGE_OPTIONS,
  PROGRESS_OPTIONS,
  SNAPSHOT_OPTIONS,
  type VerbContext,
  type VerbDefinition,
} from './verb.ts';

interface Copying {
  readonly source: Image;
  readonly place: { readonly io: IoCtx; readonly name: string };
  readonly options: CopyOptions;
}

async function openCopy(context: VerbContext): Promise<Copying> {
  const from = takeImageSpec(context);
  const to = takeDestinationSpec(context, { snapshot: 'none', checked: 'all' });
  const source = await openImage(context, from, await openPool(context, from));
  const place = { io: await openPool(context, to), name: rawFromText(to.image) };
  const { size: _, ...options } = await newImage(context, 0, source.header.features);
  return { source, place, options };
}

async function copy(context: VerbContext): Promise<void> {
  const sparseSize = sparseSizeOf(context.options);
  const { source, place, options } = await openCopy(context);
  const copying = withProgress(context, 'Image copy', (onProgress) =>
    copyImage(context.rados, source, place, { ...options, sparseSize }, imageWorld, onProgress),
  );
  await orRefuse('rbd: copy failed', copying);
}

async function deepCopy(context: VerbContext): Promise<void> {
  const { source, place, options } = await openCopy(context);
  const request = { ...options, isFlat: context.options.has('flatten') };
  const copying = withProgress(context, 'Image deep copy', (onProgress) =>
    deepCopyImage(context.rados, source, place, request, imageWorld, onProgress),
  );
  await orRefuse('rbd: deep copy failed', copying);
}

async function sparsify(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const unit = sparseSizeOf(context.options);
  await withImage(context, await openPool(context, spec), spec.image, async (image) => {
    const working = withProgress(context, 'Image sparsify', (onProgress) => image.sparsify(unit, onProgress));
    await orRefuse('rbd: sparsify error', working);
  });
}

const COPY_OPTIONS = { ...SNAPSHOT_OPTIONS, ...DESTINATION_OPTIONS, ...NEW_IMAGE_OPTIONS, ...PROGRESS_OPTIONS };

export const copyVerbs: readonly VerbDefinition[] = [
  {
    names: ['copy', 'cp'],
    usage: [['cp IMAGE[@SNAPSHOT] IMAGE', 'one of the same bytes, and what create takes [--sparse-size B]']],
    options: { ...COPY_OPTIONS, ...SPARSE_OPTIONS },
    maxArgs: 2,
    run: copy,
  },
  {
    names: ['deep copy', 'deep cp'],
    usage: [['deep cp IMAGE[@SNAPSHOT] IMAGE', 'one with its snapshots and its parent [--flatten: without that]']],
    options: { ...COPY_OPTIONS, '--flatten': ['flatten', 'flag'] },
    maxArgs: 2,
    run: deepCopy,
  },
  {
    names: ['sparsify'],
    usage: [['sparsify IMAGE', 'pieces of zeros take no room from now on [--sparse-size B] [--no-progress]']],
    options: { ...IMAGE_OPTIONS, ...PROGRESS_OPTIONS, ...SPARSE_OPTIONS },
    maxArgs: 1,
    run: sparsify,
  },
];
