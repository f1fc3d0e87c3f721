import type { PgId } from '@spirula/encoding';
import { type PgKey, pgKey, pgOfKey } from '@spirula/maps';

/** Recovery operations under way on this OSD, osd_recovery_max_active at most; PGs that found no room, in their order. */
export class RecoverySlots {
  readonly #max: () => number;
  readonly #waiting = new Set<PgKey>();
  #active = 0;

  constructor(max: () => number) {
    this.#max = max;
  }

  begin(pgid: PgId): boolean {
    if (this.#active >= this.#max()) {
      this.#waiting.add(pgKey(pgid));
      return false;
    }
    this.#active += 1;
    return true;
  }

  end(): void {
    this.#active -= 1;
  }

  /** A PG that waits, while there is room; it has its turn now. */
  takeWaiting(): PgId | undefined {
    if (this.#active >= this.#max()) return undefined;
    for (const key of this.#waiting) {
      this.#waiting.delete(key);
      return pgOfKey(key);
    }
    return undefined;
  }
}
