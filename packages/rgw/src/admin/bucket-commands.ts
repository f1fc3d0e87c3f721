/** Commands of radosgw-admin about buckets. */
import { rawFromText } from '@spirula/encoding';
import { formatUserId, type UserId } from '../formats/user-id.ts';
import type { CommandTable } from './admin.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { bucketOf, userOf } from './command-options.ts';

export const bucketCommands: CommandTable = {
  'bucket list': ({ buckets }, options) => buckets.list(options.has('uid') ? userOf(options) : undefined),
  'bucket stats': ({ buckets }, options) => buckets.stats(...bucketOf(options)),
  'bucket link': ({ buckets }, options) => buckets.link(...bucketOf(options), userOf(options)),
  'bucket unlink': ({ buckets }, options) => buckets.unlink(...bucketOf(options), userOf(options)),
  'bucket rm': ({ buckets }, options) => buckets.remove(...bucketOf(options), options.has('purge-objects')),
  'bucket check': async ({ buckets }, options) => {
    if (options.has('check-objects')) {
      throw new AdminError(
        AdminCode.EINVAL,
        'ERROR: --check-objects is not there: listings mend what they find in doubt',
      );
    }
    return options.has('bucket') ? buckets.check(...bucketOf(options), options.has('fix')) : undefined;
  },
  'bucket limit check': async ({ buckets, store }, options) => {
    const users: UserId[] = [];
    if (options.has('uid')) users.push(userOf(options));
    else for await (const user of store.users.list()) users.push(user);
    return buckets.limits(users, options.has('warnings-only'));
  },
  'object rm': async ({ buckets, store }, options) => {
    const { info } = await buckets.require(...bucketOf(options));
    const name = rawFromText(options.get('object') ?? '');
    if (name === '') throw new AdminError(AdminCode.EINVAL, 'ERROR: object remove returned: (22) Invalid argument');
    const key = { name, instance: rawFromText(options.get('object-version') ?? ''), ns: '' };
    const { found, deleteMarker } = await store.objects.look(info, key);
    if (!found && deleteMarker === undefined) {
      throw new AdminError(AdminCode.ENOENT, 'ERROR: object remove returned: (2) No such file or directory');
    }
    await store.objects.remove(info, key, { id: formatUserId(info.owner), displayName: '' });
  },
};
