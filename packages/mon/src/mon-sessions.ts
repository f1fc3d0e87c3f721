/** The connections made to this monitor: by clients, by daemons, by other monitors. */
import type { MonMap } from '@spirula/maps';
import type { ConnectedPeers, Message } from '@spirula/messages';
import type { Net, Peer, SessionId } from '@spirula/world';
import { ALL_FEATURES } from './commands/feature-map.ts';
import type { Requester } from './requester.ts';
import { MonSession } from './session.ts';

export class MonSessions {
  readonly #net: Net<Message>;
  readonly #monmap: MonMap;
  readonly #rank: number;
  readonly #sessions = new Map<SessionId, MonSession>();

  constructor(net: Net<Message>, monmap: MonMap, rank: number) {
    this.#net = net;
    this.#monmap = monmap;
    this.#rank = rank;
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
    if (entity.type !== 'mon') return undefined;
    const { ranks, mons } = this.#monmap;
    const rank = ranks.findIndex((name) => {
      const known = mons.get(name)!.addrs[0];
      return known !== undefined && addrs.some((addr) => addr.ip === known.ip && addr.port === known.port);
    });
    return rank < 0 || rank === this.#rank ? undefined : rank;
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
