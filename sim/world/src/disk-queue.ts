import type { Instant } from '@spirula/world';
import type { ArmProfile, DeviceProfile, DiskProfile } from './disk-profile.ts';
import type { SeededRandom } from './random.ts';

/** A stretch of the device, in bytes. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

const NS = 1000;
const NS_PER_SECOND = 1_000_000_000;
/** Where the journal of the key-value store is: apart from the block device, on the same disk. */
const JOURNAL = -1;

/**
 * When things a disk is asked for are done. One queue: everything takes its turn, so what is outstanding shares bandwidth and
 * operations; an answer comes a latency after its turn.
 *
 *     now ... busyUntil | transfer, seek | latency, flush | done
 *
 * Writes cost nothing until a flush has them written, in the order of their offsets, neighbours at once. A commit appends to a
 * journal.
 */
export class DiskQueue {
  readonly #profile: DiskProfile;
  readonly #random: SeededRandom;
  /** All times are so many times longer; an integer, 1 for a disk in order. */
  slowness = 1;
  /** Nanoseconds of virtual time: an SSD does thousands of things a millisecond. */
  #busyUntilNs = 0;
  /** Where the last operation ended. */
  #position = 0;
  /** Reads so far are answered by then. */
  #readsUntilNs = 0;

  constructor(profile: DiskProfile, random: SeededRandom) {
    this.#profile = profile;
    this.#random = random;
  }

  /** Microseconds from now until what was written and the order to flush are done. */
  flush(now: Instant, writes: readonly Extent[]): Instant {
    const { device } = this.#profile;
    const flushUs = this.#drawFlush();
    if (device === undefined) return this.#slow(flushUs);
    const runs = joinNeighbours(writes);
    const depth = Math.max(1, Math.min(runs.length, device.queueDepth));
    let serviceNs = 0;
    for (const run of runs) serviceNs += this.#serviceNs(device, 'write', run, depth);
    return this.#finish(now, serviceNs, (runs.length === 0 ? 0 : device.writeLatencyUs) + flushUs);
  }

  /** Microseconds from now until so many bytes are durable at the end of the journal. */
  commit(now: Instant, bytes: number): Instant {
    const { device } = this.#profile;
    const flushUs = this.#drawFlush();
    if (device === undefined) return this.#slow(flushUs);
    const serviceNs = this.#serviceNs(device, 'write', { offset: JOURNAL, length: bytes }, 1);
    return this.#finish(now, serviceNs, device.writeLatencyUs + flushUs);
  }

  /** The daemon reads, and waits for it: see `takeCharge`. */
  read(now: Instant, extent: Extent): void {
    const { device } = this.#profile;
    if (device === undefined) return;
    const startNs = Math.max(now * NS, this.#readsUntilNs);
    const serviceNs = this.#slow(this.#serviceNs(device, 'read', extent, 1));
    const waitNs = Math.min(Math.max(0, this.#busyUntilNs - startNs), device.queueDepth * serviceNs);
    this.#busyUntilNs = Math.max(this.#busyUntilNs, startNs) + serviceNs;
    this.#readsUntilNs = startNs + waitNs + serviceNs + this.#slow(device.readLatencyUs * NS);
  }

  /** Microseconds from now until the reads made so far are answered; they are not charged again. */
  takeCharge(now: Instant): Instant {
    const charge = Math.max(0, Math.ceil((this.#readsUntilNs - now * NS) / NS));
    this.#readsUntilNs = 0;
    return charge;
  }

  #finish(now: Instant, serviceNs: number, afterUs: Instant): Instant {
    this.#busyUntilNs = Math.max(now * NS, this.#busyUntilNs) + this.#slow(serviceNs);
    return Math.ceil((this.#busyUntilNs - now * NS) / NS) + this.#slow(afterUs);
  }

  /** How long the device does nothing else. */
  #serviceNs(device: DeviceProfile, how: 'read' | 'write', { offset, length }: Extent, depth: number): number {
    const bytesPerSecond = how === 'read' ? device.readBytesPerSecond : device.writeBytesPerSecond;
    const iops = how === 'read' ? device.readIops : device.writeIops;
    const transferNs = Math.ceil((length / bytesPerSecond) * NS_PER_SECOND);
    const leastNs = Math.ceil(NS_PER_SECOND / iops);
    const armUs = device.arm === undefined ? 0 : this.#positionUs(device.arm, how, offset, depth);
    this.#position = offset === JOURNAL ? JOURNAL : offset + length;
    return Math.max(leastNs, transferNs) + armUs * NS;
  }

  /** ceph-tools, SimDisk.py: with `depth` operations to choose from, seeks go over a part of the disk in depth + 2. */
  #positionUs(arm: ArmProfile, how: 'read' | 'write', offset: number, depth: number): Instant {
    const halfTurnUs = Math.ceil(arm.rotationUs / 2 / depth);
    if (offset === this.#position) return offset === JOURNAL ? halfTurnUs : 0;
    const shortfall = Math.floor(((arm.fullSeekUs - arm.averageSeekUs) * 3 * (depth + 1)) / (2 * (depth + 2)));
    return arm.fullSeekUs - shortfall + halfTurnUs + (how === 'write' ? arm.writeSettleUs : 0);
  }

  #drawFlush(): Instant {
    const { flushUs, stallOneIn, stallUs } = this.#profile;
    const took = this.#random.between(...flushUs);
    return this.#random.oneIn(stallOneIn) ? took + this.#random.below(stallUs) : took;
  }

  #slow(time: number): number {
    return time * this.slowness;
  }
}

/** In the order of their offsets; what touches or overlaps is one. */
function joinNeighbours(extents: readonly Extent[]): Extent[] {
  const joined: Extent[] = [];
  for (const extent of [...extents].sort((a, b) => a.offset - b.offset)) {
    const last = joined.at(-1);
    const end = extent.offset + extent.length;
    if (last === undefined || extent.offset > last.offset + last.length) joined.push(extent);
    else joined[joined.length - 1] = { offset: last.offset, length: Math.max(last.length, end - last.offset) };
  }
  return joined;
}
