/** The AWS SDK for JavaScript, as its users have it: with the checksums that it adds by itself, in trailers of chunked bodies. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type S3Gateway, s3ClientOf, startS3Gateway } from './s3-gateway.ts';

const MIB = 1 << 20;
const Bucket = 'sdk';

let gateway: S3Gateway;
let client: S3Client;

beforeAll(async () => {
  gateway = await startS3Gateway(25_400);
  client = s3ClientOf(gateway);
  await client.send(new CreateBucketCommand({ Bucket }));
}, 180_000);
afterAll(async () => {
  client?.destroy();
  await gateway?.stop();
});

/** The code and status of what a request is refused with. */
async function refusal(request: Promise<unknown>): Promise<string> {
  try {
    await request;
  } catch (error) {
    const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
    return `${$metadata?.httpStatusCode} ${name}`;
  }
  return 'accepted';
}

async function textOf(Key: string, more: { Range?: string } = {}): Promise<string> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return await Body!.transformToString();
}

/** Bytes that are not the same at any two places. */
function bytes(length: number): Uint8Array {
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, (_, i) => Math.imul(i, 2654435761));
  return new Uint8Array(words.buffer, 0, length);
}

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('base64');

test('an object comes back with its headers, metadata, ranges and the checksum the SDK reckoned', async () => {
  const put = await client.send(
    new PutObjectCommand({
      Bucket,
      Key: 'greeting',
      Body: 'hello, world',
      ContentType: 'text/plain',
      CacheControl: 'no-cache',
      Metadata: { colour: 'blue' },
    }),
  );
  expect(put).toMatchObject({ ChecksumCRC32: '/6tyOg==', ChecksumType: 'FULL_OBJECT' });

  const got = await client.send(new GetObjectCommand({ Bucket, Key: 'greeting' }));
  expect(await got.Body!.transformToString()).toBe('hello, world');
  expect(got).toMatchObject({
    ContentType: 'text/plain',
    CacheControl: 'no-cache',
    ContentLength: 12,
    Metadata: { colour: 'blue' },
    ETag: put.ETag,
    ChecksumCRC32: put.ChecksumCRC32,
  });
  expect(await textOf('greeting', { Range: 'bytes=7-' })).toBe('world');
  expect(await textOf('greeting', { Range: 'bytes=-5' })).toBe('world');
  expect(await refusal(textOf('greeting', { Range: 'bytes=12-' }))).toBe('416 InvalidRange');
  const plain = await client.send(new HeadObjectCommand({ Bucket, Key: 'greeting' }));
  expect(plain.ChecksumCRC32).toBeUndefined();
});

test.each(['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const)('%s is verified, kept and copied', async (algorithm) => {
  const Key = `sum-${algorithm}`;
  const Body = bytes(100_000);
  const name = `Checksum${algorithm}` as const;
  const put = await client.send(new PutObjectCommand({ Bucket, Key, Body, ChecksumAlgorithm: algorithm }));
  const sum = put[name];
  expect(sum).toBeDefined();
  if (algorithm === 'SHA256') expect(sum).toBe(sha256(Body));

  const head = await client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
  expect(head[name]).toBe(sum);
  const copy = await client.send(new CopyObjectCommand({ Bucket, Key: `${Key}-copy`, CopySource: `${Bucket}/${Key}` }));
  expect(copy.CopyObjectResult?.[name]).toBe(sum);
  const other = new PutObjectCommand({ Bucket, Key, Body: `another ${algorithm}`, [name]: sum });
  expect(await refusal(client.send(other))).toBe('400 BadDigest');
  expect((await client.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength).toBe(Body.length);
});

test('a wrong Content-MD5 is refused, and so is one that is none', async () => {
  const put = (ContentMD5: string) =>
    refusal(client.send(new PutObjectCommand({ Bucket, Key: 'md5', Body: 'x', ContentMD5 })));

  expect(await put(createHash('md5').update('x').digest('base64'))).toBe('accepted');
  expect(await put(createHash('md5').update('y').digest('base64'))).toBe('400 BadDigest');
  expect(await put('YWJj')).toBe('400 InvalidDigest');
});

test('a stream of unknown length is uploaded in parts, and is the same when it comes back', async () => {
  const data = bytes(20 * MIB + 17);
  const Body = Readable.from(
    (function* () {
      for (let at = 0; at < data.length; at += 333_333) yield data.subarray(at, at + 333_333);
    })(),
  );
  await new Upload({ client, params: { Bucket, Key: 'stream', Body }, partSize: 5 * MIB }).done();

  const got = await client.send(new GetObjectCommand({ Bucket, Key: 'stream' }));
  expect(got.ETag).toMatch(/-5"$/);
  expect(sha256(await got.Body!.transformToByteArray())).toBe(sha256(data));
  const whole = new PutObjectCommand({ Bucket, Key: 'whole', Body: data });
  await client.send(whole);
  const again = await client.send(new GetObjectCommand({ Bucket, Key: 'whole' }));
  expect(Buffer.compare(await again.Body!.transformToByteArray(), data)).toBe(0);
}, 120_000);

test.each([
  ['COMPOSITE', 'SHA256', /-2$/],
  ['FULL_OBJECT', 'CRC32', /^[^-]+$/],
] as const)(
  'an upload in parts has a checksum that is %s',
  async (ChecksumType, ChecksumAlgorithm, form) => {
    const Key = `parts-${ChecksumType}`;
    const data = bytes(6 * MIB);
    const sum = `Checksum${ChecksumAlgorithm}` as const;
    const begun = await client.send(
      new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm, ChecksumType, Metadata: { a: 'b' } }),
    );
    expect(begun).toMatchObject({ ChecksumAlgorithm, ChecksumType });
    const upload = { Bucket, Key, UploadId: begun.UploadId! };
    const pieces = [data.subarray(0, 5 * MIB), data.subarray(5 * MIB)];
    const Parts: CompletedPart[] = [];
    for (const [i, Body] of pieces.entries()) {
      const part = await client.send(new UploadPartCommand({ ...upload, PartNumber: i + 1, Body, ChecksumAlgorithm }));
      Parts.push({ PartNumber: i + 1, ETag: part.ETag!, [sum]: part[sum] });
    }
    const other = ChecksumAlgorithm === 'CRC32' ? 'SHA1' : 'CRC32';
    const wrong = new UploadPartCommand({ ...upload, PartNumber: 3, Body: 'x', ChecksumAlgorithm: other });
    expect(await refusal(client.send(wrong))).toBe('400 InvalidRequest');
    const listed = await client.send(new ListPartsCommand(upload));
    expect(listed.Parts?.map((part) => part[sum])).toEqual(Parts.map((part) => part[sum]));

    const complete = (parts: CompletedPart[]) =>
      client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }));
    expect(await refusal(complete(Parts.map((part) => ({ ...part, [sum]: Parts[0]![sum] }))))).toBe('400 InvalidPart');
    const completed = await complete(Parts);
    expect(completed[sum]).toMatch(form);
    const got = await client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    expect(got).toMatchObject({
      [sum]: completed[sum],
      ChecksumType,
      Metadata: { a: 'b' },
      ContentLength: data.length,
    });
    const whole = await client.send(new PutObjectCommand({ Bucket, Key: 'at-once', Body: data, ChecksumAlgorithm }));
    expect(whole[sum] === completed[sum]).toBe(ChecksumType === 'FULL_OBJECT');
  },
  60_000,
);

test('names with spaces, slashes, dots, plus signs and letters of any script are names', async () => {
  const keys = ['a b', 'a+b', 'a%20b', 'a//b', 'a/../b', './c', 'ä€😀', "q?x=1&y='2'", 'tab\there', 'end/'];
  for (const Key of keys) await client.send(new PutObjectCommand({ Bucket, Key: `odd/${Key}`, Body: Key }));
  for (const Key of keys) expect(await textOf(`odd/${Key}`)).toBe(Key);

  const { Contents } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'odd/', EncodingType: 'url' }));
  const listed = Contents!.map(({ Key }) => decodeURIComponent(Key!.replaceAll('+', ' ')));
  expect(listed.toSorted()).toEqual(keys.map((key) => `odd/${key}`).toSorted());
});

test('a listing comes page by page, and folds what is behind a delimiter', async () => {
  for (const Key of ['l/1', 'l/2', 'l/d/3', 'l/d/4', 'l/e/5'])
    await client.send(new PutObjectCommand({ Bucket, Key, Body: '' }));
  const pages: string[][] = [];
  for await (const page of paginateListObjectsV2({ client, pageSize: 2 }, { Bucket, Prefix: 'l/', Delimiter: '/' })) {
    pages.push([...(page.Contents ?? []).map(({ Key }) => Key!), ...(page.CommonPrefixes ?? []).map((c) => c.Prefix!)]);
  }
  expect(pages).toEqual([
    ['l/1', 'l/2'],
    ['l/d/', 'l/e/'],
  ]);
  expect((await client.send(new HeadObjectCommand({ Bucket, Key: 'l/1' }))).ContentLength).toBe(0);
});

test('conditions hold or refuse', async () => {
  const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key: 'if', Body: 'one' }));
  const get = (more: object) => refusal(client.send(new GetObjectCommand({ Bucket, Key: 'if', ...more })));
  const put = (more: object) => refusal(client.send(new PutObjectCommand({ Bucket, Key: 'if', Body: '1', ...more })));

  expect(await get({ IfMatch: ETag })).toBe('accepted');
  expect(await get({ IfMatch: '"other"' })).toBe('412 PreconditionFailed');
  expect(await get({ IfNoneMatch: ETag })).toMatch(/^304 /);
  expect(await put({ IfNoneMatch: '*' })).toBe('412 PreconditionFailed');
  expect(await put({ IfMatch: '"other"' })).toBe('412 PreconditionFailed');
  expect(await put({ IfMatch: ETag })).toBe('accepted');
});

test('many objects are deleted at once; a bucket goes when it is empty', async () => {
  await client.send(new CreateBucketCommand({ Bucket: 'short-lived' }));
  const there = { Bucket: 'short-lived', Key: 'x' };
  await client.send(new PutObjectCommand({ ...there, Body: 'x' }));
  expect(await refusal(client.send(new DeleteBucketCommand({ Bucket: 'short-lived' })))).toBe('409 BucketNotEmpty');
  const { Deleted } = await client.send(
    new DeleteObjectsCommand({
      Bucket: 'short-lived',
      Delete: { Objects: [{ Key: 'x' }, { Key: 'was never there' }] },
    }),
  );
  expect(Deleted?.map(({ Key }) => Key)).toEqual(['x', 'was never there']);
  expect(await refusal(client.send(new DeleteObjectCommand(there)))).toBe('accepted');
  await client.send(new DeleteBucketCommand({ Bucket: 'short-lived' }));
  const { Buckets } = await client.send(new ListBucketsCommand({}));
  expect(Buckets?.map(({ Name }) => Name)).toEqual([Bucket]);
});

test('what is not there, or not allowed, is told by its code', async () => {
  expect(await refusal(textOf('nothing'))).toBe('404 NoSuchKey');
  const elsewhere = new GetObjectCommand({ Bucket: 'nowhere', Key: 'x' });
  expect(await refusal(client.send(elsewhere))).toBe('404 NoSuchBucket');
  const stranger = s3ClientOf(gateway, { ...gateway, secretKey: 'not the secret' });
  expect(await refusal(stranger.send(new ListBucketsCommand({})))).toBe('403 SignatureDoesNotMatch');
  stranger.destroy();
});
