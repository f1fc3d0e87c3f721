/**
 * A machine's disk: outlives the runs of its daemon. What a crash leaves is drawn from the seed:
 *
 *   key-value   committed batches, then a prefix of those submitted since
 *   block       all that was flushed, and of the sectors written since any subset
 */
import type { Bytes } from '@spirula/encoding';
import {
  type Batch,
  type BlockDevice,
  type Instant,
  invariant,
  type KeyValue,
  type KvOp,
  KvOverlay,
  type KvRange,
  type Token,
  type WorldEvent,
} from '@spirula/world';
import type { SeededRandom } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import { isIntact, type Seal, sealMessage } from './seal.ts';
import { SparseBlocks } from './sparse-blocks.ts';

const BLOCK_SIZE = 4096;
const SECTOR_SIZE = 512;
const MAX_KEY_BYTES = 1024;

export interface DiskProfile {
  /** A flush takes between these, in microseconds. */
  readonly flushUs: readonly [min: Instant, max: Instant];
  /** One flush in so many takes up to `stallUs` longer; 0: none does. */
  readonly stallOneIn: number;
  readonly stallUs: Instant;
}

export const QUICK_DISK: DiskProfile = { flushUs: [100, 1000], stallOneIn: 0, stallUs: 0 };

/** The daemon a disk serves. */
export interface DiskOwner {
  /** Takes what the disk has to tell to the daemon, unless that is gone meanwhile. */
  post(event: WorldEvent<never>): void;
  reportBug(problem: string): void;
}

interface Submitted {
  readonly batch: Batch;
  readonly token: Token;
  /** Taken when it was submitted: nobody changes it since. */
  readonly seal: Seal;
}

interface UnflushedWrite {
  readonly offset: number;
  readonly bytes: Bytes;
}

export class SimDisk {
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #profile: DiskProfile;
  readonly #deviceBytes: number;

  readonly #durable = new KvOverlay('stands-alone');
  #view = new KvOverlay('stands-alone');
  /** Not durable yet, oldest first. */
  #submitted: Submitted[] = [];
  #committing = false;

  readonly #durableBlocks = new SparseBlocks(BLOCK_SIZE);
  readonly #viewBlocks = new SparseBlocks(BLOCK_SIZE);
  #unflushed: UnflushedWrite[] = [];
  /** Flushes asked for, with the number of writes each covers. */
  #flushes: { readonly token: Token; writes: number }[] = [];
  /** Which run of the daemon is served; 0: none. What an earlier one is still owed is dropped. */
  #run = 0;
  #lastRun = 0;
  #owner: DiskOwner | undefined;

  constructor(scheduler: Scheduler, random: SeededRandom, profile: DiskProfile, deviceBytes: number) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#profile = profile;
    this.#deviceBytes = Math.floor(deviceBytes / BLOCK_SIZE) * BLOCK_SIZE;
  }

  /** The ports of a new run of the daemon. */
  attach(owner: DiskOwner): { readonly kv: KeyValue; readonly block: BlockDevice } {
    invariant(this.#run === 0, 'a disk has one daemon at a time');
    this.#lastRun += 1;
    this.#run = this.#lastRun;
    this.#owner = owner;
    return { kv: this.#kvPort(), block: this.#blockPort() };
  }

  /** The daemon stopped in order: all it wrote is there. */
  detach(): void {
    for (const { batch } of this.#submitted) this.#durable.apply(batch);
    for (const { offset, bytes } of this.#unflushed) this.#durableBlocks.write(offset, bytes);
    this.#forget();
  }

  /** The daemon or the power is gone, and what was not durable with it, wholly or in part. */
  crash(): void {
    const survivors = this.#random.oneIn(2) ? 0 : this.#random.below(this.#submitted.length + 1);
    for (const { batch } of this.#submitted.slice(0, survivors)) this.#durable.apply(batch);
    this.#view = new KvOverlay('stands-alone');
    const everything = { start: new Uint8Array([0]), end: new Uint8Array(MAX_KEY_BYTES + 1).fill(0xff) };
    for (const [key, value] of this.#durable.range(everything)) this.#view.applyOp({ op: 'put', key, value });
    this.#loseWrites();
    this.#forget();
  }

  #loseWrites(): void {
    // None, all, or each sector for itself.
    const fate = this.#random.pick(['lost', 'there', 'torn', 'torn'] as const);
    for (const { offset, bytes } of this.#unflushed) {
      for (let at = 0; at < bytes.length; at += SECTOR_SIZE) {
        if (fate === 'there' || (fate === 'torn' && this.#random.oneIn(2))) {
          this.#durableBlocks.write(offset + at, bytes.subarray(at, at + SECTOR_SIZE));
        }
      }
    }
    for (const { offset, bytes } of this.#unflushed) {
      this.#viewBlocks.write(offset, this.#durableBlocks.read(offset, bytes.length));
    }
  }

  #forget(): void {
    this.#run = 0;
    this.#submitted = [];
    this.#committing = false;
    this.#unflushed = [];
    this.#flushes = [];
  }

  // Key-value

  #kvPort(): KeyValue {
    const run = this.#run;
    return {
      get: (key: Bytes) => {
        const answer = this.#view.get(key);
        return answer === 'deleted' ? undefined : answer;
      },
      range: (range: KvRange) => this.#view.range(range),
      submit: (batch: Batch, token: Token) => {
        invariant(run === this.#run, 'a daemon that is gone writes no more');
        for (const op of batch) checkKeys(op);
        this.#submit(batch, token);
      },
    };
  }

  #submit(batch: Batch, token: Token): void {
    this.#view.apply(batch);
    this.#submitted.push({ batch, token, seal: sealMessage(batch) });
    if (!this.#committing) this.#commit();
  }

  /** One flush at a time; it covers what was submitted before it began. */
  #commit(): void {
    const run = this.#run;
    const count = this.#submitted.length;
    this.#committing = true;
    this.#scheduler.after(this.#drawFlush(), () => {
      if (run !== this.#run) return;
      const committed = this.#submitted.splice(0, count);
      for (const { batch, seal } of committed) {
        if (!isIntact(batch, seal)) this.#owner!.reportBug('nobody changes a batch once it is submitted');
        this.#durable.apply(batch);
      }
      if (this.#submitted.length > 0) this.#commit();
      else this.#committing = false;
      for (const { token } of committed) this.#owner!.post({ kind: 'committed', token });
    });
  }

  // Block device

  #blockPort(): BlockDevice {
    const run = this.#run;
    return {
      size: this.#deviceBytes,
      blockSize: BLOCK_SIZE,
      sectorSize: SECTOR_SIZE,
      read: (offset: number, length: number) => {
        this.#checkRange(offset, length);
        return this.#viewBlocks.read(offset, length);
      },
      write: (offset: number, bytes: Bytes) => {
        invariant(run === this.#run, 'a daemon that is gone writes no more');
        this.#checkRange(offset, bytes.length);
        this.#viewBlocks.write(offset, bytes);
        this.#unflushed.push({ offset, bytes: bytes.slice() });
      },
      flush: (token: Token) => {
        invariant(run === this.#run, 'a daemon that is gone writes no more');
        this.#flushes.push({ token, writes: this.#unflushed.length });
        if (this.#flushes.length === 1) this.#flush();
      },
    };
  }

  #flush(): void {
    const run = this.#run;
    this.#scheduler.after(this.#drawFlush(), () => {
      if (run !== this.#run) return;
      const { token, writes } = this.#flushes.shift()!;
      for (const { offset, bytes } of this.#unflushed.splice(0, writes)) this.#durableBlocks.write(offset, bytes);
      for (const later of this.#flushes) later.writes -= writes;
      if (this.#flushes.length > 0) this.#flush();
      this.#owner!.post({ kind: 'flushed', token });
    });
  }

  #checkRange(offset: number, length: number): void {
    invariant(offset % BLOCK_SIZE === 0 && length % BLOCK_SIZE === 0, 'offsets and lengths are whole blocks');
    invariant(offset >= 0 && offset + length <= this.#deviceBytes, 'reads and writes are within the device');
  }

  #drawFlush(): Instant {
    const { flushUs, stallOneIn, stallUs } = this.#profile;
    const took = this.#random.between(...flushUs);
    return this.#random.oneIn(stallOneIn) ? took + this.#random.below(stallUs) : took;
  }
}

function checkKeys(op: KvOp): void {
  if (op.op === 'delRange') return;
  invariant(op.key.length >= 1 && op.key.length <= MAX_KEY_BYTES, 'keys are 1 to 1024 bytes');
}
