/** Images as devices of NBD: one that is written is open once, whoever uses it; each connection keeps the size that it began with. */
import { type Bytes, Errno, rawFromText } from '@spirula/encoding';
import type { BlockExport, ExportExtent, ExportList, ExportName } from '@spirula/nbd';
import { type Rados, RadosError } from '@spirula/rados';
import { Image, type ImageWorld, WritableImage } from '@spirula/rbd';
import type { ImageSpec } from '../rbd/spec.ts';

/** Zeros that must take room are written so many at a time. */
const ZERO_BYTES = 4 << 20;

export interface ServedImage extends ImageSpec {
  readonly isReadOnly: boolean;
}

interface OpenImage {
  readonly image: Promise<WritableImage>;
  users: number;
}

export class ImageExports implements ExportList {
  readonly #rados: Rados;
  readonly #world: ImageWorld;
  readonly #served: ReadonlyMap<string, ServedImage>;
  readonly #open = new Map<string, OpenImage>();

  /** @param served by their names; who names none gets the first */
  constructor(rados: Rados, world: ImageWorld, served: ReadonlyMap<string, ServedImage>) {
    this.#rados = rados;
    this.#world = world;
    this.#served = served;
  }

  async list(): Promise<readonly ExportName[]> {
    return [...this.#served].map(([name, { isReadOnly, snapshot }]) => ({
      name,
      description: snapshot !== '' ? 'a snapshot' : isReadOnly ? 'an image, read-only' : 'an image',
    }));
  }

  async open(asked: string): Promise<BlockExport | undefined> {
    const name = asked === '' ? [...this.#served.keys()][0]! : asked;
    const served = this.#served.get(name);
    if (!served) return undefined;
    const io = (await this.#rados.ioctx(served.pool)).with({ nspace: rawFromText(served.namespace) });
    const image = rawFromText(served.image);
    if (served.isReadOnly) {
      const snapshot = served.snapshot === '' ? undefined : rawFromText(served.snapshot);
      return new ReadOnlyExport(await Image.open(this.#rados, io, image, snapshot));
    }
    const known = this.#open.get(name);
    const open = known ?? { image: WritableImage.open(this.#rados, io, image, this.#world), users: 0 };
    open.users += 1;
    this.#open.set(name, open);
    const leave = async () => {
      open.users -= 1;
      if (open.users > 0) return;
      this.#open.delete(name);
      await (await open.image).close();
    };
    try {
      return new ImageExport(await open.image, leave);
    } catch (error) {
      this.#open.delete(name);
      throw error;
    }
  }

  /** Gives the locks of images away. */
  async close(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(open.map(async ({ image }) => (await image).close()));
  }
}

/** Clients of NBD know errnos of Linux. */
async function withErrno<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
    const errno = error.code === Errno.EDQUOT ? -Errno.ENOSPC : -error.code;
    throw Object.assign(new Error(error.message), { errno });
  }
}

class ReadOnlyExport implements BlockExport {
  readonly isReadOnly = true;
  readonly isShared = true;
  readonly #image: Image;

  constructor(image: Image) {
    this.#image = image;
  }

  get size(): number {
    return this.#image.size;
  }

  read(offset: number, length: number): Promise<Bytes> {
    return withErrno(this.#image.read(offset, length));
  }

  extents(offset: number, length: number): Promise<readonly ExportExtent[]> {
    return withErrno(this.#image.allocation(offset, length));
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}
  write = refused;
  writeZeroes = refused;
  trim = refused;
}

async function refused(): Promise<void> {
  throw Object.assign(new Error('the export is read-only'), { errno: -Errno.EPERM });
}

class ImageExport implements BlockExport {
  readonly isReadOnly = false;
  readonly isShared = true;
  readonly size: number;
  readonly #image: WritableImage;
  readonly #leave: () => Promise<void>;

  constructor(image: WritableImage, leave: () => Promise<void>) {
    this.#image = image;
    this.#leave = leave;
    this.size = image.size;
  }

  async read(offset: number, length: number): Promise<Bytes> {
    const bytes = await withErrno(this.#image.read(offset, length));
    if (bytes.length === length) return bytes;
    // The image was made smaller meanwhile.
    const whole = new Uint8Array(length);
    whole.set(bytes);
    return whole;
  }

  write(offset: number, data: Bytes): Promise<void> {
    return withErrno(this.#image.write(offset, data));
  }

  async writeZeroes(offset: number, length: number, mayFree: boolean): Promise<void> {
    if (mayFree) {
      await this.trim(offset, length);
      return;
    }
    for (let at = offset; at < offset + length; at += ZERO_BYTES) {
      await this.write(at, new Uint8Array(Math.min(ZERO_BYTES, offset + length - at)));
    }
  }

  trim(offset: number, length: number): Promise<void> {
    return withErrno(this.#image.discard(offset, length));
  }

  /** What was written is durable. */
  async flush(): Promise<void> {}

  extents(offset: number, length: number): Promise<readonly ExportExtent[]> {
    return withErrno(this.#image.allocation(offset, length));
  }

  close(): Promise<void> {
    return this.#leave();
  }
}
