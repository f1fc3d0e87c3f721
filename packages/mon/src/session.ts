import type { Epoch } from '@spirula/encoding';
import type { Subscription } from '@spirula/messages';
import type { Peer, SessionId } from '@spirula/world';

/** Most subscriptions one session may hold. */
const MAX_SUBSCRIPTIONS = 64;

/** One connection to this monitor and what its peer wants to hear of. */
export class MonSession {
  readonly id: SessionId;
  readonly peer: Peer;
  /** What is subscribed to, and the first version still wanted. */
  readonly #subscriptions = new Map<string, { next: number; once: boolean }>();
  /** Newest OSDMap sent: the next continues from it. */
  osdEpoch: Epoch = 0;

  constructor(id: SessionId, peer: Peer) {
    this.id = id;
    this.peer = peer;
  }

  subscribe(what: ReadonlyMap<string, Subscription>): void {
    for (const [name, { start, once }] of what) {
      if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS && !this.#subscriptions.has(name)) return;
      this.#subscriptions.set(name, { next: start, once });
    }
  }

  /** First version wanted of a map; undefined when it is not subscribed to. */
  wanted(name: string): number | undefined {
    return this.#subscriptions.get(name)?.next;
  }

  /** Names of subscriptions that start with `prefix`. */
  subscribed(prefix: string): string[] {
    return [...this.#subscriptions.keys()].filter((name) => name.startsWith(prefix));
  }

  /** Everything up to `version` was sent. */
  sent(name: string, version: number): void {
    const subscription = this.#subscriptions.get(name);
    if (subscription === undefined) return;
    if (subscription.once) this.#subscriptions.delete(name);
    else subscription.next = version + 1;
  }
}
