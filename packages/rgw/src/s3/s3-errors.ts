/**
 * The errors that S3 clients are answered with: their codes, statuses and texts, and the document that carries them.
 *
 * Codes and statuses are radosgw's (rgw_common.cc, rgw_http_s3_errors), and AWS's where radosgw has none. radosgw says most of
 * them without a text; here each says in one sentence what is wrong.
 */
import type { Bytes, RawString } from '@spirula/encoding';
import { S3Error } from './s3-error.ts';
import { element, type XmlNode, xmlDocument } from './xml-writer.ts';

const table = {
  AccessControlListNotSupported: [400, 'The bucket does not allow ACLs'],
  AccessDenied: [403, 'Access denied'],
  AuthorizationHeaderMalformed: [400, 'The authorization header is malformed'],
  AuthorizationQueryParametersError: [400, 'The query parameters that sign this request are incomplete or malformed'],
  BadDigest: [400, 'What was received does not have the digest that the request gives'],
  BucketAlreadyExists: [409, 'A bucket of this name exists already'],
  BucketAlreadyOwnedByYou: [409, 'You own a bucket of this name already'],
  BucketNotEmpty: [409, 'The bucket is not empty'],
  ConcurrentModification: [409, 'Another request changed it at the same time; try again'],
  DeleteConflict: [409, 'It cannot be removed while something depends on it'],
  EntityAlreadyExists: [409, 'It exists already'],
  EntityTooLarge: [400, 'The upload is larger than an object or part may be'],
  EntityTooSmall: [400, 'The upload is smaller than it must be'],
  ExpiredToken: [400, 'The token has expired'],
  IncompleteBody: [400, 'The body is not as long as the request says'],
  InternalError: [500, 'An error inside the gateway; try again'],
  InvalidAccessKeyId: [403, 'No user has this access key'],
  InvalidArgument: [400, 'An argument is invalid'],
  InvalidBucketAclWithObjectOwnership: [400, 'The ACL of the bucket lets in everybody: ACLs cannot be turned off so'],
  InvalidBucketName: [400, 'The bucket name is not valid'],
  InvalidTargetBucketForLogging: [400, 'Logs of a bucket go to a bucket of the same owner'],
  InvalidBucketState: [409, 'The bucket is in a state that does not allow it'],
  InvalidDigest: [400, 'The digest in the request is not one'],
  InvalidEncryptionAlgorithmError: [400, 'This encryption algorithm is not supported'],
  InvalidInput: [400, 'An input is missing or invalid'],
  InvalidLocationConstraint: [400, 'The location constraint is not valid'],
  InvalidObjectName: [400, 'The object name is not valid: UTF-8 of at most 1024 bytes'],
  InvalidPart: [400, 'A part is missing, or its entity tag does not match'],
  InvalidPartOrder: [400, 'Parts must be listed in ascending order, each once'],
  InvalidPolicyDocument: [400, 'The content of the form does not meet the conditions of its policy document'],
  InvalidRange: [416, 'The range cannot be satisfied'],
  InvalidRequest: [400, 'The request is invalid'],
  InvalidRetentionPeriod: [400, 'The retention period is invalid'],
  InvalidStorageClass: [400, 'The storage class is not valid'],
  InvalidTag: [400, 'A tag is invalid'],
  InvalidToken: [400, 'The token is malformed or otherwise invalid'],
  InvalidURI: [400, 'The URI could not be parsed'],
  KeyTooLongError: [400, 'The key is too long'],
  LimitExceeded: [400, 'More than is allowed'],
  MalformedACLError: [400, 'The access control list is not well-formed or not valid'],
  MalformedPolicy: [400, 'The policy is not well-formed'],
  MalformedPOSTRequest: [400, 'The body of the POST request is not well-formed multipart/form-data'],
  MalformedPolicyDocument: [400, 'The policy document is not well-formed'],
  MalformedXML: [400, 'The XML document is not well-formed or not of the form that the operation takes'],
  MaxMessageLengthExceeded: [400, 'The request is too large'],
  MaxPostPreDataLengthExceededError: [400, 'The fields before the file are too large'],
  MetadataTooLarge: [400, 'The metadata headers are too large'],
  MethodNotAllowed: [405, 'This method is not allowed for this resource'],
  MissingContentLength: [411, 'The request needs a Content-Length'],
  MissingSecurityHeader: [400, 'A header that the request needs is missing'],
  NoSuchBucket: [404, 'There is no such bucket'],
  NoSuchBucketPolicy: [404, 'The bucket has no policy'],
  NoSuchCORSConfiguration: [404, 'The bucket has no CORS configuration'],
  NoSuchEntity: [404, 'There is no such entity'],
  NoSuchKey: [404, 'There is no object of this name'],
  NoSuchLifecycleConfiguration: [404, 'The bucket has no lifecycle configuration'],
  NoSuchObjectLockConfiguration: [404, 'The object has no such lock'],
  NoSuchPublicAccessBlockConfiguration: [404, 'The bucket has no public access block'],
  NoSuchTagSet: [404, 'There are no tags'],
  NoSuchUpload: [404, 'There is no such multipart upload: its id is wrong, or it was completed or aborted'],
  NoSuchUser: [404, 'There is no such user'],
  NoSuchVersion: [404, 'There is no such version'],
  NoSuchWebsiteConfiguration: [404, 'The bucket has no website configuration'],
  NotImplemented: [501, 'This is not implemented'],
  NotModified: [304, 'Not modified'],
  ObjectLockConfigurationNotFoundError: [404, 'The bucket has no object lock configuration'],
  ObjectNotAppendable: [409, 'The object is not appendable'],
  OperationAborted: [409, 'Another conditional operation is under way; try again'],
  OwnershipControlsNotFoundError: [404, 'The bucket has no ownership controls'],
  PackedPolicyTooLarge: [400, 'The policy is too large'],
  PermanentRedirect: [301, 'The bucket is served at another endpoint'],
  PositionNotEqualToLength: [409, 'The position is not the length of the object'],
  PreconditionFailed: [412, 'A precondition does not hold'],
  QuotaExceeded: [403, 'The quota is exceeded'],
  RequestTimeTooSkewed: [403, "The request's time differs too much from the gateway's"],
  RequestTimeout: [400, 'The body was not sent within the time allowed'],
  ServerSideEncryptionConfigurationNotFoundError: [404, 'The bucket has no encryption configuration'],
  ServiceUnavailable: [503, 'Please try again later'],
  SignatureDoesNotMatch: [403, 'The signature is not that of this request under the secret key'],
  SlowDown: [503, 'Too many requests; slow down'],
  TooManyBuckets: [400, 'You have as many buckets as you may'],
  UnresolvableGrantByEmailAddress: [400, 'No user has the e-mail address of a grant'],
  UserSuspended: [403, 'The user is suspended'],
  XAmzContentSHA256Mismatch: [400, 'The body does not have the digest in x-amz-content-sha256'],
} as const satisfies Record<string, readonly [status: number, message: string]>;

export type S3ErrorCode = keyof typeof table;

/** The error of a code, with its status. Without `message`: the usual one. */
export function s3Error(
  code: S3ErrorCode,
  message?: string,
  details?: readonly (readonly [name: string, value: string])[],
  headers?: readonly (readonly [name: string, value: string])[],
): S3Error {
  const [status, usual] = table[code];
  return new S3Error(code, status, message ?? usual, details, headers);
}

/** What an error's document says beside the error. */
export interface ErrorContext {
  /** Of the request, when it names one: told from authentication on, not before. */
  readonly bucket?: RawString | undefined;
  /** The transaction: `tx00000000000000000001-...`. */
  readonly requestId: string;
  readonly hostId: string;
}

/** The document of an error as radosgw prints it (rgw_common.cc, dump(req_state)). */
export function errorDocument(error: S3Error, { bucket, requestId, hostId }: ErrorContext): Bytes {
  const nodes: XmlNode[] = [element('Code', error.code), element('Message', error.message)];
  for (const [name, value] of error.details) nodes.push(element(name, value));
  if (bucket !== undefined && bucket !== '') nodes.push(element('BucketName', bucket));
  if (requestId !== '') nodes.push(element('RequestId', requestId));
  nodes.push(element('HostId', hostId));
  return xmlDocument(element('Error', nodes));
}
