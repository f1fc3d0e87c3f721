/** Roles (rgw_rest_role.cc): who may assume them is in their trust policy, what they may do in their permission policies. */
import { Errno, type RawString } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { ROLE_TAGS, type Role, SESSION_SECONDS } from '../formats/role.ts';
import type { Tags } from '../formats/tags.ts';
import { iamArn } from '../iam/arn.ts';
import { isRoleName, isRolePath, newRole, parseRoleName } from '../iam/role.ts';
import { requireGrantedAccess } from '../s3/operations/access.ts';
import type { Operation, OperationContext } from '../s3/operations/operation.ts';
import { s3Error } from '../s3/s3-errors.ts';
import { element, type XmlNode } from '../s3/xml-writer.ts';
import type { StoredRole } from '../store/roles.ts';
import { formText, neededText } from './action-form.ts';
import { actionResponse } from './answer.ts';
import { requirePolicy } from './policy-document.ts';

const Cap = { read: 1, write: 2 } as const;
/** Each time, another gateway was first. */
const MAX_TRIES = 20;
/** AWS's bounds. */
const MAX_POLICY_NAME = 128;
const MAX_POLICIES_BYTES = 10_240;

export const createRole: Operation = {
  name: 'CreateRole',
  async run(context) {
    const { request, store, crypto, now } = context;
    const { tenant, name } = nameOf(context);
    const path = formText(request, 'Path') || '/';
    const user = authorize(context, 'CreateRole', { tenant, path, name }, Cap.write);
    // Who is of a tenant makes roles of that tenant alone.
    if (user.id.tenant !== '' && tenant !== user.id.tenant)
      throw s3Error('InvalidInput', 'RoleName: of another tenant');
    const trustPolicy = neededText(request, 'AssumeRolePolicyDocument');
    requirePolicy(trustPolicy, 'trust', tenant);
    if (!isRoleName(name)) throw s3Error('InvalidInput', 'RoleName: at most 64 letters, digits and :=,.@-');
    if (!isRolePath(path)) throw s3Error('InvalidInput', 'Path: begins and ends with /, at most 512 characters');
    const maxSessionSeconds = sessionSeconds(formText(request, 'MaxSessionDuration'));
    const tags = readTags(context);
    const role = newRole({ tenant, name, path, trustPolicy, maxSessionSeconds }, crypto, now);
    try {
      await store.roles.create(role, tags);
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.EEXIST) throw s3Error('EntityAlreadyExists');
      throw error;
    }
    return actionResponse(context, 'CreateRole', [roleElement('Role', { role, tags })], 'last');
  },
};

export const getRole: Operation = {
  name: 'GetRole',
  async run(context) {
    return actionResponse(context, 'GetRole', [roleElement('Role', await findRole(context, 'GetRole', Cap.read))]);
  },
};

export const listRoles: Operation = {
  name: 'ListRoles',
  async run(context) {
    const { store, user, request } = context;
    const tenant = user?.id.tenant ?? '';
    requireGrantedAccess(context, 'iam:ListRoles', iamArn(tenant, 'role/*'), { kind: 'roles', mask: Cap.read });
    const members: XmlNode[] = [];
    for await (const each of store.roles.list(tenant, formText(request, 'PathPrefix')))
      members.push(roleElement('member', each));
    return actionResponse(context, 'ListRoles', [element('Roles', members)], 'last');
  },
};

export const deleteRole: Operation = {
  name: 'DeleteRole',
  async run(context) {
    await attempt(async () => {
      const found = await findRole(context, 'DeleteRole', Cap.write);
      if (found.role.policies.size > 0) throw s3Error('DeleteConflict', 'The role has policies: delete them first');
      await context.store.roles.remove(found);
    });
    return actionResponse(context, 'DeleteRole');
  },
};

export const updateAssumeRolePolicy: Operation = {
  name: 'UpdateAssumeRolePolicy',
  async run(context) {
    await change(context, 'ModifyRole', ({ role, tags }) => {
      const trustPolicy = neededText(context.request, 'PolicyDocument');
      requirePolicy(trustPolicy, 'trust', role.tenant);
      return { role: { ...role, trustPolicy }, tags };
    });
    return actionResponse(context, 'UpdateAssumeRolePolicy');
  },
};

export const putRolePolicy: Operation = {
  name: 'PutRolePolicy',
  async run(context) {
    await change(context, 'PutRolePolicy', ({ role, tags }) => {
      const [name, document] = ['PolicyName', 'PolicyDocument'].map((each) => neededText(context.request, each));
      if (name!.length > MAX_POLICY_NAME) throw s3Error('InvalidInput', `PolicyName: at most ${MAX_POLICY_NAME} bytes`);
      requirePolicy(document!, 'role', role.tenant);
      const policies = new Map([...role.policies, [name!, document!]]);
      const bytes = [...policies.values()].reduce((sum, each) => sum + each.length, 0);
      if (bytes > MAX_POLICIES_BYTES) throw s3Error('LimitExceeded', 'The policies of a role: at most 10 KiB');
      return { role: { ...role, policies }, tags };
    });
    return actionResponse(context, 'PutRolePolicy');
  },
};

export const getRolePolicy: Operation = {
  name: 'GetRolePolicy',
  async run(context) {
    const { role } = await findRole(context, 'GetRolePolicy', Cap.read);
    const name = neededText(context.request, 'PolicyName');
    const document = role.policies.get(name);
    if (document === undefined) throw noSuchPolicy();
    return actionResponse(context, 'GetRolePolicy', [
      element('PolicyName', name),
      element('RoleName', formText(context.request, 'RoleName')),
      element('PolicyDocument', document),
    ]);
  },
};

export const listRolePolicies: Operation = {
  name: 'ListRolePolicies',
  async run(context) {
    const { role } = await findRole(context, 'ListRolePolicies', Cap.read);
    const members = [...role.policies.keys()].map((name) => element('member', name));
    return actionResponse(context, 'ListRolePolicies', [element('PolicyNames', members)]);
  },
};

export const deleteRolePolicy: Operation = {
  name: 'DeleteRolePolicy',
  async run(context) {
    await change(context, 'DeleteRolePolicy', ({ role, tags }) => {
      const name = neededText(context.request, 'PolicyName');
      if (!role.policies.has(name)) throw noSuchPolicy();
      return { role: { ...role, policies: without(role.policies, [name]) }, tags };
    });
    return actionResponse(context, 'DeleteRolePolicies');
  },
};

export const tagRole: Operation = {
  name: 'TagRole',
  async run(context) {
    const given = readTags(context);
    await change(context, 'TagRole', ({ role, tags }) => ({ role, tags: new Map([...tags, ...given]) }));
    return actionResponse(context, 'TagRole');
  },
};

export const listRoleTags: Operation = {
  name: 'ListRoleTags',
  async run(context) {
    const { tags } = await findRole(context, 'ListRoleTags', Cap.read);
    return actionResponse(context, 'ListRoleTags', [tagsElement(tags)], 'last');
  },
};

export const untagRole: Operation = {
  name: 'UntagRole',
  async run(context) {
    const keys = [...members(context, 'TagKeys', '')];
    await change(context, 'UntagRole', ({ role, tags }) => ({ role, tags: without(tags, keys) }));
    return actionResponse(context, 'UntagRole');
  },
};

function noSuchPolicy(): Error {
  return s3Error('NoSuchEntity', 'The role has no policy of this name');
}

/** `name`, of the requester's tenant, or `tenant$name`. */
function nameOf({ request, user }: OperationContext) {
  return parseRoleName(neededText(request, 'RoleName'), user?.id.tenant ?? '');
}

/** @throws S3Error AccessDenied */
function authorize(
  context: OperationContext,
  action: string,
  { tenant, path, name }: Pick<Role, 'tenant' | 'path' | 'name'>,
  mask: number,
) {
  return requireGrantedAccess(context, `iam:${action}`, iamArn(tenant, `role${path}${name}`), { kind: 'roles', mask });
}

/** @throws S3Error NoSuchEntity, AccessDenied */
async function findRole(context: OperationContext, action: string, mask: number): Promise<StoredRole> {
  if (!context.user) throw s3Error('AccessDenied');
  const { tenant, name } = nameOf(context);
  const found = await context.store.roles.load(tenant, name);
  if (!found) throw s3Error('NoSuchEntity', 'There is no such role');
  authorize(context, action, found.role, mask);
  return found;
}

type Changeable = Pick<StoredRole, 'role' | 'tags'>;

/** Made from what there is, however many make changes at once. */
async function change(
  context: OperationContext,
  action: string,
  changed: (found: Changeable) => Changeable,
): Promise<void> {
  await attempt(async () => {
    const found = await findRole(context, action, Cap.write);
    const { role, tags } = changed(found);
    if (tags.size > ROLE_TAGS) throw s3Error('LimitExceeded', `A role has at most ${ROLE_TAGS} tags`);
    await context.store.roles.update(found, role, tags);
  });
}

/** @throws RadosError ECANCELED when others were first all the time */
async function attempt(run: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof RadosError) || error.code !== Errno.ECANCELED || tries >= MAX_TRIES) throw error;
    }
  }
}

function sessionSeconds(text: RawString): number {
  if (text === '') return SESSION_SECONDS.least;
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (seconds >= SESSION_SECONDS.least && seconds <= SESSION_SECONDS.most) return seconds;
  throw s3Error('InvalidInput', `MaxSessionDuration: from ${SESSION_SECONDS.least} to ${SESSION_SECONDS.most} seconds`);
}

/** `Tags.member.1.Key`, `Tags.member.1.Value`, … @throws S3Error InvalidInput */
function readTags(context: OperationContext): Tags {
  const keys = [...members(context, 'Tags', '.Key')];
  const values = [...members(context, 'Tags', '.Value')];
  if (values.length > keys.length) throw s3Error('InvalidInput', 'Tags: each has a Key');
  if (keys.length > ROLE_TAGS) throw s3Error('LimitExceeded', `A role has at most ${ROLE_TAGS} tags`);
  return new Map(keys.map((key, i) => [key, values[i] ?? '']));
}

function* members({ request }: OperationContext, list: string, field: string): Generator<RawString> {
  for (let i = 1; request.form?.has(`${list}.member.${i}${field}`); i++)
    yield formText(request, `${list}.member.${i}${field}`);
}

function without<T>(entries: ReadonlyMap<RawString, T>, names: readonly RawString[]): ReadonlyMap<RawString, T> {
  return new Map([...entries].filter(([name]) => !names.includes(name)));
}

function roleElement(name: string, { role, tags }: Changeable): XmlNode {
  return element(name, [
    element('RoleId', role.id),
    element('RoleName', role.name),
    element('Path', role.path),
    element('Arn', role.arn),
    element('CreateDate', role.created),
    element('MaxSessionDuration', role.maxSessionSeconds),
    element('AssumeRolePolicyDocument', role.trustPolicy),
    tags.size === 0 ? undefined : tagsElement(tags),
  ]);
}

/** As AWS has it: radosgw's can be read by nobody. */
function tagsElement(tags: Tags): XmlNode {
  const pairs = [...tags].map(([key, value]) => element('member', [element('Key', key), element('Value', value)]));
  return element('Tags', pairs);
}
