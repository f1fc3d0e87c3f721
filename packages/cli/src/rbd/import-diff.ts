/** `rbd import-diff`, and the differences of which an exported image is made (tools/rbd/action/Import.cc, do_import_diff_fd). */
import { Errno, type RawString, textFromRaw } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { isUserSnapshot, OPERATIONS_AT_ONCE, sparseParts, type WritableImage } from '@spirula/rbd';
import { type ByteSource, openSource, readExact } from './byte-streams.ts';
import { openPool, orRefuse, withImage } from './context.ts';
import { Banner, DiffTag, readName, readStretch, readTag, readU64, type StreamVersion } from './diff-stream.ts';
import { type OnProgress, withProgress } from './progress.ts';
import { Refusal } from './refusal.ts';
import { parseSize } from './size.ts';
import { takeImageSpec } from './spec.ts';
import { IMAGE_OPTIONS, PROGRESS_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';
import { Writes } from './writes.ts';

const EINVAL = 22;
/** rbd's own: pieces of so many bytes are looked at, whether they are zero. */
const DEFAULT_SPARSE_SIZE = 4096;
/** Bytes of data that are read at a time. */
const PIECE = 4 << 20;

/** Says what is wrong where it is found: what follows from it is said behind that. */
export type Complain = (problem: string) => void;

/** Runs `work`; what fails in it, but for what was said already, is said to be `problem`. */
export async function orComplain<T>(complain: Complain, problem: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RadosError) complain(problem);
    throw error;
  }
}

/** @throws RadosError EINVAL: it is another */
export async function readBanner(source: ByteSource, banner: string, complain: Complain): Promise<void> {
  const found = await orComplain(complain, 'rbd: failed to decode diff banner', readExact(source, banner.length));
  if (Buffer.from(found).toString('latin1') === banner) return;
  complain('rbd: invalid or unexpected diff banner');
  throw new RadosError(Errno.EINVAL, 'the banner');
}

export interface DiffImport {
  readonly source: ByteSource;
  readonly version: StreamVersion;
  readonly sparseSize: number;
  readonly complain: Complain;
  readonly onProgress: OnProgress;
}

/**
 * Behind the banner.
 *
 * @throws RadosError EINVAL: the image has not the snapshot that the difference begins with; EEXIST: it has the one that it ends with
 */
export async function applyDiff(image: WritableImage, request: DiffImport): Promise<void> {
  const { source, version, complain } = request;
  const writes = new Writes(OPERATIONS_AT_ONCE);
  let end: { readonly name: RawString } | undefined;
  let isProtected = false;
  try {
    for (;;) {
      const tag = await orComplain(complain, 'rbd: failed to decode tag', readTag(source));
      if (tag === DiffTag.end) break;
      const length =
        version === 1 ? 0n : await orComplain(complain, 'rbd: failed to decode tag length', readU64(source));
      switch (tag) {
        case DiffTag.fromSnap:
          await requireStart(image, source, complain);
          break;
        case DiffTag.toSnap:
          end = { name: await readEnd(image, source, complain) };
          break;
        case DiffTag.protection: {
          const problem = 'rbd: failed to decode snap protection status';
          const [flag = 0] = await orComplain(complain, problem, readExact(source, 1));
          isProtected = flag !== 0;
          break;
        }
        case DiffTag.size: {
          const size = Number(await orComplain(complain, 'rbd: failed to decode image size', readU64(source)));
          await writes.all();
          if (size !== image.size) await image.resize(size);
          break;
        }
        case DiffTag.write:
        case DiffTag.zero:
          await applyStretch(image, tag === DiffTag.write, request, writes);
          break;
        default:
          complain(`unrecognized tag byte ${tag.charCodeAt(0)} in stream; skipping`);
          await skip(source, Number(length), complain);
          continue;
      }
      if (source.size !== undefined) request.onProgress(source.position, source.size);
    }
  } finally {
    await writes.settle();
  }
  await writes.all();
  if (!end) return;
  await image.createSnapshot(end.name);
  if (isProtected) await image.protectSnapshot(end.name);
}

function hasSnapshot({ header }: WritableImage, name: RawString): boolean {
  return header.snapshots.some((each) => isUserSnapshot(each) && each.name === name);
}

async function requireStart(image: WritableImage, source: ByteSource, complain: Complain): Promise<void> {
  const name = await orComplain(complain, 'rbd: failed to decode start snap name', readName(source));
  if (hasSnapshot(image, name)) return;
  complain(`start snapshot '${textFromRaw(name)}' does not exist in the image, aborting`);
  throw new RadosError(Errno.EINVAL, `snapshot ${name}`);
}

async function readEnd(image: WritableImage, source: ByteSource, complain: Complain): Promise<RawString> {
  const name = await orComplain(complain, 'rbd: failed to decode end snap name', readName(source));
  if (!hasSnapshot(image, name)) return name;
  complain(`end snapshot '${textFromRaw(name)}' already exists, aborting`);
  throw new RadosError(Errno.EEXIST, `snapshot ${name}`);
}

async function applyStretch(
  image: WritableImage,
  hasData: boolean,
  { source, sparseSize, complain }: DiffImport,
  writes: Writes,
): Promise<void> {
  const { offset, length } = await orComplain(complain, 'rbd: failed to decode IO length', readStretch(source));
  if (!hasData) {
    await writes.begin(() => image.writeZeroes(offset, length));
    return;
  }
  const step = sparseSize === 0 ? PIECE : Math.max(sparseSize, PIECE - (PIECE % sparseSize));
  for (let at = 0; at < length; at += step) {
    const count = Math.min(step, length - at);
    const bytes = await orComplain(complain, 'rbd: failed to decode write data', readExact(source, count));
    for (const part of sparseParts(bytes, sparseSize)) {
      const place = offset + at + part.offset;
      const write = part.isZero
        ? () => image.writeZeroes(place, part.bytes.length)
        : () => image.write(place, part.bytes);
      await writes.begin(write);
    }
  }
}

async function skip(source: ByteSource, length: number, complain: Complain): Promise<void> {
  for (let left = length; left > 0; left -= PIECE) {
    const skipped = readExact(source, Math.min(left, PIECE));
    await orComplain(complain, 'rbd: failed to decode skipped tag data', skipped);
  }
}

async function importDiff(context: VerbContext): Promise<void> {
  const { options, args } = context;
  const path = options.get('path') ?? args.take();
  if (path === '') throw new Refusal('rbd: path was not specified', EINVAL);
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const sparseSize = sparseSizeOf(options);
  const complain: Complain = (problem) => context.env.stderr(`${problem}\n`);
  await withImage(context, await openPool(context, spec), spec.image, async (image) => {
    const importing = orComplain(complain, `rbd: error opening ${path}`, openSource(path)).then(async (source) => {
      try {
        await readBanner(source, Banner.diff[1], complain);
        await withProgress(context, 'Importing image diff', (onProgress) =>
          applyDiff(image, { source, version: 1, sparseSize, complain, onProgress }),
        );
      } finally {
        await source.close();
      }
    });
    await orRefuse('rbd: import-diff failed', badMessage(importing));
  });
}

/** What ends too early is said to be a bad message. */
async function badMessage(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.EDOM) throw new RadosError(Errno.EBADMSG, error.message);
    throw error;
  }
}

/** @throws Refusal */
export function sparseSizeOf(options: ReadonlyMap<string, string>): number {
  const size = options.get('sparse_size');
  return size === undefined ? DEFAULT_SPARSE_SIZE : parseSize(size, 'sparse-size', 'B');
}

export const SPARSE_OPTIONS = { '--sparse-size': ['sparse_size', 'value'] } as const;

export const importDiffVerbs: readonly VerbDefinition[] = [
  {
    names: ['import-diff'],
    usage: [
      ['import-diff FILE IMAGE', 'make the changes in it (- is standard input) [--sparse-size B] [--no-progress]'],
    ],
    options: { ...IMAGE_OPTIONS, ...PROGRESS_OPTIONS, ...SPARSE_OPTIONS, '--path': ['path', 'value'] },
    maxArgs: 2,
    run: importDiff,
  },
];
