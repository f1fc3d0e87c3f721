/** What Swift clients are refused with: statuses are all that they go by; the text says why (rgw_http_swift_errors). */
const statuses = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  Conflict: 409,
  LengthRequired: 411,
  PreconditionFailed: 412,
  RequestEntityTooLarge: 413,
  RangeNotSatisfiable: 416,
  UnprocessableEntity: 422,
  InternalError: 500,
  NotImplemented: 501,
  ServiceUnavailable: 503,
} as const;

export class SwiftError extends Error {
  override readonly name = 'SwiftError';
  readonly status: number;

  constructor(kind: keyof typeof statuses, message: string) {
    super(message);
    this.status = statuses[kind];
  }
}
