import type { AddrVec } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import { type Instant, SECOND, type SessionId, type World } from '@spirula/world';

/** After a connection broke, and between attempts while they are refused: doubled each time up to the longest. */
const FIRST_DELAY: Instant = SECOND / 20;
const LONGEST_DELAY: Instant = SECOND;
const TIMER = 'peer ';

/**
 * Sessions to the other monitors, by name, opened when there is something to say. What is in flight when one breaks is lost, and
 * so is what is said until it may be tried again; then `onBack` tells the owner, who repeats what still matters.
 */
export class MonPeers {
  readonly #world: World<Message>;
  readonly #endpoint: string;
  readonly #addrs: (name: string) => AddrVec | undefined;
  readonly #onBack: (name: string) => void;
  readonly #sessions = new Map<string, SessionId>();
  /** Monitors not to be tried yet, and how long the next pause is. */
  readonly #paused = new Set<string>();
  readonly #delays = new Map<string, Instant>();

  constructor(
    world: World<Message>,
    endpoint: string,
    addrs: (name: string) => AddrVec | undefined,
    onBack: (name: string) => void,
  ) {
    this.#world = world;
    this.#endpoint = endpoint;
    this.#addrs = addrs;
    this.#onBack = onBack;
  }

  send(name: string, message: Message): void {
    if (this.#paused.has(name)) return;
    let session = this.#sessions.get(name);
    if (session === undefined) {
      const addrs = this.#addrs(name);
      if (addrs === undefined) return;
      session = this.#world.net.open(this.#endpoint, { type: 'mon', addrs });
      this.#sessions.set(name, session);
    }
    this.#world.net.send(session, message);
  }

  /** It is there: no reason to wait any longer. */
  heardFrom(name: string): void {
    this.#delays.delete(name);
    if (this.#paused.has(name)) this.#resume(name);
  }

  /** Whose session it is, of those opened here. */
  nameOf(session: SessionId): string | undefined {
    for (const [name, each] of this.#sessions) if (each === session) return name;
    return undefined;
  }

  /** It is elsewhere now. */
  moved(name: string): void {
    const session = this.#sessions.get(name);
    if (session === undefined) return;
    this.#sessions.delete(name);
    this.#world.net.close(session);
  }

  /** Whether an outgoing session broke: whose it was. */
  onReset(session: SessionId): string | undefined {
    const name = this.nameOf(session);
    if (name === undefined) return undefined;
    this.#sessions.delete(name);
    this.pause(name);
    return name;
  }

  /** A session with that monitor broke, one way or the other: both sides may have missed something. */
  pause(name: string): void {
    if (this.#paused.has(name)) return;
    const delay = this.#delays.get(name) ?? FIRST_DELAY;
    this.#delays.set(name, Math.min(delay * 2, LONGEST_DELAY));
    this.#paused.add(name);
    this.#world.clock.arm(TIMER + name, this.#world.clock.now() + delay);
  }

  /** Whether the timer was one of these. */
  onTimer(timer: string): boolean {
    if (!timer.startsWith(TIMER)) return false;
    const name = timer.slice(TIMER.length);
    if (this.#paused.has(name)) this.#resume(name);
    return true;
  }

  #resume(name: string): void {
    this.#paused.delete(name);
    this.#world.clock.disarm(TIMER + name);
    this.#onBack(name);
  }
}
