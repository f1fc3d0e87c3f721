/** The usage log as administrators are shown it (RGWUsage::show). */
import { type BucketUsage, NO_USAGE, type Usage, type UsageEntry } from '@spirula/cls';
import { type RawString, textFromRaw } from '@spirula/encoding';
import { list, type Node } from '../admin/document.ts';
import { timeText } from '../admin/user-json.ts';
import { sumOfEntries, sumOfUsage } from './usage-log.ts';

export interface UsageShown {
  readonly entries: boolean;
  readonly summary: boolean;
  /** Empty: all. */
  readonly categories: ReadonlySet<RawString>;
}

type Categories = UsageEntry['byCategory'];

export function usageDocument(found: readonly BucketUsage[], shown: UsageShown): Node {
  const users = new Map<RawString, BucketUsage[]>();
  for (const each of found) {
    const before = users.get(each.user);
    if (before) before.push(each);
    else users.set(each.user, [each]);
  }
  const entries = [...users].map(([user, buckets]) => ({
    user: textFromRaw(user),
    buckets: list(
      'bucket',
      buckets.map((each) => bucketNode(each, shown)),
    ),
  }));
  const summary = [...users].map(([user, buckets]) => {
    const sums = selected(buckets.map(({ usage }) => usage).reduce(sumOfEntries).byCategory, shown);
    return {
      user: textFromRaw(user),
      categories: categoriesNode(sums),
      total: sumsOf([...sums.values()].reduce(sumOfUsage, NO_USAGE)),
    };
  });
  return {
    ...(shown.entries && { entries: list('user', entries) }),
    ...(shown.summary && { summary: list('user', summary) }),
  };
}

function bucketNode({ bucket, usage }: BucketUsage, shown: UsageShown): Node {
  const { owner, payer, epoch, byCategory } = usage;
  return {
    bucket: textFromRaw(bucket),
    time: timeText({ sec: Number(epoch), nsec: 0 }),
    epoch: Number(epoch),
    owner: textFromRaw(owner),
    ...(payer !== '' && payer !== owner && { payer: textFromRaw(payer) }),
    categories: categoriesNode(selected(byCategory, shown)),
  };
}

function selected(byCategory: Categories, { categories }: UsageShown): Categories {
  if (categories.size === 0) return byCategory;
  return new Map([...byCategory].filter(([category]) => categories.has(category)));
}

function categoriesNode(byCategory: Categories): Node {
  return list(
    'entry',
    [...byCategory].map(([category, usage]) => ({ category: textFromRaw(category), ...sumsOf(usage) })),
  );
}

function sumsOf({ bytesSent, bytesReceived, ops, successfulOps }: Usage) {
  return {
    bytes_sent: Number(bytesSent),
    bytes_received: Number(bytesReceived),
    ops: Number(ops),
    successful_ops: Number(successfulOps),
  };
}
