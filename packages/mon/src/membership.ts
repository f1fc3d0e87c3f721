import { type AddrVec, sameAddrVec } from '@spirula/encoding';
import type { MonMap } from '@spirula/maps';

/** The monitors of the map in force at one of them, and its own place among them. */
export class Membership {
  readonly name: string;
  #monmap: MonMap;

  constructor(name: string, monmap: MonMap) {
    this.name = name;
    this.#monmap = monmap;
  }

  get monmap(): MonMap {
    return this.#monmap;
  }

  /** Another map is in force. */
  adopt(monmap: MonMap): void {
    this.#monmap = monmap;
  }

  /** Of this monitor; -1 when it is not, or no longer, in the map. */
  get rank(): number {
    return this.#monmap.ranks.indexOf(this.name);
  }

  get size(): number {
    return this.#monmap.ranks.length;
  }

  /** Whether this monitor is one of `map`, where it is now. */
  isIn(map: MonMap): boolean {
    const there = map.mons.get(this.name);
    const here = this.#monmap.mons.get(this.name);
    return there !== undefined && (here === undefined || sameAddrVec(there.addrs, here.addrs));
  }

  nameOf(rank: number): string | undefined {
    return this.#monmap.ranks[rank];
  }

  /** Undefined when there is none such. */
  rankOf(name: string): number | undefined {
    const rank = this.#monmap.ranks.indexOf(name);
    return rank < 0 ? undefined : rank;
  }

  /** Undefined when there is none such. */
  addrsOf(name: string): AddrVec | undefined {
    return this.#monmap.mons.get(name)?.addrs;
  }

  /** Of another monitor that says it has these addresses; undefined when it is none of the map. */
  rankAt(addrs: AddrVec): number | undefined {
    const { ranks, mons } = this.#monmap;
    const rank = ranks.findIndex((name) => {
      const known = mons.get(name)!.addrs[0];
      return known !== undefined && addrs.some((addr) => addr.ip === known.ip && addr.port === known.port);
    });
    return rank < 0 || rank === this.rank ? undefined : rank;
  }
}
