/** Who asks Swift for what, of whom and under which policies and ACLs: radosgw and our gateway must say the same. */
import { createHash } from 'node:crypto';

/** With `@` for the container. */
export interface AccessStep {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** By a URL that the owner has signed, without a token. */
  readonly isSigned?: true;
}

type Statement = Readonly<Record<string, unknown>>;

export interface AccessScenario {
  readonly name: string;
  /** `user:subuser`; undefined: nobody in particular. */
  readonly as: string | undefined;
  /** Headers that the owner posts to the container. */
  readonly container?: Readonly<Record<string, string>>;
  /** Of the bucket, without `Resource`: it is for the bucket and all in it. */
  readonly policy?: readonly Statement[];
  /** Of whoever asks: for all resources. */
  readonly userPolicy?: readonly Statement[];
  /** What the owner posts as X-Account-Access-Control. */
  readonly account?: string;
  readonly publicAccess?: 'IgnorePublicAcls' | 'RestrictPublicBuckets';
  readonly opMask?: string;
}

export const OWNER = 'sw-ada';
export const OTHER = 'sw-bob';
export const SUBUSERS = [
  ['ro', 'read'],
  ['wo', 'write'],
  ['rw', 'readwrite'],
  ['full', 'full'],
] as const;

const md5 = (text: string) => createHash('md5').update(text).digest('hex');
export const manifestOf = (name: string) =>
  JSON.stringify([{ path: `/@/${name}`, etag: md5(name), size_bytes: name.length }]);

/** What each scenario finds in its container: an object's bytes are its name. */
export const OBJECTS = ['kept', 'other', 'gone', 'bulk', 'seg1', 'seg2', 'part', 'lent'];

export const accessSteps: readonly AccessStep[] = [
  { name: 'list account', method: 'GET', path: '?limit=1' },
  { name: 'head account', method: 'HEAD', path: '' },
  { name: 'describe account', method: 'POST', path: '', headers: { 'x-account-meta-team': 'blue' } },
  { name: 'set key of account', method: 'POST', path: '', headers: { 'x-account-meta-temp-url-key': 'sesame' } },
  { name: 'set quota of account', method: 'POST', path: '', headers: { 'x-account-meta-quota-count': '100000' } },
  { name: 'list', method: 'GET', path: '/@?limit=1' },
  { name: 'head', method: 'HEAD', path: '/@' },
  { name: 'make', method: 'PUT', path: '/@-new' },
  { name: 'make again', method: 'PUT', path: '/@', headers: { 'x-container-meta-a': 'b' } },
  { name: 'describe', method: 'POST', path: '/@', headers: { 'x-container-meta-color': 'red' } },
  { name: 'remove', method: 'DELETE', path: '/@-empty' },
  { name: 'get object', method: 'GET', path: '/@/kept' },
  { name: 'head object', method: 'HEAD', path: '/@/kept' },
  { name: 'get no object', method: 'GET', path: '/@/none' },
  { name: 'put object', method: 'PUT', path: '/@/new', body: 'new' },
  { name: 'put where nothing is', method: 'PUT', path: '/none-@/new', body: 'new' },
  { name: 'describe object', method: 'POST', path: '/@/other', headers: { 'x-object-meta-color': 'red' } },
  { name: 'copy', method: 'COPY', path: '/@/kept', headers: { destination: '@/copied' } },
  { name: 'put copy', method: 'PUT', path: '/@/copied-too', headers: { 'x-copy-from': '/@/kept' } },
  { name: 'get dynamic', method: 'GET', path: '/@/dynamic' },
  { name: 'get static', method: 'GET', path: '/@/static' },
  { name: 'put static', method: 'PUT', path: '/@/list?multipart-manifest=put', body: manifestOf('seg1') },
  { name: 'delete static', method: 'DELETE', path: '/@/apart?multipart-manifest=delete' },
  {
    name: 'bulk delete',
    method: 'POST',
    path: '?bulk-delete',
    headers: { 'content-type': 'text/plain' },
    body: '@/bulk\n',
  },
  { name: 'say who may', method: 'POST', path: '/@', headers: { 'x-container-write': 'somebody' } },
  { name: 'delete object', method: 'DELETE', path: '/@/gone' },
  { name: 'get lent', method: 'GET', path: '/@/lent', isSigned: true },
  { name: 'head lent', method: 'HEAD', path: '/@/lent', isSigned: true },
  { name: 'put lent', method: 'PUT', path: '/@/lent-new', body: 'x', isSigned: true },
  { name: 'delete lent', method: 'DELETE', path: '/@/lent', isSigned: true },
];

const owner = { AWS: `arn:aws:iam:::user/${OWNER}` };
const other = { AWS: `arn:aws:iam:::user/${OTHER}` };
const deny = (Principal: unknown, ...Action: string[]) => ({ Effect: 'Deny', Principal, Action });
const allow = (Principal: unknown, ...Action: string[]) => ({ Effect: 'Allow', Principal, Action });
const own = (Effect: 'Allow' | 'Deny', ...Action: string[]) => ({ Effect, Action });

export const accessScenarios: readonly AccessScenario[] = [
  ...SUBUSERS.map(([subuser, access]) => ({ name: `a subuser who may ${access}`, as: `${OWNER}:${subuser}` })),
  { name: 'nobody in particular', as: undefined },
  { name: 'another', as: `${OTHER}:full` },
  { name: 'an owner who may only read at all', as: `${OWNER}:full`, opMask: 'read' },
  { name: 'a reader', as: `${OTHER}:full`, container: { 'x-container-read': OTHER } },
  { name: 'a writer', as: `${OTHER}:full`, container: { 'x-container-write': OTHER } },
  {
    name: 'a reader and writer',
    as: `${OTHER}:full`,
    container: { 'x-container-read': OTHER, 'x-container-write': OTHER },
  },
  { name: 'everybody may read', as: undefined, container: { 'x-container-read': '.r:*,.rlistings' } },
  { name: 'the owner is denied all', as: `${OWNER}:full`, policy: [deny(owner, 's3:*')] },
  { name: 'the owner is denied reading', as: `${OWNER}:full`, policy: [deny(owner, 's3:GetObject')] },
  { name: 'the owner is denied writing', as: `${OWNER}:full`, policy: [deny(owner, 's3:PutObject')] },
  { name: 'the owner is denied deleting', as: `${OWNER}:full`, policy: [deny(owner, 's3:DeleteObject')] },
  { name: 'the owner is denied lists', as: `${OWNER}:full`, policy: [deny(owner, 's3:ListBucket')] },
  { name: 'another is allowed all', as: `${OTHER}:full`, policy: [allow(other, 's3:*')] },
  { name: 'another is allowed reading', as: `${OTHER}:full`, policy: [allow(other, 's3:GetObject')] },
  { name: 'everybody is allowed reading', as: undefined, policy: [allow('*', 's3:GetObject')] },
  { name: 'a subuser is allowed all', as: `${OWNER}:ro`, policy: [allow(owner, 's3:*')] },
  {
    name: 'a reader and writer is denied all',
    as: `${OTHER}:full`,
    container: { 'x-container-read': OTHER, 'x-container-write': OTHER },
    policy: [deny(other, 's3:*')],
  },
  { name: 'the own policy denies all', as: `${OWNER}:full`, userPolicy: [own('Deny', 's3:*')] },
  { name: 'the own policy denies writing', as: `${OWNER}:full`, userPolicy: [own('Deny', 's3:PutObject')] },
  { name: 'the own policy allows all', as: `${OTHER}:full`, userPolicy: [own('Allow', 's3:*')] },
  { name: 'a reader of the account', as: `${OTHER}:full`, account: `{"read-only":["${OTHER}"]}` },
  { name: 'a reader and writer of the account', as: `${OTHER}:full`, account: `{"read-write":["${OTHER}"]}` },
  { name: 'an administrator of the account', as: `${OTHER}:full`, account: `{"admin":["${OTHER}"]}` },
  {
    name: 'everybody may read, and the block lets in nobody',
    as: undefined,
    container: { 'x-container-read': '.r:*,.rlistings' },
    publicAccess: 'IgnorePublicAcls',
  },
  {
    name: 'a policy for everybody, and the block lets in nobody',
    as: undefined,
    policy: [allow('*', 's3:*')],
    publicAccess: 'RestrictPublicBuckets',
  },
];

/** What is answered otherwise than by radosgw, and why: each must be. */
export interface KnownAccess {
  readonly scenarios: RegExp;
  readonly steps: RegExp;
  readonly because: string;
}

export const knownAccess: readonly KnownAccess[] = [
  {
    scenarios: /another|everybody|nobody|^a (reader|subuser)|denied deleting/,
    steps: /^bulk delete$/,
    because:
      'radosgw lets whoever has an account, or none, delete what they like by `?bulk-delete`: it asks for `s3:DeleteBucket`',
  },
  {
    scenarios: /^a subuser who may read$|^a subuser is allowed all$/,
    steps: /^make( again)?$/,
    because: 'radosgw lets subusers who may only read make containers, and describe them by `PUT`',
  },
  {
    scenarios: /./,
    steps: /^say who may$/,
    because:
      'only who may do all in the account changes who may get at a container; in radosgw all who may write there',
  },
  {
    scenarios: /denied all|denied writing|denies all|denies writing/,
    steps: /^describe object$/,
    because: 'policies that deny `s3:PutObject` are heeded when objects are described, too',
  },
  {
    scenarios: /^a reader and writer$|of the account$/,
    steps: /copy$/,
    because: 'radosgw looks only at the ACL of the object when it is copied, not at those of container and account',
  },
  {
    scenarios: /^an administrator of the account$/,
    steps: /^(get|head|describe) object$|^get (dynamic|static)$/,
    because: "radosgw lets an account's administrators read no objects",
  },
  {
    scenarios: /of the account$/,
    steps: /^get no object$/,
    because: 'who may read in the account is told that an object is not there',
  },
  {
    scenarios: /block lets in nobody$/,
    steps: /./,
    because: 'the public access block counts in Swift, too',
  },
  {
    scenarios: /^(nobody|everybody|a policy for everybody)/,
    steps: / account$/,
    because: 'radosgw says 404 of the account of nobody',
  },
  {
    scenarios: /^an owner who may only read at all$/,
    steps: /^put where nothing is$/,
    because: 'what the user may do at all is looked at first',
  },
];

/** Operations of S3 that radosgw does for a subuser who may only read. */
export const onlyOursRefuses: readonly string[] = [
  'CreateBucket',
  'PutBucketVersioning',
  'PutBucketCors',
  'PutBucketTagging',
  'PutBucketWebsite',
];
