import type { Bytes, UTime } from '@spirula/encoding';
import { type Checksum, checksumElement } from '../checksums.ts';
import { formatIsoDate } from '../http-date.ts';
import { element, s3Root, xmlDocument } from '../xml-writer.ts';

export interface Copied {
  readonly mtime: UTime;
  /** Without quotes. */
  readonly etag: string;
  readonly checksum?: Checksum | undefined;
}

export function copyObjectResult(copied: Copied): Bytes {
  return result('CopyObjectResult', copied);
}

/** Of a part whose data is copied from an object. */
export function copyPartResult(copied: Copied): Bytes {
  return result('CopyPartResult', copied);
}

function result(name: string, { mtime, etag, checksum }: Copied): Bytes {
  return xmlDocument(
    s3Root(name, [
      element('LastModified', formatIsoDate(mtime)),
      element('ETag', etag),
      checksum && checksumElement(checksum),
    ]),
  );
}
