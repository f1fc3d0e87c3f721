/** An error that S3 clients are answered with: an XML document with `code`, and an HTTP status. */
export class S3Error extends Error {
  override readonly name = 'S3Error';
  /** `NoSuchKey` and the like. */
  readonly code: string;
  readonly status: number;
  /** More elements of the document, in order. */
  readonly details: readonly (readonly [name: string, value: string])[];

  /** More headers of the answer. */
  readonly headers: readonly (readonly [name: string, value: string])[];

  constructor(
    code: string,
    status: number,
    message: string,
    details: readonly (readonly [name: string, value: string])[] = [],
    headers: readonly (readonly [name: string, value: string])[] = [],
  ) {
    super(message);
    this.code = code;
    this.status = status;
    this.details = details;
    this.headers = headers;
  }
}
