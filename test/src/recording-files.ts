import type { Bytes } from '@spirula/encoding';
import type { DirectWriter, FileLayer, FileMode, LayerFile } from '../../packages/runtime-node/src/file-layer.ts';

const SECTOR = 512;

interface Write {
  readonly offset: number;
  readonly bytes: Bytes;
}

interface FileState {
  content: Uint8Array;
  /** What surely survives; `lost` are writes since, of which any sectors may. */
  durable: Uint8Array;
  lost: Write[];
  /** Whether its name survives a power cut, and the one it had before, while a change of it may still be lost. */
  named: boolean;
  formerName?: string | undefined;
}

/**
 * Files in memory that remember what a power cut would leave of them. Asynchronous calls wait until `step` lets one
 * finish: its effect is in doubt from the call on, and certain only when it has finished.
 */
export class RecordingFiles implements FileLayer {
  readonly #files: Map<string, FileState>;
  #waiting: (() => void)[] = [];

  constructor(files: Map<string, FileState> = new Map()) {
    this.#files = files;
  }

  /** Lets the oldest asynchronous call finish; false when there is none. */
  step(): boolean {
    const finish = this.#waiting.shift();
    finish?.();
    return finish !== undefined;
  }

  async makeDir(): Promise<void> {}

  async list(): Promise<string[]> {
    return [...this.#files.keys()].sort();
  }

  async open(_dir: string, name: string, mode: FileMode): Promise<LayerFile> {
    const known = this.#files.get(name);
    const state = known ?? { content: new Uint8Array(), durable: new Uint8Array(), lost: [], named: false };
    this.#files.set(name, state);
    return new RecordedFile(state, mode, () => this.#turn());
  }

  async openDirect(dir: string, name: string): Promise<DirectWriter> {
    const file = await this.open(dir, name, 'buffered');
    return { write: (offset, bytes) => file.write(offset, [bytes]), close: () => file.close() };
  }

  async rename(_dir: string, from: string, to: string): Promise<void> {
    const state = this.#files.get(from)!;
    this.#files.delete(from);
    state.formerName ??= from;
    this.#files.set(to, state);
    await this.#turn();
  }

  async remove(_dir: string, name: string): Promise<void> {
    await this.#turn();
    this.#files.delete(name);
  }

  async syncDir(): Promise<void> {
    await this.#turn();
    for (const state of this.#files.values()) {
      state.named = true;
      state.formerName = undefined;
    }
  }

  /** What is there after a power cut that those sectors and names in doubt outlived for which `survives` says so. */
  afterCrash(survives: () => boolean): RecordingFiles {
    const files = new Map<string, FileState>();
    for (const [newName, { durable, lost, named, formerName }] of this.#files) {
      if (!named && !survives()) continue;
      const name = formerName !== undefined && !survives() ? formerName : newName;
      let content: Uint8Array = durable.slice();
      for (const { offset, bytes } of lost) {
        for (let at = 0; at < bytes.length; at += SECTOR) {
          if (survives()) content = patched(content, offset + at, bytes.subarray(at, at + SECTOR));
        }
      }
      files.set(name, { content, durable: content.slice(), lost: [], named: true });
    }
    return new RecordingFiles(files);
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}

class RecordedFile implements LayerFile {
  readonly #state: FileState;
  readonly #mode: FileMode;
  readonly #turn: () => Promise<void>;

  constructor(state: FileState, mode: FileMode, turn: () => Promise<void>) {
    this.#state = state;
    this.#mode = mode;
    this.#turn = turn;
  }

  size(): number {
    return this.#state.content.length;
  }

  read(offset: number, length: number): Bytes {
    const bytes = new Uint8Array(length);
    bytes.set(this.#state.content.subarray(offset, offset + length));
    return bytes;
  }

  writeNow(offset: number, bytes: Bytes): void {
    const copy = bytes.slice();
    this.#state.content = patched(this.#state.content, offset, copy);
    this.#state.lost.push({ offset, bytes: copy });
  }

  async write(offset: number, parts: readonly Bytes[]): Promise<void> {
    const written: Write[] = [];
    let at = offset;
    for (const part of parts) {
      this.writeNow(at, part);
      written.push(this.#state.lost.at(-1)!);
      at += part.length;
    }
    await this.#turn();
    if (this.#mode === 'durable') this.#settle(written);
  }

  async sync(): Promise<void> {
    const written = [...this.#state.lost];
    await this.#turn();
    this.#settle(written);
  }

  async truncate(size: number): Promise<void> {
    const content = new Uint8Array(size);
    content.set(this.#state.content.subarray(0, size));
    this.#state.content = content;
    this.#state.durable = content.slice();
  }

  async close(): Promise<void> {}

  #settle(written: readonly Write[]): void {
    for (const { offset, bytes } of written) this.#state.durable = patched(this.#state.durable, offset, bytes);
    this.#state.lost = this.#state.lost.filter((write) => !written.includes(write));
  }
}

function patched(content: Uint8Array, offset: number, bytes: Bytes): Uint8Array {
  const result = new Uint8Array(Math.max(content.length, offset + bytes.length));
  result.set(content);
  result.set(bytes, offset);
  return result;
}
