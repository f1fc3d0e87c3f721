/** Who a user is (rgw_user, rgw_basic_types.h; the namespace came with release 16). */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';

export interface UserId {
  /** '' for users of no tenant. */
  readonly tenant: RawString;
  /** '' but for identities that others vouch for. */
  readonly ns: RawString;
  readonly id: RawString;
}

/** Names users are stored and shown under: `id`, `tenant$id`, `tenant$ns$id`, `$ns$id`. */
export function formatUserId({ tenant, ns, id }: UserId): RawString {
  if (ns !== '') return `${tenant}$${ns}$${id}`;
  return tenant === '' ? id : `${tenant}$${id}`;
}

export function parseUserId(text: RawString): UserId {
  const first = text.indexOf('$');
  if (first < 0) return { tenant: '', ns: '', id: text };
  const tenant = text.slice(0, first);
  const rest = text.slice(first + 1);
  const second = rest.indexOf('$');
  if (second < 0) return { tenant, ns: '', id: rest };
  return { tenant, ns: rest.slice(0, second), id: rest.slice(second + 1) };
}

export function encodeUserId(to: Encoder, { tenant, id, ns }: UserId): void {
  to.struct(2, 1, () => {
    for (const text of [tenant, id, ns]) to.rawString(text);
  });
}

/** @throws MalformedInput */
export function decodeUserId(from: Decoder): UserId {
  return from.struct('user', 2, (version) => {
    const tenant = from.rawString('tenant');
    const id = from.rawString('user id');
    return { tenant, id, ns: version >= 2 ? from.rawString('user namespace') : '' };
  });
}

/** As a string, the way ACLs and the indexes of users keep it (RGWUID). */
export function encodeUserIdText(to: Encoder, user: UserId): void {
  to.rawString(formatUserId(user));
}

/** @throws MalformedInput */
export function decodeUserIdText(from: Decoder): UserId {
  return parseUserId(from.rawString('user'));
}
