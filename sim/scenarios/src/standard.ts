/**
 * The scenario `standard`: three monitors and five OSDs serve clients that share objects, while daemons crash, lose power,
 * hang, are cut off, come late and lose connections. Acknowledged writes are flushed on every acting OSD, so nothing that
 * happens here may lose or change one, however many fail at a time. Disks do not die in this scenario.
 *
 *     boot --> faults and work --> heal, still at work --> all at rest: clean, answered, agreed, alike
 */
import { SeededRandom, type SimProcess, Simulation } from '@spirula/sim-world';
import { type Config, type Instant, InvariantViolation, SECOND, type WorldEvent } from '@spirula/world';
import { BootFailure, bootCluster } from './bootstrap.ts';
import { findDamage, findMonDisagreement, findReplicaDifferences, findUnclean, PaxosWatch } from './checkers.ts';
import { type ClusterConfig, SimCluster } from './cluster.ts';
import { type FaultConfig, FaultInjector } from './faults.ts';
import { inSeconds, type Outcome, type Scenario, type ScenarioRun } from './scenario.ts';
import type { WorkloadSpec } from './workloads/workload-spec.ts';

interface StandardConfig {
  readonly cluster: ClusterConfig;
  readonly network: ConstructorParameters<typeof Simulation>[0]['network'];
  readonly faults: FaultConfig;
  /** PGs' invariants are checked after one event in so many. */
  readonly checkOneIn: number;
}

/** Clients go on for so long after the faults. */
const WORK_ON: Instant = 10 * SECOND;
/** Within this after the faults everything must be right again. */
const HEAL_TIME: Instant = 400 * SECOND;
/** No write takes longer to be durable, on the slowest disk. */
const SETTLE_TIME: Instant = 5 * SECOND;
const STEP: Instant = SECOND / 2;
const LOG_LINES = 60;

export const standard: Scenario = {
  name: 'standard',
  summary: '3 monitors, 5 OSDs, clients at work; crashes, power cuts, hangs, partitions, delays, resets for 180 s',
  virtualSeconds: 180,
  run: (run) => new StandardRun(run).run(),
};

/** What the seed makes of the cluster and of its misfortune. */
function drawStandard(seed: number): StandardConfig {
  const random = new SeededRandom(seed, 'config');
  const size = random.between(2, 3);
  const minSize = random.oneIn(3) ? random.between(1, size) : size - 1;
  const rtt = random.pick([100, 500, 2000]);
  const shortLog = random.oneIn(2);
  const grace = random.between(4, random.pick([8, 20]));
  const options: Partial<Config> = {
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
    cluster: {
      mons: 3,
      osds: 5,
      mgrs: random.between(1, 2),
      clients: random.between(2, 3),
      size,
      minSize,
      pgNum: random.pick([4, 8, 16]),
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
      wallSkewUs: random.pick([0, 20_000, 2 * SECOND]),
      driftPpm: random.pick([0, 100]),
      timerSlackUs: random.pick([1, 1000, 20_000]),
      workloads: drawWorkloads(random),
    },
    network: {
      latencyUs: [rtt, rtt * random.between(1, 5)],
      spikeOneIn: random.pick([0, 50, 500]),
      spikeUs: random.pick([20_000, 300_000]),
      bytesPerSecond: random.pick([0, 20_000_000]),
      stallTimeoutUs: random.between(5, 60) * SECOND,
      codecOneIn: random.between(8, 40),
    },
    faults: {
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
    checkOneIn: random.between(5, 20),
  };
}

/** Any operation on few objects, mostly; beside it at times what is asked of a store in other ways. */
function drawWorkloads(random: SeededRandom): WorkloadSpec[] {
  const timeouts = { timeoutOneIn: random.pick([0, 0, 10]), timeoutUs: random.between(1, 10) * SECOND };
  const restUs = random.pick([300_000, 600_000, 1_500_000]);
  const workloads: WorkloadSpec[] = [
    {
      kind: 'objects',
      objects: random.between(4, 20),
      pace: { kind: 'closed', workers: random.between(1, 3), restUs },
      stay: random.pick([1, 10, 100]),
      onlyReadsOneIn: random.pick([3, 10]),
      ...timeouts,
      writeBytes: random.pick([200, 5000]),
      largeWriteBytes: random.pick([20_000, 200_000, 200_000]),
      largeOneIn: random.pick([3, 6, 20]),
    },
  ];
  const slow = { kind: 'closed', workers: 1, restUs: 2 * restUs } as const;
  if (random.oneIn(3)) {
    workloads.push({ kind: 'conditional', objects: random.between(1, 4), pace: slow, ...timeouts });
  }
  if (random.oneIn(4)) {
    const pace = random.oneIn(2) ? slow : ({ kind: 'open', opsPerSecond: 2, mostUnderWay: 4 } as const);
    workloads.push({ kind: 'append-log', logs: 2, recordBytes: 64, logBytes: 16_000, readOneIn: 4, pace, ...timeouts });
  }
  if (random.oneIn(4)) workloads.push({ kind: 'omap-counter', counters: 2, readOneIn: 5, pace: slow, ...timeouts });
  if (random.oneIn(4)) {
    const sizes = [1, 4096, 65_536, random.pick([131_072, 1 << 20])];
    workloads.push({ kind: 'mixed-sizes', objects: 4, sizes, pace: slow, ...timeouts });
  }
  return workloads;
}

class StandardRun {
  readonly #config: StandardConfig;
  readonly #virtualSeconds: number;
  readonly #simulation: Simulation;
  readonly #cluster: SimCluster;
  readonly #faults: FaultInjector;
  readonly #paxos: PaxosWatch;
  #countdown = 1;
  #healedAfter: Instant = 0;

  constructor({ seed, virtualSeconds }: ScenarioRun) {
    this.#config = drawStandard(seed);
    this.#virtualSeconds = virtualSeconds;
    this.#simulation = new Simulation({ seed, network: this.#config.network ?? {}, buggify: true });
    this.#cluster = new SimCluster(this.#simulation, this.#config.cluster);
    this.#faults = new FaultInjector(this.#cluster, this.#config.faults);
    this.#paxos = new PaxosWatch(this.#cluster);
    this.#simulation.onEvent((process, event) => this.#afterEvent(process, event));
    this.#simulation.onProcessExit((process) => {
      if (process.spec.entity.type === 'mon') this.#paxos.forget(Number(process.spec.gid));
    });
  }

  run(): Outcome {
    const { clients, pool } = { clients: this.#cluster.clients, pool: () => this.#cluster.pool };
    try {
      bootCluster(this.#cluster);
    } catch (error) {
      if (!(error instanceof BootFailure)) throw error;
      return this.#outcome([error.message]);
    }
    for (const { process, daemon } of clients) process.call(() => daemon!.beginWork(pool()));
    this.#faults.begin();
    this.#runFor(this.#virtualSeconds * SECOND, () => false);
    this.#faults.heal();
    const healedAt = this.#simulation.now;
    this.#runFor(WORK_ON, () => false);
    for (const { daemon } of clients) daemon!.stopWork();
    this.#runFor(HEAL_TIME, () => this.#findUnrest().length === 0);
    this.#healedAfter = this.#simulation.now - healedAt;
    const unrest = this.#findUnrest();
    if (unrest.length > 0) return this.#outcome(unrest);

    const [{ process, daemon }] = clients as [(typeof clients)[number]];
    process.call(() => daemon!.readAll());
    this.#runFor(HEAL_TIME, () => daemon!.underWay === 0);
    if (daemon!.underWay > 0) return this.#outcome([`${daemon!.underWay} final reads are not answered`]);
    // What the last writes let go of is free once they are durable.
    this.#runFor(SETTLE_TIME, () => false);
    for (const problem of this.#cluster.work.finish()) this.#simulation.addViolation(problem);
    for (const difference of findReplicaDifferences(this.#cluster)) this.#simulation.addViolation(difference);
    for (const fault of findDamage(this.#cluster)) this.#simulation.addViolation(fault);
    return this.#outcome([]);
  }

  #runFor(duration: Instant, done: () => boolean): void {
    const deadline = this.#simulation.now + duration;
    while (this.#simulation.now < deadline && this.#simulation.violations.length === 0 && !done()) {
      this.#simulation.runFor(STEP);
    }
  }

  #findUnrest(): string[] {
    const waiting = this.#cluster.clients.flatMap(({ daemon, process }) =>
      daemon!.underWay > 0 ? [`${process.name} waits for ${daemon!.underWay} answers`] : [],
    );
    return [...findUnclean(this.#cluster), ...findMonDisagreement(this.#cluster), ...waiting];
  }

  #afterEvent({ spec }: SimProcess, _event: WorldEvent<never> | unknown): void {
    if (spec.entity.type === 'mon') {
      const problem = this.#paxos.check(Number(spec.gid));
      if (problem !== undefined) this.#simulation.addViolation(problem);
    } else if (spec.entity.type === 'osd') {
      this.#countdown -= 1;
      if (this.#countdown > 0) return;
      this.#countdown = this.#config.checkOneIn;
      this.#checkPgs(Number(spec.gid));
    }
  }

  #checkPgs(osd: number): void {
    try {
      this.#cluster.osds[osd]!.daemon!.checkPgInvariants();
    } catch (error) {
      if (!(error instanceof InvariantViolation)) throw error;
      this.#simulation.addViolation(`osd.${osd}: ${error.message}`);
    }
  }

  #outcome(unclean: readonly string[]): Outcome {
    const { violations, digest, events, now, logLines } = this.#simulation;
    const clients = this.#cluster.clients.map(({ daemon }) => daemon!);
    const sum = (of: (client: (typeof clients)[number]) => number) =>
      clients.reduce((total, each) => total + of(each), 0);
    return {
      config: this.#config,
      violations,
      unclean: violations.length > 0 ? [] : unclean,
      digest,
      stats: {
        virtualSeconds: Math.round(now / SECOND),
        events,
        requests: sum(({ done }) => done),
        givenUp: sum(({ timedOut }) => timedOut),
        faults: this.#faults.history.length,
        starts: this.#cluster.daemons.reduce((total, { runs }) => total + runs, 0),
        mapEpoch: this.#cluster.osdMap?.epoch ?? 0,
        secondsToHeal: Math.round(this.#healedAfter / SECOND),
        undecidedHistories: this.#cluster.work.undecided,
      },
      faults: this.#faults.history,
      log: logLines
        .slice(-LOG_LINES)
        .map(({ at, process, level, message, facts }) =>
          [inSeconds(at), process, level, message, facts ? stringify(facts) : ''].join(' '),
        ),
    };
  }
}

function stringify(facts: Record<string, unknown>): string {
  return JSON.stringify(facts, (_, value) => (typeof value === 'bigint' ? String(value) : value));
}
