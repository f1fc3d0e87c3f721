import { type Bytes, compareBytes } from '@spirula/encoding';
import {
  type Batch,
  type BlockDevice,
  DeviceError,
  type KeyValue,
  KvOverlay,
  type KvRange,
  type Token,
} from '@spirula/world';

/** A key-value store whose batches become durable one by one, when the test says so, and that can lose power. */
export class CrashableKv implements KeyValue {
  readonly #view = new KvOverlay('stands-alone');
  readonly #durable: Batch[];
  #waiting: { readonly batch: Batch; readonly token: Token }[] = [];

  constructor(durable: readonly Batch[] = []) {
    this.#durable = [...durable];
    for (const batch of durable) this.#view.apply(batch);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get(key: Bytes): Bytes | undefined {
    const answer = this.#view.get(key);
    return answer === 'deleted' ? undefined : answer;
  }

  range(range: KvRange): Iterable<readonly [Bytes, Bytes]> {
    return this.#view.range(range);
  }

  submit(batch: Batch, token: Token): void {
    for (const op of batch) {
      if (op.op === 'delRange' && compareBytes(op.start, op.end) > 0) throw new Error('a range ends before it starts');
      if (op.op !== 'delRange' && (op.key.length === 0 || op.key.length > 1024)) throw new Error('key length');
    }
    this.#view.apply(batch);
    this.#waiting.push({ batch, token });
  }

  /** Makes the oldest waiting batch durable; returns its token. */
  commit(): Token | undefined {
    const head = this.#waiting.shift();
    if (head === undefined) return undefined;
    this.#durable.push(head.batch);
    return head.token;
  }

  /** What is there after a power cut that `survivors` of the waiting batches outlived. */
  afterCrash(survivors: number): CrashableKv {
    return new CrashableKv([...this.#durable, ...this.#waiting.slice(0, survivors).map(({ batch }) => batch)]);
  }
}

const SECTOR = 512;

/** A device whose flushes come back one by one, when the test says so, and that can lose power. */
export class CrashableBlock implements BlockDevice {
  readonly size: number;
  readonly blockSize = 4096;
  readonly sectorSize = SECTOR;
  readonly #view: Uint8Array;
  readonly #durable: Uint8Array;
  /** Since the oldest write that no returned flush covers. */
  #log: ({ readonly offset: number; readonly bytes: Bytes } | { readonly flush: Token })[] = [];

  /** Answered with EIO: those that touch a byte, or all of a kind. */
  #refused: { readonly operation: 'read' | 'write'; readonly at: number | undefined }[] = [];

  constructor(content: Uint8Array) {
    this.size = content.length;
    this.#view = content.slice();
    this.#durable = content.slice();
  }

  read(offset: number, length: number): Bytes {
    this.#check(offset, length);
    this.#answer('read', offset, length);
    return this.#view.slice(offset, offset + length);
  }

  write(offset: number, bytes: Bytes): void {
    this.#check(offset, bytes.length);
    this.#answer('write', offset, bytes.length);
    this.#view.set(bytes, offset);
    this.#log.push({ offset, bytes: bytes.slice() });
  }

  flush(token: Token): void {
    this.#log.push({ flush: token });
  }

  /** Brings the oldest flush back; returns its token. */
  finishFlush(): Token | undefined {
    const at = this.#log.findIndex((entry) => 'flush' in entry);
    if (at < 0) return undefined;
    const done = this.#log.splice(0, at + 1);
    for (const entry of done) if ('bytes' in entry) this.#durable.set(entry.bytes, entry.offset);
    const last = done.at(-1)!;
    return 'flush' in last ? last.flush : undefined;
  }

  /** Flips bits of one byte, flushed or not: rot. */
  damage(offset: number): void {
    this.#view[offset]! ^= 0xff;
    this.#durable[offset]! ^= 0xff;
  }

  /** From now on, reads or writes that touch a byte, or all of them; after a crash as well. */
  refuse(operation: 'read' | 'write', at?: number): void {
    this.#refused.push({ operation, at });
  }

  accept(): void {
    this.#refused = [];
  }

  #answer(operation: 'read' | 'write', offset: number, length: number): void {
    for (const { operation: each, at = offset } of this.#refused) {
      if (each === operation && at >= offset && at < offset + length) throw new DeviceError(-5, `${each} refused`);
    }
  }

  /** Where the bytes are, for a test that looks at the device itself. */
  find(bytes: Bytes): number {
    return Buffer.from(this.#view.buffer).indexOf(bytes);
  }

  /** What is there after a power cut that those sectors not flushed outlived for which `survives` says so. */
  afterCrash(survives: () => boolean): CrashableBlock {
    const content = this.#durable.slice();
    for (const entry of this.#log) {
      if (!('bytes' in entry)) continue;
      for (let at = 0; at < entry.bytes.length; at += SECTOR) {
        if (survives()) content.set(entry.bytes.subarray(at, at + SECTOR), entry.offset + at);
      }
    }
    const left = new CrashableBlock(content);
    left.#refused = this.#refused;
    return left;
  }

  #check(offset: number, length: number): void {
    const aligned = offset % this.blockSize === 0 && length % this.blockSize === 0;
    if (!aligned || offset < 0 || offset + length > this.size) throw new Error(`bad range ${offset}+${length}`);
  }
}
