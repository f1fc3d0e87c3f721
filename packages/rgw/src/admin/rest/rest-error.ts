import { AdminCode, type AdminError } from '../admin-error.ts';

/** A refusal of a request to the administrators' interface: code and status are radosgw's (rgw_http_s3_errors). */
export class RestError extends Error {
  override readonly name = 'RestError';
  readonly code: string;
  readonly status: number;

  constructor(code: keyof typeof statuses, message: string) {
    super(message);
    this.code = code;
    this.status = statuses[code];
  }
}

const statuses = {
  AccessDenied: 403,
  BucketAlreadyExists: 409,
  BucketNotEmpty: 409,
  ConcurrentModification: 409,
  EmailExists: 409,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidCapability: 400,
  KeyExists: 409,
  MethodNotAllowed: 405,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchSubUser: 404,
  NoSuchUser: 404,
  NotImplemented: 501,
  UserAlreadyExists: 409,
} as const;

const codes: ReadonlyMap<number, keyof typeof statuses> = new Map([
  [AdminCode.ENOENT, 'NoSuchKey'],
  [AdminCode.EEXIST, 'BucketAlreadyExists'],
  [AdminCode.EINVAL, 'InvalidArgument'],
  [AdminCode.ENOTEMPTY, 'BucketNotEmpty'],
  [AdminCode.ECANCELED, 'ConcurrentModification'],
  [AdminCode.noSuchBucket, 'NoSuchBucket'],
  [AdminCode.invalidAccessKey, 'InvalidAccessKeyId'],
  [AdminCode.emailExists, 'EmailExists'],
  [AdminCode.keyExists, 'KeyExists'],
  [AdminCode.invalidCap, 'InvalidCapability'],
  [AdminCode.noSuchSubuser, 'NoSuchSubUser'],
  [AdminCode.EOPNOTSUPP, 'NotImplemented'],
]);

/** What radosgw-admin would refuse. */
export function restErrorOf({ code, message }: AdminError): RestError {
  return new RestError(codes.get(code) ?? 'InvalidArgument', message);
}
