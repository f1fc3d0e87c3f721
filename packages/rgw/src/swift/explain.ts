/** What went wrong, in Swift's terms. */
import { Errno, MalformedInput } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import type { HttpResponse } from '../http.ts';
import { MalformedPolicy } from '../iam/policy.ts';
import { KeystoneUnavailable } from '../keystone/keystone-client.ts';
import { QueueFull } from '../notifications/queues.ts';
import { S3Error } from '../s3/s3-error.ts';
import { CannotDecompress } from '../store/compressed-read.ts';
import { ObjectGone } from '../store/heads.ts';
import { BucketBusy, BucketGone } from '../store/object-index.ts';
import { NoSuchPlacement, NoSuchStorageClass, PlacementNotPermitted } from '../store/placement.ts';
import { NoPreviousVersions, PreviousVersionError } from '../store/previous-versions.ts';
import { QuotaExceeded } from '../store/quotas.ts';
import { BucketNameTaken, BucketNotEmpty, TooManyBuckets } from '../store/store.ts';
import { SwiftError } from './swift-error.ts';

export interface Explained {
  readonly status: number;
  readonly message: string;
  readonly headers?: HttpResponse['headers'];
}

/** @param log undefined: nobody is told of what is wrong inside */
export function explain(log: World['log'] | undefined, error: unknown, requestId: string): Explained {
  if (error instanceof SwiftError) return error;
  // Shared ways to read what clients send say it in S3's words.
  if (error instanceof S3Error) return error;
  // Nobody can say what it allows.
  if (error instanceof MalformedPolicy) return new SwiftError('Forbidden', `A policy does not parse: ${error.message}`);
  if (error instanceof ObjectGone) return new SwiftError('NotFound', 'There is no such object');
  if (error instanceof QueueFull)
    return new SwiftError('ServiceUnavailable', 'Too many notifications wait to be delivered; try again');
  if (error instanceof BucketGone) return new SwiftError('NotFound', 'There is no such container');
  if (error instanceof BucketBusy)
    return new SwiftError('ServiceUnavailable', 'The container is spread anew; try again');
  if (error instanceof BucketNotEmpty) return new SwiftError('Conflict', 'The container is not empty');
  if (error instanceof BucketNameTaken) return new SwiftError('Conflict', 'Somebody else has a container of this name');
  if (error instanceof QuotaExceeded) return new SwiftError('RequestEntityTooLarge', error.message);
  if (error instanceof NoPreviousVersions) return new SwiftError('NotFound', error.message);
  if (error instanceof PreviousVersionError) return new SwiftError('PreconditionFailed', error.message);
  if (error instanceof KeystoneUnavailable) {
    log?.warn('a token cannot be looked at', { requestId, problem: error.message });
    return new SwiftError('ServiceUnavailable', 'Keystone does not answer as it should; try again');
  }
  if (error instanceof CannotDecompress) return new SwiftError('NotImplemented', error.message);
  if (error instanceof NoSuchPlacement || error instanceof NoSuchStorageClass) {
    return new SwiftError('BadRequest', error.message);
  }
  if (error instanceof PlacementNotPermitted) return new SwiftError('Forbidden', error.message);
  if (error instanceof TooManyBuckets)
    return new SwiftError('Forbidden', 'The account has as many containers as it may');
  if (error instanceof RadosError) {
    if (error.code === Errno.EDQUOT || error.code === Errno.ENOSPC) {
      return new SwiftError('RequestEntityTooLarge', 'The cluster has no room for it');
    }
    if (error.code === Errno.ECANCELED || error.code === Errno.EBUSY) {
      return new SwiftError('Conflict', 'Another request changed it at the same time; try again');
    }
    if (error.code === Errno.ETIMEDOUT || error.code === Errno.ESHUTDOWN) {
      return new SwiftError('ServiceUnavailable', 'The cluster does not answer; try again');
    }
  }
  const { name, message, stack } = error as Error;
  if ((error as { code?: unknown }).code === 'ECONNRESET')
    return new SwiftError('BadRequest', 'The body ends too early');
  const problem = error instanceof MalformedInput ? message : `${name}: ${message}`;
  log?.error('a request of Swift fails', { requestId, problem, stack });
  return new SwiftError('InternalError', 'An error inside the gateway; try again');
}
