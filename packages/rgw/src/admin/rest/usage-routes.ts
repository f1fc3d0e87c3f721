/** `/admin/usage` (rgw_rest_usage.cc). */
import { formatUserId } from '../../formats/user-id.ts';
import { parseDate } from '../../s3/http-date.ts';
import { usageDocument } from '../../usage/usage-document.ts';
import { END_OF_TIME } from '../../usage/usage-log.ts';
import { categoriesOf } from '../usage-commands.ts';
import { RestError } from './rest-error.ts';
import { answer, flagArg, type RestContext, type RestRoute, rawArg, textArg, userArg } from './rest-request.ts';

const show: RestRoute = {
  cap: ['usage', 'read'],
  async run(context) {
    const shown = {
      entries: flagArg(context, 'show-entries', true),
      summary: flagArg(context, 'show-summary', true),
      categories: categoriesOf(textArg(context, 'categories') ?? ''),
    };
    return answer('usage', usageDocument(await context.admin.store.usageLog.read(rangeOf(context)), shown));
  },
};

const trim: RestRoute = {
  cap: ['usage', 'write'],
  async run(context) {
    const range = rangeOf(context);
    const isWhole = range.user === '' && range.bucket !== '' && range.start === 0n && range.end === END_OF_TIME;
    if (isWhole && !flagArg(context, 'remove-all', false)) {
      throw new RestError('InvalidArgument', "All of a bucket's usage goes with remove-all=true only");
    }
    await context.admin.store.usageLog.trim(range);
    return undefined;
  },
};

export const usageRoutes = { GET: { '': show }, DELETE: { '': trim } } as const;

/** As radosgw, a date that is none is as if it were not given. */
function rangeOf(context: RestContext) {
  const user = userArg(context);
  return {
    start: parseDate(textArg(context, 'start') ?? '') ?? 0n,
    end: parseDate(textArg(context, 'end') ?? '') ?? END_OF_TIME,
    user: user ? formatUserId(user) : '',
    bucket: rawArg(context, 'bucket') ?? '',
  };
}
