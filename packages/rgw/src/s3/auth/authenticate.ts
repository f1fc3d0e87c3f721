/**
 * Who sends a request: signatures of version 4 and 2, in a header or in the query, or nobody. And the body, checked while it passes.
 *
 *   Authorization: AWS4-HMAC-SHA256 ...   V4     ?X-Amz-Algorithm=AWS4-HMAC-SHA256&...   V4, presigned
 *   Authorization: AWS key:signature      V2     ?AWSAccessKeyId=...&Signature=...       V2, presigned
 *
 * Codes of errors are those of radosgw (rgw_rest_s3.cc, AWSGeneralAbstractor; rgw_auth_s3.cc). A form that is posted carries its
 * signature inside: see `post-form.ts`.
 */
import type { Bytes, RawString, UTime } from '@spirula/encoding';
import type { Crypto } from '@spirula/world';
import { parseBasicDate, parseHttpDate } from '../http-date.ts';
import { s3Error } from '../s3-errors.ts';
import type { S3Request } from '../s3-request.ts';
import type { ChunkSeed } from './aws-chunked.ts';
import { decodeBody, UNSIGNED_PAYLOAD } from './payload.ts';
import { signatureV2, stringsToSignV2 } from './signature-v2.ts';
import {
  parseCredential,
  sameSignature,
  signatureV4,
  signingKeyV4,
  stringToSignV4,
  V4_ALGORITHM,
} from './signature-v4.ts';

/** What somebody has signed, for who is to say whether it was with the right secret. */
export interface Claim {
  readonly stringToSign: RawString;
  readonly signature: string;
  isSignedWith(secret: RawString): boolean;
}

/** Of who has signed: the secret, or, where others have it who do not tell it, that they found the signature to be right. */
export interface Signer {
  readonly secret: RawString | undefined;
}

export interface AuthenticationContext {
  /**
   * The secret of an access key; undefined when there is no such key, or when `sessionToken` (of temporary credentials) does not
   * fit it. Its promise may be rejected with an S3Error of its own (UserSuspended).
   */
  findSecret(accessKey: RawString, sessionToken: string | undefined, claim: Claim): Promise<Signer | undefined>;
  readonly crypto: Crypto;
  wall(): UTime;
}

export interface Authenticated {
  /** Undefined: anonymous. */
  readonly accessKey: RawString | undefined;
  /**
   * What the client means to send, freed of its transfer form; once. Ends with an S3Error, having given less than all or all,
   * when it was changed on its way: nothing may be completed before it has ended.
   */
  readonly body: AsyncIterable<Bytes>;
  /** How long it will be, when that was announced. */
  readonly decodedLength: number | undefined;
  /** Headers that came after the body: complete when it has ended. Names in lower case. */
  trailers(): ReadonlyMap<string, string>;
}

const MAX_SKEW_SEC = 15 * 60;
const MAX_EXPIRY_SEC = 7 * 24 * 60 * 60;

/** @throws S3Error */
export async function authenticate(request: S3Request, context: AuthenticationContext): Promise<Authenticated> {
  const authorization = request.http.headers.get('authorization') ?? '';
  if (authorization.startsWith(V4_ALGORITHM)) return byHeaderV4(request, authorization, context);
  if (authorization.startsWith('AWS ')) return byHeaderV2(request, authorization, context);
  // Another scheme, such as Basic, is none of ours: radosgw answers so, too.
  if (authorization !== '') throw s3Error('InvalidArgument', 'The authorization scheme is not supported');
  if (request.params.get('X-Amz-Algorithm') === V4_ALGORITHM) return byQueryV4(request, context);
  if ((request.params.get('AWSAccessKeyId') ?? '') !== '') return byQueryV2(request, context);
  return { accessKey: undefined, ...decodeBody(context.crypto, request.http, undefined) };
}

/** Who is said to have signed a URL; nothing is verified. @throws S3Error InvalidArgument */
export function presigningKey({ params }: S3Request): RawString | undefined {
  const credential = params.get('X-Amz-Credential') ?? '';
  return credential === '' ? params.get('AWSAccessKeyId') : parseCredential(credential).accessKey;
}

async function byHeaderV4(
  request: S3Request,
  authorization: string,
  context: AuthenticationContext,
): Promise<Authenticated> {
  const { headers } = request.http;
  const fields = readFields(authorization.slice(V4_ALGORITHM.length));
  const date = headers.get('x-amz-date') ?? '';
  const sec = parseBasicDate(date);
  if (sec === undefined) throw s3Error('AccessDenied', 'x-amz-date must be a date such as 20130524T000000Z');
  checkSkew(sec, context);
  return verifyV4(request, { ...fields, date, sessionToken: headers.get('x-amz-security-token') }, context);
}

interface FieldsV4 {
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
}

/** `Credential=..., SignedHeaders=..., Signature=...` */
function readFields(text: string): FieldsV4 {
  const fields = new Map<string, string>();
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    if (at < 0) throw s3Error('InvalidArgument', 'The authorization header is malformed');
    fields.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
  }
  const needed = (name: string) => {
    const value = fields.get(name) ?? '';
    if (value === '') throw s3Error('InvalidArgument', `The authorization header needs ${name}`);
    return value;
  };
  return {
    credential: needed('Credential'),
    signedHeaders: needed('SignedHeaders'),
    signature: needed('Signature'),
  };
}

async function byQueryV4(request: S3Request, context: AuthenticationContext): Promise<Authenticated> {
  const needed = (name: string) => {
    const value = request.params.get(name) ?? '';
    if (value === '') throw s3Error('AccessDenied', `${name} is missing`);
    return value;
  };
  const credential = needed('X-Amz-Credential');
  const date = needed('X-Amz-Date');
  const sec = parseBasicDate(date);
  if (sec === undefined) throw s3Error('AccessDenied', 'X-Amz-Date must be a date such as 20130524T000000Z');
  checkExpiry(sec, needed('X-Amz-Expires'), context);
  const sessionToken = request.params.has('X-Amz-Security-Token') ? needed('X-Amz-Security-Token') : undefined;
  const signedHeaders = needed('X-Amz-SignedHeaders');
  return verifyV4(
    request,
    { credential, signedHeaders, signature: needed('X-Amz-Signature'), date, sessionToken },
    context,
  );
}

function checkExpiry(signedAt: number, expires: string, context: AuthenticationContext): void {
  const span = /^\d{1,9}$/.test(expires) ? Number(expires) : 0;
  if (span < 1 || span > MAX_EXPIRY_SEC) {
    throw s3Error('AccessDenied', `X-Amz-Expires must be from 1 to ${MAX_EXPIRY_SEC}`);
  }
  const now = context.wall().sec;
  if (now >= signedAt + span) throw s3Error('AccessDenied', 'The request has expired');
  if (signedAt > now + MAX_SKEW_SEC) throw s3Error('AccessDenied', 'The request is not valid yet');
}

async function verifyV4(
  request: S3Request,
  given: FieldsV4 & { readonly date: string; readonly sessionToken: string | undefined },
  context: AuthenticationContext,
): Promise<Authenticated> {
  const { crypto } = context;
  const { accessKey, scope } = parseCredential(given.credential);
  const payloadHash = request.http.headers.get('x-amz-content-sha256') ?? UNSIGNED_PAYLOAD;
  const toSign = stringToSignV4(crypto, request, { ...given, scope, payloadHash });
  const isSignedWith = (secret: RawString) =>
    sameSignature(crypto, signatureV4(crypto, signingKeyV4(crypto, secret, scope), toSign), given.signature);
  const claim = { stringToSign: toSign, signature: given.signature, isSignedWith };
  const secret = await verify(accessKey, given.sessionToken, claim, context);
  const { date, signature } = given;
  const seed: ChunkSeed | undefined =
    secret === undefined ? undefined : { signingKey: signingKeyV4(crypto, secret, scope), date, scope, signature };
  return { accessKey, ...decodeBody(crypto, request.http, seed, true) };
}

async function byHeaderV2(
  request: S3Request,
  authorization: string,
  context: AuthenticationContext,
): Promise<Authenticated> {
  const { headers } = request.http;
  const text = authorization.slice('AWS '.length).trim();
  const at = text.lastIndexOf(':');
  const date = headers.get('x-amz-date') ?? headers.get('date');
  // Dates of version 4 are taken in, too: some clients sign so.
  const sec = date === undefined ? undefined : (parseHttpDate(date) ?? parseBasicDate(date));
  if (sec === undefined || sec < 0) throw s3Error('AccessDenied', 'A valid Date or x-amz-date header is needed');
  checkSkew(sec, context);
  if (at <= 0 || at === text.length - 1) throw s3Error('InvalidArgument', 'The authorization header is malformed');
  const given = { accessKey: text.slice(0, at), signature: text.slice(at + 1) };
  return verifyV2(request, { ...given, sessionToken: headers.get('x-amz-security-token') }, undefined, context);
}

async function byQueryV2(request: S3Request, context: AuthenticationContext): Promise<Authenticated> {
  const { params } = request;
  const expires = params.get('Expires') ?? '';
  if (!/^\d{1,15}$/.test(expires)) throw s3Error('AccessDenied', 'Expires is missing or no number');
  if (context.wall().sec >= Number(expires)) throw s3Error('AccessDenied', 'The request has expired');
  const signature = params.get('Signature') ?? '';
  if (signature === '') throw s3Error('InvalidArgument', 'Signature is missing');
  const sessionToken = params.get('X-Amz-Security-Token') ?? params.get('x-amz-security-token');
  return verifyV2(request, { accessKey: params.get('AWSAccessKeyId')!, signature, sessionToken }, expires, context);
}

async function verifyV2(
  request: S3Request,
  given: {
    readonly accessKey: RawString;
    readonly signature: string;
    readonly sessionToken: string | undefined;
  },
  expires: string | undefined,
  context: AuthenticationContext,
): Promise<Authenticated> {
  const { crypto } = context;
  const toSign = stringsToSignV2(request, expires);
  const isSignedWith = (secret: RawString) =>
    toSign.some((each) => sameSignature(crypto, signatureV2(crypto, secret, each), given.signature));
  const claim = { stringToSign: toSign[0]!, signature: given.signature, isSignedWith };
  await verify(given.accessKey, given.sessionToken, claim, context);
  return { accessKey: given.accessKey, ...decodeBody(crypto, request.http, undefined) };
}

/** The secret that it was signed with, as far as that is known. @throws S3Error InvalidAccessKeyId, SignatureDoesNotMatch */
async function verify(
  accessKey: RawString,
  sessionToken: string | undefined,
  claim: Claim,
  context: AuthenticationContext,
): Promise<RawString | undefined> {
  const found = await context.findSecret(accessKey, sessionToken, claim);
  if (found === undefined) throw s3Error('InvalidAccessKeyId');
  if (found.secret !== undefined && !claim.isSignedWith(found.secret)) throw s3Error('SignatureDoesNotMatch');
  return found.secret;
}

function checkSkew(sec: number, context: AuthenticationContext): void {
  if (Math.abs(context.wall().sec - sec) > MAX_SKEW_SEC) throw s3Error('RequestTimeTooSkewed');
}
