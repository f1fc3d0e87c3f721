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

const REASONS = new Map<number, string>([
  [200, 'OK'],
  [201, 'Created'],
  [400, 'Bad Request'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [409, 'Conflict'],
  [411, 'Length Required'],
  [412, 'Precondition Failed'],
  [413, 'Request Entity Too Large'],
  [422, 'Unprocessable Entity'],
  [500, 'Internal Server Error'],
  [501, 'Not Implemented'],
  [503, 'Service Unavailable'],
]);

/** As the first line of an answer has it. */
export function statusLine(status: number): string {
  return `${status} ${REASONS.get(status) ?? 'Error'}`;
}

export class SwiftError extends Error {
  override readonly name = 'SwiftError';
  readonly status: number;

  constructor(kind: keyof typeof statuses, message: string) {
    super(message);
    this.status = statuses[kind];
  }
}
