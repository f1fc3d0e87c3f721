/** Examples are those of AWS's documentation: "Signature calculations", "Signing and authenticating REST requests". */
import { utf8 } from '@spirula/encoding';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../../../runtime-node/src/crypto.ts';
import { parseHttpDate } from '../http-date.ts';
import { S3Error } from '../s3-error.ts';
import { authenticate, presigningKey } from './authenticate.ts';
import { signatureV2 } from './signature-v2.ts';
import { contextAt, exampleKey, inPieces, outcomeOf, readAll, s3Request } from './signed-request.test-support.ts';

const may24 = 1369353600;
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const scope = `${exampleKey.accessKey}/20130524/us-east-1/s3/aws4_request`;

function headersV4(
  signedHeaders: string,
  signature: string,
  more: Record<string, string> = {},
): Record<string, string> {
  return {
    host: 'examplebucket.s3.amazonaws.com',
    'x-amz-content-sha256': emptyHash,
    'x-amz-date': '20130524T000000Z',
    authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
    ...more,
  };
}

const getRange = () =>
  headersV4(
    'host;range;x-amz-content-sha256;x-amz-date',
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    { range: 'bytes=0-9' },
  );

const presigned =
  '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256' +
  `&X-Amz-Credential=${encodeURIComponent(scope)}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400` +
  '&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404';

async function ask(method: string, target: string, headers: Record<string, string>, sec: number, body = '') {
  const request = s3Request(method, target, headers, inPieces(utf8(body), 3));
  const { accessKey, body: decoded } = await authenticate(request, contextAt(nodeCrypto, sec));
  return { accessKey, body: new TextDecoder().decode(await readAll(decoded)) };
}

describe('version 4, in a header', () => {
  test.each([
    ['GET Object', '/test.txt', getRange()],
    [
      'GET Bucket Lifecycle',
      '/?lifecycle',
      headersV4(
        'host;x-amz-content-sha256;x-amz-date',
        'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
      ),
    ],
    [
      'GET Bucket (List Objects)',
      '/?max-keys=2&prefix=J',
      headersV4(
        'host;x-amz-content-sha256;x-amz-date',
        '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
      ),
    ],
  ])('%s', async (_, target, headers) => {
    expect(await ask('GET', target, headers, may24)).toEqual({ accessKey: exampleKey.accessKey, body: '' });
  });

  const putHeaders = headersV4(
    'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    {
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      'content-length': '21',
    },
  );

  test('PUT Object, its body passed on and checked', async () => {
    expect(await ask('PUT', '/test$file.text', putHeaders, may24, 'Welcome to Amazon S3.')).toMatchObject({
      body: 'Welcome to Amazon S3.',
    });
  });

  test('another body, a longer and a shorter one end with an error', async () => {
    for (const body of ['Welcome to Amazon S4.', 'Welcome to Amazon S3..', 'Welcome', '']) {
      expect(await outcomeOf(() => ask('PUT', '/test$file.text', putHeaders, may24, body))).toBe(
        'XAmzContentSHA256Mismatch',
      );
    }
  });

  test.each([
    ['another key', { path: '/other' }, 'SignatureDoesNotMatch'],
    ['another method', { method: 'HEAD' }, 'SignatureDoesNotMatch'],
    ['another query', { path: '/test.txt?acl' }, 'SignatureDoesNotMatch'],
    ['another header', { headers: { range: 'bytes=0-8' } }, 'SignatureDoesNotMatch'],
    ['another digest', { headers: { 'x-amz-content-sha256': emptyHash.replace('e', 'f') } }, 'SignatureDoesNotMatch'],
    ['a quarter of an hour early', { sec: may24 - 900 }, 'accepted'],
    ['more than that', { sec: may24 - 901 }, 'RequestTimeTooSkewed'],
    ['a quarter of an hour late', { sec: may24 + 900 }, 'accepted'],
    ['more than that later', { sec: may24 + 901 }, 'RequestTimeTooSkewed'],
    ['no date', { headers: { 'x-amz-date': '' } }, 'AccessDenied'],
    ['nonsense', { headers: { authorization: 'AWS4-HMAC-SHA256 x' } }, 'InvalidArgument'],
    ['half of the fields', { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=x' } }, 'InvalidArgument'],
    ['another scheme', { headers: { authorization: 'Bearer x' } }, 'InvalidArgument'],
  ])('%s: %s', async (_, change, outcome) => {
    const { method, path, headers, sec } = { method: 'GET', path: '/test.txt', headers: {}, sec: may24, ...change };

    expect(await outcomeOf(() => ask(method, path, { ...getRange(), ...headers }, sec))).toBe(outcome);
  });

  test('a key that nobody has, and a credential of another form', async () => {
    const change = (text: string) => ({
      ...getRange(),
      authorization: getRange()['authorization']!.replace(scope, text),
    });

    expect(await outcomeOf(() => ask('GET', '/test.txt', change('X/20130524/us-east-1/s3/aws4_request'), may24))).toBe(
      'InvalidAccessKeyId',
    );
    expect(await outcomeOf(() => ask('GET', '/test.txt', change('X/20130524/s3/aws4_request'), may24))).toBe(
      'InvalidArgument',
    );
  });
});

describe('version 4, in the query', () => {
  const headers = { host: 'examplebucket.s3.amazonaws.com' };

  test('the example of the documentation, until it expires', async () => {
    expect(await ask('GET', presigned, headers, may24 + 86399)).toMatchObject({ accessKey: exampleKey.accessKey });
    expect(await outcomeOf(() => ask('GET', presigned, headers, may24 + 86400))).toBe('AccessDenied');
    expect(await outcomeOf(() => ask('GET', presigned, headers, may24 - 901))).toBe('AccessDenied');
  });

  test.each([
    ['X-Amz-Expires=86400', 'X-Amz-Expires=604801', 'AccessDenied'],
    ['X-Amz-Expires=86400', 'X-Amz-Expires=0', 'AccessDenied'],
    ['X-Amz-Expires=86400', 'X-Amz-Expires=604800', 'SignatureDoesNotMatch'],
    ['X-Amz-Date=20130524T000000Z', 'X-Amz-Date=now', 'AccessDenied'],
    ['&X-Amz-SignedHeaders=host', '', 'AccessDenied'],
    ['X-Amz-Signature=a', 'X-Amz-Signature=b', 'SignatureDoesNotMatch'],
    ['/test.txt', '/test.tx', 'SignatureDoesNotMatch'],
  ])('%s changed to %s: %s', async (from, to, outcome) => {
    expect(await outcomeOf(() => ask('GET', presigned.replace(from, to), headers, may24))).toBe(outcome);
  });

  test('a token of temporary credentials is handed to who knows secrets', async () => {
    const asked: (string | undefined)[] = [];
    const context = {
      ...contextAt(nodeCrypto, may24),
      findSecret: async (_: string, token: string | undefined) => void asked.push(token),
    };
    const target = `${presigned}&X-Amz-Security-Token=tok`;

    expect(await outcomeOf(() => authenticate(s3Request('GET', target, headers), context))).toBe('InvalidAccessKeyId');
    expect(asked).toEqual(['tok']);
  });
});

describe('version 2', () => {
  const john = 'johnsmith.s3.amazonaws.com';
  const auth = (signature: string) => ({ authorization: `AWS ${exampleKey.accessKey}:${signature}` });

  test.each([
    [
      'GET',
      '/photos/puppy.jpg',
      'Tue, 27 Mar 2007 19:36:42 +0000',
      { host: john, ...auth('bWq2s1WEIj+Ydj0vQ697zp+IXMU=') },
    ],
    [
      'PUT',
      '/photos/puppy.jpg',
      'Tue, 27 Mar 2007 21:15:45 +0000',
      { host: john, 'content-type': 'image/jpeg', ...auth('MyyxeRY7whkBe+bq8fHCL/2kKUg=') },
    ],
    [
      'GET',
      '/?prefix=photos&max-keys=50&marker=puppy',
      'Tue, 27 Mar 2007 19:42:41 +0000',
      { host: john, ...auth('htDYFYduRNen8P9ZfE/s9SuKy0U=') },
    ],
    ['GET', '/?acl', 'Tue, 27 Mar 2007 19:44:46 +0000', { host: john, ...auth('c2WLPFtWHVgbEmeEG93a4cG37dM=') }],
    [
      'PUT',
      '/db-backup.dat.gz',
      'Tue, 27 Mar 2007 21:06:08 +0000',
      {
        host: 'static.johnsmith.net:8080',
        'x-amz-acl': 'public-read',
        'content-type': 'application/x-download',
        'content-md5': '4gJE4saaMU4BqNR0kLY+lw==',
        'X-Amz-Meta-ReviewedBy': 'joe@johnsmith.net,jane@johnsmith.net',
        'X-Amz-Meta-FileChecksum': '0x02661779',
        'X-Amz-Meta-ChecksumAlgorithm': 'crc32',
        ...auth('ilyl83RwaSoYIEdixDQcA4OnAnc='),
      },
    ],
    [
      'GET',
      '/',
      'Wed, 28 Mar 2007 01:29:59 +0000',
      { host: 's3.amazonaws.com', ...auth('qGdzdERIC03wnaRNKh6OqZehG9s=') },
    ],
    [
      'GET',
      '/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re',
      'Wed, 28 Mar 2007 01:49:49 +0000',
      { host: 's3.amazonaws.com', ...auth('DNEZGsoieTZ92F3bUfSPQcbGmlM=') },
    ],
  ])('%s %s as in the documentation', async (method, target, date, headers) => {
    const sec = parseHttpDate(date)!;

    expect(await ask(method, target, { date, ...headers }, sec)).toMatchObject({ accessKey: exampleKey.accessKey });
    expect(await outcomeOf(() => ask('POST', target, { date, ...headers }, sec))).toBe('SignatureDoesNotMatch');
    expect(await outcomeOf(() => ask(method, target, { date, ...headers }, sec + 901))).toBe('RequestTimeTooSkewed');
  });

  test.each(['/bkt', '/bkt/'])('a bucket alone, sent without a slash, may be signed as %s', async (signed) => {
    const date = 'Wed, 28 Mar 2007 01:49:49 GMT';
    const signature = signatureV2(nodeCrypto, exampleKey.secret, `GET\n\n\n${date}\n${signed}?acl`);

    expect(await ask('GET', '/bkt?acl', { date, ...auth(signature) }, parseHttpDate(date)!)).toMatchObject({
      accessKey: exampleKey.accessKey,
    });
    expect(await outcomeOf(() => ask('GET', '/bkt/k?acl', { date, ...auth(signature) }, parseHttpDate(date)!))).toBe(
      'SignatureDoesNotMatch',
    );
  });

  const signedUrl =
    `/photos/puppy.jpg?AWSAccessKeyId=${exampleKey.accessKey}&Expires=1175139620` +
    '&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D';

  test('in the query, until it expires', async () => {
    expect(await ask('GET', signedUrl, { host: john }, 1175139619)).toMatchObject({ accessKey: exampleKey.accessKey });
    expect(await outcomeOf(() => ask('GET', signedUrl, { host: john }, 1175139620))).toBe('AccessDenied');
    expect(await outcomeOf(() => ask('GET', signedUrl.replace('Np', 'NP'), { host: john }, 1175139619))).toBe(
      'SignatureDoesNotMatch',
    );
    expect(await outcomeOf(() => ask('GET', signedUrl.replace('&Expires=1175139620', ''), { host: john }, 1))).toBe(
      'AccessDenied',
    );
  });

  test.each([
    [{ authorization: 'AWS x' }, 'AccessDenied'],
    [{ authorization: 'AWS x', date: 'Wed, 28 Mar 2007 01:49:49 GMT' }, 'InvalidArgument'],
    [{ authorization: 'AWS x:', date: 'Wed, 28 Mar 2007 01:49:49 GMT' }, 'InvalidArgument'],
    [{ authorization: 'AWS x:y', date: 'Wed, 28 Mar 2007 01:49:49 GMT' }, 'InvalidAccessKeyId'],
  ])('%j is refused with %s', async (headers, code) => {
    expect(await outcomeOf(() => ask('GET', '/', { host: john, ...headers }, 1175046589))).toBe(code);
  });
});

test('who signs nothing is anonymous, and may send a body', async () => {
  expect(await ask('PUT', '/b/k', { 'content-length': '5' }, may24, 'hello')).toEqual({
    accessKey: undefined,
    body: 'hello',
  });
});

test('lengths and digests that are none are invalid', async () => {
  const unsigned = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
  const put = (headers: Record<string, string>) => outcomeOf(() => ask('PUT', '/b/k', headers, may24));

  expect(await put({ 'content-length': 'x' })).toBe('InvalidArgument');
  expect(await put({ 'x-amz-content-sha256': unsigned })).toBe('MissingContentLength');
  expect(await put({ 'x-amz-content-sha256': unsigned, 'x-amz-decoded-content-length': '-1' })).toBe('InvalidArgument');
  expect(await put({ 'x-amz-content-sha256': 'STREAMING-X', 'x-amz-decoded-content-length': '1' })).toBe(
    'NotImplemented',
  );
  expect(
    await put({ 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'x-amz-decoded-content-length': '1' }),
  ).toBe('AccessDenied');
});

test('whatever the headers and the query say, the answer is an S3 error or somebody who may ask', async () => {
  const nonsense = fc.string({ unit: 'binary-ascii', maxLength: 40 });
  const piece = fc.oneof(
    nonsense,
    fc.constantFrom(
      scope,
      'Credential=',
      'SignedHeaders=host;;x',
      'Signature=',
      ', ',
      '=',
      ':',
      '/',
      '20130524T000000Z',
    ),
  );
  const text = fc.array(piece, { maxLength: 6 }).map((parts) => parts.join(''));
  const name = fc.constantFrom(
    'x-amz-date',
    'date',
    'x-amz-content-sha256',
    'x-amz-decoded-content-length',
    'content-length',
  );
  const scheme = fc.constantFrom('AWS4-HMAC-SHA256 ', 'AWS ', '');
  await fc.assert(
    fc.asyncProperty(scheme, text, fc.dictionary(name, text), text, async (prefix, rest, headers, query) => {
      const target = `/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&${encodeURI(query)}`;
      try {
        const request = s3Request('GET', target, { ...headers, authorization: prefix + rest });
        expect((await authenticate(request, contextAt(nodeCrypto, may24))).accessKey).toBeUndefined();
      } catch (error) {
        expect(error).toBeInstanceOf(S3Error);
      }
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['?X-Amz-Credential=AKID%2F20130524%2Fus-east-1%2Fs3%2Faws4_request', 'AKID'],
  ['?AWSAccessKeyId=AKID&Signature=x&Expires=1', 'AKID'],
  ['?acl', undefined],
])('a URL that ends with %s was signed with %s, it says', (query, accessKey) => {
  expect(presigningKey(s3Request('OPTIONS', `/b/k${query}`, {}))).toBe(accessKey);
});
