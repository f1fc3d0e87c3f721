/** `rbd import`: an image of the bytes of a file or a pipe, or of what `export` wrote of one (tools/rbd/action/Import.cc). */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { bytesFromRaw, Errno, type RawString, rawFromText } from '@spirula/encoding';
import { type IoCtx, RadosError } from '@spirula/rados';
import {
  createImage,
  DEFAULT_ORDER,
  type NewImage,
  OPERATIONS_AT_ONCE,
  removeImage,
  setImageMetadata,
  sparseParts,
  WritableImage,
} from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import { type ByteSource, openSource, readExact, STANDARD } from './byte-streams.ts';
import { openPool, orRefuse } from './context.ts';
import { Banner, ImageTag, readName, readTag, readU64, type StreamVersion } from './diff-stream.ts';
import { exportFormat } from './export.ts';
import { imageWorld } from './image-world.ts';
import { applyDiff, type Complain, orComplain, readBanner, SPARSE_OPTIONS, sparseSizeOf } from './import-diff.ts';
import { NEW_IMAGE_OPTIONS, newImage } from './new-image.ts';
import { type OnProgress, withProgress } from './progress.ts';
import { Refusal } from './refusal.ts';
import { type PoolSpec, takeDestinationSpec } from './spec.ts';
import { DESTINATION_OPTIONS, IMAGE_OPTIONS, PROGRESS_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';
import { Writes } from './writes.ts';

const EINVAL = 22;

/** What is imported, and how. */
interface Import {
  readonly source: ByteSource;
  readonly version: StreamVersion;
  readonly sparseSize: number;
  readonly complain: Complain;
  readonly onProgress: OnProgress;
}

async function importImage(context: VerbContext): Promise<void> {
  const { env, options, args, rados } = context;
  const path = options.get('path') ?? args.take();
  if (path === '') throw new Refusal('rbd: path was not specified', EINVAL);
  const sparseSize = sparseSizeOf(options);
  const version = exportFormat(options);
  const named = takeDestinationSpec(
    context,
    { snapshot: 'none', checked: 'all', isOptional: true },
    importPlace(options),
  );
  const name = rawFromText(named.image || options.get('image') || basename(path));
  const like = await newImage(context, 0);
  const io = await openPool(context, named);
  const complain: Complain = (problem) => env.stderr(`${problem}\n`);
  const importing = orComplain(complain, `rbd: error opening ${path}`, openSource(path)).then(async (source) => {
    try {
      await withProgress(context, 'Importing image', async (onProgress) => {
        const request = { source, version, sparseSize, complain, onProgress };
        const size = sizeOf(path, source, 2 ** (like.order ?? DEFAULT_ORDER), complain);
        const header = await orComplain(complain, 'rbd: import header failed.', readImageHeader(request));
        const made = createImage(io, name, { ...header.like, ...like, size }, imageWorld);
        await orComplain(complain, 'rbd: image creation failed', made);
        try {
          await fill(context, io, name, header.metadata, request);
        } catch (error) {
          await removeImage(rados, io, name, imageWorld);
          throw error;
        }
      });
    } finally {
      await source.close();
    }
  });
  await orRefuse('rbd: import failed', importing);
}

/** Bytes; of a pipe one object, until more is known. */
function sizeOf(path: string, { size }: ByteSource, objectSize: number, complain: Complain): number {
  if (path === STANDARD || size === undefined) return objectSize;
  if (statSync(path).isDirectory()) {
    complain('rbd: cannot import a directory');
    throw new RadosError(Errno.EISDIR, path);
  }
  if (size === 0) {
    complain('rbd: unable to get size of file/block device');
    throw new RadosError(Errno.ENOTTY, path);
  }
  return size;
}

async function fill(
  { rados }: VerbContext,
  io: IoCtx,
  name: RawString,
  metadata: ReadonlyMap<RawString, Uint8Array>,
  request: Import,
): Promise<void> {
  const { complain } = request;
  const opening = WritableImage.open(rados, io, name, imageWorld);
  const image = await orComplain(complain, 'rbd: failed to open image', opening);
  try {
    const setting = setAll(image, metadata);
    await orComplain(complain, 'rbd: failed to import image-meta', setting);
    const filling = request.version === 1 ? writeBytes(image, request) : applyDiffs(image, request);
    await orComplain(complain, 'rbd: failed to import image', filling);
  } finally {
    await image.close();
  }
}

async function setAll(image: WritableImage, metadata: ReadonlyMap<RawString, Uint8Array>): Promise<void> {
  for (const [name, value] of metadata) await setImageMetadata(image, name, value);
}

/** Pieces that are zero are not written. An image that comes down a pipe grows twofold. */
async function writeBytes(image: WritableImage, { source, sparseSize, complain, onProgress }: Import): Promise<void> {
  const piece = 2 ** image.header.order;
  const writes = new Writes(OPERATIONS_AT_ONCE);
  let at = 0;
  try {
    for (;;) {
      const bytes = await source.read(piece);
      if (bytes.length === 0) break;
      if (at + bytes.length > image.size) {
        await writes.all();
        await orComplain(complain, "rbd: can't resize image during import", image.resize(2 * image.size));
      }
      for (const { offset, bytes: part, isZero } of sparseParts(bytes, sparseSize)) {
        const place = at + offset;
        if (!isZero) await writes.begin(() => image.write(place, part));
      }
      if (source.size !== undefined) onProgress(at, source.size);
      at += bytes.length;
    }
  } finally {
    await writes.settle();
  }
  await writes.all();
  if (source.size === undefined) {
    await orComplain(complain, 'rbd: final image resize failed', image.resize(at));
  }
}

async function applyDiffs(image: WritableImage, request: Import): Promise<void> {
  const { source, complain, onProgress } = request;
  await readBanner(source, Banner.imageDiffs, complain);
  const count = Number(await orComplain(complain, 'rbd: failed to decode diff count', readU64(source)));
  for (let i = 0; i < count; i++) {
    try {
      await readBanner(source, Banner.diff[2], complain);
      await applyDiff(image, { ...request, onProgress: () => {} });
    } catch (error) {
      if (error instanceof RadosError) complain(`rbd: import-diff failed: ${describeErrno(error.code)}`);
      throw error;
    }
    onProgress(i + 1, count);
  }
}

interface ImageFront {
  readonly like: Omit<NewImage, 'size'>;
  readonly metadata: ReadonlyMap<RawString, Uint8Array>;
}

/** What stands before an exported image's data; the bytes alone have nothing there. */
async function readImageHeader({ source, version, complain }: Import): Promise<ImageFront> {
  const metadata = new Map<RawString, Uint8Array>();
  if (version === 1) return { like: {}, metadata };
  await readBanner(source, Banner.image, complain);
  const numbers = new Map<string, bigint>();
  for (;;) {
    const tag = await orComplain(complain, 'rbd: failed to decode tag', readTag(source));
    if (tag === ImageTag.end) break;
    const length = Number(await orComplain(complain, 'rbd: failed to decode tag length', readU64(source)));
    if (NUMBERS.has(tag)) {
      numbers.set(tag, await orComplain(complain, 'rbd: failed to decode image option', readU64(source)));
    } else if (tag === ImageTag.metadata) {
      const name = await orComplain(complain, 'rbd: failed to decode metadata key', readName(source, length));
      const value = await orComplain(complain, 'rbd: failed to decode metadata value', readName(source, length));
      metadata.set(name, bytesFromRaw(value));
    } else {
      complain(`rbd: invalid tag in image properties zone: ${tag}Skip it.`);
      await readExact(source, length);
    }
  }
  return { like: likeOf(numbers), metadata };
}

const NUMBERS: ReadonlySet<string> = new Set([
  ImageTag.order,
  ImageTag.features,
  ImageTag.stripeUnit,
  ImageTag.stripeCount,
]);

function likeOf(numbers: ReadonlyMap<string, bigint>): Omit<NewImage, 'size'> {
  const order = numbers.get(ImageTag.order);
  const features = numbers.get(ImageTag.features);
  const unit = numbers.get(ImageTag.stripeUnit);
  const count = numbers.get(ImageTag.stripeCount);
  return {
    ...(order !== undefined && { order: Number(order) }),
    ...(features !== undefined && { features }),
    ...(unit !== undefined && count !== undefined && { stripes: { unit: Number(unit), count: Number(count) } }),
  };
}

/** `--pool`, `--namespace` and `--image` say where an import goes, too. */
function importPlace(options: ReadonlyMap<string, string>): PoolSpec {
  return { pool: options.get('pool') ?? '', namespace: options.get('namespace') ?? '' };
}

export const importVerbs: readonly VerbDefinition[] = [
  {
    names: ['import'],
    usage: [
      ['import FILE [IMAGE]', 'an image of its bytes (- is standard input) and what create takes'],
      ['  --export-format 2', 'of what export wrote [--sparse-size B] [--no-progress]'],
    ],
    options: {
      ...IMAGE_OPTIONS,
      ...DESTINATION_OPTIONS,
      ...NEW_IMAGE_OPTIONS,
      ...PROGRESS_OPTIONS,
      ...SPARSE_OPTIONS,
      '--path': ['path', 'value'],
      '--export-format': ['export_format', 'value'],
    },
    maxArgs: 2,
    run: importImage,
  },
];
