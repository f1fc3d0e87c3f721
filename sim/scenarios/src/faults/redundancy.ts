/**
 * Knows, per PG, what has been lost so far, and holds back what could destroy the last good copy of anything: then "no data is
 * lost" must hold, whatever else happens. Processes may crash, hang and be cut off as they like: what is on their disks
 * survives that. But not while a disk of the same PG has just been spoiled: of a write under way that copy may be the only one.
 *
 * It looks at the cluster from outside, and counts as good only what surely is: the copy of an OSD that runs, belongs to the
 * PG's acting set, has all that its primary has, and that no fault has hold of.
 */
import { formatPgId } from '@spirula/encoding';
import { mapPg } from '@spirula/maps';
import type { SimProcess } from '@spirula/sim-world';
import { type Instant, SECOND } from '@spirula/world';
import { allPgs } from '../checkers/stored-objects.ts';
import type { OsdPlace, SimCluster } from '../cluster.ts';
import type { Fault, FaultKind } from './fault.ts';
import type { ActiveFault, Guard } from './injector.ts';

/** Faults that may destroy data of the OSDs they strike. */
const DESTRUCTIVE: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'replace',
  'lose-disk',
  'bit-rot',
  'torn-write',
  'misdirected-write',
  'lost-write',
  'read-error',
]);
/** Faults that may take an OSD out of service, or away from others, or keep what it writes from being durable. */
const DISTURBING: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'crash',
  'power-loss',
  'hang',
  'stop',
  'restart',
  'rolling-restart',
  'write-error',
  'flush-error',
  'disk-stall',
  'slow-disk',
  'disk-full',
  'partition',
  'isolate',
  'clog',
  'delay',
  'latency-tail',
  'bandwidth',
  'refuse',
  'command',
]);
/** What was written when a disk was last spoiled is durable on the others after so long, while nothing disturbs them. */
const SETTLE_TIME: Instant = 10 * SECOND;
/** Clocks differ by no more in a cluster that is to be safe. */
const MAX_DRIFT_PPM = 1000;

export class RedundancyGuard implements Guard {
  readonly #cluster: SimCluster;
  /** Faults that last. */
  readonly #active: () => readonly ActiveFault[];

  constructor(cluster: SimCluster, active: () => readonly ActiveFault[]) {
    this.#cluster = cluster;
    this.#active = active;
  }

  refusal(fault: Fault, processes: readonly SimProcess[]): string | undefined {
    if (fault.fault === 'drift' && Math.abs(fault.ppm) > MAX_DRIFT_PPM) {
      return `clocks that differ by more than ${MAX_DRIFT_PPM} millionths break leases`;
    }
    if (fault.fault === 'lose-store') return this.#refuseMons(processes);
    if (DISTURBING.has(fault.fault)) return this.#refuseDisturbance(processes);
    if (!DESTRUCTIVE.has(fault.fault)) return undefined;
    const mons = processes.filter(({ spec }) => spec.entity.type === 'mon');
    if (mons.length > 0) return this.#refuseMons(mons);
    return this.#refuseOsds(this.#cluster.osds.filter(({ process }) => processes.includes(process)));
  }

  /**
   * A monitor that forgets may only do so when all the others are in one quorum and know all that was ever committed: a
   * majority that comes to be later with the forgetful one in it knows it, too.
   */
  #refuseMons(processes: readonly SimProcess[]): string | undefined {
    const mons = this.#cluster.monMembers;
    const others = mons.filter(({ process }) => !processes.includes(process));
    if (processes.length > 1 || others.length === 0) return 'one monitor at a time may lose its store';
    const views = others.map(({ process, daemon }) => (process.state === 'running' ? daemon!.inspect() : undefined));
    const newest = Math.max(...mons.map(({ daemon }) => daemon?.inspect().lastCommitted ?? 0));
    const fit = views.every(
      (view) =>
        view !== undefined &&
        (view.role === 'leader' || view.role === 'peon') &&
        view.quorum.length === mons.length &&
        view.lastCommitted === newest,
    );
    return fit ? undefined : 'the other monitors are not all in one quorum, at its newest version';
  }

  #refuseOsds(victims: readonly OsdPlace[]): string | undefined {
    const pg = this.#findUnguarded(victims, victims);
    return pg && `of pg ${pg} no other copy is surely good`;
  }

  /** @param processes none: all of them */
  #refuseDisturbance(processes: readonly SimProcess[]): string | undefined {
    const { osds, simulation } = this.#cluster;
    const settled = simulation.now - SETTLE_TIME;
    const spoiled = osds.filter(({ process: { disk } }) => (disk.faults.spoiledAt ?? settled) > settled);
    const disturbed = processes.length === 0 ? osds : osds.filter(({ process }) => processes.includes(process));
    if (disturbed.length === 0) return undefined;
    for (const place of spoiled) {
      const pg = this.#findUnguarded([place], [...disturbed, place]);
      if (pg !== undefined) return `${place.process.name} has just been spoiled, and no other copy of pg ${pg} is left`;
    }
    return this.#refuseLoneliness(processes.length === 0 ? undefined : disturbed);
  }

  /**
   * Those whose disks have damage that nobody has read yet must not go on alone: what is written then has no good copy. Nor
   * has what is being written when the others go, whether or not enough are left to go on.
   *
   * @param disturbed undefined: nobody knows who is left with whom
   */
  #refuseLoneliness(disturbed: readonly OsdPlace[] | undefined): string | undefined {
    const damaged = new Set(this.#cluster.osds.filter(isDamaged));
    const map = this.#cluster.osdMap;
    if (damaged.size === 0) return undefined;
    if (map === undefined) return 'disks are damaged, and no monitor says which PGs hang on them';
    for (const pgid of allPgs(map)) {
      const acting = this.#cluster.actingOf(pgid);
      const left = disturbed ? acting.filter((place) => !disturbed.includes(place)) : acting;
      const alone = left.filter((place) => damaged.has(place));
      const isAlone = disturbed === undefined || alone.length === left.length;
      if (alone.length === 0 || !isAlone) continue;
      const isLeft = disturbed === undefined || left.length < acting.length;
      if (!isLeft && alone.length < map.pools.get(pgid.pool)!.minSize) continue;
      const names = alone.map(({ process }) => process.name).join(' ');
      return `pg ${formatPgId(pgid)} would go on with the damaged disks of ${names} alone`;
    }
    return undefined;
  }

  /** A PG that some of `holders` have, and of which no surely good copy is outside `without`. */
  #findUnguarded(holders: readonly OsdPlace[], without: readonly OsdPlace[]): string | undefined {
    const map = this.#cluster.osdMap;
    // Nobody knows.
    if (map === undefined) return '?';
    const damaged = new Set(this.#cluster.osds.filter((place) => !without.includes(place) && isDamaged(place)));
    for (const pgid of allPgs(map)) {
      const name = formatPgId(pgid);
      const holds = holders.some(({ daemon }) => daemon?.inspect().pgs.some((pg) => pg.pgid === name));
      if (!holds) continue;
      const { acting, actingPrimary } = mapPg(map, pgid);
      const isGuarded = acting.some(
        (osd) =>
          !without.some(({ id }) => id === osd) &&
          !damaged.has(this.#cluster.osds[osd]!) &&
          this.#isGood(osd, actingPrimary, name),
      );
      if (!isGuarded) return name;
    }
    return undefined;
  }

  /** But for its disk. */
  #isGood(osd: number, primaryId: number, name: string): boolean {
    const place = this.#cluster.osds[osd];
    const primary = this.#cluster.osds[primaryId];
    if (place?.process.state !== 'running' || primary?.process.state !== 'running') return false;
    if (this.#isStruck(place.process)) return false;
    const view = place.daemon!.inspect().pgs.find(({ pgid }) => pgid === name);
    const lead = primary.daemon!.inspect().pgs.find(({ pgid }) => pgid === name);
    return (
      view !== undefined &&
      lead?.isPrimary === true &&
      lead.state.startsWith('active') &&
      lead.missing === 0 &&
      view.missing === 0 &&
      view.info.lastBackfill.max &&
      lead.info.lastBackfill.max &&
      view.logHead.epoch === lead.logHead.epoch &&
      view.logHead.version === lead.logHead.version
    );
  }

  /** A fault that lasts may spoil what it writes next, or take it away. One that is for nobody may be for everybody. */
  #isStruck(process: SimProcess): boolean {
    return this.#active().some(
      ({ fault, processes }) =>
        (DESTRUCTIVE.has(fault.fault) || DISTURBING.has(fault.fault)) &&
        (processes.length === 0 || processes.includes(process)),
    );
  }
}

/** Blocks are not what was written; or were not, and the store carried them along, marked, when it overwrote a part of them. */
function isDamaged({ process, store }: OsdPlace): boolean {
  if (process.disk.damaged().length > 0) return true;
  return process.state === 'running' && store!.fsck().damaged.length > 0;
}
