/**
 * Who sees to it that a cluster has the monitors it is to have: as many as it was founded with, but for those that faults take out
 * or add for a while. Looks again and again at the monitor map, and brings what there is closer to what is wanted:
 *
 *   in the map, and not wanted      mon rm; once the monitor knows and has stopped, nobody starts it any more
 *   wanted, and not in the map      it is stopped, what it had stored is thrown away; mon add
 *   in the map, and retired         it is started, with an empty store
 */
import type { MonMap } from '@spirula/maps';
import type { Monitor } from '@spirula/mon';
import type { CommandResult } from '@spirula/mon-client';
import { Layers, type SimProcess, type Simulation, type Undo } from '@spirula/sim-world';
import { type Instant, SECOND } from '@spirula/world';
import { noteReply } from './note-reply.ts';

export interface MonPlace {
  readonly process: SimProcess;
  /** Of the map that the cluster is founded with. */
  readonly isFounder: boolean;
  /** Nobody starts it: it was not added yet, or removed. */
  isRetired: boolean;
  /** The map it is told to join with, when it was added later. */
  firstMap: MonMap | undefined;
  /** Of the current or the last run. */
  daemon: Monitor | undefined;
}

/** The cluster, as far as its operator has to do with it. */
export interface OperatedCluster {
  readonly simulation: Simulation;
  readonly mons: readonly MonPlace[];
  readonly monMap: MonMap;
  command(command: Readonly<Record<string, unknown>>, then: (reply: CommandResult) => void): void;
}

/** Between two looks. */
const INTERVAL: Instant = 3 * SECOND;
/** A command that is not answered for so long is given up: who gave it may have been restarted. */
const PATIENCE: Instant = 60 * SECOND;

export class MonOperator {
  readonly #cluster: OperatedCluster;
  /** Those that are to be there where they were not, or not to be there where they were; by as many as want it so. */
  readonly #changes = new Map<MonPlace, Layers<true>>();
  #givesUpAt: Instant | undefined;
  #isAtWork = false;

  constructor(cluster: OperatedCluster) {
    this.#cluster = cluster;
  }

  /** One that was there is to go, one that was not is to come, until what is returned is called. */
  change(place: MonPlace): Undo {
    let changes = this.#changes.get(place);
    if (changes === undefined) {
      changes = new Layers();
      this.#changes.set(place, changes);
    }
    if (!this.#isAtWork) this.#work();
    return changes.add(true);
  }

  isWanted(place: MonPlace): boolean {
    const isChanged = (this.#changes.get(place)?.values.length ?? 0) > 0;
    return place.isFounder !== isChanged;
  }

  /** What is not as it is to be. */
  findUnrest(): string[] {
    const { monMap } = this.#cluster;
    return this.#cluster.mons.flatMap((place) => {
      const { process, daemon } = place;
      const isThere = isIn(monMap, place);
      if (this.isWanted(place)) return isThere ? [] : [`${process.name} is not in the monitor map`];
      if (isThere) return [`${process.name} is in the monitor map`];
      // One that has no store waits to be added.
      const goesOn = process.state !== 'stopped' && daemon!.inspect().lastCommitted > 0;
      return goesOn ? [`${process.name} goes on, though it was removed`] : [];
    });
  }

  /** From the first change on to the end. */
  #work(): void {
    this.#isAtWork = true;
    const { simulation } = this.#cluster;
    simulation.after(INTERVAL, () => {
      const { monMap, mons } = this.#cluster;
      for (const place of mons) {
        this.#retire(place);
        // Even when it is to go again: until it runs there may be no quorum to remove it.
        if (place.isRetired && isIn(monMap, place)) this.#begin(place, monMap);
      }
      // One command at a time.
      const isBusy = this.#givesUpAt !== undefined && simulation.now < this.#givesUpAt;
      const strange = isBusy ? undefined : mons.find((place) => this.isWanted(place) !== isIn(monMap, place));
      if (strange !== undefined) this.#change(strange);
      this.#work();
    });
  }

  /** It was removed, and has found out: what it had stored is of no use, even when it is in the map again by now. */
  #retire(place: MonPlace): void {
    if (place.process.state === 'stopped' && knowsThatItIsOut(place)) place.isRetired = true;
  }

  #begin(place: MonPlace, map: MonMap): void {
    const { process } = place;
    place.isRetired = false;
    place.firstMap = map;
    if (process.state !== 'stopped') return;
    // It has not been in a quorum of this map, so that there is nothing it could forget.
    if (knowsThatItIsOut(place)) process.disk.wipe();
    process.start();
  }

  #change(place: MonPlace): void {
    const { process } = place;
    const { id: name } = process.spec.entity;
    if (!this.isWanted(place)) return this.#give({ prefix: 'mon rm', name });
    place.isRetired = true;
    process.crash();
    process.disk.wipe();
    const [addr] = process.addrs('public');
    this.#give({ prefix: 'mon add', name, addr: `${addr!.ip}:${addr!.port}` });
  }

  #give(command: Readonly<Record<string, unknown>>): void {
    const { simulation } = this.#cluster;
    const givesUpAt = simulation.now + PATIENCE;
    this.#givesUpAt = givesUpAt;
    this.#cluster.command(command, (reply) => {
      noteReply(this.#cluster, command, reply);
      if (this.#givesUpAt === givesUpAt) this.#givesUpAt = undefined;
    });
  }
}

function isIn({ mons }: MonMap, { process }: MonPlace): boolean {
  return mons.has(process.spec.entity.id);
}

function knowsThatItIsOut(place: MonPlace): boolean {
  return place.daemon !== undefined && !isIn(place.daemon.inspect().monmap, place);
}
