/** Commands of radosgw-admin about topics of notifications. */
import { rawFromText } from '@spirula/encoding';
import type { CommandTable } from './admin.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import type { AdminOptions } from './command-options.ts';

export const topicCommands: CommandTable = {
  'topic list': ({ topics }, options) => topics.list(tenantOf(options)),
  'topic get': ({ topics }, options) => topics.get(tenantOf(options), topicOf(options)),
  'topic rm': ({ topics }, options) => topics.remove(tenantOf(options), topicOf(options)),
  'subscription get': refuseSubscription,
  'subscription rm': refuseSubscription,
  'subscription pull': refuseSubscription,
  'subscription ack': refuseSubscription,
};

/** Zones of the tier `pubsub` have them; there are none. */
async function refuseSubscription(): Promise<never> {
  throw new AdminError(AdminCode.EINVAL, 'ERROR: only pubsub tier type supports this command');
}

function tenantOf(options: AdminOptions): string {
  return rawFromText(options.get('tenant') ?? '');
}

function topicOf(options: AdminOptions): string {
  const name = options.get('topic') ?? '';
  if (name === '') throw new AdminError(AdminCode.EINVAL, 'ERROR: topic name was not provided (via --topic)');
  return rawFromText(name);
}
