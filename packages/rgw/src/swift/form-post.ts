/** Files that a browser posts by a form that the account's owner has signed (RGWFormPost, rgw_rest_swift.cc). */
import { type Bytes, bytesFromRaw, EMPTY, fromHex, type RawString, utf8 } from '@spirula/encoding';
import { OpMask, type UserInfo } from '../formats/user-info.ts';
import type { HttpResponse } from '../http.ts';
import { identityOf } from '../iam/identity.ts';
import { type FormFile, type FormWithFiles, isFormData, readFormWithFiles } from '../s3/auth/form-data.ts';
import type { StoredBucket } from '../store/buckets.ts';
import { Attr, textAttr } from '../store/object-attrs.ts';

import { requireContainerAccess, requireOpMask } from './access.ts';
import { tenantOfAccount } from './account-in-url.ts';
import { writeObject } from './object.ts';
import type { AnonymousContext, SwiftContext } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';
import type { SwiftRequest } from './swift-request.ts';

const SIGNATURE = /^[0-9a-f]{40}$/;

/** Whether a request is such a form: it needs no token. */
export function isFormPost({ kind, http }: SwiftRequest): boolean {
  return http.method === 'POST' && kind !== 'account' && isFormData(http.headers.get('content-type') ?? '');
}

/** Whose names begin with the path that the form is sent to. @throws SwiftError BadRequest, Unauthorized */
export async function postForm(context: AnonymousContext): Promise<HttpResponse> {
  const { http } = context.request;
  const form = await readFormWithFiles(http.headers.get('content-type') ?? '', http.body);
  try {
    return await storeFiles(context, form);
  } finally {
    await form.close();
  }
}

async function storeFiles(context: AnonymousContext, { fields, files }: FormWithFiles): Promise<HttpResponse> {
  const { request, store, now } = context;
  const expires = fields.get('expires') ?? '0';
  if (!/^\d{1,15}$/.test(expires) || Number(expires) <= now.sec) {
    throw new SwiftError('Unauthorized', 'FormPost: Form Expired');
  }
  const bucket = await store.buckets.load(await tenantOfAccount(context), request.container);
  const owner = bucket && (await store.users.load(bucket.info.owner));
  if (!owner || owner.info.suspended || !isSigned(context, fields, owner.info)) {
    throw new SwiftError('Unauthorized', 'FormPost: Invalid Signature');
  }
  const { info: user } = owner;
  requireOpMask(user, OpMask.write);
  const signed: SwiftContext = { ...context, user, account: user, identity: identityOf(owner), aclNames: [] };
  const maxBytes = numberOf(fields, 'max_file_size');
  const maxFiles = numberOf(fields, 'max_file_count');
  let stored = 0;
  for await (const file of files) {
    // A field of the form in which no file was chosen.
    if (file.fileName === '') break;
    stored += 1;
    if (maxFiles > 0 && stored > maxFiles) throw new SwiftError('BadRequest', 'FormPost: max_file_count exceeded');
    await storeFile(signed, bucket, file, maxBytes);
  }
  if (stored === 0) throw new SwiftError('BadRequest', 'FormPost: no files to process');
  const redirect = fields.get('redirect') ?? '';
  if (redirect === '') return { status: 200, headers: [], body: EMPTY };
  return { status: 303, headers: [['Location', redirect]], body: EMPTY };
}

async function storeFile(
  context: SwiftContext,
  bucket: StoredBucket,
  { fileName, fileType, file }: FormFile,
  maxBytes: number,
): Promise<void> {
  const attrs = new Map(fileType ? [[Attr.contentType, textAttr(fileType)]] : []);
  const name = context.request.object + fileName;
  await requireContainerAccess(context, bucket, 's3:PutObject', name);
  await writeObject(context, bucket, name, upTo(file, maxBytes), attrs);
}

async function* upTo(file: AsyncIterable<Bytes>, most: number): AsyncGenerator<Bytes> {
  let size = 0;
  for await (const piece of file) {
    size += piece.length;
    if (size > most) throw new SwiftError('BadRequest', 'FormPost: max_file_size exceeded');
    yield piece;
  }
}

/** By one of the owner's keys for temporary URLs. */
function isSigned(
  { request, crypto }: Pick<SwiftContext, 'request' | 'crypto'>,
  fields: ReadonlyMap<string, RawString>,
  { tempUrlKeys }: UserInfo,
): boolean {
  const given = fields.get('signature') ?? '';
  if (!SIGNATURE.test(given)) return false;
  const signature = fromHex(given);
  const told = [fields.get('redirect') ?? '', ...LIMITS.map((name) => fields.get(name) ?? '0')];
  const toSign = utf8([request.rawPath, ...told].join('\n'));
  return [...tempUrlKeys.values()].some(
    (key) => key !== '' && crypto.timingSafeEqual(crypto.hmac('sha1', bytesFromRaw(key), toSign), signature),
  );
}

const LIMITS = ['max_file_size', 'max_file_count', 'expires'] as const;

/** 0 when it is not given. @throws SwiftError BadRequest */
function numberOf(fields: ReadonlyMap<string, RawString>, name: string): number {
  const text = fields.get(name) ?? '0';
  if (!/^\d{1,15}$/.test(text)) throw new SwiftError('BadRequest', `FormPost: ${name} is no number`);
  return Number(text);
}
