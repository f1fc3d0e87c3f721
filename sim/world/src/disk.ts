/**
 * A machine's disk: outlives the runs of its daemon. What a crash leaves is drawn from the seed:
 *
 *   key-value   committed batches, then a prefix of those submitted since
 *   block       all that was flushed, and of the sectors written since any subset
 *
 * `faults` says what else may go wrong with it.
 */
import type { Bytes } from '@spirula/encoding';
import {
  type Batch,
  type BlockDevice,
  DeviceError,
  type Instant,
  invariant,
  type KeyValue,
  type KvRange,
  type Token,
  type WorldEvent,
} from '@spirula/world';
import { DiskFaults } from './disk-faults.ts';
import type { DiskProfile } from './disk-profile.ts';
import { DiskQueue, type Extent } from './disk-queue.ts';
import { KvLog } from './kv-log.ts';
import type { SeededRandom } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import { StoredBlocks } from './stored-blocks.ts';

const BLOCK_SIZE = 4096;
const SECTOR_SIZE = 512;
/** errno ENOSPC. */
const ENOSPC = -28;

/** The daemon a disk serves. */
export interface DiskOwner {
  /** Takes what the disk has to tell to the daemon, unless that is gone meanwhile. */
  post(event: WorldEvent<never>): void;
  reportBug(problem: string): void;
}

export class SimDisk {
  /** What is wrong with it, and how to make it so. */
  readonly faults: DiskFaults;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #queue: DiskQueue;
  readonly #deviceBytes: number;
  #kv: KvLog;
  #blocks: StoredBlocks;
  #committing = false;
  /** Flushes asked for, with the number of writes each covers. */
  #flushes: { readonly token: Token; writes: number }[] = [];
  /** Nothing is answered before. */
  #stalledUntil: Instant = 0;
  /** Answers that are due, but for a stall. */
  #heldBack: (() => void)[] = [];
  /** Which run of the daemon is served; 0: none. What an earlier one is still owed is dropped. */
  #run = 0;
  #lastRun = 0;
  /** A flush or a commit of this run has failed: nothing comes back any more. */
  #failed = false;
  #owner: DiskOwner | undefined;

  constructor(scheduler: Scheduler, random: SeededRandom, profile: DiskProfile, deviceBytes: number) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#deviceBytes = Math.floor(deviceBytes / BLOCK_SIZE) * BLOCK_SIZE;
    this.#queue = new DiskQueue(profile, random);
    this.#kv = new KvLog(random);
    this.#blocks = this.#makeBlocks();
    const disk = {
      now: () => scheduler.now,
      writtenBlocks: () => this.#blocks.written,
      usedBytes: () => this.#usedBytes(),
      flipBits: (blockOffset: number, bits: readonly number[]) => this.#blocks.flip(blockOffset, bits),
      setSlowness: (factor: number) => {
        this.#queue.slowness = factor;
      },
      setStalledUntil: (at: Instant) => {
        this.#stalledUntil = at;
        scheduler.at(at, () => this.#endStall());
      },
    };
    this.faults = new DiskFaults(disk, random, BLOCK_SIZE);
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
    if (this.#failed) return this.crash();
    this.#kv.close();
    this.#blocks.flush(this.#blocks.unflushedCount);
    this.#forget();
  }

  /** The daemon or the power is gone, and what was not durable with it, wholly or in part. */
  crash(): void {
    this.#kv.crash();
    this.#blocks.crash();
    this.#forget();
  }

  /** Another disk, empty and in order, is put in its place. No daemon may run. */
  wipe(): void {
    invariant(this.#run === 0, 'a disk is replaced while its daemon does not run');
    this.#kv = new KvLog(this.#random);
    this.#blocks = this.#makeBlocks();
    this.faults.heal();
  }

  /**
   * For checkers: stretches of the device, whole blocks, that are not as they should be through faults: their bytes are not
   * those last written and acknowledged, or no read gets at them. A block that is overwritten is in order again.
   */
  damaged(): readonly Extent[] {
    return [...this.#blocks.damaged(), ...this.faults.unreadable()];
  }

  /**
   * Microseconds that the daemon waits from now for the reads it has made: reads answer at once, so the time they take is
   * added to the daemon's own after the event that made them. Charged once.
   */
  takeCharge(): Instant {
    return this.#queue.takeCharge(this.#scheduler.now);
  }

  #makeBlocks(): StoredBlocks {
    return new StoredBlocks(this.#random, this.#deviceBytes, BLOCK_SIZE, SECTOR_SIZE);
  }

  #usedBytes(): number {
    return this.#kv.usedBytes() + this.#blocks.usedBytes;
  }

  #forget(): void {
    this.#run = 0;
    this.#committing = false;
    this.#failed = false;
    this.#flushes = [];
    this.#heldBack = [];
  }

  /** Runs `done` when the device is through, unless the daemon is gone by then or the disk fails. */
  #after(delay: Instant, done: () => void): void {
    const run = this.#run;
    const answer = () => {
      if (run !== this.#run || this.#failed) return;
      if (this.#scheduler.now < this.#stalledUntil) this.#heldBack.push(answer);
      else done();
    };
    this.#scheduler.after(delay, answer);
  }

  #endStall(): void {
    if (this.#scheduler.now < this.#stalledUntil) return;
    for (const answer of this.#heldBack.splice(0)) answer();
  }

  /** The daemon is told; it is owed nothing more. */
  #fail({ code, message }: DeviceError): void {
    this.#failed = true;
    this.#owner!.post({ kind: 'storageFailed', code, detail: message });
  }

  // Key-value

  #kvPort(): KeyValue {
    const run = this.#run;
    return {
      get: (key: Bytes) => this.#kv.get(key),
      range: (range: KvRange) => this.#kv.range(range),
      submit: (batch: Batch, token: Token) => {
        invariant(run === this.#run, 'a daemon that is gone writes no more');
        this.#kv.submit(batch, token);
        if (!this.#committing) this.#commit();
      },
    };
  }

  /** One commit at a time; it covers what was submitted before it began. */
  #commit(): void {
    const count = this.#kv.waiting;
    this.#committing = true;
    this.#after(this.#queue.commit(this.#scheduler.now, this.#kv.waitingBytes), () => {
      const error = this.faults.takeError('commit');
      // Whether what was on its way has reached the disk nobody can tell.
      if (error !== undefined) return this.#fail(error);
      const { limitBytes } = this.faults;
      const { tokens, refused, changed } = this.#kv.commit(
        count,
        limitBytes === undefined ? undefined : limitBytes - this.#blocks.usedBytes,
      );
      if (changed) this.#owner!.reportBug('nobody changes a batch once it is submitted');
      for (const token of tokens) this.#owner!.post({ kind: 'committed', token });
      if (refused) {
        this.#kv.end();
        return this.#fail(this.#noSpace('commit'));
      }
      if (this.#kv.waiting > 0) this.#commit();
      else this.#committing = false;
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
        this.#queue.read(this.#scheduler.now, { offset, length });
        const error = this.faults.takeError('read', offset, length);
        if (error !== undefined) throw error;
        return this.#blocks.read(offset, length);
      },
      write: (offset: number, bytes: Bytes) => {
        invariant(run === this.#run, 'a daemon that is gone writes no more');
        this.#checkRange(offset, bytes.length);
        const error = this.faults.takeError('write', offset, bytes.length) ?? this.#checkRoom(offset, bytes.length);
        if (error !== undefined) throw error;
        this.#blocks.write(offset, bytes, this.faults.takeFate());
      },
      flush: (token: Token) => {
        invariant(run === this.#run, 'a daemon that is gone writes no more');
        this.#flushes.push({ token, writes: this.#blocks.unflushedCount });
        if (this.#flushes.length === 1) this.#flush();
      },
    };
  }

  #flush(): void {
    this.#after(this.#queue.flush(this.#scheduler.now, this.#blocks.unflushed(this.#flushes[0]!.writes)), () => {
      const error = this.faults.takeError('flush');
      if (error !== undefined) return this.#fail(error);
      const { token, writes } = this.#flushes.shift()!;
      this.#blocks.flush(writes);
      for (const later of this.#flushes) later.writes -= writes;
      if (this.#flushes.length > 0) this.#flush();
      this.#owner!.post({ kind: 'flushed', token });
    });
  }

  #checkRange(offset: number, length: number): void {
    invariant(offset % BLOCK_SIZE === 0 && length % BLOCK_SIZE === 0, 'offsets and lengths are whole blocks');
    invariant(offset >= 0 && offset + length <= this.#deviceBytes, 'reads and writes are within the device');
  }

  #checkRoom(offset: number, length: number): DeviceError | undefined {
    const { limitBytes } = this.faults;
    if (limitBytes === undefined) return undefined;
    const growth = this.#blocks.newBytes({ offset, length });
    const fits = growth === 0 || this.#usedBytes() + growth <= limitBytes;
    return fits ? undefined : this.#noSpace(`write of ${length} bytes at ${offset}`);
  }

  #noSpace(what: string): DeviceError {
    const { limitBytes } = this.faults;
    return new DeviceError(
      ENOSPC,
      `the disk has no room for a ${what}: ${this.#usedBytes()} of ${limitBytes} bytes are used`,
    );
  }
}
