/** Commands that tell something, and what they are to tell of: the same by radosgw-admin and by ours, on any cluster. */
import {
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { runTool, type ToolResult } from '../run-tool.ts';

export type Run = (...args: string[]) => Promise<ToolResult>;

const MIB = 1 << 20;
/** Of a thread of radosgw-admin that is still at work when the others have ended. */
const ABORTED = /^(terminate called after throwing|\*\*\* Caught signal) .*/ms;

/** Debian's. */
export async function runAdmin(...args: string[]): Promise<ToolResult> {
  const { stderr, ...said } = await runTool('radosgw-admin', args, { timeoutSeconds: 100 });
  return { ...said, stderr: stderr.replace(ABORTED, '') };
}

export async function bytesOf(s3: S3Client, Bucket: string, Key: string): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  return Buffer.from(await Body!.transformToByteArray());
}

/** Buckets `told` and `versions`, of all kinds of objects. */
export async function fill(s3: S3Client): Promise<void> {
  const put = (Bucket: string, Key: string, Body: string | Uint8Array) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'text/plain', Metadata: { color: 'red' } }));
  await s3.send(new CreateBucketCommand({ Bucket: 'told' }));
  await put('told', 'small', 'hello');
  await put('told', '_under/ü', '');
  await put('told', 'large', new Uint8Array(9 * MIB).fill(120));
  await s3.send(new CopyObjectCommand({ Bucket: 'told', Key: 'copy', CopySource: 'told/large' }));
  const upload = await s3.send(new CreateMultipartUploadCommand({ Bucket: 'told', Key: 'open' }));
  const Body = new Uint8Array(5 * MIB);
  await s3.send(new UploadPartCommand({ Bucket: 'told', Key: 'open', UploadId: upload.UploadId, PartNumber: 1, Body }));
  await s3.send(new CreateBucketCommand({ Bucket: 'versions' }));
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await s3.send(new PutBucketVersioningCommand({ Bucket: 'versions', VersioningConfiguration }));
  for (const text of ['1', '2']) await put('versions', 'v', text);
  await put('versions', 'w', 'gone');
  await s3.send(new DeleteObjectCommand({ Bucket: 'versions', Key: 'w' }));
}

const TELLING = [
  ...['object stat --bucket told --object large', 'object stat --bucket told --object _under/ü'],
  ...[
    'object stat --bucket versions --object v',
    'object stat --bucket told --object none',
    'object stat --bucket told',
  ],
  ...['policy --bucket told', 'policy --bucket told --object small', 'policy --bucket none', 'policy'],
  ...['bi list --bucket told', 'bi list --bucket versions', 'bi list --bucket told --object small', 'bi list'],
  ...['bi get --bucket told --object small', 'bi get --bucket versions --object v --index-type olh'],
  ...['bi get --bucket told --object none', 'bi get --bucket told', 'bi purge --bucket told'],
  ...['bilog list --bucket told', 'bilog status --bucket told', 'bilog list --bucket none'],
  ...['bucket list --bucket told', 'bucket list --bucket versions', 'bucket list --bucket told --max-entries 2'],
  ...[
    'bucket list --bucket none',
    'bucket radoslist --bucket told',
    'bucket radoslist --bucket versions --rgw-obj-fs ,',
  ],
  ...['bucket radoslist --bucket none', 'bucket check --bucket told --check-objects --fix', 'bucket stats'],
  ...['metadata list', 'metadata list user', 'metadata get user:ada', 'metadata get bucket:told', 'metadata get zzz:x'],
  ...['metadata get user:none', 'metadata get', 'metadata rm user:none', 'metadata rm'],
  ...['zone get', 'zone get --rgw-zone none', 'zone placement list', 'zone placement get --placement-id none'],
  ...['zonegroup get', 'zonegroup placement get --placement-id default-placement', 'zonegroup placement get'],
  ...['realm get-default', 'period list', 'period get-current', 'sync status', 'sync info', 'sync error list'],
  ...['datalog list', 'datalog status', 'mdlog list', 'metadata sync status', 'bucket sync info --bucket told'],
  ...['pools list', 'orphans find', 'user check --uid ada', 'user rename --uid none --new-uid x'],
  ...[
    'objects expire-stale list --bucket none',
    'lc reshard fix --bucket told',
    'object unlink --bucket none --object x',
  ],
  ...['user frob', 'object stat extra', 'data sync', 'gc list --include-all'],
];
/** The log of radosgw-admin stands before, behind or amid what it says: another thread writes it. */
const LOGGED = /\d{4}-\d\d-\S+ \S+ +-1 /g;
/** What it only remarks. */
const REMARKED = /\d{4}-\d\d-\S+ \S+ +\d+ .*/g;

/** The letters of what a command said: its threads write amid each other's words. */
function lettersOf(stderr: string): string {
  const said = stderr.replace(LOGGED, '').replace(REMARKED, '');
  return [...said.replace(/\s+/g, '')].sort().join('');
}

export async function expectTellTheSame(own: Run, admin: Run): Promise<void> {
  for (const line of TELLING) {
    const words = line.split(' ');
    const [actual, expected] = await Promise.all([own(...words), admin(...words)]);
    expect({ line, ...actual, stderr: lettersOf(actual.stderr) }).toEqual({
      line,
      ...expected,
      stderr: lettersOf(expected.stderr),
    });
  }
}

/** Of who has it as ada: user, buckets, objects are another's afterwards. */
export async function expectMoves(own: Run, admin: Run, s3: S3Client): Promise<void> {
  const told = async (run: Run, line: string) => JSON.parse((await run(...line.split(' '))).stdout);
  expect(await own('user', 'rename', '--uid', 'ada', '--new-uid', 'ana')).toMatchObject({ status: 0 });
  expect(await told(admin, 'user info --access-key adakey')).toMatchObject({ user_id: 'ana' });
  expect((await told(admin, 'bucket list --uid ana')).sort()).toEqual(['told', 'versions']);
  expect((await told(admin, 'policy --bucket told --object small')).owner.id).toBe('ana');
  expect(await own('bucket', 'chown', '--bucket', 'told', '--uid', 'eve')).toMatchObject({ status: 0 });
  expect((await told(admin, 'policy --bucket told --object small')).owner.id).toBe('eve');
  expect(await admin('user', 'check', '--uid', 'eve')).toMatchObject({ status: 0, stdout: '' });
  expect(await own('object', 'rewrite', '--bucket', 'versions', '--object', 'v')).toMatchObject({ status: 0 });
  s3.destroy();
}
