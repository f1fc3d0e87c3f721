import { type Bytes, fromUtf8, utf8 } from '@spirula/encoding';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { S3Error } from '../s3-error.ts';
import { accessControlPolicy, cannedAcl, readAccessControlPolicy, readGrantHeaders } from './acl.ts';
import {
  locationConstraint,
  readCreateBucketConfiguration,
  readRequestPaymentConfiguration,
  readVersioningConfiguration,
  requestPaymentConfiguration,
  versioningConfiguration,
} from './bucket-config.ts';
import { copyObjectResult, copyPartResult } from './copy.ts';
import { type CorsRule, corsConfiguration, findCorsRule, readCorsConfiguration } from './cors.ts';
import { deleteResult, readDelete } from './delete-objects.ts';
import { listAllMyBucketsResult, readListBuckets } from './list-buckets.ts';
import {
  type ListedObject,
  listBucketResult,
  listBucketV2Result,
  listVersionsResult,
  readListV1,
  readListV2,
  readListVersions,
} from './list-objects.ts';
import { bucketLoggingStatus } from './logging.ts';
import {
  completeMultipartUpload,
  completeMultipartUploadResult,
  initiateMultipartUploadResult,
  listMultipartUploadsResult,
  listPartsResult,
  readCompleteMultipartUpload,
  readListParts,
  readListUploads,
  readPartNumber,
} from './multipart.ts';
import { MAX_BUCKET_TAGS, MAX_OBJECT_TAGS, readTagging, readTaggingHeader, tagging } from './tagging.ts';

const owner = { id: 'u', displayName: 'U & Co' };
const ownerXml = '<Owner><ID>u</ID><DisplayName>U &amp; Co</DisplayName></Owner>';
const mtime = { sec: 784111777, nsec: 123456789 };
const stamp = '<LastModified>1994-11-06T08:49:37.123Z</LastModified>';

/** What is inside of the root element, which must be in the namespace of S3. */
function inside(document: Bytes, root: string): string {
  const text = fromUtf8(document);
  const head = `<?xml version="1.0" encoding="UTF-8"?><${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`;
  expect(text.slice(0, head.length)).toBe(head);
  expect(text.slice(-root.length - 3)).toBe(`</${root}>`);
  return text.slice(head.length, -root.length - 3);
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

function params(query: Record<string, string>): ReadonlyMap<string, string> {
  return new Map(Object.entries(query));
}

test('the list of buckets', () => {
  const xml = `${ownerXml}<Buckets><Bucket><Name>b</Name><CreationDate>1994-11-06T08:49:37.123Z</CreationDate></Bucket></Buckets>`;
  const shown = (prefix: string, isTruncated: boolean) => {
    const page = { prefix, buckets: [{ name: 'b', created: mtime }], isTruncated };
    return inside(listAllMyBucketsResult(owner, page), 'ListAllMyBucketsResult');
  };

  expect(shown('', false)).toBe(xml);
  expect(shown('b', true)).toBe(`${xml}<Prefix>b</Prefix><ContinuationToken>b</ContinuationToken>`);
  expect(codeOf(() => readListBuckets(params({ 'max-buckets': '10001' })))).toBe('InvalidArgument');
});

describe('lists of objects', () => {
  const object: ListedObject = {
    key: 'a b/\x01',
    mtime,
    etag: 'e',
    size: 5,
    storageClass: '',
    owner,
    appendable: false,
  };
  const stored = '<ETag>&quot;e&quot;</ETag><Size>5</Size><StorageClass>STANDARD</StorageClass>';
  const found = { bucket: 'b', entries: [object], commonPrefixes: ['p/ '], isTruncated: true };

  test('version 1', () => {
    const asked = readListV1(params({ prefix: 'p', delimiter: '/', 'max-keys': '2', marker: 'm' }));

    expect(inside(listBucketResult(asked, { ...found, nextMarker: 'n' }), 'ListBucketResult')).toBe(
      '<Name>b</Name><Prefix>p</Prefix><MaxKeys>2</MaxKeys><Delimiter>/</Delimiter><IsTruncated>true</IsTruncated>' +
        '<CommonPrefixes><Prefix>p/ </Prefix></CommonPrefixes>' +
        `<Contents><Key>a b/&#x01;</Key>${stamp}${stored}${ownerXml}<Type>Normal</Type></Contents>` +
        '<Marker>m</Marker><NextMarker>n</NextMarker>',
    );
  });

  test('version 2: names encoded when asked for, the owner only when asked for', () => {
    const query = { 'encoding-type': 'url', 'start-after': 's', 'continuation-token': 't' };
    const page = { ...found, tenant: 't1', nextContinuationToken: 'n' };
    const plain = inside(listBucketV2Result(readListV2(params(query)), page), 'ListBucketResult');
    const withOwner = listBucketV2Result(readListV2(params({ ...query, 'fetch-owner': 'true' })), page);

    expect(plain).toBe(
      '<EncodingType>url</EncodingType><Tenant>t1</Tenant><Name>b</Name><Prefix></Prefix><MaxKeys>1000</MaxKeys>' +
        '<IsTruncated>true</IsTruncated><CommonPrefixes><Prefix>p/%20</Prefix></CommonPrefixes>' +
        `<Contents><Key>a%20b%2F%01</Key>${stamp}${stored}<Type>Normal</Type></Contents>` +
        '<ContinuationToken>t</ContinuationToken><NextContinuationToken>n</NextContinuationToken>' +
        '<KeyCount>2</KeyCount><StartAfter>s</StartAfter>',
    );
    expect(fromUtf8(withOwner)).toContain(`${stored}${ownerXml}<Type>`);
  });

  test('versions, and delete markers among them', () => {
    const asked = readListVersions(params({ 'key-marker': 'k', 'version-id-marker': 'v' }));
    const entries = [
      { ...object, versionId: '', isLatest: true, isDeleteMarker: false },
      { ...object, versionId: 'w', isLatest: false, isDeleteMarker: true },
    ];
    const page = { ...found, entries, commonPrefixes: [], nextKeyMarker: 'x', nextVersionIdMarker: '' };

    expect(inside(listVersionsResult(asked, page), 'ListVersionsResult')).toBe(
      '<Name>b</Name><Prefix></Prefix><MaxKeys>1000</MaxKeys><IsTruncated>true</IsTruncated>' +
        '<KeyMarker>k</KeyMarker><VersionIdMarker>v</VersionIdMarker>' +
        '<NextKeyMarker>x</NextKeyMarker><NextVersionIdMarker>null</NextVersionIdMarker>' +
        `<Version><Key>a b/&#x01;</Key><VersionId>null</VersionId><IsLatest>true</IsLatest>${stamp}${stored}${ownerXml}<Type>Normal</Type></Version>` +
        `<DeleteMarker><Key>a b/&#x01;</Key><VersionId>w</VersionId><IsLatest>false</IsLatest>${stamp}${ownerXml}<Type>Normal</Type></DeleteMarker>`,
    );
  });

  test('a page of no keys is never truncated; at most a thousand are given', () => {
    expect(fromUtf8(listBucketResult(readListV1(params({ 'max-keys': '0' })), found))).toContain(
      '<IsTruncated>false</IsTruncated>',
    );
    expect(readListV1(params({ 'max-keys': '5000' })).maxKeys).toBe(1000);
    for (const bad of ['-1', 'x', '1e3', '9'.repeat(30)]) {
      expect(codeOf(() => readListV1(params({ 'max-keys': bad })))).toBe('InvalidArgument');
    }
    expect(codeOf(() => readListV1(params({ 'allow-unordered': 'true', delimiter: '/' })))).toBe('InvalidArgument');
  });
});

test('results of copies', () => {
  expect(inside(copyObjectResult({ mtime, etag: 'e' }), 'CopyObjectResult')).toBe(`${stamp}<ETag>e</ETag>`);
  expect(inside(copyPartResult({ mtime, etag: 'e' }), 'CopyPartResult')).toBe(`${stamp}<ETag>e</ETag>`);
});

describe('multipart uploads', () => {
  const name = { bucket: 'b', key: 'k' };

  test('begun and completed', () => {
    expect(inside(initiateMultipartUploadResult({ ...name, uploadId: '2~x' }), 'InitiateMultipartUploadResult')).toBe(
      '<Bucket>b</Bucket><Key>k</Key><UploadId>2~x</UploadId>',
    );
    expect(
      inside(
        completeMultipartUploadResult({ ...name, location: 'http://h/b/k', etag: 'e-2' }),
        'CompleteMultipartUploadResult',
      ),
    ).toBe('<Location>http://h/b/k</Location><Bucket>b</Bucket><Key>k</Key><ETag>&quot;e-2&quot;</ETag>');
  });

  const parts = [
    { partNumber: 1, etag: 'a', checksum: { algorithm: 'crc64nvme', value: 'AAAAAAAAAAA=' } },
    { partNumber: 10000, etag: 'b', checksum: undefined },
  ] as const;

  test('the list of parts that completes one comes back as it was written', () => {
    expect(readCompleteMultipartUpload(completeMultipartUpload(parts))).toEqual(parts);
  });

  test.each([
    [[], 'MalformedXML'],
    [[{ partNumber: 2, etag: 'a' }, ...parts], 'InvalidPartOrder'],
    [[{ partNumber: 0, etag: 'a' }], 'InvalidPart'],
    [[{ partNumber: 10001, etag: 'a' }], 'InvalidPart'],
  ])('parts %j are refused with %s', (listed, code) => {
    expect(codeOf(() => readCompleteMultipartUpload(completeMultipartUpload(listed)))).toBe(code);
  });

  test('of a part that is listed twice the second counts', () => {
    const twice = completeMultipartUpload([{ partNumber: 1, etag: 'before' }, ...parts]);

    expect(readCompleteMultipartUpload(twice)).toEqual(parts);
  });

  test('a part with two checksums is refused', () => {
    const sums = '<ChecksumSHA1>a</ChecksumSHA1><ChecksumCRC32>b</ChecksumCRC32>';
    const xml = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>a</ETag>${sums}</Part></CompleteMultipartUpload>`;

    expect(codeOf(() => readCompleteMultipartUpload(utf8(xml)))).toBe('InvalidRequest');
  });

  test('results tell the checksum where there is one', () => {
    const checksum = { algorithm: 'sha256', value: 'x-2' } as const;
    const asked = readListParts(params({ uploadId: 'i' }));
    const found = { ...name, storageClass: '', owner, isTruncated: false };
    const part = { partNumber: 3, mtime, etag: 'e', size: 7, checksum };

    expect(fromUtf8(completeMultipartUploadResult({ ...name, location: 'l', etag: 'e', checksum }))).toContain(
      '<ChecksumSHA256>x-2</ChecksumSHA256><ChecksumType>COMPOSITE</ChecksumType></CompleteMultipartUploadResult>',
    );
    expect(fromUtf8(listPartsResult(asked, { ...found, parts: [part] }))).toContain(
      '<Size>7</Size><ChecksumSHA256>x-2</ChecksumSHA256></Part>',
    );
  });

  test('numbers of parts are 1 to 10000', () => {
    expect(readPartNumber(params({ partNumber: '10000' }))).toBe(10000);
    for (const bad of ['0', '10001', '-1', '', 'x', '1.5']) {
      expect(codeOf(() => readPartNumber(params({ partNumber: bad })))).toBe('InvalidArgument');
    }
  });

  test('the list of parts', () => {
    const asked = readListParts(params({ uploadId: 'i', 'max-parts': '1', 'part-number-marker': '2' }));
    const found = { ...name, storageClass: '', owner, isTruncated: true };
    const part = { partNumber: 3, mtime, etag: 'e', size: 7 };

    expect(inside(listPartsResult(asked, { ...found, parts: [part] }), 'ListPartsResult')).toBe(
      '<Bucket>b</Bucket><Key>k</Key><UploadId>i</UploadId><StorageClass>STANDARD</StorageClass>' +
        '<PartNumberMarker>2</PartNumberMarker><NextPartNumberMarker>3</NextPartNumberMarker><MaxParts>1</MaxParts>' +
        `<IsTruncated>true</IsTruncated>${ownerXml}<Part>${stamp}<PartNumber>3</PartNumber><ETag>&quot;e&quot;</ETag><Size>7</Size></Part>`,
    );
  });

  test('the list of uploads', () => {
    const asked = readListUploads(
      params({ prefix: 'p', 'key-marker': 'k', 'upload-id-marker': 'u', 'encoding-type': 'url' }),
    );
    const upload = { key: 'a/b c', uploadId: 'i', initiator: owner, owner, storageClass: '', initiated: mtime };
    const found = { bucket: 'b', uploads: [upload], commonPrefixes: ['q '], isTruncated: false };

    expect(inside(listMultipartUploadsResult(asked, found), 'ListMultipartUploadsResult')).toBe(
      '<Bucket>b</Bucket><Prefix>p</Prefix><KeyMarker>k</KeyMarker><UploadIdMarker>u</UploadIdMarker>' +
        '<MaxUploads>1000</MaxUploads><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>' +
        '<Upload><Key>a/b%20c</Key><UploadId>i</UploadId><Initiator><ID>u</ID><DisplayName>U &amp; Co</DisplayName></Initiator>' +
        `${ownerXml}<StorageClass>STANDARD</StorageClass><Initiated>1994-11-06T08:49:37.123Z</Initiated></Upload>` +
        '<CommonPrefixes><Prefix>q%20</Prefix></CommonPrefixes>',
    );
    expect(readListUploads(params({ 'upload-id-marker': 'u' })).uploadIdMarker).toBe('');
  });
});

describe('deletion of many objects', () => {
  test('is read', () => {
    const xml =
      '<Delete><Quiet>true</Quiet><Object><Key>a&#x1;</Key></Object><Object><Key>b</Key><VersionId>v</VersionId></Object></Delete>';

    expect(readDelete(utf8(xml))).toEqual({
      quiet: true,
      objects: [
        { key: 'a\x01', versionId: undefined, expected: {} },
        { key: 'b', versionId: 'v', expected: {} },
      ],
    });
  });

  test('may say what an object must be to go', () => {
    const of = (size: string) =>
      utf8(
        `<Delete><Object><Key>a</Key><ETag>"e"</ETag><LastModifiedTime>1994-11-06T08:49:37Z</LastModifiedTime><Size>${size}</Size></Object></Delete>`,
      );

    expect(readDelete(of('7')).objects[0]!.expected).toEqual({ etag: '"e"', modified: mtime.sec, size: 7 });
    expect(codeOf(() => readDelete(of('-1')))).toBe('MalformedXML');
  });

  test('of more than a thousand, of none, of one without a name is malformed', () => {
    const of = (count: number) => utf8(`<Delete>${'<Object><Key>a</Key></Object>'.repeat(count)}</Delete>`);

    expect(readDelete(of(1000)).objects).toHaveLength(1000);
    expect(codeOf(() => readDelete(of(1001)))).toBe('MalformedXML');
    expect(codeOf(() => readDelete(of(0)))).toBe('MalformedXML');
    expect(codeOf(() => readDelete(utf8('<Delete><Object/></Delete>')))).toBe('MalformedXML');
    expect(codeOf(() => readDelete(utf8('<Delete><Object><Key/></Object></Delete>')))).toBe('MalformedXML');
  });

  test('tells what became of each; when quiet, only of failures', () => {
    const outcomes = [
      { kind: 'deleted', key: 'a', versionId: undefined, deleteMarkerVersionId: 'm' },
      { kind: 'failed', key: 'b', versionId: 'v', code: 'AccessDenied', message: 'no' },
    ] as const;
    const failure = '<Error><Key>b</Key><VersionId>v</VersionId><Code>AccessDenied</Code><Message>no</Message></Error>';

    expect(inside(deleteResult(outcomes, true), 'DeleteResult')).toBe(failure);
    expect(inside(deleteResult(outcomes, false), 'DeleteResult')).toBe(
      `<Deleted><Key>a</Key><DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>m</DeleteMarkerVersionId></Deleted>${failure}`,
    );
  });
});

test('small documents about a bucket', () => {
  expect(inside(locationConstraint('eu'), 'LocationConstraint')).toBe('eu');
  expect(inside(bucketLoggingStatus(undefined), 'BucketLoggingStatus')).toBe('');
  expect(readRequestPaymentConfiguration(requestPaymentConfiguration('Requester'))).toBe('Requester');
  expect(readCreateBucketConfiguration(utf8(''))).toBeUndefined();
  expect(
    readCreateBucketConfiguration(
      utf8('<CreateBucketConfiguration><LocationConstraint>eu:p</LocationConstraint></CreateBucketConfiguration>'),
    ),
  ).toBe('eu:p');
  const versioning = { status: 'Suspended', mfaDelete: 'Disabled' } as const;
  expect(readVersioningConfiguration(versioningConfiguration(versioning))).toEqual(versioning);
  expect(inside(versioningConfiguration({ status: undefined, mfaDelete: undefined }), 'VersioningConfiguration')).toBe(
    '',
  );
  for (const bad of ['', '<Status>On</Status>', '<Status>Enabled</Status><MfaDelete>x</MfaDelete>']) {
    const xml = `<VersioningConfiguration>${bad}</VersioningConfiguration>`;
    expect(codeOf(() => readVersioningConfiguration(utf8(xml)))).toBe('MalformedXML');
  }
});

describe('access control', () => {
  test('a policy comes back as it was written', () => {
    const policy = {
      owner,
      grants: [
        { grantee: { kind: 'user', ...owner }, permissions: ['FULL_CONTROL'] },
        { grantee: { kind: 'group', group: 'AllUsers' }, permissions: ['READ'] },
        { grantee: { kind: 'email', email: 'a@b' }, permissions: ['WRITE_ACP'] },
      ],
    } as const;

    expect(readAccessControlPolicy(accessControlPolicy(policy))).toEqual(policy);
    expect(inside(accessControlPolicy(policy), 'AccessControlPolicy')).toContain(
      `${ownerXml}<AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">`,
    );
  });

  test('canned lists', () => {
    const grants = (name: string, bucketOwner = owner) => cannedAcl(name, owner, bucketOwner).grants.slice(1);
    const other = { id: 'o', displayName: 'O' };

    expect(cannedAcl('private', owner, other).grants).toEqual([
      { grantee: { kind: 'user', ...owner }, permissions: ['FULL_CONTROL'] },
    ]);
    expect(grants('public-read-write')).toEqual([
      { grantee: { kind: 'group', group: 'AllUsers' }, permissions: ['READ'] },
      { grantee: { kind: 'group', group: 'AllUsers' }, permissions: ['WRITE'] },
    ]);
    expect(grants('bucket-owner-read')).toEqual([]);
    expect(grants('bucket-owner-read', other)).toEqual([
      { grantee: { kind: 'user', ...other }, permissions: ['READ'] },
    ]);
    expect(codeOf(() => grants('public'))).toBe('InvalidArgument');
  });

  test('grants in headers', () => {
    const headers = params({
      'x-amz-grant-read': 'id="a", uri="http://acs.amazonaws.com/groups/global/AuthenticatedUsers"',
      'x-amz-grant-full-control': 'emailAddress=x@y',
    });

    expect(readGrantHeaders(headers)).toEqual([
      { grantee: { kind: 'user', id: 'a', displayName: '' }, permissions: ['READ'] },
      { grantee: { kind: 'group', group: 'AuthenticatedUsers' }, permissions: ['READ'] },
      { grantee: { kind: 'email', email: 'x@y' }, permissions: ['FULL_CONTROL'] },
    ]);
    expect(codeOf(() => readGrantHeaders(params({ 'x-amz-grant-read': 'a' })))).toBe('InvalidArgument');
    expect(codeOf(() => readGrantHeaders(params({ 'x-amz-grant-read': 'uri=x' })))).toBe('InvalidArgument');
    expect(codeOf(() => readGrantHeaders(params({ 'x-amz-grant-read': 'id=x', 'x-amz-acl': 'private' })))).toBe(
      'InvalidRequest',
    );
  });

  test.each([
    ['<Owner><ID>u</ID></Owner>', 'MalformedACLError'],
    ['<Owner/><AccessControlList/>', 'MalformedXML'],
    ['<Owner><ID>u</ID></Owner><AccessControlList><Grant/></AccessControlList>', 'MalformedACLError'],
    [
      '<Owner><ID>u</ID></Owner><AccessControlList><Grant><Grantee xsi:type="Group"><URI>x</URI></Grantee><Permission>READ</Permission></Grant></AccessControlList>',
      'InvalidArgument',
    ],
    [
      '<Owner><ID>u</ID></Owner><AccessControlList><Grant><Grantee xsi:type="CanonicalUser"><ID>x</ID></Grantee><Permission>x</Permission></Grant></AccessControlList>',
      'MalformedACLError',
    ],
  ])('%s is refused with %s', (xml, code) => {
    expect(codeOf(() => readAccessControlPolicy(utf8(`<AccessControlPolicy>${xml}</AccessControlPolicy>`)))).toBe(code);
  });
});

describe('tags', () => {
  test('come back as they were written; in a header they are encoded', () => {
    const tags = new Map([
      ['a', '1'],
      ['b c', ''],
    ]);

    expect(readTagging(tagging(tags), MAX_OBJECT_TAGS)).toEqual(tags);
    expect(readTaggingHeader('a=1&b+c', MAX_OBJECT_TAGS)).toEqual(tags);
  });

  test('too many, too long, given twice or badly encoded are invalid', () => {
    const many = Array.from({ length: 11 }, (_, i) => `k${i}=v`).join('&');

    for (const bad of [many, `${'k'.repeat(129)}=v`, `k=${'v'.repeat(257)}`, 'a=1&a=2', '=v', 'a=%z']) {
      expect(codeOf(() => readTaggingHeader(bad, MAX_OBJECT_TAGS))).toBe('InvalidTag');
    }
    expect(readTaggingHeader(many, MAX_BUCKET_TAGS).size).toBe(11);
    expect(readTaggingHeader(`${'k'.repeat(128)}=${'v'.repeat(256)}`, MAX_OBJECT_TAGS).size).toBe(1);
  });
});

describe('cross-origin rules', () => {
  const rule: CorsRule = {
    id: 'r',
    methods: ['GET', 'PUT'],
    origins: ['http://*.example.com', 'https://x'],
    allowedHeaders: ['X-*'],
    maxAgeSeconds: 5,
    exposedHeaders: ['ETag'],
  };

  test('come back as they were written', () => {
    expect(readCorsConfiguration(corsConfiguration([rule]))).toEqual([rule]);
  });

  test.each([
    ['http://a.example.com', 'GET', [], true],
    ['http://.example.com', 'GET', ['x-a', ' X-B '], true],
    ['http://example.com', 'GET', [], false],
    ['https://x', 'DELETE', [], false],
    ['https://x', 'PUT', ['y'], false],
  ])('%s may %s with %j: %s', (origin, method, headers, allowed) => {
    expect(findCorsRule([rule], { origin, method, headers })).toBe(allowed ? rule : undefined);
  });

  test.each([
    '',
    '<CORSRule><AllowedMethod>GET</AllowedMethod></CORSRule>',
    '<CORSRule><AllowedOrigin>*.*</AllowedOrigin></CORSRule>',
    '<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>X</AllowedMethod></CORSRule>',
    '<CORSRule><AllowedOrigin>*</AllowedOrigin><MaxAgeSeconds>x</MaxAgeSeconds></CORSRule>',
  ])('%j is malformed', (xml) => {
    expect(codeOf(() => readCorsConfiguration(utf8(`<CORSConfiguration>${xml}</CORSConfiguration>`)))).toBe(
      'MalformedXML',
    );
  });
});

test('documents of any shape are read or refused', () => {
  const names = fc.constantFrom(
    'Delete',
    'Object',
    'Key',
    'Part',
    'PartNumber',
    'ETag',
    'Grant',
    'Grantee',
    'Owner',
    'ID',
  );
  const more = fc.constantFrom(
    'AccessControlList',
    'Tag',
    'TagSet',
    'CORSRule',
    'AllowedOrigin',
    'Status',
    'Permission',
  );
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('', '1', 'true', '*', 'Enabled'),
      fc
        .tuple(fc.oneof(names, more), fc.array(tie('tree'), { maxLength: 4 }))
        .map(([n, c]) => `<${n}>${c.join('')}</${n}>`),
    ),
  }));
  const readers = {
    Delete: readDelete,
    CompleteMultipartUpload: readCompleteMultipartUpload,
    AccessControlPolicy: readAccessControlPolicy,
    Tagging: (document: Bytes) => readTagging(document, 10),
    CORSConfiguration: readCorsConfiguration,
    VersioningConfiguration: readVersioningConfiguration,
    CreateBucketConfiguration: readCreateBucketConfiguration,
  };
  fc.assert(
    fc.property(tree, (content) => {
      for (const [root, reader] of Object.entries(readers)) {
        expect(codeOf(() => reader(utf8(`<${root}>${content}</${root}>`)))).toMatch(
          /^(accepted|Malformed\w+|Invalid\w+)$/,
        );
      }
    }),
  );
});
