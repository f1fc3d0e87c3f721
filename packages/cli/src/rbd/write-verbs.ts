/** Verbs that make images and change their bytes (tools/rbd/action/Create.cc, Import.cc, Resize.cc). */
import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { Errno, type RawString, rawFromText } from '@spirula/encoding';
import { type IoCtx, RadosError } from '@spirula/rados';
import { cloneImage, createImage, type ImageWorld, type NewImage, removeImage, WritableImage } from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import { openPool, orRefuse, type Verb, type VerbContext } from './context.ts';
import { progressBar } from './progress.ts';
import { Refusal } from './refusal.ts';
import { parseImageSpec } from './spec.ts';

const EINVAL = 22;
/** Read and written at a time, by so many. */
const PIECE = 4 << 20;
const AT_ONCE = 8;
const UNITS = 'BKMGTPE';

export const imageWorld: ImageWorld = {
  sleep: (us) => new Promise((resolve) => setTimeout(resolve, us / 1000)),
  randomBytes: (count) => randomBytes(count),
};

/** `10`: MiB; with a letter, `4K` or `4KiB`, units of it. @throws Refusal */
function parseSize(text: string, option: string, unit = 'M'): number {
  const [, digits, letter] = /^(\d+)([BKMGTPE])?(?:iB)?$/i.exec(text) ?? [];
  const size = Number(digits) * 1024 ** UNITS.indexOf((letter ?? unit).toUpperCase());
  if (digits === undefined || !Number.isSafeInteger(size)) {
    throw new Refusal(`error: the argument ('${text}') for option '--${option}' is invalid`, 1);
  }
  return size;
}

export async function create(context: VerbContext): Promise<void> {
  const { options, args } = context;
  const size = options.get('size');
  const spec = parseImageSpec(args[0] ?? '', options);
  if (size === undefined) throw new Refusal('rbd: must specify --size <M/G/T>', EINVAL);
  const image = await newImage(context, parseSize(size, 'size'));
  const io = await openPool(context, spec);
  await orRefuse('rbd: create error', createImage(io, rawFromText(spec.image), image, imageWorld));
}

async function newImage({ options, rados }: VerbContext, size: number): Promise<NewImage> {
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

/** Pieces that are zero are not written. */
export async function importImage(context: VerbContext): Promise<void> {
  const { options, args } = context;
  const path = args[0] ?? options.get('path');
  if (path === undefined) throw new Refusal('rbd: path was not specified', EINVAL);
  const spec = parseImageSpec(args[1] ?? options.get('dest') ?? basename(path), options);
  const fd = openFile(path);
  try {
    const { size } = fstatSync(fd);
    const io = await openPool(context, spec);
    const made = createImage(io, rawFromText(spec.image), await newImage(context, size), imageWorld);
    await orRefuse('rbd: image creation failed', made);
    await withImage(context, io, spec.image, async (image) => {
      const bar = progressBar(options, 'Importing image', size);
      let at = 0;
      const worker = async () => {
        while (at < size) {
          const from = at;
          at += PIECE;
          const piece = Buffer.alloc(Math.min(PIECE, size - from));
          readSync(fd, piece, 0, piece.length, from);
          if (!piece.equals(ZEROS.subarray(0, piece.length))) await image.write(from, piece);
          bar.advance(piece.length);
        }
      };
      try {
        await orRefuse('rbd: error writing to image', Promise.all(Array.from({ length: AT_ONCE }, worker)));
      } finally {
        bar.end();
      }
    });
  } finally {
    closeSync(fd);
  }
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

export async function resize(context: VerbContext): Promise<void> {
  const { options, args } = context;
  const spec = parseImageSpec(args[0] ?? '', options);
  const size = options.get('size');
  if (size === undefined) throw new Refusal('rbd: must specify --size <M/G/T>', EINVAL);
  const bytes = parseSize(size, 'size');
  await withImage(context, await openPool(context, spec), spec.image, async (image) => {
    if (bytes < image.size && !options.has('allow_shrink')) {
      const problem = 'rbd: shrinking an image is only allowed with the --allow-shrink flag';
      throw new Refusal(problem, EINVAL);
    }
    await orRefuse('rbd: resize error', image.resize(bytes));
  });
}

export async function rm(context: VerbContext): Promise<void> {
  const { options, args, rados } = context;
  const spec = parseImageSpec(args[0] ?? '', options);
  const io = await openPool(context, spec);
  try {
    await removeImage(rados, io, rawFromText(spec.image), imageWorld);
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
    const reason = REMOVE_REFUSALS.get(error.code);
    throw new Refusal(
      `${reason ? `rbd: error: ${reason}\n` : ''}rbd: delete error: ${describeErrno(error.code)}`,
      -error.code,
    );
  }
}

export async function clone(context: VerbContext): Promise<void> {
  const { options, args, rados } = context;
  const from = parseImageSpec(args[0] ?? '', options);
  if (from.snapshot === '') throw new Refusal('rbd: snap name was not specified', EINVAL);
  const to = parseImageSpec(args[1] ?? options.get('dest') ?? '', options);
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

export async function flatten(context: VerbContext): Promise<void> {
  const { options, args } = context;
  const spec = parseImageSpec(args[0] ?? '', options);
  await withImage(context, await openPool(context, spec), spec.image, async (image) => {
    let bar: ReturnType<typeof progressBar> | undefined;
    const advance = (_: number, of: number) => {
      bar ??= progressBar(options, 'Image flatten', of);
      bar.advance(1);
    };
    try {
      await orRefuse('rbd: flatten error', image.flatten(advance));
    } finally {
      bar?.end();
    }
  });
}

const REMOVE_REFUSALS = new Map<number, string>([
  [Errno.ENOTEMPTY, 'image has snapshots: remove them first'],
  [Errno.EBUSY, 'image still has watchers: somebody has it open, or died less than half a minute ago'],
]);

/** A verb on one snapshot of an image. */
function onSnapshot(complaint: string, work: (image: WritableImage, name: RawString) => Promise<void>): Verb {
  return async (context) => {
    const { options, args } = context;
    const spec = parseImageSpec(args[0] ?? '', options);
    if (spec.snapshot === '') throw new Refusal('rbd: snap name was not specified', EINVAL);
    await withImage(context, await openPool(context, spec), spec.image, (image) =>
      orRefuse(complaint, work(image, rawFromText(spec.snapshot))),
    );
  };
}

export const snapshotVerbs: Readonly<Record<string, Verb>> = {
  'snap create': onSnapshot('rbd: failed to create snapshot', (image, name) => image.createSnapshot(name)),
  'snap rm': onSnapshot('rbd: failed to remove snapshot', (image, name) => image.removeSnapshot(name)),
  'snap remove': onSnapshot('rbd: failed to remove snapshot', (image, name) => image.removeSnapshot(name)),
  'snap protect': onSnapshot('rbd: protecting snap failed', (image, name) => image.protectSnapshot(name)),
  'snap unprotect': onSnapshot('rbd: unprotecting snap failed', (image, name) => image.unprotectSnapshot(name)),
  'snap rollback': onSnapshot('rbd: rollback failed', (image, name) => image.rollBack(name)),
};

async function withImage(
  { rados }: VerbContext,
  io: IoCtx,
  name: string,
  work: (image: WritableImage) => Promise<void>,
): Promise<void> {
  const opening = WritableImage.open(rados, io, rawFromText(name), imageWorld);
  const image = await orRefuse(`rbd: error opening image ${name}`, opening);
  try {
    await work(image);
  } finally {
    await image.close();
  }
}
