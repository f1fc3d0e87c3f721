/**
 * Who has a token of Keystone's (rgw::auth::keystone::TokenEngine, RemoteApplier): its project is the user here, made when its first
 * token is seen. A token that is revoked is good until it ends, as long as it is remembered: radosgw 16.2 asks no more than once, too.
 */
import { Errno, type RawString, toHex, type UTime, utf8 } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import type { UserId } from '../formats/user-id.ts';
import { newUserInfo, USER_TYPE_KEYSTONE, type UserInfo } from '../formats/user-info.ts';
import { type Identity, identityOf } from '../iam/identity.ts';
import type { Claim } from '../s3/auth/authenticate.ts';
import type { Store } from '../store/store.ts';
import type { StoredUser } from '../store/users.ts';
import { KeystoneClient, type KeystoneToken } from './keystone-client.ts';
import type { Outgoing } from './outgoing.ts';
import { SecretCache } from './secret-cache.ts';
import { TokenCache } from './token-cache.ts';

interface Vouched {
  readonly user: UserInfo;
  readonly identity: Identity;
}

export interface KeystoneCaller extends Vouched {
  /** What containers may call whoever has the token: `project:user`, by ids or by names, or `*:user`. */
  readonly aclNames: readonly RawString[];
}

interface S3Caller extends Vouched {
  readonly secret: RawString | undefined;
}

const API_VERSION = 3;
/** Values of rgw_keystone_implicit_tenants that say so. */
const IMPLICIT = { swift: ['true', 'swift', 'both', '1'], s3: ['true', 's3', 'both', '1'] } as const;

export class Keystone {
  readonly #world: Pick<World, 'clock' | 'config' | 'crypto'>;
  readonly #store: Store;
  readonly #client: KeystoneClient;
  readonly #cache: TokenCache;
  readonly #secrets: SecretCache;
  readonly #roles: { readonly plain: readonly string[]; readonly admin: readonly string[] };

  private constructor(world: Pick<World, 'clock' | 'config' | 'crypto'>, store: Store, outgoing: Outgoing) {
    const { config } = world;
    this.#world = world;
    this.#store = store;
    this.#client = new KeystoneClient(config, outgoing, () => this.#now);
    this.#cache = new TokenCache(config.rgw_keystone_token_cache_size);
    this.#secrets = new SecretCache(config.rgw_keystone_token_cache_size);
    const admin = listOf(config.rgw_keystone_accepted_admin_roles);
    this.#roles = { admin, plain: [...listOf(config.rgw_keystone_accepted_roles), ...admin] };
  }

  /** Undefined: there is no Keystone. @throws Error when it is of another version */
  static open(
    world: Pick<World, 'clock' | 'config' | 'crypto'>,
    store: Store,
    outgoing: Outgoing,
  ): Keystone | undefined {
    const { rgw_keystone_url: url, rgw_keystone_api_version: version } = world.config;
    if (url === '') return undefined;
    if (version !== API_VERSION) {
      throw new Error(`rgw_keystone_api_version is ${version}: only version ${API_VERSION} is there`);
    }
    return new Keystone(world, store, outgoing);
  }

  /** Undefined: the token is not good, or lets nobody in. @throws KeystoneUnavailable, RadosError */
  async authenticate(token: string): Promise<KeystoneCaller | undefined> {
    const key = toHex(this.#world.crypto.hash('sha256', utf8(token)));
    let found = this.#cache.find(key, this.#now);
    if (!found) {
      found = await this.#client.validate(token);
      if (!found || found.expires.sec <= this.#now.sec || found.project.id === '') return undefined;
      if (!hasOne(found, this.#roles.plain)) return undefined;
      this.#cache.add(key, found);
    }
    const caller = await this.#callerOf(found, 'swift');
    return caller && { ...caller, aclNames: aclNamesOf(found) };
  }

  /**
   * Whose an access key is (EC2Engine); or as what the request is refused, if nobody else knows the key.
   *
   * @returns `secret` undefined: Keystone does not tell it, but vouches for the signature
   * @throws KeystoneUnavailable, RadosError
   */
  async authenticateS3(
    accessKey: RawString,
    claim: Claim,
  ): Promise<S3Caller | 'AccessDenied' | 'SignatureDoesNotMatch'> {
    const known = this.#secrets.find(accessKey, this.#now);
    const isKnown = known && claim.isSignedWith(known.secret);
    const token = isKnown ? known.token : await this.#client.verify(accessKey, claim);
    if (!token) return 'SignatureDoesNotMatch';
    if (token.project.id === '' || token.expires.sec <= this.#now.sec) return 'AccessDenied';
    const secret = isKnown ? known.secret : await this.#client.secretOf(token.user.id, accessKey);
    if (!isKnown && secret !== undefined) this.#secrets.add(accessKey, { token, secret }, this.#now);
    const caller = hasOne(token, this.#roles.plain) ? await this.#callerOf(token, 's3') : undefined;
    return caller ? { ...caller, secret } : 'AccessDenied';
  }

  /** Undefined: the user is suspended. */
  async #callerOf(token: KeystoneToken, by: 'swift' | 's3'): Promise<Vouched | undefined> {
    const stored = await this.#userOf(token, by);
    const { info } = stored;
    if (info.suspended) return undefined;
    const user = hasOne(token, this.#roles.admin) ? { ...info, admin: true } : info;
    return { user, identity: identityOf(stored) };
  }

  /** The user whose tenant is the project, or the one of no tenant; made if there is neither. */
  async #userOf({ project }: KeystoneToken, by: 'swift' | 's3'): Promise<StoredUser> {
    const { users } = this.#store;
    const tenanted: UserId = { tenant: project.id, ns: '', id: project.id };
    const plain: UserId = { tenant: '', ns: '', id: project.id };
    const implicit: readonly string[] = IMPLICIT[by];
    const isImplicit = implicit.includes(this.#world.config.rgw_keystone_implicit_tenants);
    for (const id of [tenanted, plain]) {
      const found = await users.load(id);
      if (found) return found;
    }
    const id = isImplicit ? tenanted : plain;
    const info = newUserInfo({ id, displayName: project.name, type: USER_TYPE_KEYSTONE });
    try {
      return await users.create(info);
    } catch (error) {
      if (!(error instanceof RadosError) || error.code !== Errno.EEXIST) throw error;
    }
    // Another gateway was first.
    const made = await users.load(id);
    if (!made) throw new RadosError(Errno.ECANCELED, project.id);
    return made;
  }

  get #now(): UTime {
    return this.#world.clock.wall();
  }
}

function hasOne({ roles }: KeystoneToken, wanted: readonly string[]): boolean {
  return roles.some((role) => wanted.includes(role));
}

function aclNamesOf({ project, user }: KeystoneToken): RawString[] {
  const pairs = [
    [project.id, user.id],
    [project.name, user.name],
    ['*', user.id],
    ['*', user.name],
  ] as const;
  return pairs.filter(([a, b]) => a !== '' && b !== '').map(([a, b]) => `${a}:${b}`);
}

/** `a, b c` */
function listOf(text: string): string[] {
  return text.split(/[,;\s]+/).filter((each) => each !== '');
}
