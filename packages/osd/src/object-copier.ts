/**
 * Reads whole objects, wherever they are, for copies (PrimaryLogPG::start_copy, _copy_some, process_copy_chunk): as a client
 * of whoever serves them, in pieces, all of one version.
 *
 *    attributes, first omap, first data --of version v--> more of each, asserted to be of v --> whole
 *          ^                                                     |
 *          +-------------- it has changed meanwhile -------------+   a few times; then it fails
 */
import { type Bytes, concatBytes, Decoder, decodeUTime, Errno, type RawString, type UTime } from '@spirula/encoding';
import {
  assertVerOp,
  decodeOpEntries,
  extentOp,
  type ObjectLocator,
  OsdFlag,
  type OsdOp,
  OsdOpCode,
  omapGetValsOp,
  plainOp,
} from '@spirula/messages';
import type { ObjectReply, ObjectRequest } from '@spirula/objecter';

/** osd_copyfrom_max_chunk */
const CHUNK_BYTES = 8 << 20;
const OMAP_ENTRIES = 1024;
const MAX_RESTARTS = 5;
/** Copies in memory at a time; others wait for their turn. */
const MAX_COPIES = 4;

export interface CopySource {
  readonly oid: RawString;
  readonly locator: ObjectLocator;
  readonly snapid: bigint;
  /** The user version that it must have; 0: whichever it has. */
  readonly version: number;
}

export interface CopiedObject {
  readonly data: Bytes;
  readonly mtime: UTime;
  readonly userVersion: number;
  readonly xattrs: ReadonlyMap<RawString, Bytes>;
  readonly omapHeader: Bytes;
  readonly omap: ReadonlyMap<RawString, Bytes>;
}

/** What the ops of a request bring, each of which makes its object a copy. */
export type Copies = ReadonlyMap<OsdOp, CopiedObject>;
export const NO_COPIES: Copies = new Map();

/** What was read, or the negative errno of why it was not. */
export type CopyResult = CopiedObject | number;

/** What the copier needs of an objecter. */
export interface CopyReader {
  submit(request: ObjectRequest, done: (reply: ObjectReply) => void): bigint;
  cancel(tid: bigint): void;
}

export class ObjectCopier {
  readonly #reader: CopyReader;
  readonly #underWay = new Set<Copy>();
  #waiting: Copy[] = [];

  constructor(reader: CopyReader) {
    this.#reader = reader;
  }

  /** Calls `done` once. Returns what gives the copy up: `done` is not called then. */
  copy(source: CopySource, done: (result: CopyResult) => void): () => void {
    const copy = new Copy(this.#reader, source, (result) => {
      this.#end(copy);
      done(result);
    });
    this.#waiting.push(copy);
    this.#beginNext();
    return () => {
      copy.cancel();
      this.#waiting = this.#waiting.filter((each) => each !== copy);
      this.#end(copy);
    };
  }

  #end(copy: Copy): void {
    if (this.#underWay.delete(copy)) this.#beginNext();
  }

  #beginNext(): void {
    while (this.#underWay.size < MAX_COPIES) {
      const copy = this.#waiting.shift();
      if (copy === undefined) return;
      this.#underWay.add(copy);
      copy.begin();
    }
  }
}

class Copy {
  readonly #reader: CopyReader;
  readonly #source: CopySource;
  readonly #done: (result: CopyResult) => void;
  #restarts = 0;
  #request: bigint | undefined;
  #cancelled = false;
  #chunks: Bytes[] = [];
  #omap = new Map<RawString, Bytes>();

  constructor(reader: CopyReader, source: CopySource, done: (result: CopyResult) => void) {
    this.#reader = reader;
    this.#source = source;
    this.#done = done;
  }

  begin(): void {
    this.#chunks = [];
    this.#omap = new Map();
    const { version } = this.#source;
    const asserted = version === 0 ? [] : [assertVerOp(version)];
    const parts = [
      plainOp(OsdOpCode.stat),
      plainOp(OsdOpCode.getxattrs),
      plainOp(OsdOpCode.omapGetHeader),
      omapGetValsOp('', OMAP_ENTRIES),
      extentOp(OsdOpCode.read, 0, CHUNK_BYTES),
    ];
    this.#ask([...asserted, ...parts], (reply) => {
      if (reply.result < 0) return this.#done(reply.result);
      const [stat, xattrs, header, omap, data] = reply.ops.slice(asserted.length).map(({ output }) => output);
      const first = new Decoder(stat!);
      const size = first.u64('size');
      const mtime = decodeUTime(first, 'mtime');
      const rest = {
        mtime,
        userVersion: reply.userVersion,
        xattrs: copyEntries(new Decoder(xattrs!)),
        omapHeader: header!.slice(),
      };
      this.#goOn(rest, size, omap, data);
    });
  }

  cancel(): void {
    this.#cancelled = true;
    if (this.#request !== undefined) this.#reader.cancel(this.#request);
  }

  /** Takes what came, and asks for more of it. */
  #goOn(
    rest: Omit<CopiedObject, 'data' | 'omap'>,
    size: number,
    omap: Bytes | undefined,
    data: Bytes | undefined,
  ): void {
    let moreAfter: RawString | undefined;
    if (omap !== undefined) {
      const page = new Decoder(omap);
      const entries = copyEntries(page);
      for (const [key, value] of entries) this.#omap.set(key, value);
      if (page.bool('more')) moreAfter = [...entries.keys()].at(-1);
    }
    if (data !== undefined) this.#chunks.push(data.slice());
    const at = this.#chunks.reduce((sum, { length }) => sum + length, 0);
    const readsOn = at < size;
    if (readsOn && data?.length === 0) return this.#done(Errno.EIO);
    if (moreAfter === undefined && !readsOn) {
      return this.#done({ ...rest, data: concatBytes(this.#chunks), omap: this.#omap });
    }
    const ops = [
      assertVerOp(rest.userVersion),
      ...(moreAfter === undefined ? [] : [omapGetValsOp(moreAfter, OMAP_ENTRIES)]),
      ...(readsOn ? [extentOp(OsdOpCode.read, at, CHUNK_BYTES)] : []),
    ];
    this.#ask(ops, ({ result, ops: results }) => {
      const changed = result === Errno.ERANGE || result === Errno.EOVERFLOW;
      if (changed && this.#source.version === 0 && this.#restarts++ < MAX_RESTARTS) return this.begin();
      if (result < 0) return this.#done(result);
      const [, ...outputs] = results.map(({ output }) => output);
      this.#goOn(
        rest,
        size,
        moreAfter === undefined ? undefined : outputs.shift(),
        readsOn ? outputs.shift() : undefined,
      );
    });
  }

  #ask(ops: readonly OsdOp[], then: (reply: ObjectReply) => void): void {
    const { oid, locator, snapid } = this.#source;
    this.#request = this.#reader.submit({ oid, locator, ops, flags: OsdFlag.read, snapid }, (reply) => {
      if (!this.#cancelled) then(reply);
    });
  }
}

/** The reply that they came in is not kept. */
function copyEntries(output: Decoder): Map<RawString, Bytes> {
  return new Map([...decodeOpEntries(output)].map(([key, value]) => [key, value.slice()]));
}
