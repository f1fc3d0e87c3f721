/** What is compressed, undone by Node's zlib. */
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import type { Decompression } from '@spirula/rgw';

const inflate = promisify(inflateRaw);

export const decompression: Decompression = {
  inflate: async (deflated, length) => await inflate(deflated, { maxOutputLength: Math.max(length, 1) }),
};
