/** Values that administrators give (rgw_user.cc, rgw_admin.cc). */
import type { RawString } from '@spirula/encoding';
import { FULL_CONTROL, Permission } from '../formats/acl.ts';
import { ALL_OPS, OpMask } from '../formats/user-info.ts';
import { AdminCode, AdminError } from './admin-error.ts';

/** RGWUserCaps::is_valid_cap_type. */
const CAP_TYPES: ReadonlySet<string> = new Set([
  'users',
  'buckets',
  'metadata',
  'usage',
  'zone',
  'bilog',
  'mdlog',
  'datalog',
  'roles',
  'user-policy',
  'amz-cache',
  'oidc-provider',
]);
const CAP_MASKS: Readonly<Record<string, number>> = { '*': 3, read: 1, write: 2 };
const ACCESS_MASKS: Readonly<Record<string, number>> = {
  '': 0,
  read: Permission.read,
  write: Permission.write,
  readwrite: Permission.read | Permission.write,
  full: FULL_CONTROL,
};
const SIZE_UNITS = 'BKMGTPE';

/** `users=read,write;buckets=*`; with no value, all of it. @throws AdminError naming what it does not know */
export function parseCaps(text: string, what: string): Map<RawString, number> {
  const caps = new Map<RawString, number>();
  for (const each of text.split(';').filter((part) => part.trim() !== '')) {
    const [type = '', given = '*'] = each.split('=').map((word) => word.trim());
    const words = given.split(/[\s,]+/).filter((word) => word !== '');
    const masks = words.map((word) => CAP_MASKS[word]);
    const isKnown = CAP_TYPES.has(type) && masks.every((mask) => mask !== undefined);
    if (!isKnown) throw new AdminError(AdminCode.invalidCap, `${what}: ${text}`);
    caps.set(
      type,
      masks.reduce<number>((sum, mask) => sum | (mask ?? 0), caps.get(type) ?? 0),
    );
  }
  return caps;
}

/** Undefined: there is no such kind of access. */
export function parseAccess(text: string): number | undefined {
  return ACCESS_MASKS[text];
}

const OP_MASKS: Readonly<Record<string, number>> = { ...OpMask, '*': ALL_OPS };

/** `read,write,delete`, or `*`. Undefined: there is no such kind. */
export function parseOpMask(text: string): number | undefined {
  const masks = text
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .map((word) => OP_MASKS[word]);
  return masks.reduce<number | undefined>(
    (sum, mask) => (sum === undefined || mask === undefined ? undefined : sum | mask),
    0,
  );
}

/** `10`, `10K`, `1G`; negative: no limit. Undefined: it is no size. */
export function parseSize(text: string): bigint | undefined {
  const match = /^(-?\d+)\s*([BKMGTPE])?(i?B)?$/i.exec(text);
  if (!match) return undefined;
  const value = BigInt(match[1]!) << BigInt(10 * SIZE_UNITS.indexOf((match[2] ?? 'B').toUpperCase()));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}
