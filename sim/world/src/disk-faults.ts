import { DeviceError, type Instant, invariant } from '@spirula/world';
import { Layers, type Undo } from './layers.ts';
import type { SeededRandom } from './random.ts';

/** errno EIO. */
const EIO = -5;

export type DiskOperation = 'read' | 'write' | 'flush' | 'commit';

/** Which operations fail. Without any of it: all, until healed. */
export interface Failing {
  /** Only those that touch these bytes of the device. Flushes and commits touch none. */
  readonly within?: { readonly offset: number; readonly length: number };
  /** One in so many, drawn; at least 1. */
  readonly oneIn?: number;
  /** So many times, then no more. */
  readonly times?: number;
}

/**
 * What becomes of one write, though it is acknowledged and flushed. `torn`: some of its sectors never arrive. `lost`: none
 * does. `misdirected`: it lands on another stretch that was written before, and the right one keeps what it had.
 */
export type WriteFate = 'torn' | 'lost' | 'misdirected';

/** What faults need of the disk they are about. */
export interface FaultyDisk {
  now(): Instant;
  /** Offsets of the blocks that were ever written. */
  writtenBlocks(): readonly number[];
  usedBytes(): number;
  flipBits(blockOffset: number, bits: readonly number[]): void;
  setSlowness(factor: number): void;
  setStalledUntil(at: Instant): void;
}

interface Rule {
  readonly operation: DiskOperation;
  readonly failing: Failing;
  left: number;
}

/**
 * What is wrong with one disk. What a fault returns ends it, and no other; `heal` ends them all. Data that were changed, or were
 * never written, stay so (`SimDisk.damaged` says which). Whatever is drawn comes from the disk's own stream.
 */
export class DiskFaults {
  readonly #disk: FaultyDisk;
  readonly #random: SeededRandom;
  readonly #blockSize: number;
  readonly #rules = new Set<Rule>();
  readonly #fates = new Set<{ readonly fate: WriteFate }>();
  #spoiledAt: Instant | undefined;
  readonly #stalls: Layers<Instant>;
  readonly #slowed: Layers<number>;
  #limit: number | undefined;
  readonly #limits = new Layers<number>((bytes) => {
    this.#limit = bytes.length === 0 ? undefined : Math.min(...bytes);
  });

  constructor(disk: FaultyDisk, random: SeededRandom, blockSize: number) {
    this.#disk = disk;
    this.#random = random;
    this.#blockSize = blockSize;
    this.#stalls = new Layers((until) => disk.setStalledUntil(Math.max(0, ...until)));
    this.#slowed = new Layers((factors) => disk.setSlowness(Math.max(1, ...factors)));
  }

  /**
   * EIO. Reads and writes throw a DeviceError; a flush or a commit of the key-value store that fails is told by `storageFailed`,
   * and nothing comes back after it in that run of the daemon.
   */
  fail(operation: DiskOperation, failing: Failing = {}): Undo {
    const rule: Rule = { operation, failing, left: failing.times ?? Number.POSITIVE_INFINITY };
    this.#rules.add(rule);
    return () => void this.#rules.delete(rule);
  }

  /** Flips bits, 1 to so many as a block has, of a block that was written: what is stored is no longer what was written. */
  rot(blockOffset: number, bits = 1): void {
    invariant(blockOffset % this.#blockSize === 0, 'whole blocks rot');
    const chosen = new Set<number>();
    while (chosen.size < bits) chosen.add(this.#random.below(this.#blockSize * 8));
    this.#disk.flipBits(blockOffset, [...chosen]);
    this.#spoiledAt = this.#disk.now();
  }

  /**
   * Lets so many of the blocks that were written rot, drawn, but never the first of the device, which says whose disk it is.
   * Returns their offsets: fewer when fewer were written.
   */
  rotSome(blocks: number): readonly number[] {
    const written = this.#disk.writtenBlocks().filter((offset) => offset > 0);
    const rotten = this.#random.shuffle(written).slice(0, blocks);
    for (const offset of rotten) this.rot(offset);
    return rotten;
  }

  /** Spoils the next write to the block device. Asked for again, the one after it. */
  spoilNextWrite(fate: WriteFate): Undo {
    const next = { fate };
    this.#fates.add(next);
    return () => void this.#fates.delete(next);
  }

  /** No flush or commit is answered for so long from now, or until healed. Reads are: what is read often is in memory. */
  stall(duration: Instant): Undo {
    return this.#stalls.add(this.#disk.now() + duration);
  }

  /** Everything takes so many times longer, a positive integer; the largest counts. */
  slow(factor: number): Undo {
    invariant(Number.isSafeInteger(factor) && factor >= 1, 'a disk is slower by a whole factor');
    return this.#slowed.add(factor);
  }

  /**
   * ENOSPC once device and key-value store hold more than so many bytes together (blocks that were ever written, keys and
   * values): what needs more is refused, overwriting and deleting work.
   */
  limit(bytes: number): Undo {
    return this.#limits.add(bytes);
  }

  /** ENOSPC for all that needs more room than is used now. */
  fill(): Undo {
    return this.limit(this.#disk.usedBytes());
  }

  heal(): void {
    this.#rules.clear();
    this.#fates.clear();
    for (const layers of [this.#stalls, this.#slowed, this.#limits]) layers.clear();
  }

  /** Stretches that no read gets at, whenever it comes. */
  unreadable(): { readonly offset: number; readonly length: number }[] {
    return [...this.#rules].flatMap(({ operation, failing: { within, oneIn = 1 }, left }) =>
      operation === 'read' && within !== undefined && oneIn === 1 && left === Number.POSITIVE_INFINITY ? within : [],
    );
  }

  /** Whether reads may fail now. */
  get failsReads(): boolean {
    for (const { operation, left } of this.#rules) if (operation === 'read' && left > 0) return true;
    return false;
  }

  /** When a block last became bad, or was not given; the present when the next write may. Undefined: never. */
  get spoiledAt(): Instant | undefined {
    return this.#fates.size > 0 || this.failsReads ? this.#disk.now() : this.#spoiledAt;
  }

  // For the disk

  /** The error this operation ends with, if it does. */
  takeError(operation: DiskOperation, offset = 0, length = 0): DeviceError | undefined {
    for (const rule of this.#rules) {
      const { within, oneIn = 1 } = rule.failing;
      if (rule.operation !== operation || rule.left === 0) continue;
      if (within !== undefined && (offset + length <= within.offset || offset >= within.offset + within.length))
        continue;
      if (oneIn > 1 && !this.#random.oneIn(oneIn)) continue;
      rule.left -= 1;
      if (operation === 'read') this.#spoiledAt = this.#disk.now();
      const where = operation === 'read' || operation === 'write' ? ` of ${length} bytes at ${offset}` : '';
      return new DeviceError(EIO, `the disk fails a ${operation}${where}: input/output error`);
    }
    return undefined;
  }

  takeFate(): WriteFate | undefined {
    const [next] = this.#fates;
    if (next === undefined) return undefined;
    this.#fates.delete(next);
    this.#spoiledAt = this.#disk.now();
    return next.fate;
  }

  /** Bytes that may be used; undefined when nothing is refused. */
  get limitBytes(): number | undefined {
    return this.#limit;
  }
}
