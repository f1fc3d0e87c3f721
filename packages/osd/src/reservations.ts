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
  /** With their priorities. */
  readonly #held = new Map<string, number>();
  readonly #queue: Request[] = [];
  #granting = false;

  constructor(slots: () => number) {
    this.#slots = slots;
  }

  /** AsyncReserver::dump; those that wait by their priority, the highest last. */
  dump() {
    const waiting = [...new Set(this.#queue.map(({ priority }) => priority))].sort((a, b) => a - b);
    const item = (key: string, prio: number) => ({ item: key, prio, can_preempt: false });
    return {
      max_allowed: this.#slots(),
      min_priority: 0,
      queues: waiting.map((priority) => ({
        priority,
        items: this.#queue.filter((each) => each.priority === priority).map(({ key }) => item(key, priority)),
      })),
      in_progress: [...this.#held].map(([key, priority]) => item(key, priority)),
    };
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
      this.#held.set(request.key, request.priority);
      request.granted();
    }
    this.#granting = false;
  }
}
