import type { AddrVec } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import { type Instant, SECOND, type SessionId, type World } from '@spirula/world';

/** After a connection broke, and between attempts while they are refused: doubled each time up to the longest. */
const FIRST_DELAY: Instant = SECOND / 20;
const LONGEST_DELAY: Instant = SECOND;
const TIMER = 'peer ';

/**
 * Sessions to the other monitors, opened when there is something to say. What is in flight when one breaks is lost, and
 * so is what is said until it may be tried again; then `onBack` tells the owner, who repeats what still matters.
 */
export class MonPeers {
  readonly #world: World<Message>;
  readonly #endpoint: string;
  readonly #addrs: (rank: number) => AddrVec;
  readonly #onBack: (rank: number) => void;
  readonly #sessions = new Map<number, SessionId>();
  /** Monitors not to be tried yet, and how long the next pause is. */
  readonly #paused = new Set<number>();
  readonly #delays = new Map<number, Instant>();

  constructor(
    world: World<Message>,
    endpoint: string,
    addrs: (rank: number) => AddrVec,
    onBack: (rank: number) => void,
  ) {
    this.#world = world;
    this.#endpoint = endpoint;
    this.#addrs = addrs;
    this.#onBack = onBack;
  }

  send(rank: number, message: Message): void {
    if (this.#paused.has(rank)) return;
    let session = this.#sessions.get(rank);
    if (session === undefined) {
      session = this.#world.net.open(this.#endpoint, { type: 'mon', addrs: this.#addrs(rank) });
      this.#sessions.set(rank, session);
    }
    this.#world.net.send(session, message);
  }

  /** It is there: no reason to wait any longer. */
  heardFrom(rank: number): void {
    this.#delays.delete(rank);
    if (this.#paused.has(rank)) this.#resume(rank);
  }

  /** Whether an outgoing session broke: its rank. */
  onReset(session: SessionId): number | undefined {
    for (const [rank, each] of this.#sessions) {
      if (each !== session) continue;
      this.#sessions.delete(rank);
      this.pause(rank);
      return rank;
    }
    return undefined;
  }

  /** A session with that monitor broke, one way or the other: both sides may have missed something. */
  pause(rank: number): void {
    if (this.#paused.has(rank)) return;
    const delay = this.#delays.get(rank) ?? FIRST_DELAY;
    this.#delays.set(rank, Math.min(delay * 2, LONGEST_DELAY));
    this.#paused.add(rank);
    this.#world.clock.arm(TIMER + rank, this.#world.clock.now() + delay);
  }

  /** Whether the timer was one of these. */
  onTimer(name: string): boolean {
    if (!name.startsWith(TIMER)) return false;
    const rank = Number(name.slice(TIMER.length));
    if (this.#paused.has(rank)) this.#resume(rank);
    return true;
  }

  #resume(rank: number): void {
    this.#paused.delete(rank);
    this.#world.clock.disarm(TIMER + rank);
    this.#onBack(rank);
  }
}
