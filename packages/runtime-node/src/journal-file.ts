import type { Bytes } from '@spirula/encoding';
import type { FileLayer, LayerFile } from './file-layer.ts';

/** Zeros are written ahead of the records so many times until a file has its usual size. */
const FILLS = 8;
/** A journal that has less than this part of its usual size in it grows as it does: most daemons never write more. */
const UNFILLED_PART = 1 / 128;

/**
 * The journal file that is being written. Records go where the file has bytes already, if that can be had: to overwrite is
 * cheaper for the file system than to append, since nothing but the bytes themselves must reach the disk. So a file that was
 * used before is used again, and a new one is filled with zeros ahead of the records.
 *
 *     | records ... | zeros, or records of an earlier use | being filled |
 *     0             at                                  room
 */
export class JournalFile {
  readonly name: string;
  readonly #file: LayerFile;
  readonly #usualBytes: number;
  #at = 0;
  #room: number;
  #filling: Promise<void> | undefined;

  private constructor(name: string, file: LayerFile, usualBytes: number) {
    this.name = name;
    this.#file = file;
    this.#usualBytes = usualBytes;
    this.#room = file.size();
  }

  /**
   * Opens `name`, which must not be there; `spare` is the name of a file to be used again. The name is durable afterwards.
   *
   * @param usualBytes so large journal files become
   */
  static async open(
    files: FileLayer,
    dir: string,
    name: string,
    spare: string | undefined,
    usualBytes: number,
  ): Promise<JournalFile> {
    if (spare !== undefined) await files.rename(dir, spare, name);
    const file = await files.open(dir, name, 'durable');
    await files.syncDir(dir);
    return new JournalFile(name, file, usualBytes);
  }

  /** Appends durably. One call at a time. */
  async append(parts: readonly Bytes[]): Promise<void> {
    let length = 0;
    for (const part of parts) length += part.length;
    // Zeros must not come after records.
    if (this.#at + length > this.#room) await this.#filling;
    this.#room = Math.max(this.#room, this.#at + length);
    await this.#file.write(this.#at, parts);
    this.#at += length;
    this.#fillAhead();
  }

  async close(): Promise<void> {
    await this.#filling;
    await this.#file.close();
  }

  #fillAhead(): void {
    const usual = this.#usualBytes;
    const count = Math.ceil(usual / FILLS);
    const hasRoom = this.#room - this.#at >= count / 2;
    if (this.#filling !== undefined || hasRoom || this.#at < usual * UNFILLED_PART || this.#room >= usual) return;
    const from = this.#room;
    this.#filling = this.#file
      .write(from, [new Uint8Array(count)])
      .then(() => {
        this.#room = from + count;
      })
      // No room on the disk, say: the records themselves will tell.
      .catch(() => {})
      .finally(() => {
        this.#filling = undefined;
      });
  }
}
