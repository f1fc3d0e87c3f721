/** What a method of a class may do, done as ops of its request (osd/objclass.cc). */
import {
  ClassError,
  type EntityInst,
  type MethodContext,
  type ObjectStat,
  type OmapKeys,
  type OmapPage,
  type OmapPageRequest,
  type Watcher,
} from '@spirula/cls';
import { type Bytes, Decoder, decodeUTime, EMPTY, Encoder, Errno, type RawString, type UTime } from '@spirula/encoding';
import {
  decodeOpEntries,
  decodeWatchItems,
  extentOp,
  OpFlag,
  type OsdOp,
  OsdOpCode,
  omapGetKeysOp,
  omapGetValsOp,
  plainOp,
  xattrOp,
} from '@spirula/messages';
import { BLOCK_BYTES } from '@spirula/objectstore';
import type { OpContext } from './op-context.ts';

/** CEPH_OSD_OP_FLAG_FADVISE_*: what stands beside them would be about the op's failure. */
const HINTS = 0x7c;

export class OpMethodContext implements MethodContext {
  readonly #context: OpContext;
  /** Whether it has tried to; `stat` does not count. */
  #hasRead = false;
  #hasWritten = false;

  constructor(context: OpContext) {
    this.#context = context;
  }

  get hasRead(): boolean {
    return this.#hasRead;
  }

  get hasWritten(): boolean {
    return this.#hasWritten;
  }

  get origin(): EntityInst {
    const { entityType: type, entityNum: num, addr } = this.#context.client;
    return { type, num, addr };
  }

  get clientFeatures(): bigint {
    return this.#context.client.features;
  }

  get requiredOsdRelease(): number {
    return this.#context.environment.map.requireOsdRelease;
  }

  get minCompatibleClient(): number {
    return this.#context.environment.map.requireMinCompatClient;
  }

  /** Pools have no stripes here, as replicated ones in Ceph. */
  get allocationUnit(): number {
    return BLOCK_BYTES;
  }

  now(): UTime {
    return this.#context.environment.clock.wall();
  }

  randomBytes(count: number): Bytes {
    return this.#context.environment.crypto.randomBytes(count);
  }

  get currentVersion(): number {
    return this.#context.lastUserVersion;
  }

  subopVersion(): RawString {
    return `${this.currentVersion}.${this.#context.tally.ops}`;
  }

  stat(): ObjectStat {
    const output = new Decoder(this.#run(plainOp(OsdOpCode.stat)));
    return { size: output.u64('size'), mtime: decodeUTime(output, 'mtime') };
  }

  snapsetSeq(): bigint {
    const { draft, snapset } = this.#context;
    // A deleted object that has clones keeps its snap set.
    if (!draft.exists && snapset.clones.length === 0) throw new ClassError(Errno.ENOENT);
    return snapset.seq;
  }

  watchers(): readonly Watcher[] {
    return decodeWatchItems(this.#ask(plainOp(OsdOpCode.listWatchers))).map(
      ({ entityType: type, entityNum: num, addr, cookie, timeoutSeconds }) => ({
        type,
        num,
        addr,
        cookie,
        timeoutSeconds,
      }),
    );
  }

  create(exclusive: boolean): void {
    this.#change(plainOp(OsdOpCode.create, EMPTY, exclusive ? OpFlag.excl : 0));
  }

  remove(): void {
    this.#change(plainOp(OsdOpCode.delete));
  }

  read(offset: number, length: number, flags = 0): Bytes {
    return this.#ask(extentOp(OsdOpCode.read, offset, length, EMPTY, flags & HINTS));
  }

  write(offset: number, data: Bytes, flags = 0): void {
    this.#change(extentOp(OsdOpCode.write, offset, data.length, data, flags & HINTS));
  }

  writeFull(data: Bytes): void {
    this.#change(extentOp(OsdOpCode.writefull, 0, data.length, data));
  }

  truncate(size: number): void {
    this.#change(extentOp(OsdOpCode.truncate, size, 0));
  }

  zero(offset: number, length: number): void {
    this.#change(extentOp(OsdOpCode.zero, offset, length));
  }

  getXattr(name: RawString): Bytes | undefined {
    try {
      return this.#ask(xattrOp(OsdOpCode.getxattr, name));
    } catch (error) {
      if (error instanceof ClassError && error.code === Errno.ENODATA) return undefined;
      throw error;
    }
  }

  getXattrs(): ReadonlyMap<RawString, Bytes> {
    return decodeOpEntries(new Decoder(this.#ask(plainOp(OsdOpCode.getxattrs))));
  }

  setXattr(name: RawString, value: Bytes): void {
    this.#change(xattrOp(OsdOpCode.setxattr, name, value));
  }

  omapGet(key: RawString): Bytes | undefined {
    return this.omapGetByKeys([key]).get(key);
  }

  omapGetByKeys(keys: Iterable<RawString>): ReadonlyMap<RawString, Bytes> {
    return decodeOpEntries(new Decoder(this.#ask(plainOp(OsdOpCode.omapGetValsByKeys, encodeKeys([...keys])))));
  }

  omapKeys({ after = '', max }: Omit<OmapPageRequest, 'prefix'>): OmapKeys {
    const output = new Decoder(this.#ask(omapGetKeysOp(after, max)));
    return { keys: output.list('keys', 4, () => output.rawString('key')), more: output.bool('more') };
  }

  omapList({ after = '', prefix = '', max }: OmapPageRequest): OmapPage {
    const output = new Decoder(this.#ask(omapGetValsOp(after, max, prefix)));
    return { entries: decodeOpEntries(output), more: output.bool('more') };
  }

  omapHeader(): Bytes {
    return this.#ask(plainOp(OsdOpCode.omapGetHeader));
  }

  omapSet(entries: ReadonlyMap<RawString, Bytes>): void {
    const input = new Encoder(64);
    input.map(
      entries,
      (key) => input.rawString(key),
      (value) => input.blob(value),
    );
    this.#change(plainOp(OsdOpCode.omapSetVals, input.finish()));
  }

  omapSetHeader(header: Bytes): void {
    this.#change(plainOp(OsdOpCode.omapSetHeader, header));
  }

  omapRemove(keys: readonly RawString[]): void {
    this.#change(plainOp(OsdOpCode.omapRmKeys, encodeKeys(keys)));
  }

  omapRemoveRange(first: RawString, last: RawString): void {
    const input = new Encoder(64);
    input.rawString(first);
    input.rawString(last);
    this.#change(plainOp(OsdOpCode.omapRmKeyRange, input.finish()));
  }

  omapClear(): void {
    this.#change(plainOp(OsdOpCode.omapClear));
  }

  #ask(op: OsdOp): Bytes {
    this.#hasRead = true;
    return this.#run(op);
  }

  #change(op: OsdOp): void {
    this.#hasWritten = true;
    this.#run(op);
  }

  #run(op: OsdOp): Bytes {
    const { code, output } = this.#context.run(op);
    if (code < 0) throw new ClassError(code);
    return output;
  }
}

function encodeKeys(keys: readonly RawString[]): Bytes {
  const input = new Encoder(64);
  input.list(keys, (key) => input.rawString(key));
  return input.finish();
}
