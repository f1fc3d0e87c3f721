/** Buckets that keep versions, through the AWS SDK for JavaScript. */
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type S3Gateway, s3ClientOf, startS3Gateway } from './s3-gateway.ts';

const LARGE = 9 << 20;

let gateway: S3Gateway;
let client: S3Client;
let made = 0;

beforeAll(async () => {
  gateway = await startS3Gateway(25_600);
  client = s3ClientOf(gateway);
}, 180_000);
afterAll(async () => {
  client?.destroy();
  await gateway?.stop();
});

async function newBucket(status?: 'Enabled' | 'Suspended'): Promise<string> {
  const Bucket = `versions-${made++}`;
  await client.send(new CreateBucketCommand({ Bucket }));
  if (status) await setVersioning(Bucket, status);
  return Bucket;
}

async function setVersioning(Bucket: string, Status: 'Enabled' | 'Suspended'): Promise<void> {
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
}

async function put(Bucket: string, Key: string, Body: string | Uint8Array): Promise<string | undefined> {
  return (await client.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId;
}

/** The text of an object, or the code of the refusal. */
async function read(Bucket: string, Key: string, VersionId?: string): Promise<string> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, ...(VersionId && { VersionId }) }));
    return await Body!.transformToString();
  } catch (error) {
    return (error as Error).name;
  }
}

/** `key id`, with `*` for the current one and `-` for delete markers; all pages. */
async function versionsOf(Bucket: string, more: { MaxKeys?: number; Prefix?: string } = {}): Promise<string[]> {
  const found: string[] = [];
  let next: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await client.send(new ListObjectVersionsCommand({ Bucket, ...more, ...next }));
    const markers = (page.DeleteMarkers ?? []).map((each) => ({ ...each, sign: '-' }));
    const all = [...(page.Versions ?? []).map((each) => ({ ...each, sign: '' })), ...markers];
    for (const { Key, VersionId, IsLatest, sign } of all)
      found.push(`${Key} ${VersionId}${sign}${IsLatest ? '*' : ''}`);
    if (!page.IsTruncated) return found;
    next = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
}

async function keysOf(Bucket: string): Promise<string[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  return Contents.map(({ Key }) => Key!);
}

test('a bucket tells whether it keeps versions', async () => {
  const Bucket = await newBucket();
  const status = async () => (await client.send(new GetBucketVersioningCommand({ Bucket }))).Status;

  expect(await status()).toBeUndefined();
  for (const each of ['Enabled', 'Suspended', 'Enabled'] as const) {
    await setVersioning(Bucket, each);
    expect(await status()).toBe(each);
  }
  const withMfa = { Status: 'Enabled', MFADelete: 'Enabled' } as const;
  const refused = client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: withMfa }));
  await expect(refused).rejects.toMatchObject({ name: 'AccessDenied' });
});

test('each write is a version that stays, and the newest is the object', async () => {
  const Bucket = await newBucket('Enabled');
  const ids = [await put(Bucket, '_k', 'one'), await put(Bucket, '_k', 'two'), await put(Bucket, '_k', 'three')];

  expect(new Set(ids).size).toBe(3);
  expect(await read(Bucket, '_k')).toBe('three');
  expect(await Promise.all(ids.map((id) => read(Bucket, '_k', id)))).toEqual(['one', 'two', 'three']);
  const got = await client.send(new HeadObjectCommand({ Bucket, Key: '_k' }));
  expect(got.VersionId).toBe(ids[2]);
  expect(await versionsOf(Bucket)).toEqual([`_k ${ids[2]}*`, `_k ${ids[1]}`, `_k ${ids[0]}`]);
  expect(await keysOf(Bucket)).toEqual(['_k']);
});

test('a delete marker hides an object; when it goes, the object is back', async () => {
  const Bucket = await newBucket('Enabled');
  const id = await put(Bucket, 'k', 'one');

  const marker = await client.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
  expect(marker).toMatchObject({ DeleteMarker: true, VersionId: expect.any(String) });
  expect(await read(Bucket, 'k')).toBe('NoSuchKey');
  expect(await read(Bucket, 'k', id)).toBe('one');
  expect(await keysOf(Bucket)).toEqual([]);
  expect((await versionsOf(Bucket)).sort()).toEqual([`k ${id}`, `k ${marker.VersionId}-*`].sort());

  const VersionId = marker.VersionId!;
  const unmarked = await client.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId }));
  expect(unmarked).toMatchObject({ DeleteMarker: true, VersionId });
  expect(await read(Bucket, 'k')).toBe('one');
  expect(await versionsOf(Bucket)).toEqual([`k ${id}*`]);
});

test('versions go one by one, and the bucket with the last', async () => {
  const Bucket = await newBucket('Enabled');
  const [first, second] = [await put(Bucket, 'k', 'one'), await put(Bucket, 'k', 'two')];
  await expect(client.send(new DeleteBucketCommand({ Bucket }))).rejects.toMatchObject({ name: 'BucketNotEmpty' });

  const gone = await client.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId: second! }));
  expect(gone).toMatchObject({ VersionId: second });
  expect(gone.DeleteMarker).toBeUndefined();
  expect(await read(Bucket, 'k')).toBe('one');
  expect(await read(Bucket, 'k', second)).toMatch(/^NoSuch/);

  await client.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId: first! }));
  expect(await read(Bucket, 'k')).toBe('NoSuchKey');
  expect(await versionsOf(Bucket)).toEqual([]);
  const again = await put(Bucket, 'k', 'again');
  expect(await versionsOf(Bucket)).toEqual([`k ${again}*`]);
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId: again! }));
  await client.send(new DeleteBucketCommand({ Bucket }));
});

test('what was there before versions is version null, and stays', async () => {
  const Bucket = await newBucket();
  await put(Bucket, 'k', 'plain');
  await put(Bucket, 'only plain', 'plain');
  expect(await versionsOf(Bucket)).toEqual(['k null*', 'only plain null*']);

  await setVersioning(Bucket, 'Enabled');
  const id = await put(Bucket, 'k', 'one');
  expect(await versionsOf(Bucket)).toEqual([`k ${id}*`, 'k null', 'only plain null*']);
  expect(await read(Bucket, 'k', 'null')).toBe('plain');
  expect(await read(Bucket, 'only plain', 'null')).toBe('plain');

  await client.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId: 'null' }));
  expect(await read(Bucket, 'k', 'null')).toMatch(/^NoSuch/);
  expect(await read(Bucket, 'k')).toBe('one');
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'only plain', VersionId: 'null' }));
  expect(await versionsOf(Bucket)).toEqual([`k ${id}*`]);
});

test('while versions are suspended, writes and removals are of version null', async () => {
  const Bucket = await newBucket('Enabled');
  const id = await put(Bucket, 'k', 'one');
  await setVersioning(Bucket, 'Suspended');

  await put(Bucket, 'k', 'two');
  await put(Bucket, 'k', 'three');
  expect(await read(Bucket, 'k')).toBe('three');
  expect(await read(Bucket, 'k', 'null')).toBe('three');
  expect(await versionsOf(Bucket)).toEqual(['k null*', `k ${id}`]);

  const marker = await client.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
  expect(marker).toMatchObject({ DeleteMarker: true, VersionId: 'null' });
  expect(await read(Bucket, 'k')).toBe('NoSuchKey');
  expect(await read(Bucket, 'k', 'null')).toMatch(/^NoSuch/);
  expect((await versionsOf(Bucket)).sort()).toEqual([`k ${id}`, 'k null-*'].sort());

  await put(Bucket, 'k', 'four');
  expect(await versionsOf(Bucket)).toEqual(['k null*', `k ${id}`]);
  await setVersioning(Bucket, 'Enabled');
  const newest = await put(Bucket, 'k', 'five');
  expect(await versionsOf(Bucket)).toEqual([`k ${newest}*`, 'k null', `k ${id}`]);
  expect(await read(Bucket, 'k', 'null')).toBe('four');
});

test('many versions are listed page by page, by prefix and by delimiter', async () => {
  const Bucket = await newBucket('Enabled');
  for (const Key of ['a/1', 'a/2', 'b', 'c/1']) for (const text of ['x', 'y', 'z']) await put(Bucket, Key, text);
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'b' }));

  const all = await versionsOf(Bucket);
  expect(all).toHaveLength(13);
  for (const MaxKeys of [1, 2, 5]) expect((await versionsOf(Bucket, { MaxKeys })).sort()).toEqual([...all].sort());
  expect(await versionsOf(Bucket, { Prefix: 'a/' })).toEqual(all.slice(0, 6));
  const { CommonPrefixes, Versions, DeleteMarkers } = await client.send(
    new ListObjectVersionsCommand({ Bucket, Delimiter: '/' }),
  );
  expect(CommonPrefixes).toEqual([{ Prefix: 'a/' }, { Prefix: 'c/' }]);
  expect([Versions?.length, DeleteMarkers?.length]).toEqual([3, 1]);
  const behind = await client.send(new ListObjectVersionsCommand({ Bucket, KeyMarker: 'a/2' }));
  expect(behind.Versions?.map(({ Key }) => Key)).toEqual(['b', 'b', 'b', 'c/1', 'c/1', 'c/1']);
});

test('copies, uploads in parts, ACLs and removals of many know versions', async () => {
  const Bucket = await newBucket('Enabled');
  const large = new Uint8Array(LARGE).map((_, i) => i % 251);
  const first = await put(Bucket, 'k', large);
  await put(Bucket, 'k', 'two');
  const source = { Bucket, CopySource: `${Bucket}/k?versionId=${first}` };
  const copied = await client.send(new CopyObjectCommand({ ...source, Key: 'copy' }));
  expect(copied).toMatchObject({ CopySourceVersionId: first, VersionId: expect.any(String) });
  const restored = await client.send(new CopyObjectCommand({ ...source, Key: 'k' }));
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'k' }));
  expect(Buffer.compare(await Body!.transformToByteArray(), large)).toBe(0);
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId: restored.VersionId! }));
  expect(await read(Bucket, 'k')).toBe('two');

  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts' }));
  const { ETag } = await client.send(
    new UploadPartCommand({ Bucket, Key: 'parts', UploadId, PartNumber: 1, Body: 'in parts' }),
  );
  const Parts = [{ PartNumber: 1, ETag }];
  const whole = await client.send(
    new CompleteMultipartUploadCommand({ Bucket, Key: 'parts', UploadId, MultipartUpload: { Parts } }),
  );
  expect(await read(Bucket, 'parts', whole.VersionId)).toBe('in parts');
  expect(await versionsOf(Bucket, { Prefix: 'parts' })).toEqual([`parts ${whole.VersionId}*`]);

  await client.send(new PutObjectAclCommand({ Bucket, Key: 'k', VersionId: first!, ACL: 'public-read' }));
  const grants = async (VersionId?: string) =>
    (await client.send(new GetObjectAclCommand({ Bucket, Key: 'k', ...(VersionId && { VersionId }) }))).Grants?.length;
  expect([await grants(first), await grants()]).toEqual([2, 1]);

  const Objects = [{ Key: 'k', VersionId: first! }, { Key: 'parts' }, { Key: 'k', VersionId: 'nowhere' }];
  const { Deleted } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  expect(Deleted).toEqual([
    { Key: 'k', VersionId: first },
    { Key: 'parts', DeleteMarker: true, DeleteMarkerVersionId: expect.any(String) },
    { Key: 'k', VersionId: 'nowhere' },
  ]);
  expect(await read(Bucket, 'parts')).toBe('NoSuchKey');
  expect(await keysOf(Bucket)).toEqual(['copy', 'k']);
});
