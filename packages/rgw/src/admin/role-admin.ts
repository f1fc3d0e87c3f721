/** What radosgw-admin does with roles: answers as it prints them, refusals as it says them. */
import { Errno, type RawString, rawFromText, textFromRaw, type UTime } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { SESSION_SECONDS } from '../formats/role.ts';
import { MalformedPolicy, type PolicyKind, parsePolicy } from '../iam/policy.ts';
import { isRoleName, isRolePath, newRole, parseRoleName } from '../iam/role.ts';
import type { Entropy } from '../store/entropy.ts';
import type { RoleStore, StoredRole } from '../store/roles.ts';
import { AdminCode, AdminError } from './admin-error.ts';

/** By their long names without dashes. */
type RoleOptions = ReadonlyMap<string, string>;

export interface RoleAdminParts {
  readonly roles: RoleStore;
  readonly entropy: Entropy;
  readonly now: () => UTime;
}

/** -EINVAL: the exit code of these commands, other than of those for users. */
const INVALID = 256 - AdminCode.EINVAL;

/** What is said, and is no JSON. */
export class Said {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export class RoleAdmin {
  readonly #roles: RoleStore;
  readonly #entropy: Entropy;
  readonly #now: () => UTime;

  constructor({ roles, entropy, now }: RoleAdminParts) {
    this.#roles = roles;
    this.#entropy = entropy;
    this.#now = now;
  }

  async create(options: RoleOptions) {
    const { tenant, name } = nameOf(options, 'ERROR: role name is empty');
    const trustPolicy = policyOf(options, 'assume-role-policy-doc', 'trust', tenant, {
      empty: 'ERROR: assume role policy document is empty',
      malformed: 'failed to parse policy: ',
    });
    const path = rawFromText(options.get('path') ?? '/');
    if (!isRoleName(name) || !isRolePath(path)) throw new AdminError(INVALID, 'ERROR: Invalid chars in name or path');
    const given = { tenant, name, path, trustPolicy, maxSessionSeconds: SESSION_SECONDS.least };
    const role = newRole(given, this.#entropy, this.#now());
    try {
      await this.#roles.create(role, new Map());
    } catch (error) {
      if (!(error instanceof RadosError) || error.code !== Errno.EEXIST) throw error;
      throw new AdminError(AdminCode.EEXIST, `ERROR: name ${textFromRaw(name)} already in use`);
    }
    return roleJson({ role, tags: new Map() });
  }

  async get(options: RoleOptions) {
    return roleJson(await this.#find(options));
  }

  async list(options: RoleOptions) {
    const tenant = rawFromText(options.get('tenant') ?? '');
    const found: ReturnType<typeof roleJson>[] = [];
    for await (const each of this.#roles.list(tenant, rawFromText(options.get('path-prefix') ?? '')))
      found.push(roleJson(each));
    return found;
  }

  async remove(options: RoleOptions): Promise<Said> {
    const found = await this.#find(options);
    if (found.role.policies.size > 0) {
      throw new AdminError(AdminCode.deleteConflict, 'ERROR: the role has permission policies: delete them first');
    }
    await this.#roles.remove(found);
    return new Said(`role: ${nameText(options)} successfully deleted`);
  }

  async modify(options: RoleOptions): Promise<Said> {
    const { tenant } = nameOf(options);
    const trustPolicy = policyOf(options, 'assume-role-policy-doc', 'trust', tenant, {
      empty: 'ERROR: assume role policy document is empty',
      malformed: 'ERROR: failed to parse assume role policy doc: ',
    });
    const found = await this.#find(options);
    await this.#roles.update(found, { ...found.role, trustPolicy }, found.tags);
    return new Said(`Assume role policy document updated successfully for role: ${nameText(options)}`);
  }

  async putPolicy(options: RoleOptions): Promise<Said> {
    const { tenant } = nameOf(options);
    const name = policyNameOf(options);
    const policy = policyOf(options, 'policy-doc', 'identity', tenant, {
      empty: 'permission policy document is empty',
      malformed: 'failed to parse perm policy: ',
    });
    const found = await this.#find(options);
    const policies = new Map([...found.role.policies, [name, policy]]);
    await this.#roles.update(found, { ...found.role, policies }, found.tags);
    return new Said('Permission policy attached successfully');
  }

  async listPolicies(options: RoleOptions): Promise<string[]> {
    return [...(await this.#find(options)).role.policies.keys()].map(textFromRaw);
  }

  async getPolicy(options: RoleOptions) {
    const name = policyNameOf(options);
    const policy = (await this.#find(options)).role.policies.get(name);
    if (policy === undefined) throw noSuchPolicy(name);
    return { 'Permission policy': textFromRaw(policy) };
  }

  async removePolicy(options: RoleOptions): Promise<Said> {
    const name = policyNameOf(options);
    const found = await this.#find(options);
    if (!found.role.policies.has(name)) throw noSuchPolicy(name);
    const policies = new Map([...found.role.policies].filter(([each]) => each !== name));
    await this.#roles.update(found, { ...found.role, policies }, found.tags);
    return new Said(`Policy: ${textFromRaw(name)} successfully deleted for role: ${nameText(options)}`);
  }

  async #find(options: RoleOptions): Promise<StoredRole> {
    const { tenant, name } = nameOf(options);
    const found = await this.#roles.load(tenant, name);
    if (found) return found;
    throw new AdminError(
      AdminCode.ENOENT,
      `ERROR: failed reading role name: ${nameText(options)}: (2) No such file or directory`,
    );
  }
}

function nameText(options: RoleOptions): string {
  return options.get('role-name') ?? '';
}

function nameOf(options: RoleOptions, whenEmpty = 'ERROR: empty role name') {
  const given = nameText(options);
  if (given === '') throw new AdminError(INVALID, whenEmpty);
  return parseRoleName(rawFromText(given), rawFromText(options.get('tenant') ?? ''));
}

function policyNameOf(options: RoleOptions): RawString {
  const given = options.get('policy-name') ?? '';
  if (given === '') throw new AdminError(INVALID, 'ERROR: policy name is empty');
  return rawFromText(given);
}

function policyOf(
  options: RoleOptions,
  option: string,
  kind: PolicyKind,
  tenant: RawString,
  says: { readonly empty: string; readonly malformed: string },
): RawString {
  const given = options.get(option) ?? '';
  if (given === '') throw new AdminError(INVALID, says.empty);
  try {
    parsePolicy(given, kind, tenant);
  } catch (error) {
    if (error instanceof MalformedPolicy) throw new AdminError(INVALID, says.malformed + error.message);
    throw error;
  }
  return rawFromText(given);
}

function noSuchPolicy(name: RawString): AdminError {
  return new AdminError(AdminCode.ENOENT, `ERROR: Policy name: ${textFromRaw(name)} not found`);
}

function roleJson({ role, tags }: Pick<StoredRole, 'role' | 'tags'>) {
  return {
    RoleId: textFromRaw(role.id),
    RoleName: textFromRaw(role.name),
    Path: textFromRaw(role.path),
    Arn: textFromRaw(role.arn),
    CreateDate: textFromRaw(role.created),
    MaxSessionDuration: role.maxSessionSeconds,
    AssumeRolePolicyDocument: textFromRaw(role.trustPolicy),
    ...(tags.size > 0 && {
      Tags: [...tags].map(([key, value]) => ({ Key: textFromRaw(key), Value: textFromRaw(value) })),
    }),
  };
}
