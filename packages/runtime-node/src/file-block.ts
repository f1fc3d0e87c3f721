import { join } from 'node:path';
import type { Bytes } from '@spirula/encoding';
import { type BlockDevice, DeviceError, invariant, type Token } from '@spirula/world';
import { rememberSums } from './crc.ts';
import type { DirectWriter, FileLayer, LayerFile } from './file-layer.ts';
import { toDeviceError } from './storage-problem.ts';

const BLOCK_SIZE = 4096;
const SECTOR_SIZE = 512;
/** errno EIO, for errors without a number. */
const EIO = -5;
/** Writes from this size on are left to another thread: they would hold up the daemon for milliseconds. */
const QUEUED_FROM_BYTES = 64 << 10;
/** Bytes that wait to be written at the most; beyond it, writes are made at once. */
const MAX_QUEUED_BYTES = 64 << 20;

export interface FileBlockConfig {
  readonly files: FileLayer;
  readonly dir: string;
  readonly name: string;
  /** Of a device that is made new; one that exists keeps its size. */
  readonly size: number;
  onFlushed(token: Token): void;
  onFailure(error: unknown): void;
}

/**
 * A block device over a sparse file. Small writes go to the page cache at once; large ones wait for another thread, which
 * writes them past it, and reads see them meanwhile. A flush is one fdatasync after the writes before it; at most one is
 * under way.
 *
 *     write, large --> queued --> being written --------+
 *     write, small --> page cache ----------------------+--fdatasync--> flushed
 */
export class FileBlock implements BlockDevice {
  readonly size: number;
  readonly blockSize = BLOCK_SIZE;
  readonly sectorSize = SECTOR_SIZE;
  readonly #config: FileBlockConfig;
  readonly #file: LayerFile;
  /** The same file, past the page cache where that can be had: what is large is seldom read again soon. */
  readonly #direct: DirectWriter | undefined;
  #queued: { readonly offset: number; readonly bytes: Bytes }[] = [];
  #queuedBytes = 0;
  /** The newest bytes of blocks that are queued, and of those being written, by offset. */
  #queuedBlocks = new Map<number, Bytes>();
  #writingBlocks = new Map<number, Bytes>();
  /** Flushes asked for since the one under way began. */
  #waiting: Token[] = [];
  #working: Promise<void> | undefined;
  #stopped = false;

  private constructor(config: FileBlockConfig, file: LayerFile, direct: DirectWriter | undefined) {
    this.#config = config;
    this.#file = file;
    this.#direct = direct;
    this.size = Math.floor(file.size() / BLOCK_SIZE) * BLOCK_SIZE;
  }

  static async open(config: FileBlockConfig): Promise<FileBlock> {
    await config.files.makeDir(config.dir);
    const file = await config.files.open(config.dir, config.name, 'buffered');
    if (file.size() === 0) {
      await file.truncate(config.size);
      await file.sync();
      await config.files.syncDir(config.dir);
    }
    return new FileBlock(config, file, await config.files.openDirect(config.dir, config.name));
  }

  read(offset: number, length: number): Bytes {
    this.#check(offset, length);
    try {
      const bytes = this.#file.read(offset, length);
      if (this.#working !== undefined) this.#overlay(offset, bytes);
      rememberSums(bytes.buffer);
      return bytes;
    } catch (error) {
      throw this.#explain(error, 'read', offset);
    }
  }

  write(offset: number, bytes: Bytes): void {
    this.#check(offset, bytes.length);
    const large = bytes.length >= QUEUED_FROM_BYTES && this.#queuedBytes <= MAX_QUEUED_BYTES;
    if (large || this.#overlaps(offset, bytes.length)) {
      this.#queued.push({ offset, bytes });
      this.#queuedBytes += bytes.length;
      for (let at = 0; at < bytes.length; at += BLOCK_SIZE) {
        this.#queuedBlocks.set(offset + at, bytes.subarray(at, at + BLOCK_SIZE));
      }
      this.#startWork();
      return;
    }
    try {
      this.#file.writeNow(offset, bytes);
    } catch (error) {
      throw this.#explain(error, 'write', offset);
    }
  }

  flush(token: Token): void {
    this.#waiting.push(token);
    this.#startWork();
  }

  /** Ends once the write or flush under way has; nothing is told any more. */
  async close(): Promise<void> {
    this.#stopped = true;
    await this.#working;
    await this.#direct?.close();
    await this.#file.close();
  }

  #startWork(): void {
    if (this.#working !== undefined || this.#stopped) return;
    this.#working = Promise.resolve()
      .then(() => this.#work())
      .catch((error) => {
        if (!this.#stopped) this.#config.onFailure(error);
        this.#stopped = true;
      })
      .finally(() => {
        this.#working = undefined;
        if (this.#queued.length + this.#waiting.length > 0) this.#startWork();
      });
  }

  async #work(): Promise<void> {
    while (this.#queued.length + this.#waiting.length > 0 && !this.#stopped) {
      const writes = this.#queued;
      const tokens = this.#waiting;
      this.#writingBlocks = this.#queuedBlocks;
      this.#queued = [];
      this.#waiting = [];
      this.#queuedBlocks = new Map();
      for (const { offset, bytes } of writes) {
        if (this.#direct !== undefined) await this.#direct.write(offset, bytes);
        else await this.#file.write(offset, [bytes]);
        this.#queuedBytes -= bytes.length;
      }
      this.#writingBlocks = new Map();
      if (tokens.length > 0) await this.#file.sync();
      for (const token of tokens) if (!this.#stopped) this.#config.onFlushed(token);
    }
  }

  /** Puts what is not in the file yet over what was read from it. */
  #overlay(offset: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += BLOCK_SIZE) {
      const block = this.#queuedBlocks.get(offset + at) ?? this.#writingBlocks.get(offset + at);
      if (block !== undefined) bytes.set(block, at);
    }
  }

  #overlaps(offset: number, length: number): boolean {
    if (this.#queuedBlocks.size + this.#writingBlocks.size === 0) return false;
    for (let at = offset; at < offset + length; at += BLOCK_SIZE) {
      if (this.#queuedBlocks.has(at) || this.#writingBlocks.has(at)) return true;
    }
    return false;
  }

  #explain(error: unknown, verb: string, offset: number): DeviceError {
    const { dir, name } = this.#config;
    const path = join(dir, name);
    const { errno, message } = error as NodeJS.ErrnoException;
    return toDeviceError(error, path) ?? new DeviceError(errno ?? EIO, `${path}: ${verb} at ${offset}: ${message}`);
  }

  #check(offset: number, length: number): void {
    invariant(offset % BLOCK_SIZE === 0 && length % BLOCK_SIZE === 0, 'offsets and lengths are whole blocks');
    invariant(offset >= 0 && offset + length <= this.size, 'reads and writes are within the device');
  }
}
