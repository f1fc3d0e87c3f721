import type { Epoch } from '@spirula/encoding';
import type { Subscription } from '@spirula/messages';
import type { Peer, SessionId } from '@spirula/world';

import { Rights } from './rights.ts';

/** Most subscriptions one session may hold. */
const MAX_SUBSCRIPTIONS = 64;

/** One connection to this monitor and what its peer wants to hear of. */
export class MonSession {
  readonly id: SessionId;
  readonly peer: Peer;
  readonly rights: Rights;
  /** What is subscribed to, and the first version still wanted. */
  readonly #subscriptions = new Map<string, { next: number; once: boolean }>();
  /** Newest OSDMap sent: the next continues from it. */
  osdEpoch: Epoch = 0;
  /** Where the peer says it runs; empty when it does not say. */
  host = '';
  /** The options it was told last, and what they were computed from. */
  config: { readonly stamp: string; readonly values: ReadonlyMap<string, string> } | undefined;

  constructor(id: SessionId, peer: Peer) {
    this.id = id;
    this.peer = peer;
    this.rights = new Rights(peer);
  }

  subscribe(what: ReadonlyMap<string, Subscription>): void {
    for (const [name, { start, once }] of what) {
      if (!this.#mayHear(name)) continue;
      // Of the cluster log, the lines from one level on: who asks for another has done with the one before.
      if (name.startsWith('log-')) for (const other of this.subscribed('log-')) this.#subscriptions.delete(other);
      if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS && !this.#subscriptions.has(name)) return;
      this.#subscriptions.set(name, { next: start, once });
    }
  }

  /** What a client needs to begin with is open to all (Monitor::handle_subscribe). */
  #mayHear(name: string): boolean {
    if (name === 'monmap' || name === 'config') return true;
    return this.rights.may('mon', 'r') && (name !== 'osdmap' || this.rights.may('osd', 'r'));
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
