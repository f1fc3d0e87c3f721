/**
 * All that must hold of a cluster, looked at from outside. `afterEvent` runs for every event, thousands a second: what costs
 * more than a comparison runs only when something has changed, or once in so many events.
 */
import { formatSnapIntervals } from '@spirula/maps';
import type { Message } from '@spirula/messages';
import type { Monitor } from '@spirula/mon';
import type { SimProcess } from '@spirula/sim-world';
import { InvariantViolation, SECOND, type WorldEvent } from '@spirula/world';
import type { SimCluster } from '../cluster.ts';
import { EpochWatch } from './epoch-watch.ts';
import { findMonDisagreement } from './mon-agreement.ts';
import { MonLeaseWatch, type MonView } from './mon-lease-watch.ts';
import { PaxosWatch } from './paxos-watch.ts';
import { findReportedLosses, isIn, saysLoss } from './reported-loss.ts';
import { type Server, ServingWatch } from './serving-watch.ts';
import { copiesOf, findDamage, findDamagedBlocks, findLeftClones, findReplicaDifferences } from './stored-objects.ts';
import { findUnclean, findUncleanPgs } from './unclean-pgs.ts';

/** Events of an OSD, and messages, most of all there are, that no PG of it learns anything from. */
const IDLE_EVENTS: ReadonlySet<WorldEvent['kind']> = new Set(['accepted', 'opened', 'drained']);
const IDLE_MESSAGES: ReadonlySet<Message['type']> = new Set<Message['type']>(['osd_ping', 'osd_link_ack']);
/** Of a second: clocks that drift, timers that fire late, and messages under way. */
const LEASE_SLACK = 2 * SECOND;

export class Checkers {
  readonly #cluster: SimCluster;
  readonly #checkOneIn: number;
  readonly #paxos = new PaxosWatch();
  readonly #epochs = new EpochWatch();
  readonly #serving: ServingWatch;
  readonly #leases: MonLeaseWatch;
  readonly #mayLose: boolean;
  #countdown = 1;
  /** Of each OSD, how often it had been started when its store was looked at last. */
  readonly #storesSeen = new Map<number, number>();

  /**
   * @param checkOneIn PGs' invariants are checked after one event of an OSD in so many
   * @param mayLose data may be lost where a PG says so
   */
  constructor(cluster: SimCluster, checkOneIn: number, mayLose: boolean) {
    this.#cluster = cluster;
    this.#checkOneIn = checkOneIn;
    this.#mayLose = mayLose;
    this.#serving = new ServingWatch((osd) => this.#server(osd));
    const { mon_lease, mon_lease_renew_interval_factor, mon_lease_ack_timeout_factor } =
      cluster.mons[0]!.process.spec.config;
    const lease = mon_lease * (mon_lease_renew_interval_factor + mon_lease_ack_timeout_factor);
    this.#leases = new MonLeaseWatch(() => this.#monViews(), Math.ceil(lease * SECOND) + LEASE_SLACK);
    cluster.simulation.onProcessExit((process) => this.#onExit(process));
  }

  /** A daemon has handled an event: what is wrong since then is added to the simulation's violations. */
  afterEvent(process: SimProcess, event: WorldEvent<Message>): void {
    const number = Number(process.spec.gid);
    switch (process.spec.entity.type) {
      case 'mon':
        this.#afterMon(process, number, event);
        break;
      case 'osd':
        this.#afterOsd(process, number, event);
        break;
      case 'client':
        if (isMap(event)) this.#checkEpoch(process, this.#clientEpoch(process));
        break;
      default:
        break;
    }
  }

  /** What is not as it should be when faults have ended for long: empty when the cluster is healthy. */
  findUnrest(): string[] {
    const unclean = this.#mayLose
      ? findUncleanPgs(this.#cluster).flatMap(({ state, why }) => (state !== undefined && saysLoss(state) ? [] : [why]))
      : findUnclean(this.#cluster);
    return [...unclean, ...findMonDisagreement(this.#cluster), ...this.#findUntrimmed()];
  }

  /** Snapshots that were removed and are still in the monitors' queue. */
  #findUntrimmed(): string[] {
    if (this.reportedLosses().size > 0) return [];
    return [...(this.#cluster.osdMap?.removedSnapsQueue ?? [])].map(
      ([pool, snaps]) => `pool ${pool} has snapshots to be trimmed: ${formatSnapIntervals(snaps)}`,
    );
  }

  /** PGs that may be as they are, since they report a loss; with their states. */
  reportedLosses(): ReadonlyMap<string, string> {
    return this.#mayLose ? findReportedLosses(this.#cluster) : new Map();
  }

  /** What must hold when all is healthy or reported lost, answered, and flushed. */
  atRest(): string[] {
    const cluster = this.#cluster;
    const losses = this.reportedLosses();
    return [
      ...cluster.work.finish(),
      ...cluster.work.findLost((object, snap) =>
        isIn(cluster, losses, object) ? [] : copiesOf(cluster, object, snap),
      ),
      ...findReplicaDifferences(cluster, new Set(losses.keys())),
      ...findDamage(cluster),
      ...(losses.size > 0 ? [] : findLeftClones(cluster, cluster.work.removedSnaps)),
    ];
  }

  #afterMon(process: SimProcess, place: number, event: WorldEvent<Message>): void {
    const { daemon } = this.#cluster.mons[place]!;
    const { now } = this.#cluster.simulation;
    const inspection = daemon!.inspect();
    this.#report(this.#paxos.check(inspection));
    // One that copies the store of another has no map meanwhile.
    const epoch = inspection.osdMap?.epoch ?? 0;
    if (epoch > 0) this.#checkEpoch(process, epoch);
    if (event.kind === 'message' && event.message.type === 'mon_paxos') {
      const { op, epoch } = event.message;
      if (op === 'leaseAck' || op === 'accept' || op === 'last') {
        const from = this.#monAtOtherEnd(process, event.session);
        if (from !== undefined) this.#leases.heard(inspection.name, from, epoch, now);
      }
    }
    this.#report(this.#leases.check(viewOf(inspection), now));
  }

  #afterOsd(process: SimProcess, osd: number, event: WorldEvent<Message>): void {
    const daemon = this.#cluster.osds[osd]!.daemon!;
    this.#checkStoreAfterStart(process, osd);
    this.#checkEpoch(process, daemon.epoch);
    if (isIdle(event)) return;
    this.#report(this.#serving.check(osd));
    this.#countdown -= 1;
    if (this.#countdown > 0) return;
    this.#countdown = this.#checkOneIn;
    try {
      daemon.checkPgInvariants();
    } catch (error) {
      if (!(error instanceof InvariantViolation)) throw error;
      this.#report(`osd.${osd}: ${error.message}`);
    }
  }

  /** Whatever a crash left: what a store refers to is there when it is mounted. Later a good copy may have hidden that it was not. */
  #checkStoreAfterStart({ runs, disk }: SimProcess, osd: number): void {
    if (this.#storesSeen.get(osd) === runs) return;
    this.#storesSeen.set(osd, runs);
    if (disk.faults.failsReads) return;
    for (const problem of findDamagedBlocks(this.#cluster.osds[osd]!)) this.#report(`${problem}, when it starts`);
  }

  #server(osd: number): Server | undefined {
    const { process, daemon } = this.#cluster.osds[osd]!;
    return process.state === 'stopped' ? undefined : daemon;
  }

  *#monViews(): Iterable<MonView> {
    for (const { process, daemon } of this.#cluster.mons) {
      if (process.state !== 'stopped' && daemon !== undefined) yield viewOf(daemon.inspect());
    }
  }

  /** Name of who sent what came in on a session; undefined when the session has ended since. */
  #monAtOtherEnd(process: SimProcess, session: number): string | undefined {
    const machine = process.sessions.find(({ id }) => id === session)?.other?.owner.machine;
    return this.#cluster.mons.find((place) => place.process.name === machine)?.process.spec.entity.id;
  }

  #clientEpoch(process: SimProcess): number {
    const place = this.#cluster.clients.find((each) => each.process === process);
    // An operator's tools are no client of a workload: what they know is not watched.
    return place?.daemon?.objecter.map?.epoch ?? 0;
  }

  #checkEpoch({ name }: SimProcess, epoch: number): void {
    this.#report(this.#epochs.check(name, epoch));
  }

  #onExit({ name, spec }: SimProcess): void {
    this.#epochs.forget(name);
    if (spec.entity.type !== 'mon') return;
    this.#paxos.forget(spec.entity.id);
    this.#leases.forget(spec.entity.id);
  }

  #report(problem: string | undefined): void {
    if (problem !== undefined) this.#cluster.simulation.addViolation(problem);
  }
}

function isIdle(event: WorldEvent<Message>): boolean {
  return IDLE_EVENTS.has(event.kind) || (event.kind === 'message' && IDLE_MESSAGES.has(event.message.type));
}

function isMap(event: WorldEvent<Message>): boolean {
  return event.kind === 'message' && event.message.type === 'osd_map';
}

function viewOf(inspection: ReturnType<Monitor['inspect']>): MonView {
  const { name, role, epoch, monmap, lastCommitted, readable } = inspection;
  const quorum = inspection.quorum.map((rank) => monmap.ranks[rank]!);
  return { name, role, epoch, size: monmap.ranks.length, quorum, lastCommitted, readable };
}
