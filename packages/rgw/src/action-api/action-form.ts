/**
 * Requests of the APIs beside S3's that share its endpoint (IAM, STS, SNS): `POST /`, with a form that names an `Action` and what it
 * needs (RGWHandler_REST_Service_S3::op_post). Parameters may stand in the query, too; the form's count.
 */
import { type RawString, rawFromBytes, toHex } from '@spirula/encoding';
import type { Crypto } from '@spirula/world';
import { s3Error } from '../s3/s3-errors.ts';
import { parseQuery, type S3Request } from '../s3/s3-request.ts';
import { readShortBody } from '../s3/xml-reader.ts';

/** rgw_max_put_param_size */
const MAX_FORM_BYTES = 1 << 20;

export function isActionRequest({ http, bucket, key }: S3Request): boolean {
  return http.method === 'POST' && bucket === '' && key === '';
}

/**
 * The request with its form read. Signatures cover the form by its digest, whatever the request says of it.
 *
 * @throws S3Error EntityTooLarge, InvalidURI (what does not decode)
 */
export async function withActionForm(request: S3Request, crypto: Crypto): Promise<S3Request> {
  const { http, params } = request;
  const form = (await readShortBody(http.body, MAX_FORM_BYTES)).slice();
  const headers = new Map(http.headers);
  // Signatures of version 2 cover no body, but every header of this kind.
  const isV2 = headers.get('authorization')?.startsWith('AWS ') === true;
  if (!isV2) headers.set('x-amz-content-sha256', toHex(crypto.hash('sha256', form)));
  return {
    ...request,
    http: { ...http, headers, body: once(form) },
    form: new Map([...params, ...parseQuery(rawFromBytes(form))]),
  };
}

async function* once(bytes: Uint8Array<ArrayBuffer>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (bytes.length > 0) yield bytes;
}

/** A parameter of the form; '' when it is not there. */
export function formText({ form }: S3Request, name: string): RawString {
  return form?.get(name) ?? '';
}

/** @throws S3Error InvalidInput */
export function neededText(request: S3Request, name: string): RawString {
  const value = formText(request, name);
  if (value === '') throw s3Error('InvalidInput', `The form needs ${name}`);
  return value;
}
