/** `rbd export`: an image's bytes into a file that is not longer than it must be, or down a pipe (tools/rbd/action/Export.cc). */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { Bytes } from '@spirula/encoding';
import type { Image } from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import { openImage, openPool, orRefuse } from './context.ts';
import { type OnProgress, withProgress } from './progress.ts';
import { Refusal } from './refusal.ts';
import { takeImageSpec } from './spec.ts';
import { PROGRESS_OPTIONS, SNAPSHOT_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

/** Read at a time, by so many. */
const PIECE = 4 << 20;
const AHEAD = 4;
const STDOUT = '-';

async function exportImage(context: VerbContext): Promise<void> {
  const { env, options, args } = context;
  const spec = takeImageSpec(context);
  const path = options.get('path') ?? (args.take() || spec.image);
  const image = await openImage(context, spec, await openPool(context, spec));
  const sink = path === STDOUT ? new PipeSink(env.stdout) : new FileSink(path);
  try {
    await withProgress(context, 'Exporting image', (onProgress) => copyOut(image, sink, onProgress));
  } finally {
    sink.close();
  }
}

async function copyOut(image: Image, sink: FileSink | PipeSink, onProgress: OnProgress): Promise<void> {
  const reads: Promise<Bytes>[] = [];
  let next = 0;
  for (let at = 0; at < image.size; at += PIECE) {
    while (reads.length < AHEAD && next < image.size) {
      const reading = image.read(next, PIECE);
      reading.catch(() => {});
      reads.push(reading);
      next += PIECE;
    }
    sink.write(at, await orRefuse('rbd: export error', reads.shift()!));
    onProgress(at, image.size);
  }
  sink.end(image.size);
}

/** Zeros are holes. */
class FileSink {
  readonly #fd: number;

  constructor(path: string) {
    try {
      this.#fd = openSync(path, 'wx', 0o644);
    } catch (error) {
      const errno = Math.abs((error as NodeJS.ErrnoException).errno ?? 5);
      throw new Refusal(`rbd: error opening ${path}: ${describeErrno(errno)}`, errno);
    }
  }

  write(at: number, bytes: Bytes): void {
    if (isZero(bytes)) return;
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done, bytes.length - done, at + done);
  }

  end(size: number): void {
    ftruncateSync(this.#fd, size);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

class PipeSink {
  readonly #stdout: (bytes: Bytes) => void;

  constructor(stdout: (bytes: Bytes) => void) {
    this.#stdout = stdout;
  }

  write(_at: number, bytes: Bytes): void {
    this.#stdout(bytes);
  }

  end(): void {}
  close(): void {}
}

function isZero(bytes: Bytes): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).equals(ZEROS.subarray(0, bytes.length));
}

const ZEROS = Buffer.alloc(PIECE);

export const exportVerbs: readonly VerbDefinition[] = [
  {
    names: ['export'],
    usage: [['export IMAGE[@SNAPSHOT] [FILE]', 'its bytes (- is standard output) [--no-progress]']],
    options: { ...SNAPSHOT_OPTIONS, ...PROGRESS_OPTIONS, '--path': ['path', 'value'] },
    maxArgs: 2,
    run: exportImage,
  },
];
