import { type Instant, invariant } from '@spirula/world';
import { type Undo, undoAll } from './layers.ts';
import { Link } from './link.ts';
import { type Duplex, type LatencyTail, Machine, type NetworkName, type Networks, Path, type Rack } from './path.ts';
import type { SeededRandom } from './random.ts';
import type { Scheduler } from './scheduler.ts';

export interface NetworkProfile {
  /** One way, between these, in microseconds. */
  readonly latencyUs: readonly [min: Instant, max: Instant];
  /** One packet in so many takes up to `spikeUs` longer; 0: none does. */
  readonly spikeOneIn: number;
  readonly spikeUs: Instant;
  /** Of each direction of each connection; 0: without limit. */
  readonly bytesPerSecond: number;
  /** Of each direction of a machine's port, one for each network, shared by its connections; 0: without limit. */
  readonly portBytesPerSecond: number;
  /**
   * How often the uplink of a rack, for each network, fits into what the ports of its machines carry together; 0: racks
   * do not matter.
   */
  readonly rackOversubscription: number;
  /** How long TCP tries before it gives a connection up. */
  readonly stallTimeoutUs: Instant;
  /** One message in so many goes through its codec; 0: none does. */
  readonly codecOneIn: number;
}

export const QUICK_NETWORK: NetworkProfile = {
  latencyUs: [50, 500],
  spikeOneIn: 0,
  spikeUs: 0,
  bytesPerSecond: 0,
  portBytesPerSecond: 0,
  rackOversubscription: 0,
  stallTimeoutUs: 30_000_000,
  codecOneIn: 8,
};

/** What came through a cut path is sent again within this time once it is free. */
const RETRANSMIT_US: Instant = 400_000;
const NETWORKS: readonly NetworkName[] = ['front', 'back'];

/** What waits for a path to be mended. */
export interface Stalled {
  retry(): void;
}

/**
 * The ways between machines, and what is wrong with them. Each direction stands for itself, and so does each network:
 * a fault is on both unless it says which. What a fault returns undoes it, and leaves others of its kind as they are;
 * `mendAll` undoes them all.
 *
 * | fault | does to packets                                           | several at a time    |
 * | ----- | --------------------------------------------------------- | -------------------- |
 * | cut   | lost and sent again, until TCP gives the connection up    | until the last ends  |
 * | clog  | held, then all let through: no connection is lost by it   | until the last ends  |
 * | delay | each takes longer, by an even draw                        | the longest counts   |
 * | tail  | a few take very much longer                               | the newest counts    |
 * | limit | pass one after another                                    | the slowest counts   |
 */
export class Paths {
  readonly profile: NetworkProfile;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #machines = new Map<string, Machine>();
  readonly #racks = new Map<string, Rack>();
  readonly #paths = new Map<string, Path>();
  readonly #stalled = new Set<Stalled>();

  constructor(scheduler: Scheduler, random: SeededRandom, profile: NetworkProfile) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.profile = profile;
  }

  addMachine(name: string, rackName?: string): void {
    const { portBytesPerSecond, rackOversubscription } = this.profile;
    const rack = rackName === undefined ? undefined : this.#rack(rackName);
    const machine: Machine = new Machine(name, rack, () => this.#findLinksOf(machine));
    this.#machines.set(name, machine);
    if (portBytesPerSecond === 0) return;
    for (const network of NETWORKS) machine.ports.set(network, newDuplex(portBytesPerSecond));
    if (rack === undefined || rackOversubscription === 0) return;
    rack.machines += 1;
    const rate = Math.max(1, Math.floor((rack.machines * portBytesPerSecond) / rackOversubscription));
    for (const network of NETWORKS) {
      const uplink = rack.uplinks.get(network);
      if (uplink === undefined) rack.uplinks.set(network, newDuplex(rate));
      else setRate(uplink, rate);
    }
  }

  #rack(name: string): Rack {
    let rack = this.#racks.get(name);
    if (rack === undefined) {
      rack = { machines: 0, uplinks: new Map() };
      this.#racks.set(name, rack);
    }
    return rack;
  }

  path(from: string, to: string, network: NetworkName): Path {
    const key = `${network} ${from}>${to}`;
    let path = this.#paths.get(key);
    if (path === undefined) {
      path = new Path(this.#machine(from), this.#machine(to), network);
      this.#paths.set(key, path);
      this.#paths.set(`${network} ${to}>${from}`, path.reverse);
    }
    return path;
  }

  #machine(name: string): Machine {
    const machine = this.#machines.get(name);
    invariant(machine !== undefined, `there is a machine ${name}`);
    return machine;
  }

  #each(from: string, to: string, on: Networks): Path[] {
    return networksOf(on).map((network) => this.path(from, to, network));
  }

  // Faults

  /** Nothing that `from` sends reaches `to`. */
  cut(from: string, to: string, on: Networks = 'both'): Undo {
    return this.#cut(this.#each(from, to, on));
  }

  /** Cuts each of `left` from each of `right`, both ways. Whoever is in neither reaches, and is reached by, all. */
  part(left: readonly string[], right: readonly string[], on: Networks = 'both'): Undo {
    return this.#cut(this.#between(left, right, on).flatMap((path) => [path, path.reverse]));
  }

  #cut(paths: readonly Path[]): Undo {
    const undo = undoAll(paths.map(({ faults }) => faults.cuts.add(this.#scheduler.now)));
    return () => {
      undo();
      this.#retryStalled();
    };
  }

  #between(left: readonly string[], right: readonly string[], on: Networks): Path[] {
    return left.flatMap((a) => right.flatMap((b) => (a === b ? [] : this.#each(a, b, on))));
  }

  /**
   * Holds whatever `from` sends to `to` for `forUs`, then lets all of it through at once, in order. Connections live on,
   * unless a daemon loses patience.
   */
  clog(from: string, to: string, forUs: Instant, on: Networks = 'both'): Undo {
    const until = this.#scheduler.now + forUs;
    const undo = undoAll(this.#each(from, to, on).map(({ faults }) => faults.clogs.add(until)));
    this.#scheduler.at(until, undo);
    return undo;
  }

  /** Whatever `from` sends to `to` takes up to `extraUs` longer. */
  delay(from: string, to: string, extraUs: Instant, on: Networks = 'both'): Undo {
    return undoAll(this.#each(from, to, on).map(({ faults }) => faults.delays.add(extraUs)));
  }

  /** A few of the packets that `from` sends to `to` take very much longer. */
  tail(from: string, to: string, tail: LatencyTail, on: Networks = 'both'): Undo {
    return undoAll(this.#each(from, to, on).map(({ faults }) => faults.tails.add(tail)));
  }

  /** All connections from `from` to `to` together carry so much on each network. */
  limit(from: string, to: string, bytesPerSecond: number, on: Networks = 'both'): Undo {
    return undoAll(this.#each(from, to, on).map(({ faults }) => faults.limits.add(new Link(bytesPerSecond))));
  }

  /** The machine's ports carry so much in each direction, as one that has fallen back to a lower speed. */
  limitMachine(name: string, bytesPerSecond: number, on: Networks = 'both'): Undo {
    const { limits } = this.#machine(name);
    return undoAll(networksOf(on).map((network) => limits[network].add(newDuplex(bytesPerSecond))));
  }

  #findLinksOf(machine: Machine): void {
    for (const path of this.#paths.values()) if (path.from === machine || path.to === machine) path.findLinks();
  }

  /** Nothing is cut, clogged, delayed or limited any more. A machine without power stays so. */
  mendAll(): void {
    for (const { limits } of this.#machines.values()) for (const network of NETWORKS) limits[network].clear();
    for (const path of this.#paths.values()) path.mend();
    this.#retryStalled();
  }

  /** A machine without power neither sends nor answers. */
  setPower(name: string, on: boolean): void {
    const machine = this.#machine(name);
    if (!on) machine.offSince ??= this.#scheduler.now;
    else if (machine.offSince !== undefined) {
      machine.offSince = undefined;
      this.#retryStalled();
    }
  }

  // Packets

  drawLatency(path: Path): Instant {
    const { latencyUs, spikeOneIn, spikeUs } = this.profile;
    let latency = this.#random.between(latencyUs[0], latencyUs[1]);
    if (this.#random.oneIn(spikeOneIn)) latency += this.#random.below(spikeUs);
    if (path.extraUs > 0) latency += this.#random.below(path.extraUs);
    if (path.tail !== undefined && this.#random.oneIn(path.tail.oneIn)) latency += this.#drawTail(path.tail);
    return latency;
  }

  /** Pareto's distribution with exponent 1, cut off at `maxUs`: each doubling is half as likely. */
  #drawTail({ fromUs, maxUs }: LatencyTail): Instant {
    const doublings = Math.min(30, Math.clz32(this.#random.u32()));
    const least = fromUs * (1 << doublings);
    return least >= maxUs ? maxUs : Math.min(maxUs, least + this.#random.below(least));
  }

  drawRetransmit(): Instant {
    return this.#random.below(RETRANSMIT_US);
  }

  transferTime(bytes: number): Instant {
    const { bytesPerSecond } = this.profile;
    return bytesPerSecond === 0 ? 0 : Math.ceil((bytes * 1_000_000) / bytesPerSecond);
  }

  /**
   * When a packet that is sent now is through all that has a bandwidth on its way. Frames flow through several at once, so
   * the longest wait counts, not the sum; latency comes behind. What is lost and sent again is not counted twice.
   */
  passLinks(path: Path, bytes: number): Instant {
    const { now } = this.#scheduler;
    let passed = now;
    for (const link of path.links) passed = Math.max(passed, link.pass(bytes, now));
    return passed;
  }

  addStalled(pipe: Stalled): void {
    this.#stalled.add(pipe);
  }

  forgetStalled(pipe: Stalled): void {
    this.#stalled.delete(pipe);
  }

  #retryStalled(): void {
    for (const pipe of [...this.#stalled]) pipe.retry();
  }
}

function networksOf(on: Networks): readonly NetworkName[] {
  return on === 'both' ? NETWORKS : [on];
}

function newDuplex(bytesPerSecond: number): Duplex {
  return { out: new Link(bytesPerSecond), in: new Link(bytesPerSecond) };
}

function setRate(duplex: Duplex, bytesPerSecond: number): void {
  duplex.out.setRate(bytesPerSecond);
  duplex.in.setRate(bytesPerSecond);
}
