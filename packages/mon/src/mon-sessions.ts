/** The connections made to this monitor: by clients, by daemons, by other monitors. */
import type { ConnectedPeers, Message } from '@spirula/messages';
import type { Net, Peer, SessionId } from '@spirula/world';
import { ALL_FEATURES } from './commands/feature-map.ts';
import type { Membership } from './membership.ts';
import type { Requester } from './requester.ts';
import { MonSession } from './session.ts';

export class MonSessions {
  readonly #net: Net<Message>;
  readonly #membership: Membership;
  readonly #sessions = new Map<SessionId, MonSession>();

  constructor(net: Net<Message>, membership: Membership) {
    this.#net = net;
    this.#membership = membership;
  }

  accept(id: SessionId, peer: Peer): void {
    this.#sessions.set(id, new MonSession(id, peer));
  }

  get(id: SessionId): MonSession | undefined {
    return this.#sessions.get(id);
  }

  all(): Iterable<MonSession> {
    return this.#sessions.values();
  }

  /** The connection is gone. What it was, if it was accepted here. */
  forget(id: SessionId): MonSession | undefined {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    return session;
  }

  /** Rank of the monitor at the other end; undefined when it is none of the map. */
  rankOf({ peer: { entity, addrs } }: MonSession): number | undefined {
    return entity.type === 'mon' ? this.#membership.rankAt(addrs) : undefined;
  }

  requesterOf({ id, peer, rights }: MonSession): Requester {
    const { entity, addrs, globalId } = peer;
    return {
      entity,
      addrs,
      globalId,
      rights,
      isForwarded: false,
      isThere: () => this.#sessions.has(id),
      reply: (message) => void this.#net.send(id, message),
      done: () => {},
    };
  }

  /** Who is connected, but for monitors, by kind and by what they support. */
  connected(): readonly ConnectedPeers[] {
    const counts = new Map<string, ConnectedPeers>();
    for (const { peer } of this.#sessions.values()) {
      const { type } = peer.entity;
      if (type === 'mon') continue;
      const features = peer.features ?? ALL_FEATURES;
      const key = `${type} ${features}`;
      counts.set(key, { type, features, count: (counts.get(key)?.count ?? 0) + 1 });
    }
    return [...counts.values()];
  }

  /** Closes all connections but those of monitors: clients are better served elsewhere. */
  dismissClients(): void {
    for (const [id, session] of this.#sessions) {
      if (session.peer.entity.type === 'mon') continue;
      this.#sessions.delete(id);
      this.#net.close(id);
    }
  }
}
