/** Objects that are encrypted where they are stored, through the AWS SDK for JavaScript. */
import { createHash, randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketEncryptionCommand,
  GetBucketEncryptionCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runTool } from '../interop/run-tool.ts';
import { type S3Gateway, s3ClientOf, startS3Gateway } from './s3-gateway.ts';

const Bucket = 'encrypted';
const MIB = 1 << 20;
const KMS_KEY = 'testkey-1';

let gateway: S3Gateway;
let client: S3Client;

beforeAll(async () => {
  const key = randomBytes(32).toString('base64');
  gateway = await startS3Gateway(29_800, `rgw_crypt_s3_kms_encryption_keys=${KMS_KEY}=${key}`);
  client = s3ClientOf(gateway);
  await client.send(new CreateBucketCommand({ Bucket }));
}, 180_000);
afterAll(async () => {
  client?.destroy();
  await gateway?.stop();
});

function customerKey(key = randomBytes(32)) {
  const [text, md5] = [key.toString('base64'), createHash('md5').update(key).digest('base64')];
  return {
    own: { SSECustomerAlgorithm: 'AES256', SSECustomerKey: text, SSECustomerKeyMD5: md5 },
    ofSource: {
      CopySourceSSECustomerAlgorithm: 'AES256',
      CopySourceSSECustomerKey: text,
      CopySourceSSECustomerKeyMD5: md5,
    },
  };
}

const kms = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KMS_KEY } as const;
const s3 = { ServerSideEncryption: 'AES256' } as const;

/** Bytes that are not the same at any two places. */
function bytes(length: number): Uint8Array {
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, (_, i) => Math.imul(i + 1, 2654435761));
  return new Uint8Array(words.buffer, 0, length);
}

async function get(Key: string, more = {}): Promise<Uint8Array> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return await Body!.transformToByteArray();
}

async function refusal(request: Promise<unknown>): Promise<string> {
  return await request.then(
    () => 'accepted',
    ({ name, $metadata }) => `${$metadata?.httpStatusCode} ${name}`,
  );
}

const { own, ofSource } = customerKey();
const ways: [string, object, object][] = [
  ['SSE-C', own, own],
  ['SSE-KMS', kms, {}],
  ['SSE-S3', s3, {}],
];

describe.each(ways)('%s', (way, put, read) => {
  test.each([0, 1, 15, 16, 17, 4095, 4096, 4097, 100_000, 5 * MIB + 7])(
    '%i bytes come back, whole and in ranges',
    async (size) => {
      const Key = `${way}/${size}`;
      const data = bytes(size);
      const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key, Body: data, ...put }));

      expect(ETag).toBe(`"${createHash('md5').update(data).digest('hex')}"`);
      expect(Buffer.compare(await get(Key, read), data)).toBe(0);
      for (const [first, last] of [
        [0, 0],
        [1, 17],
        [4090, 4100],
        [size - 5, size - 1],
        [4 * MIB - 3, 4 * MIB + 3],
      ] as const) {
        if (first < 0 || last >= size) continue;
        const part = await get(Key, { ...read, Range: `bytes=${first}-${last}` });
        expect(Buffer.compare(part, data.subarray(first, last + 1)), `${first}-${last}`).toBe(0);
      }
    },
  );

  test('an upload in parts comes back, also across parts', async () => {
    const Key = `${way}/parts`;
    const parts = [bytes(5 * MIB + 3), bytes(5 * MIB), bytes(100)];
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...put }));
    const Parts = [];
    for (const [i, Body] of parts.entries()) {
      const PartNumber = i + 1;
      const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...read }));
      Parts.push({ ETag, PartNumber });
    }
    const completed = await client.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...read }),
    );
    // What it is encrypted with is told of keys of the server.
    expect(completed).toMatchObject(way === 'SSE-C' ? {} : put);
    const whole = Buffer.concat(parts);

    expect(Buffer.compare(await get(Key, read), whole)).toBe(0);
    const [first, last] = [5 * MIB - 10, 10 * MIB + 20];
    const range = await get(Key, { ...read, Range: `bytes=${first}-${last}` });
    expect(Buffer.compare(range, whole.subarray(first, last + 1))).toBe(0);
    expect(Buffer.compare(await get(Key, { ...read, PartNumber: 3 }), parts[2]!)).toBe(0);
  });

  test('is told by answers; what is stored is something else', async () => {
    const Key = `${way}/told`;
    const text = 'a text that nobody is to see on a disk '.repeat(100);
    const written = await client.send(new PutObjectCommand({ Bucket, Key, Body: text, ...put }));
    const head = await client.send(new HeadObjectCommand({ Bucket, Key, ...read }));

    const { ServerSideEncryption, SSEKMSKeyId, SSECustomerAlgorithm } = head;
    const { ServerSideEncryption: mode, SSEKMSKeyId: id, SSECustomerAlgorithm: algorithm } = written;
    expect([ServerSideEncryption, SSEKMSKeyId, SSECustomerAlgorithm]).toEqual([mode, id, algorithm]);
    expect(mode ?? algorithm).toBeDefined();
    const { stdout } = await runTool(process.execPath, [
      ...[gateway.spirula, 'rados', '-c', gateway.conf, '-p', 'default.rgw.buckets.data', 'ls'],
    ]);
    const stored = stdout.split('\n').find((name) => name.endsWith(Key))!;
    const raw = await runTool(process.execPath, [
      ...[gateway.spirula, 'rados', '-c', gateway.conf, '-p', 'default.rgw.buckets.data', 'get', stored, '-'],
    ]);
    expect(raw.stdout).toHaveLength(text.length);
    expect(raw.stdout).not.toContain('nobody');
  });
});

test('with no key of one’s own, or another, nothing is read', async () => {
  const Key = 'mine';
  await client.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ...own }));
  const head = (more: object) => refusal(client.send(new GetObjectCommand({ Bucket, Key, ...more })));

  expect(await head({})).toBe('400 InvalidRequest');
  expect(await head(customerKey().own)).toBe('400 InvalidArgument');
  const attributes = (more: object) =>
    client.send(new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ['ObjectSize'], ...more }));
  expect(await refusal(attributes({}))).toBe('400 InvalidRequest');
  expect(await attributes(own)).toMatchObject({ ObjectSize: 1 });
  const short = customerKey(randomBytes(16)).own;
  expect(await refusal(client.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ...short })))).toBe(
    '400 InvalidArgument',
  );
  const unknown = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'none' } as const;
  expect(await refusal(client.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ...unknown })))).toBe(
    '403 InvalidAccessKeyId',
  );
});

test('copies are read with one key and written with another', async () => {
  const data = bytes(100_000);
  await client.send(new PutObjectCommand({ Bucket, Key: 'source', Body: data, ...own }));
  const copy = (Key: string, more: object) =>
    client.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/source`, ...ofSource, ...more }));
  await copy('plain', {});
  await copy('by-kms', kms);
  const other = customerKey().own;
  await copy('other', other);

  expect(Buffer.compare(await get('plain'), data)).toBe(0);
  expect((await client.send(new HeadObjectCommand({ Bucket, Key: 'plain' }))).SSECustomerAlgorithm).toBeUndefined();
  expect(Buffer.compare(await get('by-kms'), data)).toBe(0);
  expect(Buffer.compare(await get('other', other), data)).toBe(0);
});

test('a bucket says how what is written there is encrypted', async () => {
  const name = 'by-default';
  await client.send(new CreateBucketCommand({ Bucket: name }));
  const read = () => client.send(new GetBucketEncryptionCommand({ Bucket: name }));
  const stored = async (Key: string) => {
    await client.send(new PutObjectCommand({ Bucket: name, Key, Body: 'x' }));
    return (await client.send(new HeadObjectCommand({ Bucket: name, Key }))).ServerSideEncryption;
  };
  const Rules = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' as const }, BucketKeyEnabled: false }];

  expect([await refusal(read()), await stored('a')]).toEqual([
    '404 ServerSideEncryptionConfigurationNotFoundError',
    undefined,
  ]);
  await client.send(new PutBucketEncryptionCommand({ Bucket: name, ServerSideEncryptionConfiguration: { Rules } }));
  expect((await read()).ServerSideEncryptionConfiguration?.Rules).toEqual(Rules);
  expect(await stored('b')).toBe('AES256');
  await client.send(new DeleteBucketEncryptionCommand({ Bucket: name }));
  expect(await stored('c')).toBeUndefined();
});
