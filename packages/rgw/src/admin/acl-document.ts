/** ACLs as they are stored, member by member (RGWAccessControlPolicy::dump, rgw_acl.cc). */
import { textFromRaw } from '@spirula/encoding';
import { type Acl, type Grant, GranteeType } from '../formats/acl.ts';
import { formatUserId } from '../formats/user-id.ts';
import { list, type Node } from './document.ts';

export function aclNode({ owner, grants }: Acl): Node {
  const users = new Map<string, number>();
  const groups = new Map<number, number>();
  for (const { type, id, group, permissions } of grants) {
    if (type === GranteeType.user) {
      const user = textFromRaw(formatUserId(id));
      users.set(user, (users.get(user) ?? 0) | permissions);
    } else if (type === GranteeType.group) groups.set(group, (groups.get(group) ?? 0) | permissions);
  }
  const ascendingText = <T>(entries: Iterable<[string, T]>) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    acl: {
      acl_user_map: list(
        'entry',
        ascendingText(users).map(([user, acl]) => ({ user, acl })),
      ),
      acl_group_map: list(
        'entry',
        [...groups].sort(([a], [b]) => a - b).map(([group, acl]) => ({ group, acl })),
      ),
      grant_map: list(
        'entry',
        ascendingText(grants.map((grant): [string, Grant] => [holderOf(grant), grant])).map(([id, grant]) => ({
          id,
          grant: grantNode(grant),
        })),
      ),
    },
    owner: { id: textFromRaw(formatUserId(owner.id)), display_name: textFromRaw(owner.displayName) },
  };
}

function holderOf({ type, id }: Grant): string {
  return type === GranteeType.user ? textFromRaw(formatUserId(id)) : '';
}

function grantNode({ type, id, email, permissions, name, group, urlSpec }: Grant): Node {
  return {
    type: { type },
    id: textFromRaw(formatUserId(id)),
    email: textFromRaw(email),
    permission: { flags: permissions },
    name: textFromRaw(name),
    group,
    url_spec: textFromRaw(urlSpec),
  };
}
