/** Verbs that make images, change their size and remove them (tools/rbd/action/Create.cc, Resize.cc, Remove.cc). */
import { RbdSnapshotType } from '@spirula/cls';
import { Errno, rawFromText, textFromRaw } from '@spirula/encoding';
import { type IoCtx, RadosError } from '@spirula/rados';
import { createImage, groupOf, Image, removeImage } from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import type { OptionTable } from '../ceph/global-options.ts';
import { openPool, orRefuse, withImage } from './context.ts';
import { imageWorld } from './image-world.ts';
import { NEW_IMAGE_OPTIONS, newImage } from './new-image.ts';
import { withProgress } from './progress.ts';
import { Refusal } from './refusal.ts';
import { HAS_CLONES, HAS_SNAPSHOTS, WATCHED } from './removal-phrases.ts';
import { parseSize } from './size.ts';
import { takeImageSpec } from './spec.ts';
import { IMAGE_OPTIONS, PROGRESS_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

const EINVAL = 22;

async function create(context: VerbContext): Promise<void> {
  const { options } = context;
  const size = options.get('size');
  const spec = takeImageSpec(context, { snapshot: 'none' });
  if (size === undefined) throw new Refusal('rbd: must specify --size <M/G/T>', EINVAL);
  const image = await newImage(context, parseSize(size, 'size'));
  const io = await openPool(context, spec);
  await orRefuse('rbd: create error', createImage(io, rawFromText(spec.image), image, imageWorld));
}

async function resize(context: VerbContext): Promise<void> {
  const { options } = context;
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const size = options.get('size');
  if (size === undefined) throw new Refusal('rbd: must specify --size <M/G/T>', EINVAL);
  const bytes = parseSize(size, 'size');
  await withImage(context, await openPool(context, spec), spec.image, async (image) => {
    if (bytes < image.size && !options.has('allow_shrink')) {
      const problem = 'rbd: shrinking an image is only allowed with the --allow-shrink flag';
      throw new Refusal(problem, EINVAL);
    }
    await orRefuse(
      'rbd: resize error',
      withProgress(context, 'Resizing image', () => image.resize(bytes)),
    );
  });
}

async function rm(context: VerbContext): Promise<void> {
  const { rados } = context;
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const io = await openPool(context, spec);
  try {
    await withProgress(context, 'Removing image', (onErased) =>
      removeImage(rados, io, rawFromText(spec.image), imageWorld, onErased),
    );
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
    throw new Refusal(await whyItStays(context, io, spec.image, error.code), -error.code);
  }
}

async function whyItStays({ rados }: VerbContext, io: IoCtx, name: string, code: number): Promise<string> {
  if (code === Errno.EBUSY) return WATCHED;
  if (code !== Errno.ENOTEMPTY && code !== Errno.EMLINK) return `rbd: delete error: ${describeErrno(code)}`;
  const { header } = await Image.open(rados, io, rawFromText(name));
  if (code === Errno.ENOTEMPTY) {
    const isSeen = header.snapshots.some(({ namespace }) => namespace.type !== RbdSnapshotType.trash);
    return isSeen ? HAS_SNAPSHOTS : HAS_CLONES;
  }
  const group = await groupOf(rados, io, header.id);
  const place = group && [rados.poolName(Number(group.pool)), textFromRaw(io.nspace), textFromRaw(group.name)];
  const which = place ? ` ${place.filter((part) => part !== '').join('/')}` : '';
  return `rbd: error: image belongs to a group${which}\nRemove the image from the group and try again.`;
}

const SIZE_OPTIONS: OptionTable = { '-s': ['size', 'value'], '--size': ['size', 'value'] };

export const writeVerbs: readonly VerbDefinition[] = [
  {
    names: ['create'],
    usage: [['create IMAGE --size SIZE', '[--object-size B] [--stripe-unit B --stripe-count N] [--data-pool POOL]']],
    options: { ...IMAGE_OPTIONS, ...SIZE_OPTIONS, ...NEW_IMAGE_OPTIONS },
    maxArgs: 1,
    run: create,
  },
  {
    names: ['resize'],
    usage: [['resize IMAGE --size SIZE', 'larger, or with --allow-shrink smaller']],
    options: { ...IMAGE_OPTIONS, ...SIZE_OPTIONS, ...PROGRESS_OPTIONS, '--allow-shrink': ['allow_shrink', 'flag'] },
    maxArgs: 1,
    run: resize,
  },
  {
    names: ['rm', 'remove'],
    usage: [['rm IMAGE', 'one without snapshots']],
    options: { ...IMAGE_OPTIONS, ...PROGRESS_OPTIONS },
    maxArgs: 1,
    run: rm,
  },
];
