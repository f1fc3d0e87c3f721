import { join } from 'node:path';
import type { BlockDevice, DeviceError, KeyValue, Log, Token } from '@spirula/world';
import { LmdbCheckpoint } from './checkpoint.ts';
import { crc32c } from './crc.ts';
import { DataFolder } from './data-folder.ts';
import { FileBlock } from './file-block.ts';
import { type FileLayer, nodeFiles } from './file-layer.ts';
import { JournalKv } from './journal-kv.ts';
import { MemoryBlock } from './memory-block.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryKv } from './memory-kv.ts';
import { explainStorageError, toDeviceError } from './storage-problem.ts';

/** Where a daemon keeps what it stores: in memory (its own, or a disk that outlives it), or in a folder of its own. */
export type StoreConfig =
  | { readonly kind: 'memory'; readonly disk?: MemoryDisk }
  | {
      readonly kind: 'disk';
      readonly dir: string;
      /** What stands for the machine's file system, in tests: one whose disk fails. */
      readonly files?: FileLayer;
    };

export interface StorageListener {
  onCommitted(token: Token): void;
  onFlushed(token: Token): void;
  /** A commit or flush has failed: nothing is told any more. */
  onStorageFailed(error: DeviceError): void;
  /** A bug, not the disk. */
  onFailure(error: unknown): void;
}

/** A daemon's key-value store and block device. */
export interface Storage {
  readonly kv: KeyValue;
  readonly block: BlockDevice;
  /** Ends both; what was submitted is written first when `orderly`. Nothing is told any more. */
  close(how: 'orderly' | 'crash'): Promise<void>;
}

/**
 * Opens what is there, or makes it.
 *
 * @throws StorageProblem
 */
export async function openStorage(
  store: StoreConfig,
  owner: string,
  deviceBytes: number,
  log: Log,
  listener: StorageListener,
): Promise<Storage> {
  if (store.kind === 'memory') return openMemory(store.disk ?? new MemoryDisk(), deviceBytes, listener);
  const folder = DataFolder.take(store.dir, owner);
  const files = store.files ?? nodeFiles;
  const onFailure = (error: unknown) => {
    const problem = toDeviceError(error, store.dir);
    if (problem === undefined) listener.onFailure(error);
    else listener.onStorageFailed(problem);
  };
  let checkpoint: LmdbCheckpoint | undefined;
  let kv: JournalKv | undefined;
  try {
    const dir = join(folder.path, 'kv');
    await files.makeDir(dir);
    checkpoint = await LmdbCheckpoint.open(dir);
    kv = await JournalKv.open({
      dir,
      files,
      checkpoint,
      log,
      crc32c,
      onCommitted: listener.onCommitted,
      onFailure,
    });
    const block =
      deviceBytes === 0
        ? new MemoryBlock(new MemoryDisk(), 0, listener.onFlushed)
        : await FileBlock.open({
            files,
            dir: folder.path,
            name: 'block',
            size: deviceBytes,
            onFlushed: listener.onFlushed,
            onFailure,
          });
    return new DiskStorage(folder, kv, block);
  } catch (error) {
    if (kv !== undefined) await kv.abandon();
    else await checkpoint?.close();
    folder.release();
    throw explainStorageError(error, store.dir);
  }
}

class DiskStorage implements Storage {
  readonly kv: JournalKv;
  readonly block: FileBlock | MemoryBlock;
  readonly #folder: DataFolder;

  constructor(folder: DataFolder, kv: JournalKv, block: FileBlock | MemoryBlock) {
    this.#folder = folder;
    this.kv = kv;
    this.block = block;
  }

  async close(how: 'orderly' | 'crash'): Promise<void> {
    await Promise.all([how === 'orderly' ? this.kv.close() : this.kv.abandon(), this.block.close()]);
    this.#folder.release();
  }
}

function openMemory(disk: MemoryDisk, deviceBytes: number, listener: StorageListener): Storage {
  const kv = new MemoryKv(disk, listener.onCommitted);
  const block = new MemoryBlock(disk, deviceBytes, listener.onFlushed);
  return {
    kv,
    block,
    async close() {
      kv.stop();
      await block.close();
    },
  };
}
