/**
 * Slots for PGs that recover or are backfilled, at most osd_max_backfills at a time on each side (AsyncReserver).
 * Requests wait in order; recovery goes before backfill.
 */
interface Request {
  readonly key: string;
  readonly priority: number;
  readonly granted: () => void;
}

/** Ceph's base priorities (OSD_RECOVERY_PRIORITY_BASE, OSD_BACKFILL_PRIORITY_BASE). */
export const ReservationPriority = { recovery: 180, backfill: 100 } as const;

export class Reservations {
  readonly #slots: () => number;
  readonly #held = new Set<string>();
  readonly #queue: Request[] = [];
  #granting = false;

  constructor(slots: () => number) {
    this.#slots = slots;
  }

  get held(): number {
    return this.#held.size;
  }

  /** Calls `granted` when there is room, perhaps before this returns. A key that holds or waits already changes nothing. */
  request(key: string, priority: number, granted: () => void): void {
    if (this.#held.has(key) || this.#queue.some((request) => request.key === key)) return;
    const at = this.#queue.findIndex((request) => request.priority < priority);
    this.#queue.splice(at === -1 ? this.#queue.length : at, 0, { key, priority, granted });
    this.#grant();
  }

  /** Gives a slot back, or leaves the queue. */
  cancel(key: string): void {
    if (this.#held.delete(key)) this.#grant();
    else {
      const at = this.#queue.findIndex((request) => request.key === key);
      if (at !== -1) this.#queue.splice(at, 1);
    }
  }

  /** There may be more slots than before. */
  onSlotsChanged(): void {
    this.#grant();
  }

  #grant(): void {
    // A grant may release or request in turn: the outermost call goes on for it.
    if (this.#granting) return;
    this.#granting = true;
    while (this.#held.size < this.#slots() && this.#queue.length > 0) {
      const request = this.#queue.shift()!;
      this.#held.add(request.key);
      request.granted();
    }
    this.#granting = false;
  }
}
