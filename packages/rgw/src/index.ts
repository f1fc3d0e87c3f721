export type { HttpRequest, HttpResponse } from './http.ts';
export { S3Error } from './s3/s3-error.ts';
