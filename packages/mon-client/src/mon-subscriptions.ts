import type { Epoch } from '@spirula/encoding';
import type { Subscription } from '@spirula/messages';

/** What is wanted of the monitors, so that a new one can be asked for the same (MonSub, mon/MonSub.h). */
export class MonSubscriptions {
  readonly #wanted = new Map<string, Subscription>();

  /** The newest wish for `what` replaces an older one. Returns whether the monitor must be told. */
  want(what: string, start: Epoch, once: boolean): boolean {
    const before = this.#wanted.get(what);
    if (before && before.start === start && before.once === once) return false;
    this.#wanted.set(what, { start, once });
    return true;
  }

  /** `epoch` has arrived: a lasting subscription goes on behind it, one for a single answer is over. */
  got(what: string, epoch: Epoch): void {
    const wish = this.#wanted.get(what);
    if (!wish || wish.start > epoch) return;
    if (wish.once) this.#wanted.delete(what);
    else this.#wanted.set(what, { start: epoch + 1, once: false });
  }

  unwant(what: string): void {
    this.#wanted.delete(what);
  }

  get wanted(): ReadonlyMap<string, Subscription> {
    return this.#wanted;
  }
}
