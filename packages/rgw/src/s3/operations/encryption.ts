/**
 * Which key an object is encrypted with, as requests and buckets say it (rgw_s3_prepare_encrypt, rgw_s3_prepare_decrypt): the
 * client's own (SSE-C), one of the key service (SSE-KMS), or the zone's (SSE-S3).
 */
import { base64 } from '@scure/base';
import { type Bytes, bytesFromRaw, EMPTY, type RawString, rawFromBytes } from '@spirula/encoding';
import { BlockCipher, KEY_BYTES } from '../../encryption/block-cipher.ts';
import { readKey } from '../../encryption/keys.ts';
import { type BucketEncryption, decodeBucketEncryption } from '../../formats/bucket-encryption.ts';
import { decoded } from '../../formats/encoded.ts';
import type { HttpResponse } from '../../http.ts';
import { BucketAttr, type StoredBucket } from '../../store/buckets.ts';
import { s3Error } from '../s3-errors.ts';
import type { OperationContext } from './operation.ts';

/** What is asked of whoever reads or writes: S3's requests and Swift's are both such. */
export interface EncryptionContext extends Pick<OperationContext, 'crypto' | 'store'> {
  readonly request: Pick<OperationContext['request'], 'http'>;
}

/** RGW_ATTR_CRYPT_* */
const CryptAttr = {
  mode: 'user.rgw.crypt.mode',
  keyMd5: 'user.rgw.crypt.keymd5',
  keyId: 'user.rgw.crypt.keyid',
  selector: 'user.rgw.crypt.keysel',
} as const;
const CUSTOMER = 'SSE-C-AES256';
const KMS = 'SSE-KMS';
/** By rgw_crypt_default_encryption_key. */
const AUTOMATIC = 'RGW-AUTO';
/** Of Ceph 17. */
const SSE_S3 = 'AES256';

const SSE = 'x-amz-server-side-encryption';
const SSE_KEY_ID = `${SSE}-aws-kms-key-id`;
const SSE_CONTEXT = `${SSE}-context`;

/** What is encrypted how. */
export interface Encryption {
  readonly cipher: BlockCipher;
  /** How it is found again. */
  readonly attrs: ReadonlyMap<RawString, Bytes>;
  /** What the answer says of it. */
  readonly headers: HttpResponse['headers'];
}

/** Undefined: it is stored as it comes. @throws S3Error */
export async function encryptionOf(context: EncryptionContext, bucket: StoredBucket): Promise<Encryption | undefined> {
  const { headers } = context.request.http;
  const customer = customerKey(context, '');
  if (customer) {
    if (headers.has(SSE))
      throw s3Error('InvalidArgument', 'A key of your own and one of the server exclude each other');
    const attrs = new Map([
      [CryptAttr.mode, bytesFromRaw(CUSTOMER)],
      [CryptAttr.keyMd5, customer.md5],
    ]);
    return { cipher: new BlockCipher(context.crypto, customer.key), attrs, headers: customerHeaders(customer) };
  }
  const wanted = wantedOf(headers) ?? defaultOf(bucket);
  if (!wanted) return await automatic(context);
  requireTls(context);
  const master = wanted.algorithm === 'AES256' ? await context.store.keys.zoneKey() : kmsKey(context, wanted.keyId);
  const selector = context.store.keys.newSelector();
  const attrs = new Map([
    [CryptAttr.mode, bytesFromRaw(wanted.algorithm === 'AES256' ? SSE_S3 : KMS)],
    [CryptAttr.selector, selector],
    ...(wanted.algorithm === 'AES256' ? [] : [[CryptAttr.keyId, bytesFromRaw(wanted.keyId)] as const]),
  ]);
  return { cipher: derived(context, master, selector), attrs, headers: serverHeaders(wanted) };
}

/**
 * How something is read that is stored; of an upload, how its parts are encrypted. Undefined: it is not encrypted.
 *
 * @param prefix `x-amz-copy-source-` for the source of a copy
 * @throws S3Error
 */
export async function decryptionOf(
  context: EncryptionContext,
  attrs: ReadonlyMap<RawString, Bytes>,
  prefix: '' | 'x-amz-copy-source-' = '',
): Promise<Encryption | undefined> {
  const mode = attrs.get(CryptAttr.mode);
  if (!mode) {
    if (customerKey(context, prefix)) throw s3Error('InvalidRequest', 'It is not encrypted with a key of yours');
    return undefined;
  }
  const none = new Map<RawString, Bytes>();
  const selector = attrs.get(CryptAttr.selector);
  switch (rawFromBytes(mode)) {
    case CUSTOMER: {
      const customer = customerKey(context, prefix);
      if (!customer) {
        const needed =
          'Requests for what is encrypted with a key of a client must provide the encryption algorithm and key';
        throw s3Error('InvalidRequest', needed);
      }
      if (!context.crypto.timingSafeEqual(customer.md5, attrs.get(CryptAttr.keyMd5) ?? new Uint8Array(0))) {
        throw s3Error('InvalidArgument', 'It is encrypted with another key');
      }
      const cipher = new BlockCipher(context.crypto, customer.key);
      return { cipher, attrs: none, headers: customerHeaders(customer) };
    }
    case KMS: {
      requireTls(context);
      const keyId = rawFromBytes(attrs.get(CryptAttr.keyId) ?? new Uint8Array(0));
      const cipher = derived(context, kmsKey(context, keyId), selector);
      return { cipher, attrs: none, headers: serverEncryptionHeaders(attrs) };
    }
    case SSE_S3: {
      const cipher = derived(context, await context.store.keys.zoneKey(), selector);
      return { cipher, attrs: none, headers: serverEncryptionHeaders(attrs) };
    }
    case AUTOMATIC: {
      const master = context.store.keys.defaultKey;
      if (!master) throw s3Error('InternalError', 'The default encryption key is not set any more');
      return { cipher: derived(context, master, selector), attrs: none, headers: [] };
    }
    default:
      throw s3Error('NotImplemented', 'It is encrypted in a way that is not known here');
  }
}

/** What an answer says of what is encrypted with a key of the server. */
export function serverEncryptionHeaders(attrs: ReadonlyMap<RawString, Bytes>): HttpResponse['headers'] {
  const mode = rawFromBytes(attrs.get(CryptAttr.mode) ?? EMPTY);
  const keyId = rawFromBytes(attrs.get(CryptAttr.keyId) ?? EMPTY);
  if (mode === KMS) return serverHeaders({ algorithm: 'aws:kms', keyId, bucketKey: false });
  return mode === SSE_S3 ? serverHeaders({ algorithm: 'AES256', keyId: '', bucketKey: false }) : [];
}

/** Whether a request says how what it writes is encrypted: then an object may be copied onto itself. */
export function changesEncryption({ request }: EncryptionContext): boolean {
  const { headers } = request.http;
  return headers.has(SSE) || headers.has(`${SSE}-customer-algorithm`);
}

/** What asks for encryption where there is nothing to encrypt. @throws S3Error InvalidRequest */
export function refuseEncryption({ request }: EncryptionContext): void {
  if (request.http.headers.has(SSE)) throw s3Error('InvalidRequest', `${SSE} is for what is written`);
}

function defaultOf({ attrs }: StoredBucket): BucketEncryption | undefined {
  const value = attrs.get(BucketAttr.encryption);
  return value && decoded(decodeBucketEncryption, value);
}

/** By the headers of a request. @throws S3Error InvalidArgument */
function wantedOf(headers: ReadonlyMap<string, string>): BucketEncryption | undefined {
  const algorithm = headers.get(SSE);
  const keyId = headers.get(SSE_KEY_ID) ?? '';
  if (headers.has(SSE_CONTEXT)) throw s3Error('NotImplemented', SSE_CONTEXT);
  if (algorithm === undefined || algorithm === '') {
    if (keyId !== '') throw s3Error('InvalidArgument', `${SSE_KEY_ID} goes with ${SSE}: aws:kms`);
    return undefined;
  }
  if (algorithm === 'AES256' && keyId === '') return { algorithm, keyId, bucketKey: false };
  if (algorithm !== 'aws:kms') throw s3Error('InvalidArgument', `${SSE} is AES256 or aws:kms`);
  if (keyId === '') throw s3Error('InvalidArgument', `${SSE}: aws:kms needs ${SSE_KEY_ID}`);
  return { algorithm, keyId, bucketKey: false };
}

async function automatic(context: EncryptionContext): Promise<Encryption | undefined> {
  const master = context.store.keys.defaultKey;
  if (!master) return undefined;
  const selector = context.store.keys.newSelector();
  const attrs = new Map([
    [CryptAttr.mode, bytesFromRaw(AUTOMATIC)],
    [CryptAttr.selector, selector],
  ]);
  return { cipher: derived(context, master, selector), attrs, headers: [] };
}

/** @throws S3Error InvalidAccessKeyId, as radosgw says it */
function kmsKey({ store }: EncryptionContext, id: RawString): Bytes {
  const key = store.keys.kmsKey(id);
  if (!key) throw s3Error('InvalidAccessKeyId', `Failed to retrieve the actual key, kms-keyid: ${id}`);
  return key;
}

/** @throws S3Error InternalError */
function derived({ crypto, store }: EncryptionContext, master: Bytes, selector: Bytes | undefined): BlockCipher {
  if (selector?.length !== KEY_BYTES) throw s3Error('InternalError', 'What says which key it is damaged');
  return new BlockCipher(crypto, store.keys.derive(master, selector));
}

interface CustomerKey {
  readonly key: Bytes;
  readonly md5: Bytes;
}

/** The key that a client brings. @throws S3Error InvalidArgument, InvalidEncryptionAlgorithmError, InvalidRequest */
function customerKey(context: EncryptionContext, prefix: string): CustomerKey | undefined {
  const { headers } = context.request.http;
  const names = ['algorithm', 'key', 'key-md5'].map(
    (name) => `${prefix}${prefix ? 'server-side-encryption' : SSE}-customer-${name}`,
  );
  const [algorithm, keyText, md5Text] = names.map((name) => headers.get(name));
  if (algorithm === undefined && keyText === undefined && md5Text === undefined) return undefined;
  const needs = (what: string) =>
    s3Error(
      'InvalidArgument',
      `Requests specifying Server Side Encryption with Customer provided keys must provide ${what}.`,
    );
  if (algorithm === undefined) throw needs('a valid encryption algorithm');
  if (algorithm !== 'AES256') throw s3Error('InvalidEncryptionAlgorithmError');
  requireTls(context);
  const key = readKey(keyText ?? '');
  if (!key) throw needs('an appropriate secret key');
  const md5 = context.crypto.hash('md5', key);
  if (md5Text === undefined) throw needs('an appropriate secret key md5');
  if (md5Text !== base64.encode(md5)) {
    throw s3Error('InvalidArgument', 'The calculated MD5 hash of the key did not match the hash that was provided.');
  }
  return { key, md5 };
}

/** @throws S3Error InvalidRequest */
function requireTls({ request, store }: EncryptionContext): void {
  if (!store.keys.requireTls || request.http.secure) return;
  throw s3Error('InvalidRequest', 'Keys go over TLS only (rgw_crypt_require_ssl)');
}

function customerHeaders({ md5 }: CustomerKey): HttpResponse['headers'] {
  return [
    [`${SSE}-customer-algorithm`, 'AES256'],
    [`${SSE}-customer-key-MD5`, base64.encode(md5)],
  ];
}

function serverHeaders({ algorithm, keyId }: BucketEncryption): HttpResponse['headers'] {
  return [[SSE, algorithm], ...(keyId === '' ? [] : [[SSE_KEY_ID, keyId] as const])];
}
