/** What of a bucket may be public (PublicAccessBlockConfiguration, rgw_public_access.h): the xattr `user.rgw.public-access`. */
import type { Decoder, Encoder } from '@spirula/encoding';

export interface PublicAccessBlock {
  /** ACLs that let in everybody are not taken. */
  readonly blockPublicAcls: boolean;
  /** Those that are there do not count. */
  readonly ignorePublicAcls: boolean;
  /** Policies that let in everybody are not taken. */
  readonly blockPublicPolicy: boolean;
  /** One that is there counts for users of the bucket's tenant only. */
  readonly restrictPublicBuckets: boolean;
}

export const NO_PUBLIC_ACCESS_BLOCK: PublicAccessBlock = {
  blockPublicAcls: false,
  ignorePublicAcls: false,
  blockPublicPolicy: false,
  restrictPublicBuckets: false,
};

export function encodePublicAccess(to: Encoder, block: PublicAccessBlock): void {
  to.struct(1, 1, () => {
    to.bool(block.blockPublicAcls);
    to.bool(block.ignorePublicAcls);
    to.bool(block.blockPublicPolicy);
    to.bool(block.restrictPublicBuckets);
  });
}

/** @throws MalformedInput */
export function decodePublicAccess(from: Decoder): PublicAccessBlock {
  return from.struct('public access', 1, () => ({
    blockPublicAcls: from.bool('block public acls'),
    ignorePublicAcls: from.bool('ignore public acls'),
    blockPublicPolicy: from.bool('block public policy'),
    restrictPublicBuckets: from.bool('restrict public buckets'),
  }));
}
