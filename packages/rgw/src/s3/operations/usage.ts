import type { UserBucketEntry } from '@spirula/cls';
import { formatUserId } from '../../formats/user-id.ts';
import { syncUserStats } from '../../store/user-stats.ts';
import { END_OF_TIME } from '../../usage/usage-log.ts';
import { usageOfUser } from '../documents/usage.ts';
import { parseDate } from '../http-date.ts';
import { s3Error } from '../s3-errors.ts';
import { requireUser } from './access.ts';
import { type Operation, type OperationContext, paramOf, xmlResponse } from './operation.ts';

/** radosgw's: what a user has transferred by the usage log, and holds. */
export const getSelfUsage: Operation = {
  name: 'GetSelfUsage',
  async run(context) {
    const { store, now } = context;
    const user = requireUser(context.user);
    const range = {
      start: epochOf(context, 'start-date', 0n),
      end: epochOf(context, 'end-date', END_OF_TIME),
      user: formatUserId(user.id),
      bucket: '',
    };
    const usage = await store.usageLog.read(range);
    const held = await syncUserStats(store, user.id, now);
    const buckets: UserBucketEntry[] = [];
    for await (const entry of store.buckets.lists.list(user.id)) buckets.push(entry);
    return xmlResponse(usageOfUser({ user, usage, buckets, held }));
  },
};

/** `2026-11-30`, or `2026-11-30 12:00:00`. */
function epochOf(context: OperationContext, name: string, otherwise: bigint): bigint {
  const text = paramOf(context, name);
  if (text === undefined || text === '') return otherwise;
  const sec = parseDate(text);
  if (sec === undefined) throw s3Error('InvalidArgument', `${name} is no date`);
  return sec;
}
