/**
 * The scenario `standard`: three monitors and five OSDs serve clients that share objects, while daemons crash, lose power,
 * hang, are cut off, come late and lose connections. Acknowledged writes are flushed on every acting OSD, so nothing that
 * happens here may lose or change one, however many fail at a time. Disks do not die in this scenario.
 */
import { SeededRandom } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import type { Scenario } from '../scenario.ts';
import { type ScenarioInput, scenarioSchema } from '../spec.ts';
import type { WorkloadInput } from '../workloads/workload-spec.ts';

export const standard: Scenario = {
  name: 'standard',
  source: 'standard',
  summary: '3 monitors, 5 OSDs, clients at work; crashes, power cuts, hangs, partitions, delays, resets for 180 s',
  draw: (seed) => scenarioSchema.parse(drawStandard(seed)),
};

/** What the seed makes of the cluster and of its misfortune. */
function drawStandard(seed: number): ScenarioInput {
  const random = new SeededRandom(seed, 'config');
  const size = random.between(2, 3);
  const minSize = random.oneIn(3) ? random.between(1, size) : size - 1;
  const rtt = random.pick([100, 500, 2000]);
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
  const weight = (most: number) => (random.oneIn(4) ? 0 : random.between(1, most));
  // Those that find most.
  const sharp = (most: number) => (random.oneIn(10) ? 0 : random.between(2, most));
  return {
    name: 'standard',
    cluster: {
      mons: 3,
      osds: 5,
      mgrs: random.between(1, 2),
      clients: random.between(2, 3),
      options,
      disk: {
        flushUs: random.pick([
          [50, 500],
          [500, 5000],
          [2000, 20_000],
        ] as const),
        stallOneIn: random.pick([0, 100, 1000]),
        stallUs: random.pick([100_000, SECOND]),
      },
      slowDiskOneIn: random.pick([0, 2, 3]),
      slowDiskFactor: random.pick([5, 20]),
      network: {
        latencyUs: [rtt, rtt * random.between(1, 5)],
        spikeOneIn: random.pick([0, 50, 500]),
        spikeUs: random.pick([20_000, 300_000]),
        bytesPerSecond: random.pick([0, 20_000_000]),
        stallTimeoutUs: random.between(5, 60) * SECOND,
        codecOneIn: random.between(8, 40),
      },
      wallSkewUs: random.pick([0, 20_000, 2 * SECOND]),
      driftPpm: random.pick([0, 100]),
      timerSlackUs: random.pick([1, 1000, 20_000]),
    },
    pools: [{ name: 'data', size, minSize, pgNum: random.pick([4, 8, 16]) }],
    workloads: drawWorkloads(random),
    duration: '180s',
    storm: {
      weights: {
        crash: weight(4),
        powerLoss: weight(4),
        blackout: random.oneIn(4) ? 1 : 0,
        hang: weight(3),
        isolate: weight(3),
        ambush: sharp(5),
        corner: sharp(5),
        leader: sharp(3),
        split: weight(2),
        cut: weight(3),
        delay: weight(2),
        reset: weight(2),
      },
      intervalUs: random.between(2, 15) * SECOND,
      durationUs: random.between(10, 60) * SECOND,
      graceUs: grace * SECOND,
      maxMons: random.between(1, 2),
      maxOsds: random.between(1, 4),
    },
    buggify: true,
    checkOneIn: random.between(5, 20),
  };
}

/** Any operation on few objects, mostly; beside it at times what is asked of a store in other ways. */
function drawWorkloads(random: SeededRandom): WorkloadInput[] {
  const timeouts = { timeoutOneIn: random.pick([0, 0, 10]), timeoutUs: random.between(1, 10) * SECOND };
  const restUs = random.pick([300_000, 600_000, 1_500_000]);
  const slow = { kind: 'closed', workers: 1, restUs: 2 * restUs } as const;
  const workloads: WorkloadInput[] = [
    {
      kind: 'objects',
      objects: random.between(4, 20),
      pace: { kind: 'closed', workers: random.between(1, 3), restUs },
      stay: random.pick([1, 10, 100]),
      onlyReadsOneIn: random.pick([3, 10]),
      writeBytes: random.pick([200, 5000]),
      largeWriteBytes: random.pick([20_000, 200_000, 200_000]),
      largeOneIn: random.pick([3, 6, 20]),
      ...timeouts,
    },
  ];
  if (random.oneIn(3)) {
    workloads.push({ kind: 'conditional', objects: random.between(1, 4), pace: slow, ...timeouts });
  }
  if (random.oneIn(4)) {
    const pace = random.oneIn(2) ? slow : ({ kind: 'open', opsPerSecond: 2, mostUnderWay: 4 } as const);
    workloads.push({ kind: 'append-log', pace, ...timeouts });
  }
  if (random.oneIn(4)) workloads.push({ kind: 'omap-counter', pace: slow, ...timeouts });
  if (random.oneIn(4)) {
    const sizes = [1, 4096, 65_536, random.pick([131_072, 1 << 20])];
    workloads.push({ kind: 'mixed-sizes', sizes, pace: slow, ...timeouts });
  }
  return workloads;
}
