/** What STS's clients ask for (rgw_rest_sts.cc): sessions in a role, or of their own. */
import { type RawString, textFromRaw } from '@spirula/encoding';
import type { HttpResponse } from '../http.ts';
import { type Arn, bucketArn, iamArn, parseArn } from '../iam/arn.ts';
import { callerOf } from '../iam/identity.ts';
import { evaluate, MalformedPolicy, type Policy, parsePolicy } from '../iam/policy.ts';
import { requireGrantedAccess, requireUser } from '../s3/operations/access.ts';
import { type Operation, type OperationContext, xmlResponse } from '../s3/operations/operation.ts';
import { environmentOf } from '../s3/operations/request-environment.ts';
import { s3Error } from '../s3/s3-errors.ts';
import { element, plainDocument, type XmlNode } from '../s3/xml-writer.ts';
import type { StoredRole } from '../store/roles.ts';
import { type Credentials, issueSession } from '../sts/sessions.ts';
import { formText } from './action-form.ts';
import { requirePolicy } from './policy-document.ts';

const DEFAULT_SECONDS = 3600;
const LEAST_SECONDS = 900;
const MAX_POLICY_BYTES = 2048;
const SESSION_NAME = /^[A-Za-z0-9_=,.@-]{2,64}$/;
const EXTERNAL_ID = /^[A-Za-z0-9_=,.@:/-]{2,1224}$/;

export const assumeRole: Operation = {
  name: 'AssumeRole',
  async run(context) {
    const { request, world, identity } = context;
    const user = requireUser(context.user);
    const arn = roleArn(formText(request, 'RoleArn'));
    const { role } = await findRole(context, arn);
    requireTrust(context, { role });
    refuseMfa(context);
    const session = formText(request, 'RoleSessionName');
    if (!SESSION_NAME.test(session)) throw s3Error('InvalidArgument', 'RoleSessionName: 2 to 64 of A-Z a-z 0-9 _=,.@-');
    const externalId = formText(request, 'ExternalId');
    if (externalId !== '' && !EXTERNAL_ID.test(externalId)) throw s3Error('InvalidArgument', 'ExternalId is invalid');
    const policy = formText(request, 'Policy');
    if (policy !== '') requirePolicy(policy, 'identity', role.tenant);
    if (policy.length > MAX_POLICY_BYTES) throw s3Error('PackedPolicyTooLarge', 'Policy: at most 2048 bytes');
    const seconds = secondsOf(context, world.config.rgw_sts_min_session_duration, role.maxSessionSeconds);
    const credentials = issueSession(world, {
      user,
      permissions: identity.permissions,
      seconds,
      role: { role, session, policy },
    });
    const resource = `${arn.resource.replace('role', 'assumed-role')}/${session}`;
    return answer('AssumeRole', [
      credentialsElement(credentials),
      element('AssumedRoleUser', [
        element('Arn', `arn:aws:sts::${arn.account}:${resource}`),
        element('AssumeRoleId', `${role.id}:${session}`),
      ]),
      element('PackedPolicySize', Math.floor(policy.length / MAX_POLICY_BYTES) * 100),
    ]);
  },
};

export const getSessionToken: Operation = {
  name: 'GetSessionToken',
  async run(context) {
    const { world, identity } = context;
    const tenant = context.user?.id.tenant ?? '';
    const user = requireGrantedAccess(context, 'sts:GetSessionToken', bucketArn(tenant, ''));
    if (identity.role) throw s3Error('AccessDenied', 'The session of a role gets no other');
    refuseMfa(context);
    const seconds = secondsOf(context, LEAST_SECONDS, world.config.rgw_sts_max_session_duration);
    const { permissions } = identity;
    return answer('GetSessionToken', [credentialsElement(issueSession(world, { user, permissions, seconds }))]);
  },
};

/** What needs an identity provider, which nobody can name here. */
export const withoutProviders: readonly Operation[] = [
  'AssumeRoleWithWebIdentity',
  'CreateOpenIDConnectProvider',
  'GetOpenIDConnectProvider',
  'ListOpenIDConnectProviders',
  'DeleteOpenIDConnectProvider',
].map((name) => ({
  name,
  async run() {
    throw s3Error('NotImplemented', `${name}: there are no identity providers here`);
  },
}));

/** @throws S3Error InvalidArgument */
function roleArn(text: RawString): Arn {
  const arn = parseArn(text);
  if (arn?.service === 'iam' && /^role\/(.*\/)?[^/]+$/.test(arn.resource)) return arn;
  throw s3Error('InvalidArgument', 'RoleArn: arn:aws:iam::TENANT:role/PATH/NAME');
}

/** @throws S3Error NoSuchEntity; AccessDenied when the path is another */
async function findRole({ store }: OperationContext, { account, resource }: Arn): Promise<StoredRole> {
  const name = resource.slice(resource.lastIndexOf('/') + 1);
  const found = await store.roles.load(account, name);
  if (!found) throw s3Error('NoSuchEntity', 'There is no such role');
  if (resource !== `role${found.role.path}${name}`) throw s3Error('AccessDenied', 'The path is not that of the role');
  return found;
}

/** Whether the role's trust policy lets in who asks, and their own do not forbid it. @throws S3Error AccessDenied */
function requireTrust(context: OperationContext, { role }: Pick<StoredRole, 'role'>): void {
  const { identity, request } = context;
  const user = requireUser(context.user);
  if (user.admin) return;
  const externalId = formText(request, 'ExternalId');
  const environment = new Map(environmentOf(context));
  if (externalId !== '') environment.set('sts:externalid', [textFromRaw(externalId)]);
  const access = {
    caller: callerOf(user.id, identity),
    action: 'sts:AssumeRole',
    resource: iamArn(role.tenant, `role${role.path}${role.name}`),
    environment,
  };
  const trust = trustOf(role.trustPolicy, role.tenant);
  const isForbidden = evaluate(identity.policies, access) === 'Deny';
  if (!trust || isForbidden || evaluate([trust], access) !== 'Allow') {
    throw s3Error('AccessDenied', 'The role does not trust who asks');
  }
}

/** Undefined: it trusts nobody, as nobody can say whom it trusts. */
function trustOf(text: RawString, tenant: RawString): Policy | undefined {
  try {
    return parsePolicy(textFromRaw(text), 'trust', tenant);
  } catch (error) {
    if (error instanceof MalformedPolicy) return undefined;
    throw error;
  }
}

/** Nobody has a device here. @throws S3Error InvalidArgument */
function refuseMfa({ request }: OperationContext): void {
  for (const name of ['SerialNumber', 'TokenCode']) {
    if (formText(request, name) !== '') throw s3Error('InvalidArgument', `${name}: there are no MFA devices here`);
  }
}

function secondsOf({ request }: OperationContext, least: number, most: number): number {
  const text = formText(request, 'DurationSeconds');
  const seconds = text === '' ? DEFAULT_SECONDS : /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (seconds >= least && seconds <= most) return seconds;
  throw s3Error('InvalidArgument', `DurationSeconds: from ${least} to ${most}`);
}

function credentialsElement({ accessKey, secret, expiration, token }: Credentials): XmlNode {
  return element('Credentials', [
    element('AccessKeyId', accessKey),
    element('Expiration', expiration),
    element('SecretAccessKey', secret),
    element('SessionToken', token),
  ]);
}

function answer(name: string, result: readonly XmlNode[]): HttpResponse {
  return xmlResponse(plainDocument(element(`${name}Response`, [element(`${name}Result`, result)])));
}
