/** `rbd export`: an image's bytes into a file that is not longer than it must be, or down a pipe (tools/rbd/action/Export.cc). */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { Bytes } from '@spirula/encoding';
import { describeErrno } from '../ceph/errno-text.ts';
import { openImage, openPool, orRefuse, type VerbContext } from './context.ts';
import { progressBar } from './progress.ts';
import { Refusal } from './refusal.ts';
import { parseImageSpec } from './spec.ts';

/** Read at a time, by so many. */
const PIECE = 4 << 20;
const AHEAD = 4;
const STDOUT = '-';

export async function exportImage(context: VerbContext): Promise<void> {
  const { env, options, args } = context;
  const spec = parseImageSpec(args[0] ?? '', options);
  const path = args[1] ?? options.get('path') ?? spec.image;
  const image = await openImage(context, spec, await openPool(context, spec));
  const sink = path === STDOUT ? new PipeSink(env.stdout) : new FileSink(path);
  const bar = progressBar(options, 'Exporting image', image.size);
  try {
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
      bar.advance(Math.min(PIECE, image.size - at));
    }
    sink.end(image.size);
  } finally {
    bar.end();
    sink.close();
  }
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
