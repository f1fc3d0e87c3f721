/** Policies of users (rgw_rest_user_policy.cc): texts by names, kept with the user. `UserName` is a user's whole id. */
import { Errno, type RawString } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { encoded } from '../formats/encoded.ts';
import { formatUserId, parseUserId } from '../formats/user-id.ts';
import {
  decodeUserPolicies,
  encodeUserPolicies,
  type NamedPolicies,
  USER_POLICY_ATTR,
} from '../formats/user-policies.ts';
import { iamArn } from '../iam/arn.ts';
import { requireGrantedAccess } from '../s3/operations/access.ts';
import type { Operation, OperationContext } from '../s3/operations/operation.ts';
import { s3Error } from '../s3/s3-errors.ts';
import { element } from '../s3/xml-writer.ts';
import { decodeStored } from '../store/meta-object.ts';
import type { StoredUser } from '../store/users.ts';
import { formText, neededText } from './action-form.ts';
import { actionResponse } from './answer.ts';
import { requirePolicy, requirePolicyName } from './policy-document.ts';

const Cap = { read: 1, write: 2 } as const;
/** Each time, another gateway was first. */
const MAX_TRIES = 20;
/** As AWS bounds all of a user's together: what is kept in an attribute, and read with every request. */
const MAX_POLICIES_BYTES = 32 * 1024;

export const putUserPolicy: Operation = {
  name: 'PutUserPolicy',
  async run(context) {
    authorize(context, 'PutUserPolicy', Cap.write);
    const [name, document] = [neededText(context.request, 'PolicyName'), neededText(context.request, 'PolicyDocument')];
    requirePolicyName(name);
    const user = await findUser(context);
    requirePolicy(document, 'identity', user.info.id.tenant);
    await change(context, (policies) => new Map([...policies, [name, document]]));
    return actionResponse(context, 'PutUserPolicy');
  },
};

export const getUserPolicy: Operation = {
  name: 'GetUserPolicy',
  async run(context) {
    authorize(context, 'GetUserPolicy', Cap.read);
    const name = neededText(context.request, 'PolicyName');
    const { info, policies } = await findPolicies(context);
    return actionResponse(context, 'GetUserPolicy', [
      element('PolicyName', name),
      element('UserName', formatUserId(info.id)),
      element('PolicyDocument', named(policies, name)),
    ]);
  },
};

export const listUserPolicies: Operation = {
  name: 'ListUserPolicies',
  async run(context) {
    authorize(context, 'ListUserPolicies', Cap.read);
    const { policies } = await findPolicies(context);
    const members = [...policies.keys()].map((name) => element('member', name));
    return actionResponse(context, 'ListUserPolicies', [element('PolicyNames', members)]);
  },
};

export const deleteUserPolicy: Operation = {
  name: 'DeleteUserPolicy',
  async run(context) {
    authorize(context, 'DeleteUserPolicy', Cap.write);
    const name = neededText(context.request, 'PolicyName');
    await findPolicies(context);
    await change(context, (policies) => {
      named(policies, name);
      return new Map([...policies].filter(([each]) => each !== name));
    });
    return actionResponse(context, 'DeleteUserPolicies');
  },
};

/** @throws S3Error AccessDenied */
function authorize(context: OperationContext, action: string, mask: number): void {
  const { tenant, id } = parseUserId(formText(context.request, 'UserName'));
  requireGrantedAccess(context, `iam:${action}`, iamArn(tenant, `user/${id}`), { kind: 'user-policy', mask });
}

async function findUser(context: OperationContext): Promise<StoredUser> {
  const user = await context.store.users.load(parseUserId(neededText(context.request, 'UserName')));
  if (!user) throw s3Error('NoSuchEntity', 'There is no such user');
  return user;
}

/** Of a user who has, or had, some. @throws S3Error NoSuchEntity */
async function findPolicies(context: OperationContext) {
  const user = await findUser(context);
  if (!user.attrs.has(USER_POLICY_ATTR)) throw s3Error('NoSuchEntity', 'The user has no policies');
  return { info: user.info, policies: policiesOf(user) };
}

function policiesOf({ info, attrs }: StoredUser): NamedPolicies {
  const stored = attrs.get(USER_POLICY_ATTR);
  return stored ? decodeStored(info.id.id, stored, decodeUserPolicies) : new Map();
}

function named(policies: NamedPolicies, name: RawString): RawString {
  const policy = policies.get(name);
  if (policy === undefined) throw s3Error('NoSuchEntity', 'The user has no policy of this name');
  return policy;
}

/** Made from what there is, however many make changes at once. @throws S3Error, RadosError */
async function change(context: OperationContext, changed: (policies: NamedPolicies) => NamedPolicies): Promise<void> {
  for (let tries = 1; ; tries++) {
    const user = await findUser(context);
    const value = encoded(encodeUserPolicies, changed(policiesOf(user)));
    if (value.length > MAX_POLICIES_BYTES) throw s3Error('LimitExceeded', 'The policies of a user: at most 32 KiB');
    try {
      await context.store.users.update(user, user.info, new Map([[USER_POLICY_ATTR, value]]));
      return;
    } catch (error) {
      if (!(error instanceof RadosError) || error.code !== Errno.ECANCELED || tries >= MAX_TRIES) throw error;
    }
  }
}
