import type { Bytes } from '@spirula/encoding';
import { type BlockDevice, DeviceError, invariant, type Token } from '@spirula/world';
import type { FileLayer, LayerFile } from './file-layer.ts';

const BLOCK_SIZE = 4096;
const SECTOR_SIZE = 512;
/** errno EIO, for errors without a number. */
const EIO = -5;

export interface FileBlockConfig {
  readonly files: FileLayer;
  readonly dir: string;
  readonly name: string;
  /** Of a device that is made new; one that exists keeps its size. */
  readonly size: number;
  onFlushed(token: Token): void;
  onFailure(error: unknown): void;
}

/** A block device over a sparse file: reads and writes go to the page cache at once, a flush is one fdatasync. */
export class FileBlock implements BlockDevice {
  readonly size: number;
  readonly blockSize = BLOCK_SIZE;
  readonly sectorSize = SECTOR_SIZE;
  readonly #config: FileBlockConfig;
  readonly #file: LayerFile;
  /** Flushes asked for since the one under way began. */
  #waiting: Token[] = [];
  #flushing: Promise<void> | undefined;
  #stopped = false;

  private constructor(config: FileBlockConfig, file: LayerFile) {
    this.#config = config;
    this.#file = file;
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
    return new FileBlock(config, file);
  }

  read(offset: number, length: number): Bytes {
    this.#check(offset, length);
    try {
      return this.#file.read(offset, length);
    } catch (error) {
      throw toDeviceError(error, 'read', offset);
    }
  }

  write(offset: number, bytes: Bytes): void {
    this.#check(offset, bytes.length);
    try {
      this.#file.writeNow(offset, bytes);
    } catch (error) {
      throw toDeviceError(error, 'write', offset);
    }
  }

  flush(token: Token): void {
    this.#waiting.push(token);
    if (this.#flushing !== undefined || this.#stopped) return;
    this.#flushing = Promise.resolve()
      .then(() => this.#flushAll())
      .catch((error) => {
        if (!this.#stopped) this.#config.onFailure(error);
        this.#stopped = true;
      });
  }

  /** Ends once the flush under way has; nothing is told any more. */
  async close(): Promise<void> {
    this.#stopped = true;
    await this.#flushing;
    await this.#file.close();
  }

  async #flushAll(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#stopped) {
      const tokens = this.#waiting;
      this.#waiting = [];
      await this.#file.sync();
      for (const token of tokens) if (!this.#stopped) this.#config.onFlushed(token);
    }
    this.#flushing = undefined;
  }

  #check(offset: number, length: number): void {
    invariant(offset % BLOCK_SIZE === 0 && length % BLOCK_SIZE === 0, 'offsets and lengths are whole blocks');
    invariant(offset >= 0 && offset + length <= this.size, 'reads and writes are within the device');
  }
}

function toDeviceError(error: unknown, verb: string, offset: number): DeviceError {
  const { errno, message } = error as NodeJS.ErrnoException;
  return new DeviceError(errno ?? EIO, `${verb} at ${offset}: ${message}`);
}
