/**
 * What leads to users: access keys, Swift names, e-mail addresses; each an object with the user's id. An entry counts only
 * while its user says the same, so that of two changes, one here and one there, none is seen by half:
 *
 *   claim      the entry is written, then the user            a crash between: the entry counts for nothing
 *   release    the user is written, then the entry is removed  the same
 *
 * An entry that counts for nothing may be claimed by another user. Whoever does so first writes its old user anew, unchanged:
 * then a change that was to make the entry count fails, as its user has another version.
 */
import { Errno, type RawString } from '@spirula/encoding';
import { assertVerOp } from '@spirula/messages';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { RawObject } from '../formats/cache-notice.ts';
import { encoded } from '../formats/encoded.ts';
import { decodeUserIdText, encodeUserIdText, formatUserId, type UserId } from '../formats/user-id.ts';
import { decodeStored } from './meta-object.ts';
import type { Zone } from './zone.ts';

export type IndexKind = 'accessKey' | 'swiftName' | 'email';

/** One entry: `name` is to lead to a user. */
export interface IndexEntry {
  readonly kind: IndexKind;
  readonly name: RawString;
}

/** An entry as it is in the pool; its version tells whether it was claimed since. */
export interface FoundEntry extends IndexEntry {
  readonly user: UserId;
  readonly radosVersion: number;
}

/** Another user has it. */
export class IndexConflict extends Error {
  override readonly name = 'IndexConflict';
  readonly entry: IndexEntry;
  readonly user: UserId;

  constructor(entry: IndexEntry, user: UserId) {
    super(`${entry.kind} ${entry.name} belongs to ${formatUserId(user)}`);
    this.entry = entry;
    this.user = user;
  }
}

/** What the index must know of users. */
export interface IndexedUsers {
  /** Whether the user has the entry. */
  has(user: UserId, entry: IndexEntry): Promise<boolean>;
  /** Writes the user anew, unchanged. False: the user has the entry, or changes just now. */
  fence(user: UserId, entry: IndexEntry): Promise<boolean>;
}

/** Each time, another gateway was first. */
const MAX_ATTEMPTS = 20;
const CHANGED: ReadonlySet<number> = new Set([Errno.ENOENT, Errno.EEXIST, Errno.ERANGE, Errno.EOVERFLOW]);

function isSameUser(a: UserId, b: UserId): boolean {
  return formatUserId(a) === formatUserId(b);
}

const POOLS = { accessKey: 'userKeys', swiftName: 'userSwift', email: 'userEmail' } as const;

export class UserIndex {
  readonly #zone: Zone;

  constructor(zone: Zone) {
    this.#zone = zone;
  }

  /** As `find`, from memory where it is known there. @throws RadosError */
  async lookUp(entry: IndexEntry): Promise<FoundEntry | undefined> {
    return await this.#zone.cache.read(this.#object(entry), () => this.find(entry));
  }

  /** Whatever the entry says: whether it counts, its user says. @throws RadosError */
  async find(entry: IndexEntry): Promise<FoundEntry | undefined> {
    const { kind, name } = entry;
    // An object without a name cannot be asked for.
    if (name === '') return undefined;
    const reply = await this.#pool(kind).submit(name, new ObjectOperation().read());
    if (reply.result === Errno.ENOENT) return undefined;
    const [read] = reply.ops;
    if (reply.result < 0 || !read) throw new RadosError(reply.result, name);
    return { kind, name, user: decodeStored(name, read.output, decodeUserIdText), radosVersion: reply.userVersion };
  }

  /** @throws IndexConflict, RadosError */
  async check(entry: IndexEntry, user: UserId, users: IndexedUsers): Promise<void> {
    const found = await this.find(entry);
    if (!found || isSameUser(found.user, user)) return;
    if (await users.has(found.user, entry)) throw new IndexConflict(entry, found.user);
  }

  /** Makes the entry lead to the user. @throws IndexConflict, RadosError */
  async claim(entry: IndexEntry, user: UserId, users: IndexedUsers): Promise<FoundEntry> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const found = await this.find(entry);
      if (found && !isSameUser(found.user, user)) {
        if (await users.has(found.user, entry)) throw new IndexConflict(entry, found.user);
        if (!(await users.fence(found.user, entry))) continue;
      }
      const written = await this.#write(entry, user, found);
      if (written) return written;
    }
    throw new RadosError(Errno.ECANCELED, entry.name);
  }

  /** Undefined: somebody was first. */
  async #write(entry: IndexEntry, user: UserId, found: FoundEntry | undefined): Promise<FoundEntry | undefined> {
    const operation = new ObjectOperation();
    if (found) operation.add(assertVerOp(found.radosVersion), 'read');
    else operation.create(true);
    operation.writeFull(encoded(encodeUserIdText, user));
    const { result, userVersion } = await this.#pool(entry.kind).submit(entry.name, operation);
    if (CHANGED.has(result)) return undefined;
    if (result < 0) throw new RadosError(result, entry.name);
    await this.#zone.cache.announce(this.#object(entry));
    return { ...entry, user, radosVersion: userVersion };
  }

  /** Removes an entry unless it was claimed since it was found. @throws RadosError */
  async release(entry: FoundEntry): Promise<void> {
    const { kind, name, radosVersion } = entry;
    const operation = new ObjectOperation().add(assertVerOp(radosVersion), 'read').remove();
    const { result } = await this.#pool(kind).submit(name, operation);
    if (result < 0 && !CHANGED.has(result)) throw new RadosError(result, name);
    await this.#zone.cache.announce(this.#object(entry));
  }

  #pool(kind: IndexKind): IoCtx {
    return this.#zone.system(POOLS[kind]);
  }

  #object({ kind, name }: IndexEntry): RawObject {
    return { pool: this.#zone.params.pools[POOLS[kind]], oid: name };
  }
}
