import type { AddrVec, Epoch, UTime, Uuid } from '@spirula/encoding';

export interface MonInfo {
  readonly name: string;
  readonly addrs: AddrVec;
  readonly priority: number;
  readonly weight: number;
  readonly crushLocation: ReadonlyMap<string, string>;
}

/** The monitors of a cluster (mon/MonMap.h). A monitor's rank is its index in `ranks`. Immutable. */
export interface MonMap {
  readonly fsid: Uuid;
  readonly epoch: Epoch;
  readonly lastChanged: UTime;
  readonly created: UTime;
  readonly persistentFeatures: bigint;
  readonly optionalFeatures: bigint;
  readonly mons: ReadonlyMap<string, MonInfo>;
  /** Names in rank order. */
  readonly ranks: readonly string[];
  /** 16: pacific. */
  readonly minMonRelease: number;
  readonly removedRanks: readonly number[];
  /** 1 classic, 2 disallow, 3 connectivity. */
  readonly electionStrategy: number;
  readonly disallowedLeaders: readonly string[];
  readonly stretchMode: boolean;
  readonly tiebreaker: string;
  readonly stretchMarkedDown: readonly string[];
}
