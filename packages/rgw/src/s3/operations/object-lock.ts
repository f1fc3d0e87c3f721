/** Object lock: what keeps versions from being removed, for a time or until it is taken away. */
import { addSeconds, type Bytes, compareUTimes, type RawString } from '@spirula/encoding';
import { BucketFlag } from '../../formats/bucket-info.ts';
import { encoded } from '../../formats/encoded.ts';
import { encodeLegalHold, encodeObjectRetention, type ObjectRetention } from '../../formats/object-lock.ts';
import { OpMask } from '../../formats/user-info.ts';
import type { HttpResponse } from '../../http.ts';
import type { Action } from '../../iam/actions.ts';
import type { StoredBucket } from '../../store/buckets.ts';
import type { Head } from '../../store/head.ts';
import { legalHoldOf, lockOf, retentionOf } from '../../store/locks.ts';
import { Attr } from '../../store/object-attrs.ts';
import type { FoundObject } from '../../store/stripes.ts';
import {
  legalHold,
  objectLockConfiguration,
  readLegalHold,
  readObjectLockConfiguration,
  readRetention,
  retention,
  retentionOfHeaders,
} from '../documents/object-lock.ts';
import { formatIsoDate } from '../http-date.ts';
import { S3Error } from '../s3-error.ts';
import { s3Error } from '../s3-errors.ts';
import { requireObjectAccess, requireOpMask, requireOwnerAccess } from './access.ts';
import { findBucket } from './find-bucket.ts';
import { emptyResponse, headerOf, keyOf, type Operation, type OperationContext, xmlResponse } from './operation.ts';
import { readDocument } from './read-document.ts';
import { missingVersion } from './versions.ts';

const DAY_SEC = 86_400;
/** DefaultRetention counts so. */
const YEAR_DAYS = 365;
const MODE_HEADER = 'x-amz-object-lock-mode';
const DATE_HEADER = 'x-amz-object-lock-retain-until-date';
const HOLD_HEADER = 'x-amz-object-lock-legal-hold';

export const getObjectLockConfiguration: Operation = {
  name: 'GetObjectLockConfiguration',
  async run(context) {
    const bucket = await findBucket(context);
    requireOwnerAccess(context, bucket, 's3:GetBucketObjectLockConfiguration');
    if (!hasLock(bucket)) throw s3Error('ObjectLockConfigurationNotFoundError');
    return xmlResponse(objectLockConfiguration(bucket.info.objectLock ?? { enabled: true, rule: undefined }));
  },
};

export const putObjectLockConfiguration: Operation = {
  name: 'PutObjectLockConfiguration',
  async run(context) {
    const { store, user } = context;
    const bucket = await findBucket(context);
    requireOpMask(user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutBucketObjectLockConfiguration');
    await store.setObjectLock(bucket, readObjectLockConfiguration(await readDocument(context)));
    return emptyResponse();
  },
};

export const getObjectRetention: Operation = {
  name: 'GetObjectRetention',
  async run(context) {
    const { found } = await findLocked(context, 's3:GetObjectRetention');
    const held = retentionOf(found.head.attrs);
    if (!held) throw s3Error('NoSuchObjectLockConfiguration');
    return xmlResponse(retention(held));
  },
};

export const putObjectRetention: Operation = {
  name: 'PutObjectRetention',
  async run(context) {
    requireOpMask(context.user, OpMask.write);
    const { bucket, found } = await findLocked(context, 's3:PutObjectRetention');
    const given = readRetention(await readDocument(context));
    if (compareUTimes(given.retainUntil, context.now) <= 0) {
      throw s3Error('InvalidArgument', 'The retain until date must be in the future!');
    }
    const before = retentionOf(found.head.attrs);
    if (
      before &&
      isWeaker(given, before, context) &&
      !(before.mode === 'GOVERNANCE' && mayBypass(context, bucket, found.head))
    ) {
      throw s3Error('AccessDenied', 'A retention is made weaker by those only who may bypass it');
    }
    const value = encoded(encodeObjectRetention, given);
    await context.store.objects.setAttrs(bucket.info, found, new Map([[Attr.retention, value]]));
    return emptyResponse();
  },
};

export const getObjectLegalHold: Operation = {
  name: 'GetObjectLegalHold',
  async run(context) {
    const { found } = await findLocked(context, 's3:GetObjectLegalHold');
    const status = legalHoldOf(found.head.attrs);
    if (status === undefined) throw s3Error('NoSuchObjectLockConfiguration');
    return xmlResponse(legalHold(status));
  },
};

export const putObjectLegalHold: Operation = {
  name: 'PutObjectLegalHold',
  async run(context) {
    requireOpMask(context.user, OpMask.write);
    const { bucket, found } = await findLocked(context, 's3:PutObjectLegalHold');
    const value = encoded(encodeLegalHold, readLegalHold(await readDocument(context)));
    await context.store.objects.setAttrs(bucket.info, found, new Map([[Attr.legalHold, value]]));
    return emptyResponse();
  },
};

/** What holds a new object: what its request says, or its bucket. @throws S3Error InvalidArgument, InvalidRequest */
export function newLocks(context: OperationContext, bucket: StoredBucket): ReadonlyMap<RawString, Bytes> {
  const given = retentionOfHeaders(headerOf(context, MODE_HEADER), headerOf(context, DATE_HEADER));
  const hold = headerOf(context, HOLD_HEADER);
  if (hold !== undefined && hold !== 'ON' && hold !== 'OFF')
    throw s3Error('InvalidArgument', `${HOLD_HEADER} is ON or OFF`);
  if (!hasLock(bucket)) {
    if (given || hold) throw s3Error('InvalidRequest', 'Bucket is missing Object Lock Configuration');
    return new Map();
  }
  if (given && compareUTimes(given.retainUntil, context.now) <= 0) {
    throw s3Error('InvalidArgument', 'The retain until date must be in the future!');
  }
  const held = given ?? defaultRetention(context, bucket);
  return new Map([
    ...(held ? [[Attr.retention, encoded(encodeObjectRetention, held)] as const] : []),
    ...(hold ? [[Attr.legalHold, encoded(encodeLegalHold, hold)] as const] : []),
  ]);
}

/** What answers say of it. */
export function lockHeaders({ attrs }: Pick<Head, 'attrs'>): HttpResponse['headers'] {
  const held = retentionOf(attrs);
  const hold = legalHoldOf(attrs);
  return [
    ...(held
      ? ([
          [MODE_HEADER, held.mode],
          [DATE_HEADER, formatIsoDate(held.retainUntil)],
        ] as const)
      : []),
    ...(hold ? [[HOLD_HEADER, hold] as const] : []),
  ];
}

/**
 * Before a version is removed. Undefined `check`: nothing else is asked of it.
 *
 * @throws S3Error AccessDenied: somebody turned MFA delete on, and nobody can give a code here
 */
export function lockCheck(
  context: OperationContext,
  bucket: StoredBucket,
  versionId: RawString,
  check: ((head: Head | undefined) => void) | undefined,
): ((head: Head | undefined) => void) | undefined {
  if (versionId !== '' && (bucket.info.flags & BucketFlag.mfaEnabled) !== 0) {
    throw s3Error('AccessDenied', 'Versions of this bucket are removed with a code of an MFA device');
  }
  if (versionId === '' || !hasLock(bucket)) return check;
  return (head) => {
    const lock = head && lockOf(head.attrs, context.now);
    const isBypassed = typeof lock === 'object' && lock.mode === 'GOVERNANCE' && mayBypass(context, bucket, head!);
    if (lock && !isBypassed) throw s3Error('AccessDenied', 'It is forbidden by object lock');
    check?.(head);
  };
}

function hasLock({ info }: StoredBucket): boolean {
  return (info.flags & BucketFlag.objectLockEnabled) !== 0;
}

function defaultRetention({ now }: OperationContext, { info }: StoredBucket): ObjectRetention | undefined {
  const rule = info.objectLock?.rule;
  if (!rule) return undefined;
  const days = rule.days > 0 ? rule.days : rule.years * YEAR_DAYS;
  return { mode: rule.mode, retainUntil: addSeconds(now, days * DAY_SEC) };
}

/** One that is over holds nothing. */
function isWeaker(given: ObjectRetention, before: ObjectRetention, { now }: OperationContext): boolean {
  if (compareUTimes(before.retainUntil, now) <= 0) return false;
  const isShorter = compareUTimes(given.retainUntil, before.retainUntil) < 0;
  return isShorter || given.mode !== before.mode;
}

/** Whether the request says that it goes past a governance, and its user may. */
function mayBypass(context: OperationContext, bucket: StoredBucket, head: Head): boolean {
  if (headerOf(context, 'x-amz-bypass-governance-retention')?.toLowerCase() !== 'true') return false;
  try {
    requireObjectAccess(context, bucket, head, 's3:BypassGovernanceRetention');
    return true;
  } catch (error) {
    if (error instanceof S3Error) return false;
    throw error;
  }
}

/** @throws S3Error InvalidRequest, NoSuchKey, AccessDenied */
async function findLocked(
  context: OperationContext,
  action: Action,
): Promise<{ readonly bucket: StoredBucket; readonly found: FoundObject }> {
  const bucket = await findBucket(context);
  const look = await context.store.objects.look(bucket.info, keyOf(context));
  const { found } = look;
  if (!found) throw missingVersion(context, bucket, look);
  requireObjectAccess(context, bucket, found.head, action);
  if (!hasLock(bucket)) throw s3Error('InvalidRequest', 'Bucket is missing Object Lock Configuration');
  return { bucket, found };
}
