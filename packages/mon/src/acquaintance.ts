/**
 * With whom this monitor has been in quorum since the map in force came to be. A monitor with an empty store is told by those
 * it meets whether they know it: it is new when so many do not that no majority could have been without one of them, and then
 * there is nothing it could have forgotten. Noted before anything that a quorum does, so that who took part knows.
 */
import { Decoder, Encoder } from '@spirula/encoding';
import type { MonStore, MonTransaction } from './mon-store.ts';

const PREFIX = 'mkfs';
const KEY = 'met';

export class Acquaintance {
  /** Undefined: it may have been with anybody. */
  #met: ReadonlySet<string> | undefined;

  /** @param isBlank whether the store holds nothing that was agreed on, as of one that is new */
  constructor(store: MonStore, isBlank: boolean) {
    const bytes = store.get(PREFIX, KEY);
    if (bytes !== undefined) {
      const from = new Decoder(bytes);
      this.#met = new Set(from.list('met', 4, () => from.string('met')));
    } else if (isBlank) this.#met = new Set();
  }

  /** Whether it has been in quorum with that monitor, as far as it knows. */
  hasMet(name: string): boolean {
    return this.#met === undefined || this.#met.has(name);
  }

  /** Another map is in force, and under it there was no quorum with this monitor yet. */
  begin(transaction: MonTransaction): void {
    this.#met = new Set();
    this.#keep(transaction);
  }

  /** A quorum of these has formed. */
  meet(names: readonly string[], transaction: MonTransaction): void {
    if (this.#met === undefined || names.every((name) => this.#met!.has(name))) return;
    this.#met = new Set([...this.#met, ...names]);
    this.#keep(transaction);
  }

  /** It copies a store, and may have had another before: with whom it was is forgotten. */
  forget(transaction: MonTransaction): void {
    this.#met = undefined;
    transaction.del(PREFIX, KEY);
  }

  #keep(transaction: MonTransaction): void {
    const to = new Encoder(64);
    to.list([...this.#met!], (name) => to.string(name));
    transaction.put(PREFIX, KEY, to.finish());
  }
}
