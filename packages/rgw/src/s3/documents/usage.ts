/** What a user has transferred, may hold, and holds (RGWGetUsage_ObjStore_S3). */
import {
  type BucketUsage,
  NO_USAGE,
  type Usage,
  type UsageEntry,
  type UserBucketEntry,
  type UserHeader,
} from '@spirula/cls';
import { type Bytes, formatUTime } from '@spirula/encoding';
import type { UserInfo } from '../../formats/user-info.ts';
import { sumOfEntries, sumOfUsage } from '../../usage/usage-log.ts';
import { element, type XmlNode, xmlDocument } from '../xml-writer.ts';

export interface UserUsage {
  readonly user: UserInfo;
  /** Of that user alone. */
  readonly usage: readonly BucketUsage[];
  readonly buckets: readonly UserBucketEntry[];
  /** Undefined: there never was a bucket. */
  readonly held: UserHeader | undefined;
}

export function usageOfUser({ user, usage, buckets, held }: UserUsage): Bytes {
  const { userQuota, bucketQuota, maxBuckets } = user;
  const number = (name: string, value: bigint | number) => element(name, String(value));
  const [first] = usage;
  const bucketsUsed = buckets.map(({ bucket, size, sizeRounded }) =>
    element('Entry', [element('Bucket', bucket.name), number('Bytes', size), number('Bytes_Rounded', sizeRounded)]),
  );
  return xmlDocument(
    element('Usage', [
      element('Entries', [
        first && element('User', [element('Owner', first.user), element('Buckets', usage.map(bucketElement))]),
      ]),
      element('Summary', [
        first && summaryElement(first.user, usage.map((each) => each.usage).reduce(sumOfEntries)),
        number('QuotaMaxBytes', userQuota.maxSize),
        number('QuotaMaxBuckets', maxBuckets),
        number('QuotaMaxObjCount', userQuota.maxObjects),
        number('QuotaMaxBytesPerBucket', bucketQuota.maxSize),
        number('QuotaMaxObjCountPerBucket', bucketQuota.maxObjects),
        number('TotalBytes', held?.stats.bytes ?? 0n),
        number('TotalBytesRounded', held?.stats.bytesRounded ?? 0n),
        number('TotalEntries', held?.stats.entries ?? 0n),
      ]),
      element('CapacityUsed', [element('User', [element('Buckets', bucketsUsed)])]),
    ]),
  );
}

function bucketElement({ bucket, usage }: BucketUsage): XmlNode {
  return element('Bucket', [
    element('Bucket', bucket),
    element('Time', formatUTime({ sec: Number(usage.epoch), nsec: 0 }).replace('+0000', 'Z')),
    element('Epoch', String(usage.epoch)),
    categoriesElement(usage),
  ]);
}

function summaryElement(user: string, sums: UsageEntry): XmlNode {
  const total = [...sums.byCategory.values()].reduce(sumOfUsage, NO_USAGE);
  return element('User', [element('User', user), categoriesElement(sums), element('Total', sumElements(total))]);
}

function categoriesElement({ byCategory }: UsageEntry): XmlNode {
  return element(
    'categories',
    [...byCategory].map(([category, usage]) =>
      element('Entry', [element('Category', category), ...sumElements(usage)]),
    ),
  );
}

function sumElements({ bytesSent, bytesReceived, ops, successfulOps }: Usage): XmlNode[] {
  return [
    element('BytesSent', String(bytesSent)),
    element('BytesReceived', String(bytesReceived)),
    element('Ops', String(ops)),
    element('SuccessfulOps', String(successfulOps)),
  ];
}
