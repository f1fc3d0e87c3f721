/** Roles as they are named and made (RGWRole::create, validate_input). */
import type { RawString, UTime } from '@spirula/encoding';
import type { Role } from '../formats/role.ts';
import { formatIsoDate } from '../s3/http-date.ts';
import { type Entropy, randomUuid } from '../store/entropy.ts';

const MAX_NAME = 64;
const MAX_PATH = 512;

export function isRoleName(name: RawString): boolean {
  return name.length <= MAX_NAME && /^[A-Za-z0-9:=,.@-]+$/.test(name);
}

export function isRolePath(path: RawString): boolean {
  return path.length <= MAX_PATH && /^(\/[!-~]+\/|\/)$/.test(path);
}

/** `name`, of `tenant`, or `tenant$name`. */
export function parseRoleName(
  text: RawString,
  tenant: RawString,
): { readonly tenant: RawString; readonly name: RawString } {
  const at = text.indexOf('$');
  return at < 0 ? { tenant, name: text } : { tenant: text.slice(0, at), name: text.slice(at + 1) };
}

export function newRole(
  given: Pick<Role, 'tenant' | 'name' | 'path' | 'trustPolicy' | 'maxSessionSeconds'>,
  entropy: Entropy,
  now: UTime,
): Role {
  const { tenant, path, name } = given;
  return {
    ...given,
    id: randomUuid(entropy),
    arn: `arn:aws:iam::${tenant}:role${path}${name}`,
    created: formatIsoDate(now),
    policies: new Map(),
  };
}
