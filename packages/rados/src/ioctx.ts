import {
  type Bytes,
  Decoder,
  type EntityAddr,
  EntityType,
  Errno,
  MalformedInput,
  type PoolId,
  type RawString,
  type UTime,
} from '@spirula/encoding';
import { type HObject, MIN_HOBJECT } from '@spirula/maps';
import {
  decodeOpEntries,
  decodeWatchItems,
  type ObjectLocator,
  OsdFlag,
  OsdOpCode,
  plainOp,
  SNAPDIR,
} from '@spirula/messages';
import {
  failedReply,
  type ListedObject,
  type ListPage,
  listObjects,
  type Objecter,
  type ObjectReply,
} from '@spirula/objecter';
import { ObjectOperation } from './object-operation.ts';
import { RadosError } from './rados-error.ts';
import { type ObjectClone, parseSnapSet, type SnapSet } from './snapshots.ts';
import { type NotifyResult, notify, Watch, type WatchOptions, type WatchWork } from './watch.ts';

/** Objects asked for at a time (as librados lists). */
const LIST_PAGE = 1024;
const { EROFS } = Errno;
/** osd_max_omap_entries_per_request: what one request for keys or values may bring. */
const OMAP_PAGE = 1024;
/** client_notify_timeout */
const NOTIFY_TIMEOUT_SECONDS = 10;

export interface ObjectStat {
  readonly size: number;
  readonly mtime: UTime;
}

/** What a write was recorded as, and when it was answered a map epoch. */
export interface OperationResult {
  /** 0 or positive. */
  readonly result: number;
  /** Output and return value of each part. */
  readonly outputs: readonly { readonly rval: number; readonly output: Bytes }[];
  readonly userVersion: number;
}

/** One who watches an object. */
export interface Watcher {
  /** As Ceph prints it: `client.4117`. */
  readonly entity: string;
  readonly cookie: bigint;
  readonly timeoutSeconds: number;
  readonly addr: EntityAddr;
}

export interface IoOptions {
  /** The namespace; '' is the default one, `ALL_NAMESPACES` for listing all. */
  readonly nspace?: RawString;
  /** Placement follows this key instead of the object's name. */
  readonly locatorKey?: RawString;
  /** Requests fail with ETIMEDOUT after so long; without it they wait for as long as it takes. */
  readonly timeoutUs?: number;
  /** `OsdFlag`s to add to every request. */
  readonly flags?: number;
  /** Reads are of this snapshot, and writes fail with EROFS. */
  readonly snapid?: bigint;
  /** What writes know of self-managed snapshots: the newest number given out, and those that exist, newest first. */
  readonly snapContext?: { readonly seq: bigint; readonly snaps: readonly bigint[] };
}

/**
 * I/O on the objects of one pool and namespace. Object names, omap keys and xattr names are raw strings: one char, one
 * byte (`rawFromText` makes one of any text). Every method rejects with a `RadosError` that carries the errno.
 */
export class IoCtx {
  readonly pool: PoolId;
  readonly #objecter: Objecter;
  readonly #watchWork: WatchWork;
  readonly #options: IoOptions;

  constructor(objecter: Objecter, watchWork: WatchWork, pool: PoolId, options: IoOptions = {}) {
    this.#objecter = objecter;
    this.#watchWork = watchWork;
    this.pool = pool;
    this.#options = options;
  }

  /** The same pool, with other options where given. */
  with(options: IoOptions): IoCtx {
    return new IoCtx(this.#objecter, this.#watchWork, this.pool, { ...this.#options, ...options });
  }

  /** Its namespace; '' is the default one. */
  get nspace(): RawString {
    return this.#options.nspace ?? '';
  }

  get #locator(): ObjectLocator {
    const { nspace = '', locatorKey = '' } = this.#options;
    return { pool: this.pool, key: locatorKey, nspace, hash: -1n };
  }

  /** Runs a compound operation. @throws RadosError when any part of it fails, with that part's errno. */
  async operate(oid: RawString, operation: ObjectOperation): Promise<OperationResult> {
    const reply = await this.submit(oid, operation);
    if (reply.result < 0) throw new RadosError(reply.result, oid);
    return {
      result: reply.result,
      outputs: reply.ops.map(({ rval, output }) => ({ rval, output })),
      userVersion: reply.userVersion,
    };
  }

  /** As `operate`, but a failure is a result. */
  submit(oid: RawString, operation: ObjectOperation): Promise<ObjectReply> {
    const { timeoutUs, flags = 0, snapid, snapContext } = this.#options;
    if (snapid !== undefined && (operation.flags & OsdFlag.write) !== 0) {
      return Promise.resolve(failedReply(EROFS));
    }
    return new Promise((resolve) =>
      this.#objecter.submit(
        {
          oid,
          locator: this.#locator,
          ops: operation.ops,
          flags: operation.flags | flags,
          ...(snapid !== undefined && { snapid }),
          ...(snapContext && { snapSeq: snapContext.seq, snaps: snapContext.snaps }),
          ...(timeoutUs !== undefined && { timeoutUs }),
          ...(operation.mtime && { mtime: operation.mtime }),
        },
        resolve,
      ),
    );
  }

  async write(oid: RawString, data: Bytes, offset = 0): Promise<void> {
    await this.operate(oid, new ObjectOperation().write(data, offset));
  }

  /** Replaces the whole object. */
  async writeFull(oid: RawString, data: Bytes): Promise<void> {
    await this.operate(oid, new ObjectOperation().writeFull(data));
  }

  /** Makes `oid` a copy of an object of this pool, namespace and key, or of where `from` reads and writes. */
  async copy(source: RawString, oid: RawString, from: IoCtx = this): Promise<void> {
    await this.operate(oid, new ObjectOperation().copyFrom(source, from.#locator));
  }

  /** Makes the object what it was in a snapshot; without it, removes it. */
  async rollback(oid: RawString, snapid: bigint): Promise<void> {
    await this.operate(oid, new ObjectOperation().rollback(snapid));
  }

  /** The object's clones, oldest first, then itself unless it is removed. */
  async listSnaps(oid: RawString): Promise<readonly ObjectClone[]> {
    return (await this.snapSet(oid)).clones;
  }

  /** The object's clones, and how new the snapshots are that it knows of. */
  async snapSet(oid: RawString): Promise<SnapSet> {
    const io = this.with({ snapid: SNAPDIR });
    return parseSnapSet(oid, await io.#output(oid, new ObjectOperation().listSnaps()));
  }

  async append(oid: RawString, data: Bytes): Promise<void> {
    await this.operate(oid, new ObjectOperation().append(data));
  }

  /** A length of 0 reads to the end. Shorter than asked where the object ends. */
  async read(oid: RawString, offset = 0, length = 0): Promise<Bytes> {
    return this.#output(oid, new ObjectOperation().read(offset, length));
  }

  async stat(oid: RawString): Promise<ObjectStat> {
    const output = await this.#output(oid, new ObjectOperation().stat());
    return parse(oid, output, (decoder) => ({
      size: decoder.u64('size'),
      mtime: { sec: decoder.u32('mtime'), nsec: decoder.u32('mtime') },
    }));
  }

  /** With `exclusive`, rejects with EEXIST when the object exists. */
  async create(oid: RawString, exclusive = false): Promise<void> {
    await this.operate(oid, new ObjectOperation().create(exclusive));
  }

  /** Goes on in a full pool, as it makes room (IoCtxImpl::remove). */
  async remove(oid: RawString): Promise<void> {
    const flags = (this.#options.flags ?? 0) | OsdFlag.fullForce;
    await this.with({ flags }).operate(oid, new ObjectOperation().remove());
  }

  async truncate(oid: RawString, size: number): Promise<void> {
    await this.operate(oid, new ObjectOperation().truncate(size));
  }

  async zero(oid: RawString, offset: number, length: number): Promise<void> {
    await this.operate(oid, new ObjectOperation().zero(offset, length));
  }

  async getXattr(oid: RawString, name: RawString): Promise<Bytes> {
    return this.#output(oid, new ObjectOperation().getXattr(name));
  }

  async setXattr(oid: RawString, name: RawString, value: Bytes): Promise<void> {
    await this.operate(oid, new ObjectOperation().setXattr(name, value));
  }

  async rmXattr(oid: RawString, name: RawString): Promise<void> {
    await this.operate(oid, new ObjectOperation().rmXattr(name));
  }

  async listXattrs(oid: RawString): Promise<ReadonlyMap<RawString, Bytes>> {
    return parse(oid, await this.#output(oid, new ObjectOperation().getXattrs()), decodeOpEntries);
  }

  async omapSet(oid: RawString, values: ReadonlyMap<RawString, Bytes>): Promise<void> {
    await this.operate(oid, new ObjectOperation().omapSet(values));
  }

  async omapRmKeys(oid: RawString, keys: Iterable<RawString>): Promise<void> {
    await this.operate(oid, new ObjectOperation().omapRmKeys(keys));
  }

  async omapClear(oid: RawString): Promise<void> {
    await this.operate(oid, new ObjectOperation().omapClear());
  }

  async omapSetHeader(oid: RawString, header: Bytes): Promise<void> {
    await this.operate(oid, new ObjectOperation().omapSetHeader(header));
  }

  async omapGetHeader(oid: RawString): Promise<Bytes> {
    return this.#output(oid, new ObjectOperation().omapGetHeader());
  }

  /** Values of those of `keys` that exist. */
  async omapGetByKeys(oid: RawString, keys: Iterable<RawString>): Promise<ReadonlyMap<RawString, Bytes>> {
    return parse(oid, await this.#output(oid, new ObjectOperation().omapGetValsByKeys(keys)), decodeOpEntries);
  }

  /** All keys and values in key order, asked for page by page. */
  async omapGetAll(oid: RawString): Promise<ReadonlyMap<RawString, Bytes>> {
    const all = new Map<RawString, Bytes>();
    for (let after = '', more = true; more; ) {
      const output = await this.#output(oid, new ObjectOperation().omapGetVals(after, OMAP_PAGE));
      const page = parse(oid, output, (decoder) => ({ values: decodeOpEntries(decoder), more: decoder.bool('more') }));
      for (const [key, value] of page.values) {
        all.set(key, value);
        after = key;
      }
      more = page.more && page.values.size > 0;
    }
    return all;
  }

  /** All keys in order, asked for page by page. */
  async omapGetKeys(oid: RawString): Promise<readonly RawString[]> {
    const all: RawString[] = [];
    for (let more = true; more; ) {
      const output = await this.#output(oid, new ObjectOperation().omapGetKeys(all.at(-1) ?? '', OMAP_PAGE));
      const page = parse(oid, output, (decoder) => ({
        keys: decoder.list('keys', 4, () => decoder.rawString('key')),
        more: decoder.bool('more'),
      }));
      for (const key of page.keys) all.push(key);
      more = page.more && page.keys.length > 0;
    }
    return all;
  }

  /** Calls a method of an object class, and gives what it answers; one that writes answers nothing. */
  async exec(oid: RawString, cls: string, method: string, input?: Bytes): Promise<Bytes> {
    return this.#output(oid, new ObjectOperation().exec(cls, method, input));
  }

  /** Every object of the namespace, PG by PG. What changes meanwhile may or may not be seen. */
  async *listObjects(): AsyncGenerator<ListedObject> {
    const { nspace = '' } = this.#options;
    for (let cursor: HObject = MIN_HOBJECT, done = false; !done; ) {
      const from = { pool: this.pool, nspace, cursor, count: LIST_PAGE };
      const page = await new Promise<ListPage>((resolve) => listObjects(this.#objecter, from, resolve));
      if (page.code < 0) throw new RadosError(page.code, 'listing objects');
      yield* page.objects;
      if (page.next) cursor = page.next;
      else done = true;
    }
  }

  /** Is told of notifies of the object from now on. */
  watch(oid: RawString, options: WatchOptions): Promise<Watch> {
    return Watch.begin(this.#objecter, this.#watchWork, { oid, locator: this.#locator }, options);
  }

  /**
   * Tells all who watch the object, and waits for their answers.
   *
   * @param timeoutSeconds whole seconds that watchers are given
   */
  notify(oid: RawString, payload: Bytes, timeoutSeconds = NOTIFY_TIMEOUT_SECONDS): Promise<NotifyResult> {
    return notify(this.#objecter, { oid, locator: this.#locator }, payload, timeoutSeconds);
  }

  /** Those who watch the object, in the order of their cookies. */
  async listWatchers(oid: RawString): Promise<readonly Watcher[]> {
    const operation = new ObjectOperation().add(plainOp(OsdOpCode.listWatchers), 'read');
    const items = decodeOrFail(oid, await this.#output(oid, operation), decodeWatchItems);
    return items.map(({ entityType, entityNum, cookie, timeoutSeconds, addr }) => ({
      entity: `${entityTypeText(entityType)}.${entityNum}`,
      cookie,
      timeoutSeconds,
      addr,
    }));
  }

  /** Output of the one part of an operation. */
  async #output(oid: RawString, operation: ObjectOperation): Promise<Bytes> {
    const { outputs } = await this.operate(oid, operation);
    const only = outputs[0];
    if (!only) throw new RadosError(Errno.EIO, `${oid}: the reply lacks its output`);
    return only.output;
  }
}

function entityTypeText(type: number): string {
  return Object.entries(EntityType).find(([, number]) => number === type)?.[0] ?? String(type);
}

function parse<T>(oid: RawString, output: Bytes, read: (decoder: Decoder) => T): T {
  return decodeOrFail(oid, output, (bytes) => read(new Decoder(bytes)));
}

function decodeOrFail<T>(oid: RawString, output: Bytes, decode: (bytes: Bytes) => T): T {
  try {
    return decode(output);
  } catch (error) {
    if (error instanceof MalformedInput) throw new RadosError(Errno.EIO, `${oid}: the reply does not parse`);
    throw error;
  }
}
