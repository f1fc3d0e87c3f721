/** What is stored of users and buckets, entry by entry (RGWMetadataManager, rgw_metadata.cc). */
import { type Bytes, Errno, MalformedInput, type RawString, textFromRaw, type UTime } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { Bucket } from '../formats/bucket.ts';
import { formatUserId, parseUserId } from '../formats/user-id.ts';
import type { Store } from '../store/store.ts';
import { IndexConflict } from '../store/user-index.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import type { Node } from './document.ts';
import { JsonReader, parseJsonBytes } from './json-reader.ts';
import {
  entryPointNode,
  instanceNode,
  parseAttrs,
  parseEntryPoint,
  parseInstanceChange,
  parseUser,
  userNode,
} from './metadata-json.ts';
import { timeText } from './user-json.ts';

/** What is stored of one, and who changed it last. */
interface Entry {
  readonly version: { readonly ver: bigint; readonly tag: RawString };
  readonly modified: UTime;
  readonly data: Node;
}

interface Kind {
  names(): AsyncIterable<RawString>;
  /** Undefined: there is none. */
  find(key: RawString): Promise<Entry | undefined>;
  put(key: RawString, data: JsonReader): Promise<void>;
  /** False: there is none. */
  remove(key: RawString): Promise<boolean>;
}

/** It is not there, or there is no such kind. */
class NoMetadata extends Error {
  override readonly name = 'NoMetadata';
}

const UNSUPPORTED = (what: string) => new AdminError(AdminCode.EOPNOTSUPP, what);

export class MetadataAdmin {
  readonly #store: Store;
  readonly #now: () => UTime;
  readonly #kinds: Readonly<Record<string, Kind>>;

  constructor(store: Store, now: () => UTime) {
    this.#store = store;
    this.#now = now;
    this.#kinds = {
      bucket: this.#entryPoints,
      'bucket.instance': this.#instances,
      otp: this.#oneTimePasswords,
      user: this.#users,
    };
  }

  get kinds(): readonly string[] {
    return Object.keys(this.#kinds);
  }

  /** In the order of the pool. @throws NoMetadata, RadosError */
  async names(kind: string): Promise<RawString[]> {
    const names: RawString[] = [];
    for await (const name of this.#kind(kind).names()) names.push(name);
    return names;
  }

  /** @throws NoMetadata, AdminError EOPNOTSUPP, RadosError */
  async get(kind: string, key: RawString): Promise<Node> {
    const found = await this.#kind(kind).find(key);
    if (!found) throw new NoMetadata();
    const { version, modified, data } = found;
    return {
      key: `${kind}:${textFromRaw(key)}`,
      ver: { tag: textFromRaw(version.tag), ver: Number(version.ver) },
      mtime: timeText(modified),
      data,
    };
  }

  /**
   * Makes an entry what a document says that `get` gave, whatever it is now. Its version counts on from the one that it has, so that who
   * changes it meanwhile knows.
   *
   * @throws NoMetadata, AdminError EINVAL, EOPNOTSUPP, EEXIST; RadosError
   */
  async put(kind: string, key: RawString, document: Bytes): Promise<void> {
    const target = this.#kind(kind);
    try {
      const json = new JsonReader(parseJsonBytes(document));
      await target.put(key, json.object('data'));
    } catch (error) {
      if (error instanceof MalformedInput) throw new AdminError(AdminCode.EINVAL, error.message);
      if (error instanceof IndexConflict) throw new AdminError(AdminCode.EEXIST, error.message);
      throw error;
    }
  }

  /** @throws NoMetadata, AdminError EOPNOTSUPP, RadosError */
  async remove(kind: string, key: RawString): Promise<void> {
    if (!(await this.#kind(kind).remove(key))) throw new NoMetadata();
  }

  #kind(name: string): Kind {
    const kind = this.#kinds[name];
    if (!kind) throw new NoMetadata();
    return kind;
  }

  get #users(): Kind {
    const { users } = this.#store;
    return {
      async *names() {
        for await (const id of users.list()) yield formatUserId(id);
      },
      find: async (key) => {
        const user = await users.load(parseUserId(key));
        return user && { version: user.version, modified: user.modified, data: userNode(user) };
      },
      put: async (key, data) => {
        const info = parseUser(data);
        if (formatUserId(info.id) !== key) throw new MalformedInput('user_id', 0, 'is of another user');
        const attrs = parseAttrs(data);
        const before = (await users.load(info.id)) ?? (await users.create(newBare(info)));
        const gone = [...before.attrs.keys()].filter((name) => !attrs.has(name));
        const change = new Map<RawString, Bytes | undefined>(attrs);
        for (const name of gone) change.set(name, undefined);
        await users.update(before, info, change);
      },
      remove: async (key) => {
        const user = await users.load(parseUserId(key));
        if (!user) return false;
        await users.remove(user);
        return true;
      },
    };
  }

  get #entryPoints(): Kind {
    const { buckets } = this.#store;
    const named = (key: RawString): [tenant: RawString, name: RawString] => {
      const slash = key.indexOf('/');
      return [slash < 0 ? '' : key.slice(0, slash), key.slice(slash + 1)];
    };
    return {
      names: () => buckets.list(),
      find: async (key) => {
        const found = await buckets.loadEntryPoint(...named(key));
        return found && { ...found, data: entryPointNode(found.entryPoint) };
      },
      put: async (key, data) => {
        const entryPoint = parseEntryPoint(data);
        const [tenant, name] = named(key);
        const { bucket } = entryPoint;
        if (bucket.tenant !== tenant || bucket.name !== name) {
          throw new MalformedInput('bucket', 0, 'is another than the key names');
        }
        if (!(await buckets.loadInstance(bucket)))
          throw UNSUPPORTED(`there is no instance ${textFromRaw(bucket.bucketId)}`);
        await buckets.putEntryPoint(entryPoint, this.#now());
      },
      remove: (key) => buckets.removeEntryPoint(...named(key)),
    };
  }

  get #instances(): Kind {
    const { buckets } = this.#store;
    return {
      names: () => buckets.listInstances(),
      find: async (key) => {
        const found = await buckets.loadInstance(instanceOfKey(key));
        return found && { version: found.version, modified: found.modified, data: instanceNode(found) };
      },
      put: async (key, data) => {
        const found = await buckets.loadInstance(instanceOfKey(key));
        if (!found) throw UNSUPPORTED('an instance is made with its index, by who makes the bucket');
        const attrs = parseAttrs(data);
        const change = new Map<RawString, Bytes | undefined>(attrs);
        for (const name of found.attrs.keys()) if (!attrs.has(name)) change.set(name, undefined);
        await buckets.update(found, parseInstanceChange(data, found.info), change);
      },
      remove: (key) => buckets.removeInstanceInfo(instanceOfKey(key)),
    };
  }

  /** Nothing here makes one. */
  get #oneTimePasswords(): Kind {
    const refuse = async () => {
      throw UNSUPPORTED('one-time passwords are not supported');
    };
    return { names: async function* () {}, find: async () => undefined, put: refuse, remove: async () => false };
  }
}

/** `[tenant/]name:id` */
export function instanceOfKey(key: RawString): Bucket {
  const slash = key.indexOf('/');
  const rest = key.slice(slash + 1);
  const colon = rest.indexOf(':');
  const bucketId = colon < 0 ? '' : rest.slice(colon + 1);
  return {
    tenant: slash < 0 ? '' : key.slice(0, slash),
    name: colon < 0 ? rest : rest.slice(0, colon),
    marker: bucketId,
    bucketId,
    explicitPlacement: undefined,
  };
}

/** Before what leads to them. */
function newBare<T extends object>(info: T): T {
  return { ...info, accessKeys: new Map(), swiftKeys: new Map(), email: '' };
}

/** As radosgw-admin says it. */
export function isGone(error: unknown): boolean {
  return error instanceof NoMetadata || (error instanceof RadosError && error.code === Errno.ENOENT);
}
