/**
 * Roles (rgw_role.cc), in the namespace `roles` of the meta pool:
 *
 *   role_names.NAME          the id of the role: who has the name has the role
 *   roles.ID                 all about it; its tags in an xattr
 *   role_paths.PATH roles.ID for lists: empty
 *
 * Names of a tenant's objects have the tenant in front. A role is made from the bottom up, and removed from the top down: whatever
 * a gateway that dies leaves behind has no name that leads to it, and is no role.
 */
import { type Bytes, Errno, type RawString } from '@spirula/encoding';
import { assertVerOp, decodeOpEntries } from '@spirula/messages';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { RawObject } from '../formats/cache-notice.ts';
import { encoded } from '../formats/encoded.ts';
import {
  decodeRole,
  encodeRole,
  parseRolePathOid,
  ROLE_TAGS_ATTR,
  type Role,
  roleNameOid,
  roleOid,
  rolePathOid,
} from '../formats/role.ts';
import type { Tags } from '../formats/tags.ts';
import { decodeUserPolicies, encodeUserPolicies } from '../formats/user-policies.ts';
import { decodeNameId, encodeNameId } from '../formats/zone.ts';
import { decodeStored } from './meta-object.ts';
import type { Zone } from './zone.ts';

export interface StoredRole {
  readonly role: Role;
  readonly tags: Tags;
  /** Of its object: changes are made from this one. */
  readonly radosVersion: number;
}

/** Another gateway has changed the object, or removed it. */
const OVERTAKEN: ReadonlySet<number> = new Set([Errno.ENOENT, Errno.ERANGE, Errno.EOVERFLOW]);

function withTags(operation: ObjectOperation, tags: Tags): ObjectOperation {
  return operation.setXattr(ROLE_TAGS_ATTR, encoded(encodeUserPolicies, tags));
}

export class RoleStore {
  readonly #zone: Zone;

  constructor(zone: Zone) {
    this.#zone = zone;
  }

  /** Undefined: there is no such role. @throws RadosError */
  async load(tenant: RawString, name: RawString): Promise<StoredRole | undefined> {
    const id = await this.#idOf(tenant, name);
    const found = id === undefined ? undefined : await this.#read(id);
    return found && found.role.tenant === tenant && found.role.name === name ? found : undefined;
  }

  /** Undefined: there is no such role any more. @throws RadosError */
  async loadById(id: RawString): Promise<StoredRole | undefined> {
    const found = await this.#read(id);
    return found && (await this.#idOf(found.role.tenant, found.role.name)) === id ? found : undefined;
  }

  /** @throws RadosError EEXIST: the name is taken */
  async create(role: Role, tags: Tags): Promise<void> {
    const info = new ObjectOperation().create(true).writeFull(encoded(encodeRole, role));
    await this.#operate(roleOid(role.id), withTags(info, tags));
    await this.#operate(rolePathOid(role), new ObjectOperation().create(true));
    try {
      const name = new ObjectOperation().create(true).writeFull(encoded(encodeNameId, role.id));
      await this.#operate(roleNameOid(role.tenant, role.name), name);
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.EEXIST) await this.#removeUnnamed(role);
      throw error;
    }
  }

  /** @throws RadosError ECANCELED when it was changed since it was loaded, or is gone */
  async update({ radosVersion }: StoredRole, role: Role, tags: Tags): Promise<void> {
    const operation = new ObjectOperation().add(assertVerOp(radosVersion), 'read').writeFull(encoded(encodeRole, role));
    await this.#guarded(roleOid(role.id), withTags(operation, tags));
  }

  /** @throws RadosError ECANCELED when it was changed since it was loaded, or is gone */
  async remove({ role, radosVersion }: StoredRole): Promise<void> {
    // From now on nobody changes it any more.
    const barred = new ObjectOperation().add(assertVerOp(radosVersion), 'read').writeFull(encoded(encodeRole, role));
    await this.#guarded(roleOid(role.id), barred);
    await this.#removeName(role);
    await this.#removeUnnamed(role);
  }

  /** Of a tenant, below a path, in no order that means anything. */
  async *list(tenant: RawString, pathPrefix: RawString): AsyncGenerator<StoredRole> {
    for await (const { oid } of this.#io.listObjects()) {
      const named = parseRolePathOid(oid, tenant);
      if (!named?.path.startsWith(pathPrefix)) continue;
      const found = await this.loadById(named.id);
      if (found) yield found;
    }
  }

  async #idOf(tenant: RawString, name: RawString): Promise<RawString | undefined> {
    const oid = roleNameOid(tenant, name);
    return await this.#zone.cache.read(this.#object(oid), async () => (await this.#fetchName(oid))?.id);
  }

  async #fetchName(oid: RawString): Promise<{ readonly id: RawString; readonly radosVersion: number } | undefined> {
    const found = await this.#fetch(oid, new ObjectOperation().read());
    return found && { id: decodeStored(oid, found.outputs[0]!, decodeNameId), radosVersion: found.radosVersion };
  }

  async #read(id: RawString): Promise<StoredRole | undefined> {
    const oid = roleOid(id);
    return await this.#zone.cache.read(this.#object(oid), async () => {
      const found = await this.#fetch(oid, new ObjectOperation().read().getXattrs());
      if (!found) return undefined;
      const [data, xattrs] = found.outputs;
      const tags = decodeStored(oid, xattrs!, decodeOpEntries).get(ROLE_TAGS_ATTR);
      return {
        role: decodeStored(oid, data!, decodeRole),
        tags: tags ? decodeStored(oid, tags, decodeUserPolicies) : new Map(),
        radosVersion: found.radosVersion,
      };
    });
  }

  async #fetch(
    oid: RawString,
    operation: ObjectOperation,
  ): Promise<{ readonly outputs: readonly Bytes[]; readonly radosVersion: number } | undefined> {
    const { result, ops, userVersion } = await this.#io.submit(oid, operation);
    if (result === Errno.ENOENT) return undefined;
    if (result < 0) throw new RadosError(result, oid);
    return { outputs: ops.map(({ output }) => output), radosVersion: userVersion };
  }

  /** Unless it leads to another role by now: one that was made after this one was removed. */
  async #removeName({ tenant, name, id }: Role): Promise<void> {
    const oid = roleNameOid(tenant, name);
    const found = await this.#fetchName(oid);
    if (found?.id !== id) return;
    await this.#guarded(oid, new ObjectOperation().add(assertVerOp(found.radosVersion), 'read').remove());
  }

  async #removeUnnamed(role: Role): Promise<void> {
    for (const oid of [rolePathOid(role), roleOid(role.id)]) {
      try {
        await this.#operate(oid, new ObjectOperation().remove());
      } catch (error) {
        if (!(error instanceof RadosError) || error.code !== Errno.ENOENT) throw error;
      }
    }
  }

  /** @throws RadosError ECANCELED instead of what says that another gateway was first */
  async #guarded(oid: RawString, operation: ObjectOperation): Promise<void> {
    try {
      await this.#operate(oid, operation);
    } catch (error) {
      if (error instanceof RadosError && OVERTAKEN.has(error.code)) throw new RadosError(Errno.ECANCELED, oid);
      throw error;
    }
  }

  async #operate(oid: RawString, operation: ObjectOperation): Promise<void> {
    const object = this.#object(oid);
    try {
      await this.#io.operate(oid, operation);
    } catch (error) {
      if (error instanceof RadosError) this.#zone.cache.forget(object);
      throw error;
    }
    await this.#zone.cache.announce(object);
  }

  get #io(): IoCtx {
    return this.#zone.system('roles');
  }

  #object(oid: RawString): RawObject {
    return { pool: this.#zone.params.pools.roles, oid };
  }
}
