import type { Bytes } from '@spirula/encoding';
import { hashBytes } from '../object-model.ts';

/** A monitor as far as it has committed. */
export interface PaxosView {
  readonly name: string;
  readonly firstCommitted: number;
  readonly lastCommitted: number;
  /** Undefined: trimmed, or not committed. */
  value(version: number): Bytes | undefined;
}

/** Watches that no two monitors ever commit two values for one version. */
export class PaxosWatch {
  /** Hash of each version's value, and who committed it first. */
  readonly #values = new Map<number, { readonly hash: string; readonly mon: string }>();
  /** What each monitor had committed when it was last looked at. */
  readonly #seen = new Map<string, number>();

  /** Looks at a monitor that has just handled an event. Returns what is wrong. */
  check(view: PaxosView): string | undefined {
    const { name, firstCommitted, lastCommitted } = view;
    const seen = this.#seen.get(name) ?? 0;
    if (seen === lastCommitted) return undefined;
    this.#seen.set(name, lastCommitted);
    // Below: after a crash, what was learnt and not durable is learnt again.
    for (
      let version = Math.max(1, firstCommitted, Math.min(seen, lastCommitted) + 1);
      version <= lastCommitted;
      version++
    ) {
      const value = view.value(version);
      if (value === undefined) continue;
      const hash = hashBytes(value);
      const known = this.#values.get(version);
      if (known === undefined) this.#values.set(version, { hash, mon: name });
      else if (known.hash !== hash) {
        return `mon.${name} has committed another value for version ${version} than mon.${known.mon}`;
      }
    }
    return undefined;
  }

  /** A monitor has lost its memory. */
  forget(mon: string): void {
    this.#seen.delete(mon);
  }
}
