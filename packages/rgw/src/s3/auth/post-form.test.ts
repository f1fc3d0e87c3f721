import { type Bytes, concatBytes, fromUtf8, utf8 } from '@spirula/encoding';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../../../runtime-node/src/crypto.ts';
import { S3Error } from '../s3-error.ts';
import { readFormData } from './form-data.ts';
import { authenticatePostForm, postAnswer } from './post-form.ts';
import { checkPostPolicy, readPostPolicy } from './post-policy.ts';
import { signatureV2 } from './signature-v2.ts';
import { signatureV4, signingKeyV4 } from './signature-v4.ts';
import { contextAt, exampleKey, inPieces, outcomeOf, readAll, s3Request } from './signed-request.test-support.ts';

type Fields = Readonly<Record<string, string>>;
const now = 1451390400; // 2015-12-29T12:00:00Z
const contentType = 'multipart/form-data; boundary="9431149156168"';

function formOf(
  fields: Fields,
  file: Bytes | undefined,
  fileName = 'MyFilename.jpg',
  boundary = '9431149156168',
): Bytes {
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${fileName}"\r\nContent-Type: image/jpeg\r\n\r\n`;
  const ending = `\r\n--${boundary}\r\nContent-Disposition: form-data; name="submit"\r\n\r\nUpload\r\n--${boundary}--\r\n`;
  if (file === undefined) return utf8(`${parts.join('')}--${boundary}--\r\n`);
  return concatBytes([utf8(parts.join('') + head), file, utf8(ending)]);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function policyOf(conditions: readonly unknown[], expiration = '2015-12-30T12:00:00.000Z'): string {
  return base64(JSON.stringify({ expiration, conditions }));
}

function signedV2(fields: Fields, conditions: readonly unknown[], expiration?: string): Fields {
  const policy = policyOf(conditions, expiration);
  const signature = signatureV2(nodeCrypto, exampleKey.secret, policy);
  return { ...fields, AWSAccessKeyId: exampleKey.accessKey, policy, signature };
}

async function post(fields: Fields, file: Bytes | undefined = utf8('DATA'), pieces = 1000) {
  const body = formOf(fields, file);
  const headers = { 'content-type': contentType, 'content-length': String(body.length) };
  const request = s3Request('POST', '/bkt', headers, inPieces(body, pieces));
  const form = await authenticatePostForm(request, contextAt(nodeCrypto, now));
  return { ...form, data: fromUtf8(await readAll(form.file)) };
}

const conditions = [{ bucket: 'bkt' }, ['starts-with', '$key', 'user/'], { acl: 'private' }];
const placeholder = ['$', 'filename}'].join('{');
const fields = { key: `user/${placeholder}`, acl: 'private' };

describe("AWS's example of a policy", () => {
  // "Example: Browser-based upload using HTTP POST (using AWS Signature Version 4)", its line ends as published.
  const policy = base64(
    [
      '{ "expiration": "2015-12-30T12:00:00.000Z",',
      '  "conditions": [',
      '    {"bucket": "sigv4examplebucket"},',
      '    ["starts-with", "$key", "user/user1/"],',
      '    {"acl": "public-read"},',
      '    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},',
      '    ["starts-with", "$Content-Type", "image/"],',
      '    {"x-amz-meta-uuid": "14365123651274"},',
      '    {"x-amz-server-side-encryption": "AES256"},',
      '    ["starts-with", "$x-amz-meta-tag", ""],',
      '',
      '    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},',
      '    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},',
      '    {"x-amz-date": "20151229T000000Z" }',
      '  ]',
      '}',
    ].join('\r\n'),
  );
  const form = {
    key: `user/user1/${placeholder}`,
    acl: 'public-read',
    success_action_redirect: 'http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html',
    'Content-Type': 'image/jpeg',
    'x-amz-meta-uuid': '14365123651274',
    'x-amz-server-side-encryption': 'AES256',
    'X-Amz-Credential': 'AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Date': '20151229T000000Z',
    'x-amz-meta-tag': '',
    Policy: policy,
    'X-Amz-Signature': '8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e',
  };
  const send = async (changed: Fields) => {
    const body = formOf(changed, utf8('JPEG'));
    const headers = { host: 'sigv4examplebucket.s3.amazonaws.com', 'content-type': contentType, 'content-length': '1' };
    const posted = await authenticatePostForm(
      s3Request('POST', '/', headers, inPieces(body, 10)),
      contextAt(nodeCrypto, now),
    );
    return { ...posted, data: fromUtf8(await readAll(posted.file)) };
  };

  test('its signature is right, and its conditions hold', async () => {
    expect(await send(form)).toMatchObject({
      accessKey: exampleKey.accessKey,
      key: 'user/user1/MyFilename.jpg',
      data: 'JPEG',
    });
  });

  test.each([
    ['X-Amz-Signature', '0'.repeat(64), 'AccessDenied'],
    ['key', 'user/user2/x', 'AccessDenied'],
    ['Content-Type', 'text/html', 'AccessDenied'],
    ['x-amz-meta-other', 'x', 'AccessDenied'],
    ['x-ignore-other', 'x', 'accepted'],
    ['x-amz-checksum-crc32', 'x', 'accepted'],
    ['X-Amz-Credential', 'x', 'InvalidArgument'],
  ])('%s changed to %s: %s', async (name, value, outcome) => {
    expect(await outcomeOf(() => send({ ...form, [name]: value }))).toBe(outcome);
  });

  test('signed by our own functions it has the published signature', () => {
    const key = signingKeyV4(nodeCrypto, exampleKey.secret, '20151229/us-east-1/s3/aws4_request');

    expect(signatureV4(nodeCrypto, key, policy)).toBe(form['X-Amz-Signature']);
  });
});

describe('a form', () => {
  test('signed with version 2, in pieces of any size', async () => {
    for (const pieces of [1, 2, 17, 10000]) {
      expect(await post(signedV2(fields, conditions), utf8('a\r\n--94311\r\n-'), pieces)).toMatchObject({
        accessKey: exampleKey.accessKey,
        key: 'user/MyFilename.jpg',
        data: 'a\r\n--94311\r\n-',
      });
    }
  });

  test('without a policy is anonymous', async () => {
    expect(await post({ key: 'k' })).toMatchObject({ accessKey: undefined, key: 'k', data: 'DATA' });
  });

  test.each([
    ['expired', signedV2(fields, conditions, '2015-12-29T12:00:00.000Z'), 'AccessDenied'],
    ['a field that the policy does not name', signedV2({ ...fields, extra: 'x' }, conditions), 'AccessDenied'],
    ['a bucket that it does not name', signedV2(fields, conditions.slice(1)), 'AccessDenied'],
    ['another bucket', signedV2(fields, [{ bucket: 'b' }, ...conditions.slice(1)]), 'AccessDenied'],
    ['another value', signedV2({ ...fields, acl: 'public-read' }, conditions), 'AccessDenied'],
    ['a field that is missing', signedV2(fields, [...conditions, ['eq', '$x', 'y']]), 'AccessDenied'],
    ['another policy', { ...signedV2(fields, conditions), policy: policyOf([]) }, 'AccessDenied'],
    ['a key that nobody has', { ...signedV2(fields, conditions), AWSAccessKeyId: 'x' }, 'AccessDenied'],
    ['no signature', { ...fields, AWSAccessKeyId: 'x', policy: policyOf(conditions) }, 'InvalidArgument'],
    ['no key', signedV2({ acl: 'private' }, conditions), 'InvalidArgument'],
    ['an empty key', { key: '' }, 'InvalidArgument'],
    ['a key that is not UTF-8', { key: 'k'.repeat(1025) }, 'InvalidObjectName'],
    ['a redirect with a line end', { key: 'k', success_action_redirect: 'http://x\ny' }, 'InvalidArgument'],
  ])('with %s: %s', async (_, given, outcome) => {
    expect(await outcomeOf(() => post(given as Fields))).toBe(outcome);
  });

  test('whose file is shorter or longer than its policy allows', async () => {
    const bounded = signedV2(fields, [...conditions, ['content-length-range', 2, 4]]);

    expect(await outcomeOf(() => post(bounded, utf8('12345')))).toBe('EntityTooLarge');
    expect(await outcomeOf(() => post(bounded, utf8('1')))).toBe('EntityTooSmall');
    expect(await outcomeOf(() => post(bounded, utf8('1234')))).toBe('accepted');
  });

  test.each([
    ['text/plain', 'x', 'InvalidArgument'],
    ['multipart/form-data', 'x', 'InvalidArgument'],
    ['multipart/form-data; boundary=b', 'x', 'IncompleteBody'],
    ['multipart/form-data; boundary=b', 'x\r\n', 'MalformedPOSTRequest'],
    ['multipart/form-data; boundary=b', '--b\r\n\r\nx\r\n--b--\r\n', 'MalformedPOSTRequest'],
    [
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx',
      'IncompleteBody',
    ],
    ['multipart/form-data; boundary=b', `--b\r\nContent-Disposition: ${'x'.repeat(9000)}`, 'InvalidRequest'],
  ])('%s with %j is refused with %s', async (type, body, code) => {
    const run = async () => readAll((await readFormData(type, inPieces(utf8(body)))).file);

    expect(await outcomeOf(run)).toBe(code);
  });

  test('without a file, or with fields of megabytes before it', async () => {
    expect(await outcomeOf(() => readFormData(contentType, inPieces(formOf({ key: 'k' }, undefined))))).toBe(
      'MalformedPOSTRequest',
    );
    const large = formOf({ key: 'x'.repeat(1 << 21) }, utf8('x'));
    expect(await outcomeOf(() => readFormData(contentType, inPieces(large, 60000)))).toBe(
      'MaxPostPreDataLengthExceededError',
    );
  });

  test('whose sender never stops is not read on when it is refused', async () => {
    let stopped = false;
    const source = (async function* () {
      try {
        yield formOf({ acl: 'x' }, utf8('x')).subarray(0, -80);
        for (;;) yield utf8('more');
      } finally {
        stopped = true;
      }
    })();
    const request = s3Request('POST', '/bkt', { 'content-type': contentType, 'content-length': '1' }, source);

    expect(await outcomeOf(() => authenticatePostForm(request, contextAt(nodeCrypto, now)))).toBe('InvalidArgument');
    expect(stopped).toBe(true);
  });
});

test('fields and file come out as they went in, whatever the pieces', async () => {
  const bit = fc.constantFrom('\r', '\n', '\r\n', '--', '\r\n--B', '\r\n--', 'B', 'x');
  const soup = fc.array(bit, { maxLength: 12 }).map((bits) => bits.join(''));
  await fc.assert(
    fc.asyncProperty(soup, soup, fc.integer({ min: 1, max: 40 }), async (value, file, pieces) => {
      fc.pre(!`\r\n${value}\r\n`.includes('\r\n--BB') && !`\r\n${file}`.includes('\r\n--BB'));
      const body = formOf({ a: value }, utf8(file), 'f', 'BB');
      const form = await readFormData('multipart/form-data; boundary=BB', inPieces(body, pieces));

      expect(form.fields.get('a')).toBe(value);
      expect(fromUtf8(await readAll(form.file))).toBe(file);
    }),
    { numRuns: 300 },
  );
});

test('any form is read or refused', async () => {
  const bit = fc.oneof(
    fc.constantFrom('--b', '\r\n', 'Content-Disposition: form-data; name="file"', '; name=key', ':', '"', '--', '\n'),
    fc.string({ unit: 'binary-ascii', maxLength: 10 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(bit), async (bits) => {
      const body = utf8(`--b\r\n${bits.join('')}`);
      const run = async () => readAll((await readFormData('multipart/form-data; boundary=b', inPieces(body, 5))).file);
      expect(await outcomeOf(run)).toMatch(/^(accepted|IncompleteBody|MalformedPOSTRequest|InvalidRequest)$/);
    }),
    { numRuns: 500 },
  );
});

describe('policies', () => {
  test.each([
    '',
    '!',
    base64('x'),
    base64('[]'),
    base64('{}'),
    base64('{"expiration":"2015-12-30T12:00:00Z"}'),
    base64('{"expiration":"soon","conditions":[]}'),
    base64('{"expiration":"2015-12-30T12:00:00Z","CONDITIONS":[]}'),
    policyOf([['eq', '$a']]),
    policyOf([['eq', 'a', 'b']]),
    policyOf([['ne', '$a', 'b']]),
    policyOf([[1, 2, 3]]),
    policyOf([7]),
    policyOf([{}]),
    policyOf([{ a: { b: 'c' } }]),
    policyOf([['content-length-range', -1, 0]]),
    policyOf([['content-length-range', 0, 'x']]),
  ])('%s is none', async (encoded) => {
    expect(await outcomeOf(async () => readPostPolicy(encoded))).toBe('InvalidArgument');
  });

  test('several ranges of lengths hold together; fields are told apart without case', () => {
    const policy = readPostPolicy(
      policyOf([['content-length-range', 1, 10], ['content-length-range', '5', '20'], { ACL: 'x' }]),
    );

    expect(checkPostPolicy(policy, new Map([['acl', 'x']]), { sec: now, nsec: 0 })).toEqual({ least: 5, most: 10 });
  });

  test('any JSON is a policy or refused', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (conditions) => {
        try {
          readPostPolicy(base64(JSON.stringify({ expiration: '2015-12-30T12:00:00Z', conditions })));
        } catch (error) {
          expect(error).toBeInstanceOf(S3Error);
        }
      }),
    );
  });
});

test('the answer is what the form wants', () => {
  const stored = { bucket: 'b', key: 'k 1', etag: 'e', base: 'http://h' };
  const answer = (wanted: Record<string, string>) => {
    const { status, headers, body } = postAnswer(new Map(Object.entries(wanted)), stored);
    return { status, headers, body: fromUtf8(body) };
  };

  expect(answer({})).toEqual({ status: 204, headers: [], body: '' });
  expect(answer({ success_action_status: '404' }).status).toBe(204);
  expect(answer({ success_action_status: '200' }).status).toBe(200);
  expect(answer({ success_action_status: '201' })).toEqual({
    status: 201,
    headers: [['content-type', 'application/xml']],
    body:
      '<?xml version="1.0" encoding="UTF-8"?><PostResponse><Location>http://h/b/k%201</Location><Bucket>b</Bucket>' +
      '<Key>k 1</Key><ETag>e</ETag></PostResponse>',
  });
  expect(answer({ success_action_redirect: 'http://x/', success_action_status: '201' })).toEqual({
    status: 303,
    headers: [['location', 'http://x/?bucket=b&key=k%201&etag=%22e%22']],
    body: '',
  });
  expect(answer({ redirect: 'http://x/?a=b' }).headers).toEqual([
    ['location', 'http://x/?a=b&bucket=b&key=k%201&etag=%22e%22'],
  ]);
});
