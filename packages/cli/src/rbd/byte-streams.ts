/** Files and pipes, read and written from front to back. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type Bytes, Errno } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';

/** The word for standard input, or output. */
export const STANDARD = '-';

export interface ByteSource {
  /** Bytes of the file; undefined: of a pipe, of which nobody knows. */
  readonly size: number | undefined;
  /** Bytes that have been read. */
  readonly position: number;
  /** Fewer where it ends. @throws RadosError */
  read(count: number): Promise<Bytes>;
  close(): Promise<void>;
}

/** @throws RadosError EDOM: there are not so many any more (common/safe_io.c, safe_read_exact) */
export async function readExact(source: ByteSource, count: number): Promise<Bytes> {
  const bytes = await source.read(count);
  if (bytes.length < count) throw new RadosError(Errno.EDOM, 'the input ends too early');
  return bytes;
}

/** @throws RadosError with the errno of the system */
export async function openSource(path: string): Promise<ByteSource> {
  if (path === STANDARD) return new PipeSource(process.stdin);
  const file = await errnoOf(open(path, constants.O_RDONLY));
  const { size } = await file.stat();
  return new FileSource(file, size);
}

class FileSource implements ByteSource {
  readonly size: number;
  readonly #file: FileHandle;
  position = 0;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.size = size;
  }

  async read(count: number): Promise<Bytes> {
    const bytes = Buffer.alloc(Math.min(count, Math.max(0, this.size - this.position)));
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await errnoOf(this.#file.read(bytes, done, bytes.length - done, this.position));
      if (bytesRead === 0) break;
      done += bytesRead;
      this.position += bytesRead;
    }
    return bytes.subarray(0, done);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

class PipeSource implements ByteSource {
  readonly size = undefined;
  readonly #stream: Readable;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();
  position = 0;

  constructor(stream: Readable) {
    this.#stream = stream;
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  async read(count: number): Promise<Bytes> {
    const parts: Uint8Array[] = [];
    for (let missing = count; missing > 0; ) {
      if (this.#rest.length === 0) {
        const { value, done } = await this.#chunks.next();
        if (done) break;
        this.#rest = value;
      }
      const part = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(part.length);
      parts.push(part);
      missing -= part.length;
    }
    const bytes = Buffer.concat(parts);
    this.position += bytes.length;
    return bytes;
  }

  async close(): Promise<void> {
    this.#stream.destroy();
  }
}

export interface ByteSink {
  write(bytes: Bytes): Promise<void>;
  /** Zeros, which take no room in a file. */
  skip(count: number): Promise<void>;
  /** What was written is all of it. */
  end(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param stdout where bytes go that are for standard output
 * @throws RadosError EEXIST: there is such a file; or another errno of the system
 */
export async function openSink(path: string, stdout: (bytes: Bytes) => void): Promise<ByteSink> {
  if (path === STANDARD) return new PipeSink(stdout);
  return new FileSink(await errnoOf(open(path, 'wx', 0o644)));
}

class FileSink implements ByteSink {
  readonly #file: FileHandle;
  #position = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(bytes: Bytes): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const writing = this.#file.write(bytes, done, bytes.length - done, this.#position);
      const { bytesWritten } = await errnoOf(writing);
      done += bytesWritten;
      this.#position += bytesWritten;
    }
  }

  async skip(count: number): Promise<void> {
    this.#position += count;
  }

  async end(): Promise<void> {
    await errnoOf(this.#file.truncate(this.#position));
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

class PipeSink implements ByteSink {
  readonly #stdout: (bytes: Bytes) => void;

  constructor(stdout: (bytes: Bytes) => void) {
    this.#stdout = stdout;
  }

  async write(bytes: Bytes): Promise<void> {
    this.#stdout(bytes);
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; left -= ZEROS.length) this.#stdout(ZEROS.subarray(0, left));
  }

  async end(): Promise<void> {}
  async close(): Promise<void> {}
}

const ZEROS = Buffer.alloc(4 << 20);

async function errnoOf<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new RadosError((error as NodeJS.ErrnoException).errno ?? Errno.EIO, (error as Error).message);
  }
}
