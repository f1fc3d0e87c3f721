import type { EntityName } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import type { Config, Daemon, World } from '@spirula/world';
import type { ClockProfile } from './clock.ts';
import type { CpuProfile } from './cpu.ts';
import type { DiskProfile } from './disk-profile.ts';
import type { Endpoints } from './network.ts';

/** A machine and the daemon on it. */
export interface ProcessSpec {
  readonly entity: EntityName;
  /** OSD number or monitor rank; none for one that gets its global id from a monitor. */
  readonly gid?: bigint;
  readonly endpoints: Endpoints;
  /** Size of the block device; 0 for a daemon without one. */
  readonly deviceBytes: number;
  readonly config: Config;
  readonly disk: DiskProfile;
  readonly clock: ClockProfile;
  /** Left out: `FREE_CPU`. */
  readonly cpu?: CpuProfile;
  /** Whose uplink it shares, where the network's profile has such. */
  readonly rack?: string;
  /** Whether promises hang on its events: see `Simulation.runWithPromises`. */
  readonly promises?: boolean;
  /** Makes the daemon, anew for each run. */
  make(world: World<Message>): Daemon<Message>;
}
