import { AddrType, type AddrVec, type EntityAddr, sameAddrVec } from '@spirula/encoding';
import type { MonMap } from '@spirula/maps';
import type { Random } from '@spirula/world';

/** The msgr2 addresses of a monitor: nothing else is dialled. */
function dialledAddrs(addrs: AddrVec): AddrVec {
  const v2 = addrs.filter((addr: EntityAddr) => addr.type === AddrType.v2);
  return v2.length > 0 ? v2 : addrs;
}

/**
 * In which order monitors are tried: each once a round, shuffled anew every round, the one last lost at the end of the
 * first.
 */
export class MonHunt {
  readonly #random: Random;
  #candidates: readonly AddrVec[];
  #round: AddrVec[] = [];

  constructor(random: Random, candidates: readonly AddrVec[]) {
    this.#random = random;
    this.#candidates = candidates.map(dialledAddrs);
  }

  /** From now on the monitors of this map are tried. */
  learn(map: MonMap): void {
    const addrs = map.ranks.map((name) => map.mons.get(name)?.addrs ?? []).filter((each) => each.length > 0);
    if (addrs.length > 0) this.#candidates = addrs.map(dialledAddrs);
  }

  /** Whether a monitor with these addresses is still one of the candidates. */
  knows(addrs: AddrVec): boolean {
    return this.#candidates.some((each) => sameAddrVec(each, addrs));
  }

  /** Starts a round. Afterwards `next` gives every candidate once. */
  beginRound(last: AddrVec | undefined): void {
    const round = [...this.#candidates];
    for (let i = round.length - 1; i > 0; i--) {
      const j = this.#random.below(i + 1);
      [round[i], round[j]] = [round[j]!, round[i]!];
    }
    const isLast = (addrs: AddrVec) => last !== undefined && sameAddrVec(addrs, last);
    this.#round = [...round.filter((addrs) => !isLast(addrs)), ...round.filter(isLast)];
  }

  /** The next monitor of this round, or undefined when each has had its turn. */
  next(): AddrVec | undefined {
    return this.#round.shift();
  }
}
