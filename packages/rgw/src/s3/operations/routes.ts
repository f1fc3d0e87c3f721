/** Which operation a request is (RGWHandler_REST_Service_S3, _Bucket_S3, _Obj_S3). */
import { isActionRequest } from '../../action-api/action-form.ts';
import { ACTIONS, actionOf } from '../../action-api/actions.ts';
import { s3Error } from '../s3-errors.ts';
import type { S3Request } from '../s3-request.ts';
import { getBucketAcl, getObjectAcl, putBucketAcl, putObjectAcl } from './acl.ts';
import {
  getBucketRequestPayment,
  getBucketVersioning,
  putBucketRequestPayment,
  putBucketVersioning,
} from './bucket-config.ts';
import { deleteBucketEncryption, getBucketEncryption, putBucketEncryption } from './bucket-encryption.ts';
import {
  deleteBucketPolicy,
  deletePublicAccessBlock,
  getBucketPolicy,
  getBucketPolicyStatus,
  getPublicAccessBlock,
  putBucketPolicy,
  putPublicAccessBlock,
} from './bucket-policy.ts';
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from './buckets.ts';
import { completeMultipartUpload } from './complete-upload.ts';
import { copyObject } from './copy-object.ts';
import { deleteBucketCors, getBucketCors, putBucketCors } from './cors.ts';
import { deleteObjects } from './delete-objects.ts';
import { deleteBucketLifecycle, getBucketLifecycle, putBucketLifecycle } from './lifecycle.ts';
import { listObjectsV1, listObjectsV2 } from './list-objects.ts';
import { getBucketLogging, putBucketLogging } from './logging.ts';
import {
  abortMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  listParts,
  uploadPart,
  uploadPartCopy,
} from './multipart.ts';
import { deleteBucketNotification, getBucketNotification, putBucketNotification } from './notification.ts';
import { getObjectAttributes } from './object-attributes.ts';
import {
  getObjectLegalHold,
  getObjectLockConfiguration,
  getObjectRetention,
  putObjectLegalHold,
  putObjectLockConfiguration,
  putObjectRetention,
} from './object-lock.ts';
import { deleteObject, getObject, headObject, putObject } from './objects.ts';
import type { Operation } from './operation.ts';
import { deleteBucketOwnershipControls, getBucketOwnershipControls, putBucketOwnershipControls } from './ownership.ts';
import { postObject } from './post-object.ts';
import {
  deleteBucketTagging,
  deleteObjectTagging,
  getBucketTagging,
  getObjectTagging,
  putBucketTagging,
  putObjectTagging,
} from './tagging.ts';
import { getSelfUsage } from './usage.ts';
import { listObjectVersions } from './versions.ts';
import { deleteBucketWebsite, getBucketWebsite, putBucketWebsite } from './website.ts';

/** By method, then by the subresource that the query names. */
type Routes = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

/** The operation of a request that names no subresource. */
const PLAIN = '';

const bucketRoutes: Routes = {
  GET: {
    [PLAIN]: listObjectsV1,
    acl: getBucketAcl,
    cors: getBucketCors,
    encryption: getBucketEncryption,
    lifecycle: getBucketLifecycle,
    location: getBucketLocation,
    'object-lock': getObjectLockConfiguration,
    logging: getBucketLogging,
    notification: getBucketNotification,
    ownershipControls: getBucketOwnershipControls,
    policy: getBucketPolicy,
    policyStatus: getBucketPolicyStatus,
    publicAccessBlock: getPublicAccessBlock,
    requestPayment: getBucketRequestPayment,
    tagging: getBucketTagging,
    uploads: listMultipartUploads,
    versioning: getBucketVersioning,
    versions: listObjectVersions,
    website: getBucketWebsite,
  },
  HEAD: { [PLAIN]: headBucket },
  PUT: {
    [PLAIN]: createBucket,
    acl: putBucketAcl,
    cors: putBucketCors,
    encryption: putBucketEncryption,
    lifecycle: putBucketLifecycle,
    logging: putBucketLogging,
    notification: putBucketNotification,
    'object-lock': putObjectLockConfiguration,
    ownershipControls: putBucketOwnershipControls,
    policy: putBucketPolicy,
    publicAccessBlock: putPublicAccessBlock,
    requestPayment: putBucketRequestPayment,
    tagging: putBucketTagging,
    versioning: putBucketVersioning,
    website: putBucketWebsite,
  },
  DELETE: {
    [PLAIN]: deleteBucket,
    cors: deleteBucketCors,
    encryption: deleteBucketEncryption,
    lifecycle: deleteBucketLifecycle,
    notification: deleteBucketNotification,
    ownershipControls: deleteBucketOwnershipControls,
    policy: deleteBucketPolicy,
    publicAccessBlock: deletePublicAccessBlock,
    tagging: deleteBucketTagging,
    website: deleteBucketWebsite,
  },
  POST: { [PLAIN]: postObject, delete: deleteObjects },
};

const objectRoutes: Routes = {
  GET: {
    [PLAIN]: getObject,
    acl: getObjectAcl,
    'legal-hold': getObjectLegalHold,
    retention: getObjectRetention,
    attributes: getObjectAttributes,
    tagging: getObjectTagging,
    uploadId: listParts,
  },
  HEAD: { [PLAIN]: headObject },
  PUT: {
    [PLAIN]: putObject,
    acl: putObjectAcl,
    'legal-hold': putObjectLegalHold,
    retention: putObjectRetention,
    tagging: putObjectTagging,
    uploadId: uploadPart,
  },
  DELETE: { [PLAIN]: deleteObject, tagging: deleteObjectTagging, uploadId: abortMultipartUpload },
  POST: { uploads: createMultipartUpload, uploadId: completeMultipartUpload },
};

/** Names in queries that select nothing by themselves. */
const QUALIFIERS: ReadonlySet<string> = new Set(['list-type', 'partNumber', 'versionId']);

/** @throws S3Error MethodNotAllowed, NotImplemented */
export function operationOf(request: S3Request): Operation {
  const { bucket, key, params } = request;
  const { method } = request.http;
  if (isActionRequest(request)) return actionOf(request);
  if (bucket === '') {
    if (method !== 'GET' && method !== 'HEAD') throw s3Error('MethodNotAllowed');
    return method === 'GET' && params.has('usage') ? getSelfUsage : listBuckets;
  }
  const routes = (key === '' ? bucketRoutes : objectRoutes)[method];
  if (!routes) throw s3Error('MethodNotAllowed');
  const selectors = [...request.subresources].filter((name) => !QUALIFIERS.has(name));
  const found = selectors.map((name) => routes[name]).find((operation) => operation !== undefined);
  if (selectors.length > 0 && !found) throw s3Error('NotImplemented', `${method} of ${selectors.join(', ')}`);
  const operation = found ?? routes[PLAIN];
  if (!operation) throw s3Error('MethodNotAllowed');
  if (operation === listObjectsV1 && params.get('list-type') === '2') return listObjectsV2;
  const copies = request.http.headers.has('x-amz-copy-source');
  if (copies && operation === putObject) return copyObject;
  if (copies && operation === uploadPart) return uploadPartCopy;
  return operation;
}

/** Names of all operations that there are. */
export const OPERATION_NAMES: ReadonlySet<string> = new Set(
  [
    listBuckets,
    getSelfUsage,
    listObjectsV2,
    copyObject,
    uploadPartCopy,
    ...ACTIONS.values(),
    ...[...Object.values(bucketRoutes), ...Object.values(objectRoutes)].flatMap((routes) => Object.values(routes)),
  ].map(({ name }) => name),
);
