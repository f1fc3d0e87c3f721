import { AddrType, type Bytes, EMPTY, EntityType, Errno, type RawString, type UTime } from '@spirula/encoding';
import type { EntityInst } from './entity-inst.ts';
import type { MethodContext, OmapKeys, OmapPage, OmapPageRequest, Watcher } from './method-context.ts';
import { ClassError, type ObjectClass, runMethod } from './object-class.ts';

const NO_OBJECT = { data: undefined, xattrs: new Map(), omap: new Map(), header: EMPTY };

interface Contents {
  readonly data: Bytes | undefined;
  readonly xattrs: ReadonlyMap<RawString, Bytes>;
  readonly omap: ReadonlyMap<RawString, Bytes>;
  readonly header: Bytes;
}

function client(num: number): EntityInst {
  return {
    type: EntityType.client,
    num: BigInt(num),
    addr: { type: AddrType.v2, nonce: num, family: 2, ip: '127.0.0.1', port: 0 },
  };
}

/** One object in memory, on which methods run as on an OSD: reads show it as it was before the call, failures change nothing. */
export class MemoryObject implements MethodContext {
  origin = client(1);
  time: UTime = { sec: 1000, nsec: 0 };
  currentVersion = 0;
  clientFeatures = 0n;
  requiredOsdRelease = 16;
  minCompatibleClient = 0;
  allocationUnit = 4096;
  /** The sequence of its snap set, and who watches it. */
  snapshot = 0n;
  watching: readonly Watcher[] = [];
  stored: Contents = NO_OBJECT;
  #next: Contents = NO_OBJECT;
  #ops = 0;

  /** Code and output of a call by `origin`; changes that succeed are stored. */
  call({ methods }: ObjectClass, name: string, input: Bytes = EMPTY): { code: number; output: Bytes } {
    this.#next = this.stored;
    this.#ops = 0;
    const outcome = runMethod(methods[name]!, this, input);
    if (outcome.code >= 0) this.stored = this.#next;
    if (outcome.code >= 0) this.currentVersion += 1;
    return outcome;
  }

  as(num: number): this {
    this.origin = client(num);
    return this;
  }

  now = () => this.time;
  randomBytes = (count: number) => new Uint8Array(count).fill(7);
  subopVersion = () => `${this.currentVersion}.${this.#ops}`;

  stat() {
    this.#ops += 1;
    const { data } = this.#next;
    if (!data) throw new ClassError(Errno.ENOENT);
    return { size: data.length, mtime: this.time };
  }

  snapsetSeq(): bigint {
    this.stat();
    return this.snapshot;
  }

  watchers = () => this.watching;

  create(exclusive: boolean): void {
    if (exclusive && this.#next.data) throw new ClassError(Errno.EEXIST);
    this.#change({});
  }

  remove(): void {
    this.#ops += 1;
    if (!this.#next.data) throw new ClassError(Errno.ENOENT);
    this.#next = NO_OBJECT;
  }

  read(offset: number, length: number): Bytes {
    this.#ops += 1;
    return this.stored.data?.slice(offset, length === 0 ? undefined : offset + length) ?? EMPTY;
  }

  write(offset: number, data: Bytes): void {
    const before = this.#next.data ?? EMPTY;
    const after = new Uint8Array(Math.max(before.length, offset + data.length));
    after.set(before);
    after.set(data, offset);
    this.#change({ data: after });
  }

  writeFull(data: Bytes): void {
    this.#change({ data });
  }

  truncate(size: number): void {
    const after = new Uint8Array(size);
    after.set((this.#next.data ?? EMPTY).subarray(0, size));
    this.#change({ data: after });
  }

  /** What is zeroed at the end is cut off, as OSDs do it. */
  zero(offset: number, length: number): void {
    const data = this.#next.data ?? EMPTY;
    if (offset + length >= data.length) this.#change({ data: data.slice(0, offset) });
    else this.#change({ data: data.slice().fill(0, offset, offset + length) });
  }

  getXattr(name: RawString): Bytes | undefined {
    return this.getXattrs().get(name);
  }

  getXattrs(): ReadonlyMap<RawString, Bytes> {
    this.#ops += 1;
    if (!this.stored.data) throw new ClassError(Errno.ENOENT);
    return sorted(this.stored.xattrs);
  }

  setXattr(name: RawString, value: Bytes): void {
    this.#change({ xattrs: new Map([...this.#next.xattrs, [name, value]]) });
  }

  omapGet(key: RawString): Bytes | undefined {
    this.#ops += 1;
    return this.stored.omap.get(key);
  }

  omapGetByKeys(keys: Iterable<RawString>): ReadonlyMap<RawString, Bytes> {
    this.#ops += 1;
    const wanted = new Set(keys);
    return sorted(new Map([...this.stored.omap].filter(([key]) => wanted.has(key))));
  }

  omapKeys(page: OmapPageRequest): OmapKeys {
    const { entries, more } = this.omapList(page);
    return { keys: [...entries.keys()], more };
  }

  omapList({ after = '', prefix = '', max }: OmapPageRequest): OmapPage {
    this.#ops += 1;
    const all = [...sorted(this.stored.omap)].filter(([key]) => key > after && key.startsWith(prefix));
    return { entries: new Map(all.slice(0, max)), more: all.length > max };
  }

  omapHeader(): Bytes {
    this.#ops += 1;
    return this.stored.header;
  }

  omapSet(entries: ReadonlyMap<RawString, Bytes>): void {
    this.#change({ omap: new Map([...this.#next.omap, ...entries]) });
  }

  omapSetHeader(header: Bytes): void {
    this.#change({ header });
  }

  omapRemove(keys: readonly RawString[]): void {
    this.#keep((key) => !keys.includes(key));
  }

  omapRemoveRange(first: RawString, last: RawString): void {
    this.#keep((key) => key < first || key >= last);
  }

  omapClear(): void {
    this.#require();
    this.#change({ omap: new Map(), header: EMPTY });
  }

  #keep(which: (key: RawString) => boolean): void {
    this.#require();
    this.#change({ omap: new Map([...this.#next.omap].filter(([key]) => which(key))) });
  }

  #require(): void {
    if (!this.#next.data) throw new ClassError(Errno.ENOENT);
  }

  #change(contents: Partial<Contents>): void {
    this.#ops += 1;
    this.#next = { ...this.#next, data: this.#next.data ?? EMPTY, ...contents };
  }
}

function sorted(entries: ReadonlyMap<RawString, Bytes>): ReadonlyMap<RawString, Bytes> {
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}
