import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HttpRequest } from '../http.ts';
import { checkBucketName } from './bucket-name.ts';
import { urlEncode } from './percent-encoding.ts';
import { S3Error } from './s3-error.ts';
import { parseCopySource, parseS3Request, responseOverrides } from './s3-request.ts';

function http(target: string, host = 'localhost:8000'): HttpRequest {
  const body = (async function* () {})();
  return { method: 'GET', target, headers: new Map([['host', host]]), body, secure: false, remoteAddr: '127.0.0.1' };
}

function parse(target: string, host?: string, dnsNames: string[] = []) {
  return parseS3Request(http(target, host), { dnsNames });
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('path style', () => {
  test.each([
    ['/', '', ''],
    ['/b', 'b', ''],
    ['/b/', 'b', ''],
    ['/b/k', 'b', 'k'],
    ['/b//k', 'b', '/k'],
    ['/b/a/../c/./d//', 'b', 'a/../c/./d//'],
    ['/b/a+b%20c%2Fd%3fe', 'b', 'a+b c/d?e'],
    ['/b/%C3%A9', 'b', '\xc3\xa9'],
    ['/t%3Ab/k', 't:b', 'k'],
    ['http://elsewhere:1/b/k?acl', 'b', 'k'],
  ])('%s', (target, bucket, key) => {
    expect(parse(target)).toMatchObject({ bucket, key });
  });

  test.each([
    ['/b/%', 'InvalidURI'],
    ['/b/%4', 'InvalidURI'],
    ['/b/%zz', 'InvalidURI'],
    ['/b?a=%g0', 'InvalidURI'],
    ['/b/\u20ac', 'InvalidURI'],
    ['*', 'InvalidURI'],
    ['', 'InvalidURI'],
    ['/b/a%00', 'InvalidRequest'],
    ['/b/%ff', 'InvalidObjectName'],
    [`/b/${'a'.repeat(1025)}`, 'InvalidObjectName'],
    ['//k', 'NoSuchBucket'],
    [`/${'a'.repeat(70000)}`, 'InvalidURI'],
  ])('%s is refused with %s', (target, code) => {
    expect(codeOf(() => parse(target))).toBe(code);
  });
});

describe('virtual-host style', () => {
  const names = ['s3.example.com', 'example.com'];

  test.each([
    ['B.s3.example.com:8000', '/k', 'B', 'k', '/B/k'],
    ['a.b.S3.Example.com', '/', 'a.b', '', '/a.b/'],
    ['s3.example.com', '/b/k', 'b', 'k', '/b/k'],
    ['other.example.com', '//k', 'other', '/k', '/other//k'],
    ['assets.elsewhere.net', '/k', 'assets.elsewhere.net', 'k', '/assets.elsewhere.net/k'],
    ['10.0.0.1:80', '/b/k', 'b', 'k', '/b/k'],
    ['[::1]:80', '/b/k', 'b', 'k', '/b/k'],
    ['', '/b/k', 'b', 'k', '/b/k'],
  ])('%s with %s', (host, target, bucket, key, bucketPath) => {
    expect(parse(target, host, names)).toMatchObject({ bucket, key, bucketPath });
  });

  test('without names of its own a gateway looks at no host', () => {
    expect(parse('/b/k', 'x.example.com')).toMatchObject({ bucket: 'b', key: 'k' });
  });
});

test('parameters are decoded, the last of a name counts, those that make another operation are told', () => {
  const { params, subresources, rawQuery } = parse('/b?acl&prefix=a+b%2Bc&x=1&x=2=3&&uploadId=');

  expect([...params]).toEqual([
    ['acl', ''],
    ['prefix', 'a b+c'],
    ['x', '2=3'],
    ['uploadId', ''],
  ]);
  expect([...subresources]).toEqual(['acl', 'uploadId']);
  expect(rawQuery).toBe('acl&prefix=a+b%2Bc&x=1&x=2=3&&uploadId=');
});

test('every key that was encoded comes back, and nothing but an S3 error comes of any target', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }), (text) => {
      const key = String.fromCharCode(...new TextEncoder().encode(text.replaceAll('\0', '')));
      expect(parse(`/b/${urlEncode(key, true)}`).key).toBe(key);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (target, host) => {
      expect(codeOf(() => parse(target, host, ['h']))).toMatch(/^(accepted|Invalid\w+|NoSuchBucket)$/);
      expect(codeOf(() => parse(`/${target}`, host, ['h']))).toMatch(/^(accepted|Invalid\w+|NoSuchBucket)$/);
    }),
  );
});

test('headers of an answer may be given by parameters, but not broken', () => {
  const params = parse('/b/k?response-content-type=text/x&response-expires=now&response-other=1').params;

  expect([...responseOverrides(params)]).toEqual([
    ['content-type', 'text/x'],
    ['expires', 'now'],
  ]);
  expect(codeOf(() => responseOverrides(new Map([['response-expires', 'a\r\nb: c']])))).toBe('InvalidArgument');
});

test.each([
  ['b/k', { bucket: 'b', key: 'k', versionId: undefined }],
  ['/b/a%3Fb/c?versionId=v%2B', { bucket: 'b', key: 'a?b/c', versionId: 'v+' }],
])('the source of a copy: %s', (header, source) => {
  expect(parseCopySource(header)).toEqual(source);
});

test.each(['', 'b', '/b/', '/k', '//k', 'b/%zz', '?'])('%j is no source of a copy', (header) => {
  expect(codeOf(() => parseCopySource(header))).toMatch(/^Invalid/);
});

describe('names of buckets', () => {
  test.each(['abc', 'a'.repeat(63), 'a.b', '1-a', '1.2.3'])('%s is one', (name) => {
    expect(codeOf(() => checkBucketName(name))).toBe('accepted');
  });

  test.each(['a'.repeat(64), 'ab', 'Abc', 'a_b', '-ab', 'ab-', 'a..b', 'a.-b', 'a-.b', '192.168.5.4', 'a/b'])(
    '%s is none',
    (name) => expect(codeOf(() => checkBucketName(name))).toBe('InvalidBucketName'),
  );
});
