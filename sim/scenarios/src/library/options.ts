/** Options of Ceph as a seed draws them: small logs, short leases, impatient OSDs, so that three minutes see what takes days. */
import type { SeededRandom } from '@spirula/sim-world';

interface DrawnOptions {
  readonly options: Record<string, number | boolean>;
  /** `osd_heartbeat_grace`, in seconds. */
  readonly grace: number;
}

export function drawOptions(random: SeededRandom): DrawnOptions {
  const shortLog = random.oneIn(2);
  const grace = random.between(4, random.pick([8, 20]));
  const options = {
    mon_lease: random.between(2, 5),
    mon_election_timeout: random.between(1, 5),
    mon_tick_interval: random.between(1, 5),
    mon_osd_min_down_reporters: random.between(1, 2),
    mon_osd_down_out_interval: random.pick([15, 40, 600]),
    mon_osd_adjust_heartbeat_grace: random.oneIn(2),
    mon_min_osdmap_epochs: random.pick([20, 500]),
    paxos_propose_interval: random.pick([0.05, 0.2, 1]),
    paxos_min_wait: random.pick([0.01, 0.05]),
    paxos_min: shortLog ? 20 : 500,
    paxos_trim_min: shortLog ? 10 : 250,
    paxos_trim_max: shortLog ? 20 : 500,
    osd_heartbeat_interval: random.between(1, Math.min(6, grace >> 1)),
    osd_heartbeat_grace: grace,
    osd_fast_fail_on_connection_refused: !random.oneIn(4),
    osd_max_markdown_count: random.pick([5, 50]),
    osd_max_backfills: random.between(1, 3),
    osd_recovery_max_active: random.pick([1, 3, 10]),
    osd_recovery_max_chunk: random.pick([16 << 10, 64 << 10, 8 << 20]),
    osd_backfill_scan_min: random.pick([2, 8, 64]),
    osd_backfill_scan_max: 64,
    osd_min_pg_log_entries: shortLog ? 5 : 250,
    osd_max_pg_log_entries: shortLog ? 10 : 10_000,
    osd_pg_log_trim_min: shortLog ? 2 : 100,
    osd_pg_log_dups_tracked: 3000,
  };
  return { options, grace };
}
