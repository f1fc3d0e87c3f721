/**
 * A form that a browser posts to a bucket (POST Object): who vouches for it, what it uploads, what it wants to be answered.
 * Sources: AWS, "Browser-based uploads using POST"; RGWPostObj_ObjStore_S3 (get_params, get_policy, send_response).
 */
import { type Bytes, EMPTY, type RawString } from '@spirula/encoding';
import { checkObjectName } from '../bucket-name.ts';
import { urlEncode } from '../percent-encoding.ts';
import { s3Error } from '../s3-errors.ts';
import type { S3Request } from '../s3-request.ts';
import { element, xmlDocument } from '../xml-writer.ts';
import type { AuthenticationContext } from './authenticate.ts';
import { type FormData, readFormData } from './form-data.ts';
import { checkPostPolicy, type LengthRange, readPostPolicy } from './post-policy.ts';
import { signatureV2 } from './signature-v2.ts';
import { parseCredential, sameSignature, signatureV4, signingKeyV4, V4_ALGORITHM } from './signature-v4.ts';

export interface PostForm {
  /** Who signed the policy; undefined: there is none, and nobody vouches for the form. */
  readonly accessKey: RawString | undefined;
  readonly key: RawString;
  /** All fields before the file, names in lower case: `acl`, `content-type`, `tagging`, `x-amz-meta-...` */
  readonly fields: ReadonlyMap<string, RawString>;
  /**
   * What is uploaded, once. Ends with an S3Error when it is not as long as the policy allows, or is cut off: nothing may be
   * completed before it has ended.
   */
  readonly file: AsyncIterable<Bytes>;
}

/** @throws S3Error */
export async function authenticatePostForm(request: S3Request, context: AuthenticationContext): Promise<PostForm> {
  const { headers, body } = request.http;
  if (!headers.has('content-length')) throw s3Error('MissingContentLength');
  const form = await readFormData(headers.get('content-type') ?? '', body);
  try {
    return await authenticateForm(request, form, context);
  } catch (error) {
    // Nobody will read the file.
    await form.close();
    throw error;
  }
}

async function authenticateForm(request: S3Request, form: FormData, context: AuthenticationContext): Promise<PostForm> {
  const { fields } = form;
  const template = fields.get('key');
  if (template === undefined) throw s3Error('InvalidArgument', 'Key not specified');
  const key = template.replace(/\$\{filename\}/, () => form.fileName);
  if (key === '') throw s3Error('InvalidArgument', 'Empty object name');
  checkObjectName(key);
  checkRedirect(fields);
  const policy = fields.get('policy');
  if (policy === undefined) return { accessKey: undefined, key, fields, file: form.file };
  const accessKey = await verifyPolicy(policy, fields, context);
  const checked = new Map([...fields, ['bucket', request.bucket], ['key', key]]);
  const range = checkPostPolicy(readPostPolicy(policy), checked, context.wall());
  return { accessKey, key, fields, file: within(range, form.file) };
}

async function verifyPolicy(
  policy: RawString,
  fields: ReadonlyMap<string, RawString>,
  context: AuthenticationContext,
): Promise<RawString> {
  const { crypto } = context;
  const needed = (name: string) => {
    const value = fields.get(name);
    if (value === undefined) throw s3Error('InvalidArgument', `The form needs ${name}`);
    return value;
  };
  const isV4 = fields.get('x-amz-algorithm') === V4_ALGORITHM;
  if (isV4) needed('x-amz-date');
  const { accessKey, scope } = isV4
    ? parseCredential(needed('x-amz-credential'))
    : { accessKey: needed('awsaccesskeyid'), scope: '' };
  const signature = needed(isV4 ? 'x-amz-signature' : 'signature');
  const own = (secret: RawString) =>
    isV4 ? signatureV4(crypto, signingKeyV4(crypto, secret, scope), policy) : signatureV2(crypto, secret, policy);
  const isSignedWith = (secret: RawString) => sameSignature(crypto, own(secret), signature);
  const claim = { stringToSign: policy, signature, isSignedWith };
  const found = await context.findSecret(accessKey, fields.get('x-amz-security-token'), claim);
  // radosgw has one answer for all that is wrong here.
  if (found === undefined) throw s3Error('AccessDenied', 'No user has this access key');
  if (found.secret !== undefined && !isSignedWith(found.secret)) {
    throw s3Error('AccessDenied', 'The signature is not that of the policy');
  }
  return accessKey;
}

async function* within({ least, most }: LengthRange, file: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
  let length = 0;
  for await (const piece of file) {
    length += piece.length;
    if (length > most) throw s3Error('EntityTooLarge');
    yield piece;
  }
  if (length < least) throw s3Error('EntityTooSmall');
}

function redirectOf(fields: ReadonlyMap<string, RawString>): RawString {
  return fields.get('success_action_redirect') ?? fields.get('redirect') ?? '';
}

function checkRedirect(fields: ReadonlyMap<string, RawString>): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what would end a header
  if (/[\x00-\x1f\x7f]/.test(redirectOf(fields))) throw s3Error('InvalidArgument', 'The redirect is no URL');
}

/** What was stored. */
export interface PostedObject {
  readonly bucket: RawString;
  readonly key: RawString;
  /** Without quotes. */
  readonly etag: string;
  /** `http://host`, in front of the object's path. */
  readonly base: string;
}

export interface PostAnswer {
  readonly status: 200 | 201 | 204 | 303;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Bytes;
}

/** As the form wants it: a redirect, or a status of 200, 201 (with a document) or 204. */
export function postAnswer(fields: ReadonlyMap<string, RawString>, stored: PostedObject): PostAnswer {
  const { bucket, key, etag } = stored;
  const redirect = redirectOf(fields);
  if (redirect !== '') {
    const query = `bucket=${urlEncode(bucket, false)}&key=${urlEncode(key, false)}&etag=${urlEncode(`"${etag}"`, false)}`;
    const target = `${redirect}${redirect.includes('?') ? '&' : '?'}${query}`;
    return { status: 303, headers: [['location', target]], body: EMPTY };
  }
  const status = fields.get('success_action_status')?.trim();
  if (status === '200') return { status: 200, headers: [], body: EMPTY };
  if (status !== '201') return { status: 204, headers: [], body: EMPTY };
  const location = `${stored.base}/${urlEncode(bucket, false)}/${urlEncode(key, false)}`;
  const document = element('PostResponse', [
    element('Location', location),
    element('Bucket', bucket),
    element('Key', key),
    element('ETag', etag),
  ]);
  return { status: 201, headers: [['content-type', 'application/xml']], body: xmlDocument(document) };
}
