/** `X-Container-Meta-Quota-Bytes`, `-Count`, and the same of accounts (filter_out_quota_info, rgw_op.cc). */
import type { Bytes, RawString } from '@spirula/encoding';
import type { Quota } from '../formats/quota.ts';
import { attrText, USER_META_PREFIX } from '../store/object-attrs.ts';
import type { SwiftHeaders } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';

const LIMITS = [
  ['Quota-Bytes', 'maxSize'],
  ['Quota-Count', 'maxObjects'],
] as const;

/**
 * How much may be held from now on, when the metadata that a request sets say so; they are kept as no metadata then. A limit that
 * is taken away, or empty, is none.
 *
 * @throws SwiftError BadRequest
 */
export function takeQuota(changes: Map<RawString, Bytes | undefined>, before: Quota): Quota | undefined {
  const limits: { maxSize?: bigint; maxObjects?: bigint } = {};
  for (const [name, limit] of LIMITS) {
    const attr = USER_META_PREFIX + name.toLowerCase();
    if (!changes.has(attr)) continue;
    const value = changes.get(attr);
    const text = value ? attrText(value) : '-1';
    if (!/^(-1|\d{1,18})$/.test(text)) throw new SwiftError('BadRequest', `${name}: give a number`);
    limits[limit] = BigInt(text);
    changes.set(attr, undefined);
  }
  if (Object.keys(limits).length === 0) return undefined;
  const quota = { ...before, ...limits, checkOnRaw: true };
  return { ...quota, enabled: quota.maxSize > 0n || quota.maxObjects > 0n };
}

export function quotaHeaders(owner: 'Account' | 'Container', quota: Quota): SwiftHeaders {
  if (!quota.enabled) return [];
  return LIMITS.flatMap(([name, limit]) =>
    quota[limit] >= 0n ? [[`X-${owner}-Meta-${name}`, String(quota[limit])] as const] : [],
  );
}
