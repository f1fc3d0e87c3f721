/** Archives taken apart while they come: tar-stream, behind Node's zlib when they are compressed. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type ArchiveEntry, type ArchiveFormat, type Archives, MalformedArchive } from '@spirula/rgw';
import { extract } from 'tar-stream';

type Bytes = Uint8Array;

const FILE_TYPES: readonly unknown[] = ['file', 'contiguous-file'];

export const archives: Archives = { expand };

async function* expand(format: ArchiveFormat, data: AsyncIterable<Bytes>): AsyncGenerator<ArchiveEntry> {
  const taken = extract();
  // What the client sends breaks off with an error of its own, which is to be told apart from what the archive is.
  let broken: Error | undefined;
  async function* passing(): AsyncGenerator<Bytes> {
    try {
      yield* data;
    } catch (error) {
      broken = error as Error;
      throw error;
    }
  }
  const source = Readable.from(passing(), { objectMode: false });
  const feeding = format === 'tar' ? pipeline(source, taken) : pipeline(source, createGunzip(), taken);
  // It is told below, by the iteration that it ends.
  feeding.catch((error: Error) => taken.destroy(error));
  try {
    for await (const entry of taken) {
      const { name, type, size = 0 } = entry.header;
      const kind = FILE_TYPES.includes(type) ? 'file' : type === 'directory' ? 'directory' : 'other';
      yield { path: name, kind, size, data: entry as AsyncIterable<Bytes> };
      // What was not read of it is passed over.
      entry.resume();
    }
  } catch (error) {
    throw broken ?? new MalformedArchive((error as Error).message);
  } finally {
    taken.destroy();
    source.destroy();
  }
}
