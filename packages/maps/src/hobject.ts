import type { PoolId, RawString } from '@spirula/encoding';

/**
 * Full name of one object, or a position in the order of a PG's objects (hobject_t, common/hobject.h). Objects of a PG
 * are ordered by the bit-reversed hash, then namespace, then key or name, then snap; `max` sorts after all.
 */
export interface HObject {
  readonly pool: PoolId;
  readonly nspace: RawString;
  /** Locator key; empty when the name itself decides placement. */
  readonly key: RawString;
  readonly name: RawString;
  /** NOSNAP for the head. */
  readonly snap: bigint;
  /** 32-bit placement hash of key or name (with namespace). */
  readonly hash: number;
  readonly max: boolean;
}
