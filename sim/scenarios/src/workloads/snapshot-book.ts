/**
 * What objects held when snapshots were taken, as far as acknowledgements tell. One change of an object is under way at a
 * time, so what it holds is known, but for the one under way:
 *
 *   taken --> a change that knows of the snapshot is asked for: from now on what the object held is settled
 *             until then it may be any of what the object has held since
 */
import type { RawString } from '@spirula/encoding';
import { ABSENT, describeState, type ObjectState, stateOf } from '../object-model.ts';

/** A snapshot as all clients know it. */
export interface TakenSnap {
  readonly id: bigint;
  /** Of a pool snapshot; undefined: self-managed. */
  readonly name: string | undefined;
  /** Clients that have this map know of it. */
  readonly epoch: number;
}

interface BookedObject {
  state: ObjectState;
  /** What the change under way makes of it. */
  next: ObjectState | undefined;
  /** Nobody knows what became of a change: it is left alone. */
  lost: boolean;
}

interface Held {
  /** By object. */
  readonly possible: Map<RawString, Map<string, ObjectState>>;
  readonly settled: Set<RawString>;
}

export class SnapshotBook {
  readonly #objects = new Map<RawString, BookedObject>();
  readonly #snaps = new Map<bigint, TakenSnap & Held>();
  readonly #removed = new Set<bigint>();
  /** What pool snapshots that are being taken may hold: begun, and their numbers not known yet. */
  readonly #beginning = new Map<string, Held>();
  /** Of all that were ever known. */
  #newest = 0n;

  constructor(names: readonly RawString[]) {
    for (const name of names) this.#objects.set(name, { state: ABSENT, next: undefined, lost: false });
  }

  /** Newest first. */
  get snaps(): readonly TakenSnap[] {
    return [...this.#snaps.values()].sort((a, b) => (a.id > b.id ? -1 : 1));
  }

  get removed(): ReadonlySet<bigint> {
    return this.#removed;
  }

  /** Whether the object may be changed. */
  isIdle(name: RawString): boolean {
    const { next, lost } = this.#objects.get(name)!;
    return next === undefined && !lost;
  }

  stateOf(name: RawString): ObjectState {
    return this.#objects.get(name)!.state;
  }

  /** A change is asked for that knows of these snapshots. */
  beginChange(name: RawString, next: ObjectState, known: (snap: TakenSnap) => boolean): void {
    for (const snap of this.#snaps.values()) if (known(snap)) snap.settled.add(name);
    this.#objects.get(name)!.next = next;
    for (const held of this.#held()) this.#note(held, name, next);
  }

  endChange(name: RawString, fate: 'done' | 'refused' | 'unknown'): void {
    const object = this.#objects.get(name)!;
    if (fate === 'unknown') object.lost = true;
    if (fate === 'done') object.state = object.next!;
    object.next = undefined;
    for (const held of this.#held()) this.#note(held, name, object.state);
  }

  /** A snapshot is being taken under this name. */
  beginTaking(key: string): void {
    const held: Held = { possible: new Map(), settled: new Set() };
    for (const [name, { state, next }] of this.#objects) {
      this.#note(held, name, state);
      if (next) this.#note(held, name, next);
    }
    this.#beginning.set(key, held);
  }

  /**
   * Returns false when it is of no use: a self-managed snapshot whose number came after a newer one was known. Clones are
   * made for what is newer than all that writes before knew of, so a write with the newer one alone has passed it over. Users
   * of such snapshots must give it back (as cls_rbd's snapshot_add refuses it, with ESTALE).
   */
  endTaking(key: string, snap: TakenSnap | undefined): boolean {
    const held = this.#beginning.get(key)!;
    this.#beginning.delete(key);
    if (!snap) return true;
    if (snap.name === undefined && snap.id < this.#newest) return false;
    if (snap.id > this.#newest) this.#newest = snap.id;
    this.#snaps.set(snap.id, { ...snap, ...held });
    return true;
  }

  /** From now on nobody knows what it holds. */
  remove(id: bigint): void {
    this.#snaps.delete(id);
    this.#removed.add(id);
  }

  has(id: bigint): boolean {
    return this.#snaps.has(id);
  }

  /** What an object held then, when that is certain. */
  heldBy(id: bigint, name: RawString): ObjectState | undefined {
    const snap = this.#snaps.get(id);
    const possible = [...(snap?.possible.get(name)?.values() ?? [])];
    return possible.length === 1 && !this.#objects.get(name)!.lost ? possible[0] : undefined;
  }

  /** What is wrong with what was read of an object in a snapshot, or with what a store has of it. */
  judge(id: bigint, name: RawString, read: ObjectState): string | undefined {
    const snap = this.#snaps.get(id);
    if (!snap || this.#objects.get(name)!.lost) return undefined;
    const possible = snap.possible.get(name)!;
    if (possible.has(keyOf(read))) return undefined;
    const held = [...possible.values()].map(describeState).join(' or ');
    return `in snapshot ${id} it is [${describeState(read)}], and held [${held}] when that was taken`;
  }

  /** What is wrong with what was read of the object itself, when nothing was under way. */
  judgeHead(name: RawString, read: ObjectState): string | undefined {
    const { state, lost, next } = this.#objects.get(name)!;
    if (lost || next || keyOf(state) === keyOf(read)) return undefined;
    return `it is [${describeState(read)}], and must be [${describeState(state)}]`;
  }

  *#held(): Iterable<Held> {
    yield* this.#beginning.values();
    yield* this.#snaps.values();
  }

  #note({ possible, settled }: Held, name: RawString, state: ObjectState): void {
    if (settled.has(name)) return;
    const states = possible.get(name) ?? new Map<string, ObjectState>();
    possible.set(name, states.set(keyOf(state), state));
  }
}

/** What it holds, in whatever version. */
function keyOf({ content }: ObjectState): string {
  return stateOf(content, undefined).key;
}
