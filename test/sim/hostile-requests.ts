/** Requests of somebody who means harm, or whose program is wrong: parts of real ones, put together as nobody should. */
import fc from 'fast-check';

export interface HostileRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of latin1. */
  readonly body: string;
  /** `guessed`: with the victim's key and a secret that is not theirs. */
  readonly by: 'stranger' | 'strangerBySwift' | 'nobody' | 'guessed';
}

const some = (...values: readonly string[]) => fc.constantFrom(...values);
const LONG = 'l'.repeat(2000);

const methods = fc.oneof(
  { weight: 9, arbitrary: some('GET', 'PUT', 'POST', 'DELETE', 'HEAD') },
  { weight: 1, arbitrary: some('OPTIONS', 'COPY', 'PATCH', 'PROPFIND', '') },
);

const doors = some('', '', '', '/swift/v1', '/swift/v1/AUTH_victim', '/swift/v1/AUTH_stranger', '/admin', '/auth');
const buckets = fc.oneof(
  { weight: 4, arbitrary: some('private', 'own') },
  {
    weight: 1,
    arbitrary: some(
      '',
      '.',
      '..',
      '%2e%2e',
      'priv%61te',
      'private%2fknown',
      ':private',
      'victim:private',
      'victim$private',
      '%00',
      '_spirula',
      'bucket',
      'user',
      'metadata',
      'usage',
      'v1.0',
      'info',
    ),
  },
);
const keys = fc.oneof(
  { weight: 4, arbitrary: some('', 'known', 'k') },
  {
    weight: 1,
    arbitrary: some(
      '../private/known',
      '%2e%2e/private/known',
      'known%3Facl',
      'a//b',
      '%c3%28',
      '%',
      '%zz',
      '_',
      '__',
      '_shadow_known',
      '_multipart_known.2~x.1',
      'known%00',
      LONG,
    ),
  },
);

const NUMBERS = ['-1', '0', '1', '1000', '99999999999999999999', 'NaN', '1e9', ''];
const TEXTS = ['known', 'private', '..', '%00', '%ff%fe', 'null', '%3Cscript%3E', LONG, ''];
const WITH_NUMBER = [
  'partNumber',
  'max-keys',
  'max-parts',
  'max-uploads',
  'limit',
  'Expires',
  'temp_url_expires',
  'part-number-marker',
];
const WITH_TEXT = [
  ...[
    'versionId',
    'uploadId',
    'prefix',
    'marker',
    'delimiter',
    'start-after',
    'continuation-token',
    'key-marker',
    'encoding-type',
  ],
  ...[
    'version-id-marker',
    'upload-id-marker',
    'response-content-type',
    'response-expires',
    'AWSAccessKeyId',
    'Signature',
    'X-Amz-Signature',
  ],
  ...[
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Date',
    'X-Amz-Expires',
    'temp_url_sig',
    'multipart-manifest',
    'format',
    'path',
    'uid',
    'bucket',
  ],
  ...['Action', 'RoleArn', 'extract-archive', 'end_marker', 'access-key', 'attributes'],
];
const ALONE = [
  ...[
    'acl',
    'policy',
    'policyStatus',
    'versions',
    'versioning',
    'uploads',
    'delete',
    'tagging',
    'cors',
    'lifecycle',
    'website',
    'logging',
  ],
  ...[
    'notification',
    'object-lock',
    'retention',
    'legal-hold',
    'encryption',
    'torrent',
    'select&select-type=2',
    'location',
    'requestPayment',
  ],
  ...[
    'publicAccessBlock',
    'ownershipControls',
    'list-type=2',
    'bulk-delete',
    'quota',
    'stats=true',
    'key',
    'caps',
    'replication',
    'restore',
  ],
];
const parameters = fc.oneof(
  some(...ALONE),
  fc.tuple(some(...WITH_NUMBER), some(...NUMBERS)).map((pair) => pair.join('=')),
  fc.tuple(some(...WITH_TEXT), some(...TEXTS)).map((pair) => pair.join('=')),
);

const SOURCES = [
  '/private/known',
  'private/known?versionId=null',
  '../private/known',
  '%2Fprivate%2Fknown',
  'victim:private/known',
  '/',
  '',
];
const headerLines = fc.oneof(
  fc.tuple(
    some('x-amz-copy-source', 'x-copy-from', 'destination', 'x-object-manifest', 'x-versions-location'),
    some(...SOURCES),
  ),
  fc.tuple(
    some('x-amz-copy-source-range', 'range'),
    some('bytes=0-', 'bytes=-1', 'bytes=5-2', 'bytes=0-0,2-3', `bytes=${'9'.repeat(30)}-`, 'x'),
  ),
  fc.tuple(
    some('x-amz-acl', 'x-container-read', 'x-container-write'),
    some('public-read-write', '.r:*,.rlistings', '*:*', 'stranger', ',,', LONG),
  ),
  fc.tuple(some('x-amz-grant-full-control', 'x-amz-grant-read'), some('id="stranger"', 'uri="', '"', LONG)),
  fc.tuple(
    some('x-amz-content-sha256'),
    some('STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'UNSIGNED-PAYLOAD', 'zz'),
  ),
  fc.tuple(
    some('x-amz-decoded-content-length', 'content-length', 'x-delete-after', 'x-delete-at', 'x-amz-mp-parts-count'),
    some(...NUMBERS),
  ),
  fc.tuple(
    some('content-type'),
    some(
      'multipart/form-data; boundary=x',
      'multipart/form-data',
      'application/x-www-form-urlencoded',
      'application/xml',
      '\u00ff',
    ),
  ),
  fc.tuple(
    some('content-encoding', 'transfer-encoding', 'expect'),
    some('aws-chunked', 'gzip', 'chunked', '100-continue', 'x'),
  ),
  fc.tuple(
    some('if-match', 'if-none-match', 'if-modified-since', 'x-amz-copy-source-if-match'),
    some('*', '"', '"a","b"', 'Thu, 99 Foo 2026', LONG),
  ),
  fc.tuple(some('x-amz-date', 'date'), some('19700101T000000Z', 'tomorrow', 'Thu, 01 Jan 1970 00:00:00 GMT', '')),
  fc.tuple(
    some('x-amz-security-token', 'x-auth-token', 'x-storage-token', 'x-auth-user', 'x-auth-key'),
    some('AUTH_rgwtk', 'x', 'victim:swift', 'AUTH_rgwtk0000', LONG),
  ),
  fc.tuple(
    some('authorization'),
    some(
      'AWS VICTIM:x',
      'AWS4-HMAC-SHA256 Credential=VICTIM/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00',
      'AWS4-HMAC-SHA256',
      'Bearer x',
      'AWS :',
    ),
  ),
  fc.tuple(
    some('content-md5', 'x-amz-checksum-crc32', 'x-amz-checksum-algorithm', 'x-amz-sdk-checksum-algorithm'),
    some('AAAA', 'CRC32', 'x', '===='),
  ),
  fc.tuple(
    some(
      'x-amz-server-side-encryption',
      'x-amz-server-side-encryption-customer-algorithm',
      'x-amz-server-side-encryption-customer-key',
    ),
    some('AES256', 'aws:kms', 'x', '===='),
  ),
  fc.tuple(
    some(
      'x-amz-tagging',
      'x-amz-storage-class',
      'x-amz-object-lock-mode',
      'x-amz-metadata-directive',
      'x-amz-bypass-governance-retention',
    ),
    some('a=b', 'a&a&=', 'GLACIER', 'REPLACE', 'COMPLIANCE', 'true'),
  ),
  fc.tuple(
    some('origin', 'access-control-request-method', 'referer', 'x-forwarded-for', 'host'),
    some('http://evil', 'PUT', '*', 's3', 'private.s3'),
  ),
);

const GRANT =
  '<AccessControlPolicy><Owner><ID>victim</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>stranger</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>';
const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: ['arn:aws:s3:::private', 'arn:aws:s3:::private/*'] },
  ],
});
const DOCUMENTS = [
  GRANT,
  POLICY,
  '<Delete><Object><Key>known</Key></Object><Object><Key>hidden</Key></Object></Delete>',
  '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>',
  '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>',
  '<LifecycleConfiguration><Rule><ID>x</ID><Prefix></Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>',
  '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><Delete><Object><Key>&c;</Key></Object></Delete>',
  '<Delete><Object><Key>known</Key>',
  `${'<a>'.repeat(500)}${'</a>'.repeat(500)}`,
  '5;chunk-signature=00\r\nhello\r\n0;chunk-signature=00\r\n\r\n',
  'fffffffffffffff\r\nhello\r\n',
  '-5\r\nhello\r\n0\r\n\r\n',
  '--x\r\nContent-Disposition: form-data; name="key"\r\n\r\nknown\r\n--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nhello\r\n--x--\r\n',
  '--x\r\nContent-Disposition: form-data; name="',
  '[{"path":"/private/known","etag":"","size_bytes":null}]',
  'private/known\nprivate/hidden\n',
  'Action=AssumeRole&RoleArn=arn:aws:iam:::role/x&RoleSessionName=x',
];
const bytes = fc.uint8Array({ maxLength: 300 }).map((some) => String.fromCharCode(...some));
const bodies = fc.oneof(
  { weight: 2, arbitrary: fc.constant('') },
  { weight: 5, arbitrary: some(...DOCUMENTS) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(some(...DOCUMENTS), fc.nat(400), fc.nat(255))
      .map(([text, at, byte]) => text.slice(0, at) + String.fromCharCode(byte) + text.slice(at + 1)),
  },
  { weight: 1, arbitrary: bytes },
);

export const hostileRequests: fc.Arbitrary<HostileRequest> = fc.record({
  method: methods,
  target: fc
    .tuple(doors, buckets, keys, fc.array(parameters, { maxLength: 2 }))
    .map(
      ([door, bucket, key, query]) =>
        `${door}/${bucket}${key === '' ? '' : `/${key}`}${query.length > 0 ? `?${query.join('&')}` : ''}`,
    ),
  headers: fc.array(headerLines, { maxLength: 3 }).map((lines) => Object.fromEntries(lines)),
  body: bodies,
  by: fc.constantFrom('stranger', 'stranger', 'strangerBySwift', 'strangerBySwift', 'nobody', 'guessed'),
});
