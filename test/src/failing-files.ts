import type { DirectWriter, FileLayer, LayerFile } from '../../packages/runtime-node/src/file-layer.ts';
import { nodeFiles } from '../../packages/runtime-node/src/file-layer.ts';

export type FailingOperation = 'read' | 'write' | 'flush' | 'commit';

const ERRNO = { EIO: -5, ENOSPC: -28 } as const;

/** The file system of this machine, over a disk that refuses what a test says: of the device file, or of the journal. */
export class FailingFiles implements FileLayer {
  readonly #failing = new Map<FailingOperation, keyof typeof ERRNO>();

  fail(operation: FailingOperation, code: keyof typeof ERRNO): void {
    this.#failing.set(operation, code);
  }

  heal(): void {
    this.#failing.clear();
  }

  makeDir(path: string): Promise<void> {
    return nodeFiles.makeDir(path);
  }

  list(dir: string): Promise<string[]> {
    return nodeFiles.list(dir);
  }

  async open(dir: string, name: string, mode: 'buffered' | 'durable'): Promise<LayerFile> {
    const file = await nodeFiles.open(dir, name, mode);
    const isDevice = name === 'block';
    return {
      size: () => file.size(),
      read: (offset, length) => {
        if (isDevice) this.#check('read');
        return file.read(offset, length);
      },
      writeNow: (offset, bytes) => {
        if (isDevice) this.#check('write');
        file.writeNow(offset, bytes);
      },
      write: async (offset, parts) => {
        this.#check(isDevice ? 'write' : 'commit');
        await file.write(offset, parts);
      },
      sync: async () => {
        if (isDevice) this.#check('flush');
        await file.sync();
      },
      truncate: (size) => file.truncate(size),
      close: () => file.close(),
    };
  }

  async openDirect(dir: string, name: string): Promise<DirectWriter | undefined> {
    const writer = await nodeFiles.openDirect(dir, name);
    if (writer === undefined) return undefined;
    return {
      write: async (offset, bytes) => {
        this.#check('write');
        await writer.write(offset, bytes);
      },
      close: () => writer.close(),
    };
  }

  rename(dir: string, from: string, to: string): Promise<void> {
    return nodeFiles.rename(dir, from, to);
  }

  remove(dir: string, name: string): Promise<void> {
    return nodeFiles.remove(dir, name);
  }

  syncDir(dir: string): Promise<void> {
    return nodeFiles.syncDir(dir);
  }

  /** As the system says it. */
  #check(operation: FailingOperation): void {
    const code = this.#failing.get(operation);
    if (code !== undefined) throw Object.assign(new Error(`${code}: ${operation}`), { code, errno: ERRNO[code] });
  }
}
