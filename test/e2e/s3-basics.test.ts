/** What clients beside the SDKs do: browsers that post forms, nobody in particular, uploads of a length that nobody said. */
import { createHash, createHmac } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketAclCommand,
  GetBucketLocationCommand,
  GetBucketLoggingCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  PutBucketAclCommand,
  PutBucketLoggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
  type StorageClass,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type S3Gateway, s3ClientOf, startS3Gateway } from './s3-gateway.ts';

/** Everybody may read, list and write. */
const Bucket = 'everybodys';

let gateway: S3Gateway;
let client: S3Client;

beforeAll(async () => {
  gateway = await startS3Gateway(25_000);
  client = s3ClientOf(gateway);
  await client.send(new CreateBucketCommand({ Bucket, ACL: 'public-read-write' }));
}, 180_000);
afterAll(async () => {
  client?.destroy();
  await gateway?.stop();
});

/** A request that nobody signed. */
async function ask(method: string, path: string, body?: RequestInit['body'], headers: Record<string, string> = {}) {
  const init = { method, headers, redirect: 'manual', duplex: 'half', ...(body !== undefined && { body }) } as const;
  const response = await fetch(gateway.endpoint + path, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, code: /<Code>(.*?)</.exec(text)?.[1] };
}

async function refusal(request: Promise<unknown>): Promise<string> {
  return await request.then(
    () => 'accepted',
    ({ name }: Error) => name,
  );
}

async function textOf(Key: string): Promise<string> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  return await Body!.transformToString();
}

function formOf(fields: Record<string, string>, file: string): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([file]), 'photo.txt');
  return form;
}

function signed(fields: Record<string, string>, conditions: readonly unknown[]): Record<string, string> {
  const expiration = new Date(Date.now() + 60_000).toISOString();
  const policy = Buffer.from(JSON.stringify({ expiration, conditions })).toString('base64');
  const signature = createHmac('sha1', gateway.secretKey).update(policy).digest('base64');
  return { ...fields, AWSAccessKeyId: gateway.accessKey, policy, signature };
}

test('an object goes to no storage class that is not there', async () => {
  const put = (StorageClass: StorageClass) =>
    client.send(new PutObjectCommand({ Bucket, Key: 'class', Body: 'x', StorageClass }));
  expect(await refusal(put('GLACIER'))).toBe('InvalidStorageClass');
  expect(await refusal(put('STANDARD'))).toBe('accepted');
  const append = new PutObjectCommand({ Bucket, Key: 'class', Body: 'x', WriteOffsetBytes: 1 });
  expect(await refusal(client.send(append))).toBe('NotImplemented');
});

test('a browser posts a form that its owner signed, and is answered as the form wants', async () => {
  await client.send(new CreateBucketCommand({ Bucket: 'private' }));
  const conditions = [
    { bucket: 'private' },
    ['starts-with', '$key', 'u/'],
    ['starts-with', '$Content-Type', 'text/'],
    ['starts-with', '$x-amz-meta-from', ''],
    ['starts-with', '$tagging', ''],
    ['starts-with', '$success_action_status', ''],
    ['content-length-range', 1, 8],
  ];
  const placeholder = ['$', 'filename}'].join('{');
  const fields = {
    key: `u/${placeholder}`,
    'Content-Type': 'text/x',
    'x-amz-meta-from': 'here',
    tagging: '<Tagging><TagSet><Tag><Key>a b</Key><Value>&amp;</Value></Tag></TagSet></Tagging>',
    success_action_status: '201',
  };
  const post = (form: FormData) => ask('POST', '/private', form);

  const stored = await post(formOf(signed(fields, conditions), 'a photo'));
  expect(stored.status).toBe(201);
  expect(stored.text).toContain(`<Location>${gateway.endpoint}/private/u%2Fphoto.txt</Location>`);
  const got = await client.send(new GetObjectCommand({ Bucket: 'private', Key: 'u/photo.txt' }));
  expect(got).toMatchObject({ ContentType: 'text/x', Metadata: { from: 'here' }, ContentLength: 7 });

  const wrong = { ...signed(fields, conditions), signature: signed(fields, [])['signature']! };
  expect(await post(formOf(wrong, 'a photo'))).toMatchObject({ status: 403, code: 'AccessDenied' });
  expect(await post(formOf(fields, 'a photo'))).toMatchObject({ status: 403, code: 'AccessDenied' });
  const large = await post(formOf(signed(fields, conditions), 'too large'));
  expect(large).toMatchObject({ status: 400, code: 'EntityTooLarge' });
  const sum = { ...signed(fields, conditions), 'x-amz-checksum-crc32': 'AAAAAA==' };
  expect(await post(formOf(sum, 'a photo'))).toMatchObject({ status: 400, code: 'BadDigest' });
});

test('a form without a policy is taken where everybody may write', async () => {
  const posted = await ask('POST', `/${Bucket}`, formOf({ key: 'posted', acl: 'public-read' }, 'from nobody'));
  expect(posted.status).toBe(204);
  expect((await ask('GET', `/${Bucket}/posted`)).text).toBe('from nobody');
});

test('an upload in chunks need not say how long it is', async () => {
  const body = new ReadableStream({
    start(controller) {
      for (const piece of ['one ', 'two ', 'three']) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });
  expect((await ask('PUT', `/${Bucket}/chunks`, body, { 'x-amz-acl': 'public-read' })).status).toBe(200);
  expect((await ask('GET', `/${Bucket}/chunks`)).text).toBe('one two three');
});

test('who has what it was given is told so by its ETag', async () => {
  const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'x', ACL: 'public-read' }));
  const answer = await ask('GET', `/${Bucket}/kept`, undefined, { 'if-none-match': ETag! });
  expect(answer).toMatchObject({ status: 304, text: '' });
  expect(answer.headers.get('etag')).toBe(ETag);
});

test('a document that is not what its digest says is not acted on', async () => {
  await client.send(new PutObjectCommand({ Bucket, Key: 'stays', Body: 'x' }));
  const document = '<Delete><Object><Key>stays</Key></Object></Delete>';
  const remove = (of: string) =>
    ask('POST', `/${Bucket}?delete`, document, { 'content-md5': createHash('md5').update(of).digest('base64') });

  expect(await remove('another')).toMatchObject({ status: 400, code: 'BadDigest' });
  expect(await textOf('stays')).toBe('x');
  expect((await remove(document)).status).toBe(200);
  expect(await refusal(textOf('stays'))).toBe('NoSuchKey');

  const input = { Bucket: 'digests', VersioningConfiguration: { Status: 'Enabled' } } as const;
  await client.send(new CreateBucketCommand({ Bucket: input.Bucket }));
  const enable = (ContentMD5: string) => refusal(client.send(new PutBucketVersioningCommand({ ...input, ContentMD5 })));
  expect(await enable(createHash('md5').update('another').digest('base64'))).toBe('BadDigest');
  expect(await enable('none')).toBe('InvalidDigest');
});

test('buckets are listed in pages; nobody in particular has none', async () => {
  for (const name of ['page-1', 'page-2', 'page-3']) await client.send(new CreateBucketCommand({ Bucket: name }));
  const page = (ContinuationToken?: string) =>
    client.send(new ListBucketsCommand({ Prefix: 'page-', MaxBuckets: 2, ContinuationToken }));
  const first = await page();
  expect(first.Buckets?.map(({ Name }) => Name)).toEqual(['page-1', 'page-2']);
  const second = await page(first.ContinuationToken);
  expect(second.Buckets?.map(({ Name }) => Name)).toEqual(['page-3']);
  expect(second.ContinuationToken).toBeUndefined();

  const anonymous = await ask('GET', '/');
  expect(anonymous.status).toBe(200);
  expect(anonymous.text).toContain('<Buckets></Buckets>');
  expect((await ask('GET', '/?max-buckets=0')).code).toBe('InvalidArgument');
});

test('a bucket is made again only as it is', async () => {
  const create = (ACL?: 'public-read') => refusal(client.send(new CreateBucketCommand({ Bucket: 'again', ACL })));
  expect(await create()).toBe('accepted');
  expect(await create()).toBe('accepted');
  expect(await create('public-read')).toBe('BucketAlreadyExists');
  expect(await refusal(client.send(new CreateBucketCommand({ Bucket: 'under_score' })))).toBe('InvalidBucketName');
});

test('who expects a bucket to be of somebody else is refused', async () => {
  const put = (ExpectedBucketOwner: string) =>
    refusal(client.send(new PutObjectCommand({ Bucket, Key: 'whose', Body: '', ExpectedBucketOwner })));
  const { Owner } = await client.send(new GetBucketAclCommand({ Bucket }));
  expect(await put(Owner!.ID!)).toBe('accepted');
  expect(await put('somebody')).toBe('AccessDenied');
});

test('many change the ACL of a bucket at once, and each grant is listed by itself', async () => {
  const set = () => client.send(new PutBucketAclCommand({ Bucket: 'private', ACL: 'public-read-write' }));
  await Promise.all(Array.from({ length: 20 }, set));
  const { Grants } = await client.send(new GetBucketAclCommand({ Bucket: 'private' }));
  expect(Grants?.map(({ Permission }) => Permission).toSorted()).toEqual(['FULL_CONTROL', 'READ', 'WRITE']);
});

test('of an object made of parts each part can be read, and is described; completing it again changes nothing', async () => {
  const ChecksumAlgorithm = 'SHA256';
  const of = { Bucket, Key: 'parts' };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...of, ChecksumAlgorithm }));
  const bodies = [new Uint8Array(5 << 20).fill(97), new Uint8Array(3).fill(98)];
  const Parts: CompletedPart[] = [];
  for (const [i, Body] of bodies.entries()) {
    const asked = { ...of, UploadId, PartNumber: i + 1, Body, ChecksumAlgorithm } as const;
    const { ETag, ChecksumSHA256 } = await client.send(new UploadPartCommand(asked));
    Parts.push({ PartNumber: i + 1, ETag, ChecksumSHA256 });
  }
  const complete = () =>
    client.send(new CompleteMultipartUploadCommand({ ...of, UploadId, MultipartUpload: { Parts } }));
  const whole = await complete();
  expect(await complete()).toMatchObject({ ETag: whole.ETag, ChecksumSHA256: whole.ChecksumSHA256 });

  const second = await client.send(new GetObjectCommand({ ...of, PartNumber: 2, ChecksumMode: 'ENABLED' }));
  expect(await second.Body!.transformToString()).toBe('bbb');
  expect(second).toMatchObject({ PartsCount: 2, ETag: whole.ETag, ContentRange: 'bytes 5242880-5242882/5242883' });
  expect(second).toMatchObject({ ChecksumSHA256: Parts[1]!.ChecksumSHA256, ChecksumType: 'COMPOSITE' });
  expect(await refusal(client.send(new GetObjectCommand({ ...of, PartNumber: 3 })))).toBe('InvalidPart');

  const ObjectAttributes = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'] as const;
  const attributes = { ...of, ObjectAttributes: [...ObjectAttributes], MaxParts: 1 };
  expect(await client.send(new GetObjectAttributesCommand(attributes))).toMatchObject({
    ETag: whole.ETag!.replaceAll('"', ''),
    Checksum: { ChecksumSHA256: whole.ChecksumSHA256, ChecksumType: 'COMPOSITE' },
    ObjectParts: {
      TotalPartsCount: 2,
      IsTruncated: true,
      NextPartNumberMarker: '1',
      Parts: [{ PartNumber: 1, Size: 5 << 20, ChecksumSHA256: Parts[0]!.ChecksumSHA256 }],
    },
    StorageClass: 'STANDARD',
    ObjectSize: 5242883,
  });
});

test('who removes an object may say what it must be', async () => {
  const Key = 'expected';
  const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key, Body: 'abc' }));
  const remove = (more: object) => refusal(client.send(new DeleteObjectCommand({ Bucket, Key, ...more })));
  expect(await remove({ IfMatchSize: 4 })).toBe('PreconditionFailed');
  expect(await remove({ IfMatchLastModifiedTime: new Date(0) })).toBe('PreconditionFailed');
  const removeAll = (Size: number) =>
    client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key, ETag, Size }] } }));
  expect((await removeAll(4)).Errors).toMatchObject([{ Key, Code: 'PreconditionFailed' }]);
  expect(await textOf(Key)).toBe('abc');
  expect((await removeAll(3)).Deleted).toMatchObject([{ Key }]);

  const versioned = { Bucket: 'conditional', Key } as const;
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await client.send(new CreateBucketCommand({ Bucket: versioned.Bucket }));
  await client.send(new PutBucketVersioningCommand({ Bucket: versioned.Bucket, VersioningConfiguration }));
  const nothing = await client.send(new DeleteObjectCommand({ ...versioned, IfMatch: ETag }));
  expect(nothing.DeleteMarker).toBeUndefined();
  await client.send(new PutObjectCommand({ ...versioned, Body: 'abc' }));
  expect(await client.send(new DeleteObjectCommand({ ...versioned, IfMatch: ETag }))).toMatchObject({
    DeleteMarker: true,
  });
  expect(await refusal(client.send(new DeleteObjectCommand({ ...versioned, IfMatch: ETag })))).toBe(
    'PreconditionFailed',
  );
});

test('parts are copied from objects, uploads given up, and buckets say where they are', async () => {
  const Key = 'copied';
  const source = new Uint8Array(5 << 20).fill(3);
  await client.send(new PutObjectCommand({ Bucket, Key: 'source', Body: source }));
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const Parts: CompletedPart[] = [];
  for (const [i, CopySourceRange] of [undefined, 'bytes=10-19'].entries()) {
    const PartNumber = i + 1;
    const CopySource = `${Bucket}/source`;
    const range = CopySourceRange && { CopySourceRange };
    const copied = await client.send(
      new UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber, CopySource, ...range }),
    );
    Parts.push({ PartNumber, ETag: copied.CopyPartResult?.ETag });
  }
  await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  expect(await Body!.transformToByteArray()).toHaveLength(source.length + 10);

  const begun = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const upload = { Bucket, Key, UploadId: begun.UploadId };
  await client.send(new AbortMultipartUploadCommand(upload));
  expect(await refusal(client.send(new AbortMultipartUploadCommand(upload)))).toBe('NoSuchUpload');

  const { Contents } = await client.send(new ListObjectsCommand({ Bucket, Prefix: 'copi' }));
  expect(Contents?.map((each) => each.Key)).toEqual([Key]);
  expect((await client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBe('default');
  const logging = async () => (await client.send(new GetBucketLoggingCommand({ Bucket }))).LoggingEnabled;
  expect(await logging()).toBeUndefined();
  const log = (TargetBucket: string) => {
    const LoggingEnabled = { TargetBucket, TargetPrefix: 'log/' };
    return client.send(new PutBucketLoggingCommand({ Bucket, BucketLoggingStatus: { LoggingEnabled } }));
  };
  expect(await refusal(log('nowhere'))).toBe('InvalidTargetBucketForLogging');
  await log(Bucket);
  expect(await logging()).toEqual({ TargetBucket: Bucket, TargetPrefix: 'log/' });
  await client.send(new PutBucketLoggingCommand({ Bucket, BucketLoggingStatus: {} }));
  expect(await logging()).toBeUndefined();
  expect((await client.send(new HeadBucketCommand({ Bucket }))).$metadata.httpStatusCode).toBe(200);
});
