import type { RawString, UTime } from '@spirula/encoding';
import type { Crypto } from '@spirula/world';
import type { Archives } from '../archives.ts';
import type { UserInfo } from '../formats/user-info.ts';
import type { HttpResponse } from '../http.ts';
import type { Identity } from '../iam/identity.ts';
import type { StoredBucket } from '../store/buckets.ts';
import type { Store } from '../store/store.ts';
import { SwiftError } from './swift-error.ts';
import type { SwiftRequest } from './swift-request.ts';

/** One request, and what it works on. */
export interface SwiftContext {
  readonly request: SwiftRequest;
  /** Who asks. Undefined: nobody in particular. */
  readonly user: UserInfo | undefined;
  /** What their policies say, and what they may at most: of a subuser, what the subuser may. */
  readonly identity: Identity;
  /** Whose account it is about: that which the URL names, else their own. */
  readonly account: UserInfo | undefined;
  /** As what containers may name the caller, beside the user. */
  readonly aclNames: readonly RawString[];
  readonly store: Store;
  readonly crypto: Crypto;
  readonly requestId: string;
  readonly now: UTime;
  /** rgw_swift_account_in_url */
  readonly hasAccountInUrl: boolean;
  /** rgw_swift_versioning_enabled */
  readonly keepsVersions: boolean;
  /** Undefined: archives are not expanded. */
  readonly archives: Archives | undefined;
}

/** Before it is known who asks. */
export type AnonymousContext = Omit<SwiftContext, 'user' | 'identity' | 'account' | 'aclNames'>;

export type SwiftHeaders = HttpResponse['headers'];

/** @throws SwiftError NotFound */
export async function findContainer(
  { store, account, request }: SwiftContext,
  name = request.container,
): Promise<StoredBucket> {
  const bucket = await store.buckets.load(account?.id.tenant ?? '', name);
  if (!bucket) throw new SwiftError('NotFound', 'There is no such container');
  return bucket;
}

export function headerOf({ request }: SwiftContext, name: string): RawString | undefined {
  return request.http.headers.get(name);
}
