/**
 * Watches who may lead, and for how long on whose word:
 *
 *   one leader for each election epoch that its quorum followed so far that it may serve, and that is more than half; two may
 *   claim to have won, when they cannot reach one another, and one of them is not followed
 *   what a leader commits, none of its quorum reads past: none is readable under another epoch without it
 *   a leader that would serve a request has been acknowledged by all of its quorum not longer ago than its lease and the
 *   time it waits for acknowledgements; one that hung for longer finds out before it answers
 */
export interface MonView {
  readonly name: string;
  readonly role: string;
  readonly epoch: number;
  /** Monitors of the map in force there. */
  readonly size: number;
  /** Names. */
  readonly quorum: readonly string[];
  readonly lastCommitted: number;
  /** Whether what it knows counts as the newest: it would answer from it. */
  readonly readable: boolean;
}

export class MonLeaseWatch {
  readonly #mons: () => Iterable<MonView>;
  readonly #leaseUs: number;
  readonly #leaders = new Map<number, string>();
  /** Of each leader, by name: since when it leads, and when each of its quorum was last heard. */
  readonly #reigns = new Map<
    string,
    { readonly epoch: number; readonly heard: Map<string, number>; committed: number }
  >();

  /**
   * @param mons those that run
   * @param leaseUs no leader may serve for longer than that after a member was last heard, in true time
   */
  constructor(mons: () => Iterable<MonView>, leaseUs: number) {
    this.#mons = mons;
    this.#leaseUs = leaseUs;
  }

  /** `from` was heard by the monitor of that name: it acknowledged something of this election's. */
  heard(name: string, from: string, epoch: number, now: number): void {
    const reign = this.#reigns.get(name);
    if (reign?.epoch === epoch) reign.heard.set(from, now);
  }

  /** Looks at a monitor that has just handled an event. Returns what is wrong. */
  check(view: MonView, now: number): string | undefined {
    if (view.role !== 'leader') {
      this.#reigns.delete(view.name);
      return undefined;
    }
    const known = this.#reigns.get(view.name);
    if (known?.epoch !== view.epoch) return this.#onElected(view, now);
    if (known.committed !== view.lastCommitted) {
      known.committed = view.lastCommitted;
      const problem = this.#findOtherReader(view);
      if (problem !== undefined) return problem;
    }
    if (!view.readable) return undefined;
    const other = this.#leaders.get(view.epoch);
    if (other === undefined) this.#leaders.set(view.epoch, view.name);
    else if (other !== view.name) {
      return `mon.${other} and mon.${view.name} both lead in election epoch ${view.epoch}`;
    }
    for (const [member, at] of known.heard) {
      if (now - at <= this.#leaseUs) continue;
      return `mon.${view.name} leads, and has not heard mon.${member} for ${(now - at) / 1_000_000} s`;
    }
    return undefined;
  }

  /** A monitor has lost its memory. */
  forget(name: string): void {
    this.#reigns.delete(name);
  }

  #onElected(view: MonView, now: number): string | undefined {
    const { name, epoch, size, quorum, lastCommitted } = view;
    if (2 * quorum.length <= size) return `mon.${name} leads ${quorum.length} of ${size} monitors`;
    const heard = new Map(quorum.filter((each) => each !== name).map((each) => [each, now]));
    this.#reigns.set(name, { epoch, heard, committed: lastCommitted });
    return undefined;
  }

  #findOtherReader(leader: MonView): string | undefined {
    for (const { name, epoch, readable, lastCommitted } of this.#mons()) {
      if (!readable || name === leader.name || epoch === leader.epoch || !leader.quorum.includes(name)) continue;
      // The next leader has found out what this one had begun, and has committed it before.
      if (lastCommitted >= leader.lastCommitted) continue;
      return `mon.${leader.name} commits in epoch ${leader.epoch} while mon.${name}, of its quorum, holds a lease of epoch ${epoch}`;
    }
    return undefined;
  }
}
