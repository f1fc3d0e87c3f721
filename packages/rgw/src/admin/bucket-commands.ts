/** Commands of radosgw-admin about buckets. */
import type { CommandTable } from './admin.ts';
import { bucketOf, userOf } from './command-options.ts';

export const bucketCommands: CommandTable = {
  'bucket list': ({ buckets }, options) => buckets.list(options.has('uid') ? userOf(options) : undefined),
  'bucket stats': ({ buckets }, options) => buckets.stats(...bucketOf(options)),
  'bucket link': ({ buckets }, options) => buckets.link(...bucketOf(options), userOf(options)),
  'bucket unlink': ({ buckets }, options) => buckets.unlink(...bucketOf(options), userOf(options)),
  'bucket rm': ({ buckets }, options) => buckets.remove(...bucketOf(options), options.has('purge-objects')),
};
