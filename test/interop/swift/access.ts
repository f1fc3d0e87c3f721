/** The scenarios of `access-scenarios.ts` played on radosgw and on ours, on one zone. */
import { createHmac } from 'node:crypto';
import { PutBucketPolicyCommand, PutPublicAccessBlockCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { askIam, type Gateways, type Keys } from '../iam-beside.ts';
import {
  type AccessScenario,
  type AccessStep,
  accessScenarios,
  accessSteps,
  knownAccess,
  manifestOf,
  OBJECTS,
  OTHER,
  OWNER,
  SUBUSERS,
} from './access-scenarios.ts';

const URL_KEY = 'sesame';
export const keysOf = (uid: string): Keys => ({ accessKey: uid, secret: `secret of ${uid}` });
export const IAM_ADMIN = 'sw-iam';

export async function makeAccessUsers({ admin, ours }: Gateways): Promise<void> {
  for (const [uid, ...more] of [[OWNER], [OTHER], [IAM_ADMIN, '--caps', 'user-policy=*']] as const) {
    const { accessKey, secret } = keysOf(uid);
    const keys = ['--access-key', accessKey, '--secret-key', secret];
    await expectSuccess(admin('user', 'create', '--uid', uid, '--display-name', uid, ...keys, ...more));
  }
  for (const [uid, subuser, access] of [
    ...SUBUSERS.map((each) => [OWNER, ...each] as const),
    [OTHER, 'full', 'full'],
  ] as const) {
    const name = ['--uid', uid, '--subuser', `${uid}:${subuser}`];
    await expectSuccess(admin('subuser', 'create', ...name, '--access', access));
    await expectSuccess(admin('key', 'create', ...name, '--key-type', 'swift', '--secret-key', subuser));
    const s3Key = ['--access-key', `${uid}-${subuser}`, '--secret-key', subuser];
    await expectSuccess(admin('key', 'create', ...name, '--key-type', 's3', ...s3Key));
  }
  // An account that is empty is answered otherwise than one that is not.
  await ask(ours, await tokenOf(ours, `${OTHER}:full`), 'PUT', `/${OTHER}-own`);
}

async function expectSuccess(run: ReturnType<Gateways['admin']>): Promise<void> {
  expect(await run).toMatchObject({ status: 0 });
}

/** Tests, for a file that has both gateways. */
export function testSwiftAccessBeside(gateways: () => Gateways): void {
  const used = new Set<unknown>();

  test.each(accessScenarios)(
    '$name',
    async (scenario) => {
      const { ours, theirs, admin } = gateways();
      const number = accessScenarios.indexOf(scenario);
      const theirAnswers = await play({ endpoint: theirs, admin }, scenario, `acc-t${number}`);
      const ourAnswers = await play({ endpoint: ours, admin }, scenario, `acc-o${number}`);

      const problems = accessSteps.flatMap(({ name }, i) => {
        if (ourAnswers[i] === theirAnswers[i]) return [];
        const known = knownAccess.find(({ scenarios, steps }) => scenarios.test(scenario.name) && steps.test(name));
        used.add(known);
        return known ? [] : [`${name}: ${ourAnswers[i]}, not ${theirAnswers[i]}`];
      });
      expect(problems).toEqual([]);
    },
    180_000,
  );

  test('all that is known to differ does', () => {
    expect(knownAccess.filter((each) => !used.has(each))).toEqual([]);
  });
}

interface Gateway {
  readonly endpoint: string;
  readonly admin: Gateways['admin'];
}

async function play(gateway: Gateway, scenario: AccessScenario, container: string): Promise<string[]> {
  const { endpoint, admin } = gateway;
  const owner = await tokenOf(endpoint, `${OWNER}:full`);
  await prepare(endpoint, owner, container);
  await restrict(endpoint, owner, scenario, container);
  const user = scenario.as?.split(':')[0];
  const policy = { UserName: user ?? '', PolicyName: 'p' };
  try {
    if (scenario.opMask) await expectSuccess(admin('user', 'modify', '--uid', user!, '--op-mask', scenario.opMask));
    if (scenario.userPolicy) {
      const PolicyDocument = documentOf(scenario.userPolicy.map((each) => ({ ...each, Resource: '*' })));
      expect(
        await askIam(endpoint, keysOf(IAM_ADMIN), { Action: 'PutUserPolicy', ...policy, PolicyDocument }),
      ).toMatchObject({ status: 200 });
    }
    const token = scenario.as === undefined ? undefined : await tokenOf(endpoint, scenario.as);
    const answers: string[] = [];
    for (const step of accessSteps) answers.push(await take(endpoint, token, step, container));
    return answers;
  } finally {
    if (scenario.userPolicy) await askIam(endpoint, keysOf(IAM_ADMIN), { Action: 'DeleteUserPolicy', ...policy });
    if (scenario.opMask) await admin('user', 'modify', '--uid', user!, '--op-mask', 'read,write,delete');
    if (scenario.account) await ask(endpoint, owner, 'POST', '', { 'x-account-access-control': '{}' });
  }
}

async function prepare(endpoint: string, owner: string, container: string): Promise<void> {
  const made = async (path: string, body = '', headers: Record<string, string> = {}) => {
    const { status } = await ask(endpoint, owner, 'PUT', path, headers, body);
    expect([path, status]).toEqual([path, 201]);
  };
  await ask(endpoint, owner, 'POST', '', { 'x-account-meta-temp-url-key': URL_KEY });
  await made(`/${container}`);
  await made(`/${container}-empty`);
  await Promise.all(OBJECTS.map((name) => made(`/${container}/${name}`, name)));
  await made(`/${container}/dynamic`, '', { 'x-object-manifest': `${container}/seg` });
  const manifest = (name: string) => manifestOf(name).replaceAll('@', container);
  await made(`/${container}/static?multipart-manifest=put`, manifest('seg1'));
  await made(`/${container}/apart?multipart-manifest=put`, manifest('part'));
}

async function restrict(endpoint: string, owner: string, scenario: AccessScenario, container: string): Promise<void> {
  const s3 = s3ClientOf(endpoint, keysOf(OWNER));
  const { container: headers, account, policy, publicAccess } = scenario;
  if (headers) expect((await ask(endpoint, owner, 'POST', `/${container}`, headers)).status).toBe(204);
  if (account)
    expect((await ask(endpoint, owner, 'POST', '', { 'x-account-access-control': account })).status).toBe(204);
  for (const Bucket of [container, `${container}-empty`]) {
    const Resource = [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`];
    if (policy) {
      const Policy = documentOf(policy.map((each) => ({ ...each, Resource })));
      await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    }
    if (publicAccess) {
      const PublicAccessBlockConfiguration = { [publicAccess]: true };
      await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));
    }
  }
  s3.destroy();
}

export function s3ClientOf(endpoint: string, { accessKey, secret, token }: Keys): S3Client {
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    // radosgw 16.2 knows no checksums in trailers.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    credentials: {
      accessKeyId: accessKey,
      secretAccessKey: secret,
      ...(token !== undefined && { sessionToken: token }),
    },
  });
}

function documentOf(Statement: readonly unknown[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

async function tokenOf(endpoint: string, name: string): Promise<string> {
  const headers = { 'x-auth-user': name, 'x-auth-key': name.split(':')[1]! };
  const token = (await fetch(`${endpoint}/auth/v1.0`, { headers })).headers.get('x-auth-token');
  if (token === null) throw new Error(`${endpoint} gives ${name} no token`);
  return token;
}

/** The status; of a bulk delete also how many went. */
async function take(endpoint: string, token: string | undefined, step: AccessStep, container: string): Promise<string> {
  const own = (text: string) => text.replaceAll('@', container);
  const headers = Object.fromEntries(Object.entries(step.headers ?? {}).map(([name, value]) => [name, own(value)]));
  const path = own(step.path);
  const target = step.isSigned ? signedUrl(step.method, path) : path;
  const body = step.body === undefined ? undefined : own(step.body);
  const { status, text } = await ask(endpoint, step.isSigned ? undefined : token, step.method, target, headers, body);
  const [deleted] = /^Number Deleted: \d+/m.exec(text) ?? [];
  return deleted === undefined ? String(status) : `${status}, ${deleted}`;
}

function signedUrl(method: string, path: string): string {
  const expires = Math.floor(Date.now() / 1000) + 600;
  const signature = createHmac('sha1', URL_KEY).update(`${method}\n${expires}\n/swift/v1${path}`).digest('hex');
  return `${path}?temp_url_sig=${signature}&temp_url_expires=${expires}`;
}

async function ask(
  endpoint: string,
  token: string | undefined,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`${endpoint}/swift/v1${path}`, {
    method,
    redirect: 'manual',
    headers: { ...(token !== undefined && { 'x-auth-token': token }), ...headers },
    ...(body !== undefined && { body }),
  });
  return { status: answer.status, text: await answer.text() };
}
