import { constants, fdatasync, fsync, readSync, write, writeSync, writev } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bytes } from '@spirula/encoding';
import { largeMemory } from './large-memory.ts';

/** `durable`: a write has reached the disk when it is done (O_DSYNC). `buffered`: only a later `sync` makes it so. */
export type FileMode = 'buffered' | 'durable';

/**
 * The files that journals and devices stand on, as few verbs as they need: a layer that records every write and sync can
 * take the place of the real one and play back what a power cut would leave.
 */
export interface FileLayer {
  makeDir(path: string): Promise<void>;
  /** Names in a folder, sorted. */
  list(dir: string): Promise<string[]>;
  /** Opens a file, made empty when it is not there. Its name is durable after `syncDir`. */
  open(dir: string, name: string, mode: FileMode): Promise<LayerFile>;
  /** Another way to write a file that is open: past the page cache. Undefined where the file system has none. */
  openDirect(dir: string, name: string): Promise<DirectWriter | undefined>;
  /** Durable after `syncDir`; until then the file may have either name. */
  rename(dir: string, from: string, to: string): Promise<void>;
  remove(dir: string, name: string): Promise<void>;
  syncDir(dir: string): Promise<void>;
}

/** One open file. Asynchronous calls that overlap in time must not in the bytes they are about. */
export interface LayerFile {
  size(): number;
  /** Bytes; beyond the end of the file, zeros. */
  read(offset: number, length: number): Bytes;
  /** Takes effect at once for reads; not durable, whatever the mode says, until `sync`. */
  writeNow(offset: number, bytes: Bytes): void;
  /** Writes the parts one after another. */
  write(offset: number, parts: readonly Bytes[]): Promise<void>;
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

/** Writes past the page cache. They are durable after a `sync` of the file, as other writes. */
export interface DirectWriter {
  /** Offset and length are multiples of 4096. One call at a time. */
  write(offset: number, bytes: Bytes): Promise<void>;
  close(): Promise<void>;
}

/** The file system of this machine. */
export const nodeFiles: FileLayer = {
  async makeDir(path) {
    await mkdir(path, { recursive: true });
  },
  async list(dir) {
    return (await readdir(dir)).sort();
  },
  async open(dir, name, mode) {
    const flags = constants.O_RDWR | constants.O_CREAT | (mode === 'durable' ? constants.O_DSYNC : 0);
    const handle = await open(join(dir, name), flags, 0o644);
    return new NodeFile(handle, (await handle.stat()).size);
  },
  async openDirect(dir, name) {
    // Not on every system.
    if (!constants.O_DIRECT) return undefined;
    try {
      return new DirectFile(await open(join(dir, name), constants.O_WRONLY | constants.O_DIRECT));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EINVAL') return undefined;
      throw error;
    }
  },
  async rename(dir, from, to) {
    await rename(join(dir, from), join(dir, to));
  },
  async remove(dir, name) {
    await unlink(join(dir, name));
  },
  async syncDir(dir) {
    const handle = await open(dir, 'r');
    try {
      await new Promise<void>((resolve, reject) => fsync(handle.fd, (error) => (error ? reject(error) : resolve())));
    } finally {
      await handle.close();
    }
  },
};

class NodeFile implements LayerFile {
  readonly #handle: FileHandle;
  #size: number;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.#size = size;
  }

  size(): number {
    return this.#size;
  }

  read(offset: number, length: number): Bytes {
    const bytes = largeMemory.take(length);
    let done = 0;
    while (done < length) {
      const count = readSync(this.#handle.fd, bytes, done, length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    bytes.fill(0, done);
    return bytes;
  }

  writeNow(offset: number, bytes: Bytes): void {
    let done = 0;
    while (done < bytes.length) done += writeSync(this.#handle.fd, bytes, done, bytes.length - done, offset + done);
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  async write(offset: number, parts: readonly Bytes[]): Promise<void> {
    let length = 0;
    for (const part of parts) length += part.length;
    await writeAll(this.#handle.fd, parts, offset);
    this.#size = Math.max(this.#size, offset + length);
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#handle.fd, (error) => (error ? reject(error) : resolve()));
    });
  }

  async truncate(size: number): Promise<void> {
    await this.#handle.truncate(size);
    this.#size = size;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Direct writes begin at page boundaries of memory: they are copied to such a place, so many bytes at a time. */
const STAGE_BYTES = 1 << 20;
const WASM_PAGE_BYTES = 64 << 10;

/** The one kind of memory that is certain to be aligned. Neither Node's types nor those of ECMAScript have it. */
function alignedBytes(count: number): Uint8Array {
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { Memory: new (size: { initial: number; maximum: number }) => { buffer: ArrayBuffer } };
  };
  const pages = count / WASM_PAGE_BYTES;
  return new Uint8Array(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer);
}

class DirectFile implements DirectWriter {
  readonly #handle: FileHandle;
  readonly #stage = alignedBytes(STAGE_BYTES);

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(offset: number, bytes: Bytes): Promise<void> {
    for (let at = 0; at < bytes.length; at += STAGE_BYTES) {
      const part = bytes.subarray(at, at + STAGE_BYTES);
      this.#stage.set(part);
      await writeAll(this.#handle.fd, [this.#stage.subarray(0, part.length)], offset + at);
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

async function writeAll(fd: number, parts: readonly Bytes[], offset: number): Promise<void> {
  let left = parts;
  let at = offset;
  while (left.length > 0) {
    const written = await writeParts(fd, left, at);
    at += written;
    left = dropBytes(left, written);
  }
}

/** Returns how many bytes were written: a write of much may end early. */
function writeParts(fd: number, parts: readonly Bytes[], at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const done = (error: NodeJS.ErrnoException | null, written: number) => (error ? reject(error) : resolve(written));
    if (parts.length === 1) write(fd, parts[0]!, 0, parts[0]!.length, at, done);
    else writev(fd, parts, at, done);
  });
}

/** What is left of the parts after their first `count` bytes. */
function dropBytes(parts: readonly Bytes[], count: number): readonly Bytes[] {
  let first = 0;
  let left = count;
  while (first < parts.length && left >= parts[first]!.length) {
    left -= parts[first]!.length;
    first += 1;
  }
  if (left === 0) return parts.slice(first);
  return [parts[first]!.subarray(left), ...parts.slice(first + 1)];
}
