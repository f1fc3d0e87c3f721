/** What the leader knows when it computes health. */
import type { MonMap, OsdMap } from '@spirula/maps';
import type { HealthCheck } from '@spirula/messages';
import type { Config } from '@spirula/world';
import type { ClockReading } from '../time-check.ts';
import type { BadCaps } from './auth-checks.ts';

export type HealthChecks = ReadonlyMap<string, HealthCheck>;

export interface HealthInput {
  readonly map: OsdMap;
  readonly monmap: MonMap;
  /** Ranks in quorum. */
  readonly quorum: readonly number[];
  /** By rank, as the leader has read them. */
  readonly clocks: ReadonlyMap<number, ClockReading>;
  readonly config: Config;
  /** mon_osd_down_out_interval of a monitor in quorum, in seconds. */
  downOutIntervalOf(name: string): number;
  readonly badCaps: BadCaps;
  /** Undefined while a manager is active, or none is to be expected yet. */
  readonly mgrDown: HealthCheck['severity'] | undefined;
  readonly mgrChecks: HealthChecks;
}
