/**
 * Probing (Monitor::bootstrap, handle_probe): a monitor without a quorum looks for the others before it calls an election,
 * so that it first learns of a quorum to join and whether its store is too old to take part.
 *
 *   start --(all answered, or one in quorum)----------------> elect
 *         --(a majority answered, and PROBE_SETTLE passed)--> elect
 *         --(another no longer has what this one lacks)-----> sync
 *
 * A monitor whose store is half a copy does not elect: it only looks for one to copy from.
 *
 * Nor does one whose store is blank while others hold something. It may have lost its disk, and with it what it accepted:
 * its vote could complete a majority of which nobody knows what a former one agreed on. It waits until a majority of others
 * is a quorum and has learnt all there is, and copies from one of them; or until half of all say that they have never been
 * in a quorum with it. Only monitors that are all blank found a cluster,
 * and only with a first map.
 */
import { type Epoch, equalBytes, type Uuid } from '@spirula/encoding';
import type { MonProbe } from '@spirula/messages';
import { type Clock, type Config, type Instant, type Log, SECOND, seconds } from '@spirula/world';

/** How long a majority that has found itself waits for monitors that start at the same time. */
const PROBE_SETTLE: Instant = SECOND / 2;
const AGAIN = 'probe again';
const SETTLED = 'probe settled';
/** Epoch of the map that a cluster is founded with. */
const FIRST_MAP = 1;

export interface ProbeHost {
  readonly rank: number;
  readonly size: number;
  readonly fsid: Uuid;
  /** Of the map in force. Beyond the first there is a cluster, and nobody founds one. */
  readonly mapEpoch: Epoch;
  readonly clock: Clock;
  readonly config: Config;
  readonly log: Log;
  lastCommitted(): number;
  /** Whether its store holds nothing that was agreed on, or accepted to be. */
  isBlank(): boolean;
  /** Of a store that is half a copy: what whoever it is copied from must have reached. */
  syncFloor(): number | undefined;
  /** What this monitor says of itself. */
  describe(op: MonProbe['op']): MonProbe;
  send(rank: number, message: MonProbe): void;
  elect(): void;
  /** Copies from `rank`, or any who has reached version `floor`. */
  sync(rank: number, floor: number): void;
  /** As `sync`, of a monitor that has never been in a quorum of this map. */
  join(rank: number, floor: number): void;
}

export class Prober {
  readonly #host: ProbeHost;
  /** Who answered in this round, and counts for a majority; undefined while not probing. */
  #answered: Set<number> | undefined;
  /** Who was blank when last heard from. */
  readonly #blank = new Set<number>();
  /** Of those that hold something and do not know this monitor, which is blank: up to which version they know. */
  readonly #strangers = new Map<number, number>();

  constructor(host: ProbeHost) {
    this.#host = host;
  }

  start(): void {
    this.#answered = new Set();
    if (this.#host.size === 1) return this.#done(() => this.#host.elect());
    this.#ask();
  }

  stop(): void {
    this.#answered = undefined;
    this.#host.clock.disarm(AGAIN);
    this.#host.clock.disarm(SETTLED);
  }

  /** The map is another: ranks mean others. */
  forget(): void {
    this.stop();
    this.#blank.clear();
    this.#strangers.clear();
  }

  /** A connection may be tried again. */
  onPeerBack(rank: number): void {
    if (this.#answered === undefined || this.#answered.has(rank)) return;
    this.#host.send(rank, this.#host.describe('probe'));
  }

  /** Whether a probe may be believed: it is of this cluster, and says what can be. */
  isSane(probe: MonProbe): boolean {
    const { log, fsid } = this.#host;
    if (!equalBytes(probe.fsid, fsid)) {
      log.warn('a monitor of another cluster probes here', { name: probe.name });
      return false;
    }
    if (probe.firstCommitted <= probe.lastCommitted) return true;
    log.warn('a monitor says that it holds what cannot be', { name: probe.name, from: probe.firstCommitted });
    return false;
  }

  /** Of a monitor with the same map. Whatever it says that {@link isSane}, this does not throw. */
  onProbe(from: number, probe: MonProbe): void {
    const host = this.#host;
    if (probe.standing === 'blank') this.#blank.add(from);
    else this.#blank.delete(from);
    if (this.#answered === undefined) return;
    const floor = host.syncFloor();
    if (floor !== undefined) {
      if (probe.lastCommitted >= floor) return this.#done(() => host.sync(from, floor));
      host.log.info('not copying a store that is behind the one there was', {
        ...{ name: probe.name, lastCommitted: probe.lastCommitted, floor },
      });
      return;
    }
    if (host.isBlank() && probe.standing !== 'blank') return this.#onHistory(from, probe);
    if (probe.firstCommitted > host.lastCommitted() + 1) return this.#done(() => host.sync(from, host.lastCommitted()));
    // One that holds nothing must copy before it can help anybody who does not, or anybody of a cluster that is there.
    if ((!host.isBlank() || host.mapEpoch > FIRST_MAP) && probe.standing === 'blank') return;
    this.#answered.add(from);
    const count = this.#answered.size + 1;
    const majority = count > host.size / 2;
    if (count === host.size || (majority && probe.quorum.length > host.size / 2)) this.#done(() => host.elect());
    else if (majority) this.#arm(SETTLED, PROBE_SETTLE);
  }

  /** Whether this monitor may vote for `rank`, or be told that it won. */
  mayVoteFor(rank: number): boolean {
    return !this.#host.isBlank() || this.#blank.has(rank);
  }

  /** This monitor is blank, and there is a history it must not vote without. */
  #onHistory(from: number, { standing, quorum, lastCommitted, met }: MonProbe): void {
    const { rank, size, log } = this.#host;
    if (met.includes(rank)) this.#strangers.delete(from);
    else this.#strangers.set(from, lastCommitted);
    // Those who are blank, too, are no majority of a new cluster.
    this.#answered!.clear();
    this.#host.clock.disarm(SETTLED);
    const others = quorum.filter((each) => each !== rank).length;
    // Of two monitors the other has accepted all there ever was.
    const knowsAll = size === 2 || (standing === 'settled' && others > size / 2);
    if (knowsAll && lastCommitted > 0) return this.#done(() => this.#host.sync(from, lastCommitted));
    // Every majority would have had one of them in it, who would know: this monitor is new, and has nothing to forget.
    if (this.#strangers.size >= size / 2) {
      const [best, version] = [...this.#strangers].reduce((a, b) => (b[1] > a[1] ? b : a));
      if (version > 0) return this.#done(() => this.#host.join(best, version));
    }
    log.info('waiting, with an empty store, for a quorum of others', { from });
  }

  /** Whether the timer was one of these. */
  onTimer(name: string): boolean {
    if (name === AGAIN) {
      if (this.#answered !== undefined) this.#ask();
      return true;
    }
    if (name !== SETTLED) return false;
    if (this.#answered !== undefined) this.#done(() => this.#host.elect());
    return true;
  }

  #ask(): void {
    for (let rank = 0; rank < this.#host.size; rank++) if (rank !== this.#host.rank) this.onPeerBack(rank);
    this.#arm(AGAIN, seconds(this.#host.config.mon_probe_timeout));
  }

  #done(then: () => void): void {
    this.stop();
    then();
  }

  #arm(timer: string, after: Instant): void {
    this.#host.clock.arm(timer, this.#host.clock.now() + after);
  }
}
