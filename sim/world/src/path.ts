/**
 * Where packets travel: from a machine to another, on one of two networks. Each network has its own ports and switches:
 *
 *    machine --port--> [rack's uplink --> core --> rack's downlink] --port--> machine        front: public, hb_front
 *    machine --port--> [rack's uplink --> core --> rack's downlink] --port--> machine        back:  cluster, hb_back
 */
import type { Instant } from '@spirula/world';
import { Layers } from './layers.ts';
import type { Link } from './link.ts';

/** Ceph's public and cluster network, which may be apart. */
export type NetworkName = 'front' | 'back';
/** Which network a fault is on. */
export type Networks = NetworkName | 'both';

/** One packet in `oneIn` takes longer: by `fromUs` at least, twice as much half as often, and so on, up to `maxUs`. */
export interface LatencyTail {
  /** At least 1. */
  readonly oneIn: number;
  readonly fromUs: Instant;
  readonly maxUs: Instant;
}

/** Both directions of something with a bandwidth; undefined: without limit. */
export interface Duplex {
  readonly out: Link;
  readonly in: Link;
}

export interface Rack {
  machines: number;
  readonly uplinks: Map<NetworkName, Duplex>;
}

export class Machine {
  readonly name: string;
  readonly rack: Rack | undefined;
  /** Since when it is without power. */
  offSince: Instant | undefined;
  /** As the profile has them; none: without limit. */
  readonly ports = new Map<NetworkName, Duplex>();
  /** Stand in for the ports while faults last. */
  readonly limits: Readonly<Record<NetworkName, Layers<Duplex>>>;
  readonly #limit = new Map<NetworkName, Duplex>();

  /** @param onLimited when what its ports carry is another */
  constructor(name: string, rack: Rack | undefined, onLimited: () => void) {
    this.name = name;
    this.rack = rack;
    const limits = (network: NetworkName) =>
      new Layers<Duplex>((duplexes) => {
        const limit = slowestOf(duplexes, ({ out }) => out.bytesPerSecond);
        if (limit === undefined) this.#limit.delete(network);
        else this.#limit.set(network, limit);
        onLimited();
      });
    this.limits = { front: limits('front'), back: limits('back') };
  }

  port(network: NetworkName): Duplex | undefined {
    return this.#limit.get(network) ?? this.ports.get(network);
  }
}

/** One direction. What a packet has to ask stands here, so that asking costs nothing while nothing is wrong. */
export class Path {
  readonly from: Machine;
  readonly to: Machine;
  readonly network: NetworkName;
  /** The other direction. */
  readonly reverse: Path;
  /** Since when nothing passes, power failures apart. */
  cutAt: Instant | undefined;
  /** Until when packets are held; set as long as they are. */
  cloggedUntil: Instant | undefined;
  /** Called, in order, when they are let through. */
  readonly held: (() => void)[] = [];
  /** A packet takes up to so much longer. */
  extraUs: Instant = 0;
  tail: LatencyTail | undefined;
  limit: Link | undefined;
  /** All that has a bandwidth on the way. */
  links: readonly Link[] = [];
  #faults: PathFaults | undefined;

  constructor(from: Machine, to: Machine, network: NetworkName, reverse?: Path) {
    this.from = from;
    this.to = to;
    this.network = network;
    this.reverse = reverse ?? new Path(to, from, network, this);
    this.findLinks();
  }

  get isCut(): boolean {
    return this.cutAt !== undefined || this.to.offSince !== undefined || this.from.offSince !== undefined;
  }

  get cutSince(): Instant | undefined {
    return this.cutAt ?? this.to.offSince ?? this.from.offSince;
  }

  /** What is wrong with it. */
  get faults(): PathFaults {
    this.#faults ??= new PathFaults(this);
    return this.#faults;
  }

  mend(): void {
    this.#faults?.clear();
  }

  /** After what has a bandwidth was added or taken away. */
  findLinks(): void {
    const { from, to, network } = this;
    const leaves = from.rack !== to.rack;
    this.links = [
      this.limit,
      from.port(network)?.out,
      leaves ? from.rack?.uplinks.get(network)?.out : undefined,
      leaves ? to.rack?.uplinks.get(network)?.in : undefined,
      to.port(network)?.in,
    ].filter((link) => link !== undefined);
  }
}

/** What was done to a path, one upon another; the path shows what they come to. */
class PathFaults {
  /** Since when it is cut. */
  readonly cuts: Layers<Instant>;
  /** Until when packets are held. */
  readonly clogs: Layers<Instant>;
  readonly delays: Layers<Instant>;
  readonly tails: Layers<LatencyTail>;
  readonly limits: Layers<Link>;

  constructor(path: Path) {
    this.cuts = new Layers((since) => {
      path.cutAt = since[0];
    });
    this.clogs = new Layers((until) => {
      path.cloggedUntil = until.length === 0 ? undefined : Math.max(...until);
      if (until.length === 0) for (const arrive of path.held.splice(0)) arrive();
    });
    this.delays = new Layers((us) => {
      path.extraUs = Math.max(0, ...us);
    });
    this.tails = new Layers((tails) => {
      path.tail = tails.at(-1);
    });
    this.limits = new Layers((limits) => {
      path.limit = slowestOf(limits, ({ bytesPerSecond }) => bytesPerSecond);
      path.findLinks();
    });
  }

  clear(): void {
    for (const layers of [this.cuts, this.delays, this.tails, this.limits]) layers.clear();
    // Last: what was held meets no other fault.
    this.clogs.clear();
  }
}

function slowestOf<T>(all: readonly T[], rate: (one: T) => number): T | undefined {
  return all.reduce<T | undefined>((a, b) => (a === undefined || rate(b) < rate(a) ? b : a), undefined);
}
