/** Verbs that make images, change their size and remove them (tools/rbd/action/Create.cc, Import.cc, Resize.cc, Remove.cc). */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { Errno, rawFromText } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { createImage, removeImage, type WritableImage } from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import type { OptionTable } from '../ceph/global-options.ts';
import { openPool, orRefuse, withImage } from './context.ts';
import { imageWorld } from './image-world.ts';
import { NEW_IMAGE_OPTIONS, newImage } from './new-image.ts';
import { type OnProgress, withProgress } from './progress.ts';
import { Refusal } from './refusal.ts';
import { parseSize } from './size.ts';
import { type PoolSpec, takeDestinationSpec, takeImageSpec } from './spec.ts';
import { DESTINATION_OPTIONS, IMAGE_OPTIONS, PROGRESS_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

const EINVAL = 22;
/** Read and written at a time, by so many. */
const PIECE = 4 << 20;
const AT_ONCE = 8;

async function create(context: VerbContext): Promise<void> {
  const { options } = context;
  const size = options.get('size');
  const spec = takeImageSpec(context, { snapshot: 'none' });
  if (size === undefined) throw new Refusal('rbd: must specify --size <M/G/T>', EINVAL);
  const image = await newImage(context, parseSize(size, 'size'));
  const io = await openPool(context, spec);
  await orRefuse('rbd: create error', createImage(io, rawFromText(spec.image), image, imageWorld));
}

/** Pieces that are zero are not written. */
async function importImage(context: VerbContext): Promise<void> {
  const { options, args } = context;
  const path = options.get('path') ?? args.take();
  if (path === '') throw new Refusal('rbd: path was not specified', EINVAL);
  const named = takeDestinationSpec(
    context,
    { snapshot: 'none', checked: 'all', isOptional: true },
    importPlace(options),
  );
  const spec = { ...named, image: named.image || basename(path) };
  const fd = openFile(path);
  try {
    const { size } = fstatSync(fd);
    const io = await openPool(context, spec);
    const made = createImage(io, rawFromText(spec.image), await newImage(context, size), imageWorld);
    await orRefuse('rbd: image creation failed', made);
    await withImage(context, io, spec.image, async (image) => {
      const copying = withProgress(context, 'Importing image', (onProgress) => copyIn(fd, size, image, onProgress));
      await orRefuse('rbd: error writing to image', copying);
    });
  } finally {
    closeSync(fd);
  }
}

async function copyIn(fd: number, size: number, image: WritableImage, onProgress: OnProgress): Promise<void> {
  let at = 0;
  const worker = async () => {
    while (at < size) {
      const from = at;
      at += PIECE;
      const piece = Buffer.alloc(Math.min(PIECE, size - from));
      readSync(fd, piece, 0, piece.length, from);
      if (!piece.equals(ZEROS.subarray(0, piece.length))) await image.write(from, piece);
      onProgress(from, size);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** `--pool`, `--namespace` and `--image` say where an import goes, too. */
function importPlace(options: ReadonlyMap<string, string>): PoolSpec {
  return { pool: options.get('pool') ?? '', namespace: options.get('namespace') ?? '' };
}

const ZEROS = Buffer.alloc(PIECE);

function openFile(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const errno = Math.abs((error as NodeJS.ErrnoException).errno ?? 5);
    throw new Refusal(`rbd: error opening ${path}: ${describeErrno(errno)}`, errno);
  }
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
    await withProgress(context, 'Removing image', () => removeImage(rados, io, rawFromText(spec.image), imageWorld));
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
    const reason = REMOVE_REFUSALS.get(error.code);
    throw new Refusal(
      `${reason ? `rbd: error: ${reason}\n` : ''}rbd: delete error: ${describeErrno(error.code)}`,
      -error.code,
    );
  }
}

const REMOVE_REFUSALS = new Map<number, string>([
  [Errno.ENOTEMPTY, 'image has snapshots: remove them first'],
  [Errno.EBUSY, 'image still has watchers: somebody has it open, or died less than half a minute ago'],
]);

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
    names: ['import'],
    usage: [['import FILE [IMAGE]', 'an image of its bytes [--no-progress] and what create takes']],
    options: {
      ...IMAGE_OPTIONS,
      ...DESTINATION_OPTIONS,
      ...NEW_IMAGE_OPTIONS,
      ...PROGRESS_OPTIONS,
      '--path': ['path', 'value'],
    },
    maxArgs: 2,
    run: importImage,
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
