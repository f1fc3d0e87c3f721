/** What radosgw calls operations in its usage log (RGWOp::name). */

/** By AWS's names, where they do not follow from these. */
const S3_CATEGORIES: Readonly<Record<string, string>> = {
  AbortMultipartUpload: 'abort_multipart',
  CompleteMultipartUpload: 'complete_multipart',
  CopyObject: 'copy_obj',
  CreateMultipartUpload: 'init_multipart',
  DeleteBucketCors: 'delete_cors',
  DeleteBucketLifecycle: 'delete_lifecycle',
  DeleteBucketTagging: 'delete_bucket_tags',
  DeleteObject: 'delete_obj',
  DeleteObjects: 'multi_object_delete',
  DeleteObjectTagging: 'delete_obj_tags',
  DeletePublicAccessBlock: 'delete_bucket_public_access_block',
  GetBucketAcl: 'get_acls',
  GetBucketCors: 'get_cors',
  GetBucketLifecycleConfiguration: 'get_lifecycle',
  GetBucketRequestPayment: 'get_request_payment',
  GetBucketTagging: 'get_bucket_tags',
  GetObject: 'get_obj',
  GetObjectAcl: 'get_acls',
  GetObjectAttributes: 'get_obj_attrs',
  GetObjectLegalHold: 'get_obj_legal_hold',
  GetObjectLockConfiguration: 'get_bucket_object_lock',
  GetObjectRetention: 'get_obj_retention',
  GetObjectTagging: 'get_obj_tags',
  GetPublicAccessBlock: 'get_bucket_public_access_block',
  HeadBucket: 'stat_bucket',
  HeadObject: 'get_obj',
  ListMultipartUploads: 'list_bucket_multiparts',
  ListObjects: 'list_bucket',
  ListObjectsV2: 'list_bucket',
  ListObjectVersions: 'list_bucket',
  ListParts: 'list_multipart',
  PostObject: 'post_obj',
  PutBucketAcl: 'put_acls',
  PutBucketCors: 'put_cors',
  PutBucketLifecycleConfiguration: 'put_lifecycle',
  PutBucketRequestPayment: 'set_request_payment',
  PutBucketTagging: 'put_bucket_tags',
  PutBucketVersioning: 'set_bucket_versioning',
  PutObject: 'put_obj',
  PutObjectAcl: 'put_acls',
  PutObjectLegalHold: 'put_obj_legal_hold',
  PutObjectLockConfiguration: 'put_bucket_object_lock',
  PutObjectRetention: 'put_obj_retention',
  PutObjectTagging: 'put_obj_tags',
  PutPublicAccessBlock: 'put_bucket_public_access_block',
  UploadPart: 'put_obj',
  UploadPartCopy: 'put_obj',
};

/** Of browsers that ask what pages of other origins may do. */
export const PREFLIGHT_CATEGORY = 'options_cors';
/** Those whose bodies count as received: radosgw counts the data of objects, and no documents. */
export const PUT_OBJECT_CATEGORY = 'put_obj';

/** @param operation AWS's name of it */
export function categoryOfS3(operation: string): string {
  return S3_CATEGORIES[operation] ?? operation.replace(/(?!^)([A-Z])/g, '_$1').toLowerCase();
}

const SWIFT_CATEGORIES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  account: { GET: 'list_buckets', HEAD: 'stat_account', POST: 'put_account_metadata' },
  container: {
    GET: 'list_bucket',
    HEAD: 'stat_bucket',
    PUT: 'create_bucket',
    POST: 'put_bucket_metadata',
    DELETE: 'delete_bucket',
  },
  object: {
    GET: 'get_obj',
    HEAD: 'get_obj',
    PUT: PUT_OBJECT_CATEGORY,
    POST: 'put_obj_metadata',
    COPY: 'copy_obj',
    DELETE: 'delete_obj',
  },
};

/** @param kind of what a request of Swift names */
export function categoryOfSwift(kind: string, method: string, isBulkDelete: boolean, isCopy: boolean): string {
  if (isBulkDelete) return 'bulk_delete';
  if (kind === 'object' && method === 'PUT' && isCopy) return 'copy_obj';
  return SWIFT_CATEGORIES[kind]?.[method] ?? 'unknown';
}
