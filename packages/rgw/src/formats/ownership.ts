/**
 * Whose the objects of a bucket are, and whether ACLs count there (S3 Object Ownership). radosgw 16.2 knows none: the xattr
 * `user.rgw.spirula.ownership` is our own, and radosgw leaves it alone.
 */
import type { Decoder, Encoder } from '@spirula/encoding';

export const OWNERSHIPS = ['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter'] as const;
export type Ownership = (typeof OWNERSHIPS)[number];

export function encodeOwnership(to: Encoder, ownership: Ownership): void {
  to.struct(1, 1, () => to.string(ownership));
}

/** @throws MalformedInput */
export function decodeOwnership(from: Decoder): Ownership {
  return from.struct('ownership', 1, () => {
    const text = from.string('ownership');
    return OWNERSHIPS.find((each) => each === text) ?? from.fail('ownership', `${text} is unknown`);
  });
}
