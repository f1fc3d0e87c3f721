/**
 * Who may hold the exclusive lock of one object, as its clients know it. A cookie stands for one try to take it:
 *
 *   asking --acknowledged--> held --unlock is sent--> releasing --acknowledged--> over
 *     | refused: over            \ its client dies        | no answer
 *     | no answer, client dead    `---------> abandoned <-'       an abandoned one may hold it, at any time, until it is broken
 *
 * From its acknowledgement until its unlock is sent a holder is certain: then nobody else may be told that he holds it, and whoever asks
 * is told of it.
 */
export type Cookie = string;
export type LockFate = 'asking' | 'held' | 'releasing' | 'abandoned' | 'over';

/** What was certain when somebody asked who holds the lock. */
export interface InfoStart {
  readonly held: Cookie | undefined;
  readonly over: ReadonlySet<Cookie>;
}

export class HeldLocks {
  readonly #fates = new Map<Cookie, LockFate>();
  #held: Cookie | undefined;

  fate(cookie: Cookie): LockFate | undefined {
    return this.#fates.get(cookie);
  }

  ask(cookie: Cookie): void {
    this.#fates.set(cookie, 'asking');
  }

  /** The lock was given to the cookie. Returns what is wrong with that. */
  onAcquired(cookie: Cookie): string | undefined {
    const other = this.#held;
    this.#fates.set(cookie, 'held');
    this.#held = cookie;
    return other === undefined ? undefined : `the lock was given to ${cookie} while ${other} holds it`;
  }

  /** From now on the cookie is no certain holder. */
  end(cookie: Cookie, fate: 'releasing' | 'abandoned' | 'over'): void {
    this.#fates.set(cookie, fate);
    if (this.#held === cookie) this.#held = undefined;
  }

  beginInfo(): InfoStart {
    const over = [...this.#fates].filter(([, fate]) => fate === 'over').map(([cookie]) => cookie);
    return { held: this.#held, over: new Set(over) };
  }

  /** What is wrong with who is said to hold the lock, if anything. */
  endInfo({ held, over }: InfoStart, lockers: readonly Cookie[]): string | undefined {
    if (lockers.length > 1) return `the lock is held by ${lockers.join(' and ')}`;
    const [locker] = lockers;
    if (held !== undefined && held === this.#held && locker !== held) {
      return `the lock is held by ${locker ?? 'nobody'}, and ${held} has it`;
    }
    if (locker === undefined) return undefined;
    if (!this.#fates.has(locker)) return `the lock is held by ${locker}, who has not asked for it`;
    return over.has(locker) ? `the lock is held by ${locker}, who has given it up` : undefined;
  }
}
