/** Commands of radosgw-admin about the usage log. */
import { type RawString, rawFromText } from '@spirula/encoding';
import { formatUserId } from '../formats/user-id.ts';
import { usageDocument } from '../usage/usage-document.ts';
import { END_OF_TIME } from '../usage/usage-log.ts';
import type { CommandTable } from './admin.ts';
import { type AdminOptions, dateOf, flagOf, requireSure, userOf } from './command-options.ts';

export const usageCommands: CommandTable = {
  'usage show': async ({ store }, options) =>
    usageDocument(await store.usageLog.read(rangeOf(options)), {
      entries: flagOf(options, 'show-log-entries') ?? true,
      summary: flagOf(options, 'show-log-sum') ?? true,
      categories: categoriesOf(options.get('categories') ?? ''),
    }),
  'usage trim': async ({ store }, options) => {
    const isAll = !['uid', 'bucket', 'start-date', 'end-date'].some((name) => options.has(name));
    if (isAll) requireSure(options, 'usage trim without user/date/bucket specified will remove *all* users data');
    await store.usageLog.trim(rangeOf(options));
  },
  'usage clear': async ({ store }, options) => {
    requireSure(options, 'usage clear would remove *all* users usage data for all time');
    await store.usageLog.clear();
  },
};

/** `get_obj,put_obj`. */
export function categoriesOf(text: string): ReadonlySet<RawString> {
  return new Set(
    text
      .split(/[\s,;]+/)
      .filter((each) => each !== '')
      .map(rawFromText),
  );
}

function rangeOf(options: AdminOptions) {
  return {
    start: dateOf(options, 'start-date', 0n),
    end: dateOf(options, 'end-date', END_OF_TIME),
    user: options.has('uid') ? formatUserId(userOf(options)) : '',
    bucket: rawFromText(options.get('bucket') ?? ''),
  };
}
