/** Archives that clients send to be expanded: how they are taken apart is the edge's business. */
import type { Bytes } from '@spirula/encoding';

export type ArchiveFormat = 'tar' | 'tar.gz';

export interface ArchiveEntry {
  /** As the archive has it. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'other';
  readonly size: number;
  /** Of a file. What is not read of it is passed over. */
  readonly data: AsyncIterable<Bytes>;
}

/** It is no archive of this format, or ends too early. */
export class MalformedArchive extends Error {
  override readonly name = 'MalformedArchive';
}

export interface Archives {
  /**
   * The entries of an archive while it comes, one after the other: no more of it is held than one piece.
   *
   * @throws MalformedArchive while it is read
   */
  expand(format: ArchiveFormat, data: AsyncIterable<Bytes>): AsyncIterable<ArchiveEntry>;
}
