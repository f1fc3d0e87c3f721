/** Requests signed with keys of subusers: what each may by S3, in radosgw and here. */
import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  GetBucketAclCommand,
  GetBucketCorsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketAclCommand,
  PutBucketCorsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutBucketWebsiteCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { askIam, type Gateways, policyOf, textOf } from '../iam-beside.ts';
import { IAM_ADMIN, keysOf, s3ClientOf } from '../swift/access.ts';
import { OWNER, onlyOursRefuses, SUBUSERS } from '../swift/access-scenarios.ts';

const tags = { TagSet: [{ Key: 'color', Value: 'red' }] };

/** In order; `Bucket` has objects `kept` and `gone`. */
const operations: readonly (readonly [name: string, run: (s3: S3Client, Bucket: string) => Promise<unknown>])[] = [
  ['ListBuckets', (s3) => s3.send(new ListBucketsCommand({}))],
  ['CreateBucket', (s3, Bucket) => s3.send(new CreateBucketCommand({ Bucket: `${Bucket}-new` }))],
  ['DeleteBucket', (s3, Bucket) => s3.send(new DeleteBucketCommand({ Bucket: `${Bucket}-empty` }))],
  ['HeadBucket', (s3, Bucket) => s3.send(new HeadBucketCommand({ Bucket }))],
  ['ListObjects', (s3, Bucket) => s3.send(new ListObjectsV2Command({ Bucket }))],
  ['ListObjectVersions', (s3, Bucket) => s3.send(new ListObjectVersionsCommand({ Bucket }))],
  ['GetObject', (s3, Bucket) => s3.send(new GetObjectCommand({ Bucket, Key: 'kept' }))],
  ['HeadObject', (s3, Bucket) => s3.send(new HeadObjectCommand({ Bucket, Key: 'kept' }))],
  ['GetObject of none', (s3, Bucket) => s3.send(new GetObjectCommand({ Bucket, Key: 'none' }))],
  ['PutObject', (s3, Bucket) => s3.send(new PutObjectCommand({ Bucket, Key: 'new', Body: 'x' }))],
  ['DeleteObject', (s3, Bucket) => s3.send(new DeleteObjectCommand({ Bucket, Key: 'gone' }))],
  ['CopyObject', (s3, Bucket) => s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/kept` }))],
  ['GetObjectAcl', (s3, Bucket) => s3.send(new GetObjectAclCommand({ Bucket, Key: 'kept' }))],
  ['PutObjectAcl', (s3, Bucket) => s3.send(new PutObjectAclCommand({ Bucket, Key: 'kept', ACL: 'private' }))],
  ['PutObjectTagging', (s3, Bucket) => s3.send(new PutObjectTaggingCommand({ Bucket, Key: 'kept', Tagging: tags }))],
  ['GetObjectTagging', (s3, Bucket) => s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'kept' }))],
  ['CreateMultipartUpload', (s3, Bucket) => upload(s3, Bucket)],
  ['ListMultipartUploads', (s3, Bucket) => s3.send(new ListMultipartUploadsCommand({ Bucket }))],
  ['GetBucketAcl', (s3, Bucket) => s3.send(new GetBucketAclCommand({ Bucket }))],
  ['PutBucketAcl', (s3, Bucket) => s3.send(new PutBucketAclCommand({ Bucket, ACL: 'private' }))],
  ['GetBucketLocation', (s3, Bucket) => s3.send(new GetBucketLocationCommand({ Bucket }))],
  ['GetBucketVersioning', (s3, Bucket) => s3.send(new GetBucketVersioningCommand({ Bucket }))],
  [
    'PutBucketVersioning',
    (s3, Bucket) =>
      s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } })),
  ],
  [
    'PutBucketCors',
    (s3, Bucket) => s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [anyOrigin] } })),
  ],
  ['GetBucketCors', (s3, Bucket) => s3.send(new GetBucketCorsCommand({ Bucket }))],
  ['PutBucketTagging', (s3, Bucket) => s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: tags }))],
  ['GetBucketTagging', (s3, Bucket) => s3.send(new GetBucketTaggingCommand({ Bucket }))],
  [
    'PutBucketWebsite',
    (s3, Bucket) =>
      s3.send(new PutBucketWebsiteCommand({ Bucket, WebsiteConfiguration: { IndexDocument: { Suffix: 'i' } } })),
  ],
  [
    'PutBucketLifecycleConfiguration',
    (s3, Bucket) =>
      s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [soon] } })),
  ],
  ['GetBucketLifecycleConfiguration', (s3, Bucket) => s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))],
  [
    'PutPublicAccessBlock',
    (s3, Bucket) =>
      s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: { BlockPublicAcls: false } })),
  ],
  ['GetPublicAccessBlock', (s3, Bucket) => s3.send(new GetPublicAccessBlockCommand({ Bucket }))],
  ['PutBucketPolicy', (s3, Bucket) => s3.send(new PutBucketPolicyCommand({ Bucket, Policy: policyFor(Bucket) }))],
  ['GetBucketPolicy', (s3, Bucket) => s3.send(new GetBucketPolicyCommand({ Bucket }))],
  ['DeleteBucketPolicy', (s3, Bucket) => s3.send(new DeleteBucketPolicyCommand({ Bucket }))],
];

const anyOrigin = { AllowedMethods: ['GET'], AllowedOrigins: ['*'] };
const soon = { ID: 'soon', Status: 'Enabled' as const, Filter: { Prefix: 'z' }, Expiration: { Days: 1 } };

async function upload(s3: S3Client, Bucket: string): Promise<void> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'large' }));
  await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'large', UploadId }));
}

function policyFor(Bucket: string): string {
  const Resource = `arn:aws:s3:::${Bucket}/none`;
  const Statement = [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource }];
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

/** Tests, for a file that has both gateways, and the users of `makeAccessUsers`. */
export function testSubusersBeside(gateways: () => Gateways): void {
  test.each(SUBUSERS)(
    'S3 with the key of the subuser %s (%s)',
    async (subuser) => {
      const answersOf = async (endpoint: string, Bucket: string) => {
        const owner = s3ClientOf(endpoint, keysOf(OWNER));
        for (const each of [Bucket, `${Bucket}-empty`]) await owner.send(new CreateBucketCommand({ Bucket: each }));
        for (const Key of ['kept', 'gone']) await owner.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
        const s3 = s3ClientOf(endpoint, { accessKey: `${OWNER}-${subuser}`, secret: subuser });
        const answers: (readonly [string, string])[] = [];
        for (const [name, run] of operations) answers.push([name, await outcomeOf(run(s3, Bucket))]);
        for (const each of [owner, s3]) each.destroy();
        return answers;
      };
      const expected = (await answersOf(gateways().theirs, `sub-t-${subuser}`)).map(([name, outcome]) => {
        const isKnown = subuser === 'ro' && onlyOursRefuses.includes(name);
        if (isKnown) expect([name, outcome]).toEqual([name, 'done']);
        return [name, isKnown ? '403 AccessDenied' : outcome];
      });

      expect(await answersOf(gateways().ours, `sub-o-${subuser}`)).toEqual(
        // What was refused is not there to be read.
        expected.map(([name, outcome]) =>
          subuser === 'ro' && name === 'GetBucketCors' ? [name, '404 NoSuchCORSConfiguration'] : [name, outcome],
        ),
      );
    },
    180_000,
  );

  test('a session is good for no more than the key that asked for it', async () => {
    const { ours, theirs } = gateways();
    const policy = { UserName: OWNER, PolicyName: 'sessions' };
    const PolicyDocument = policyOf({ Effect: 'Allow', Action: 'sts:GetSessionToken', Resource: '*' });
    await askIam(ours, keysOf(IAM_ADMIN), { Action: 'PutUserPolicy', ...policy, PolicyDocument });
    const found: unknown[] = [];
    for (const endpoint of [theirs, ours]) {
      const given = await askIam(
        endpoint,
        { accessKey: `${OWNER}-ro`, secret: 'ro' },
        { Action: 'GetSessionToken' },
        'sts',
      );
      const [accessKey = '', secret = '', token = ''] = ['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map((name) =>
        textOf(given, name),
      );
      // Whoever has issued it, the other takes it.
      for (const at of [theirs, ours]) {
        const s3 = s3ClientOf(at, { accessKey, secret, token });
        const Bucket = 'sub-o-full';
        const read = outcomeOf(s3.send(new GetObjectCommand({ Bucket, Key: 'kept' })));
        const written = outcomeOf(s3.send(new PutObjectCommand({ Bucket, Key: 'by-session', Body: 'x' })));
        found.push([await read, await written]);
        s3.destroy();
      }
    }
    await askIam(ours, keysOf(IAM_ADMIN), { Action: 'DeleteUserPolicy', ...policy });

    expect(found).toEqual(Array.from({ length: 4 }, () => ['done', '403 AccessDenied']));
  });
}

async function outcomeOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
    return 'done';
  } catch (error) {
    const { name, $metadata } = error as {
      readonly name: string;
      readonly $metadata?: { readonly httpStatusCode?: number };
    };
    return `${$metadata?.httpStatusCode} ${name}`;
  }
}
