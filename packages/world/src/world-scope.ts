import type { SessionId, WireMessage, World, WorldEvent } from './world.ts';

/**
 * A part of a daemon that has timers and sessions of its own: it sees the daemon's world, and of its events those that are meant for it.
 * Disk and posts stay the daemon's.
 */
export class WorldScope<M extends WireMessage = WireMessage> {
  readonly world: World<M>;
  readonly #prefix: string;
  readonly #sessions = new Set<SessionId>();
  #isOpening = false;

  /** @param name of the part; no two of a daemon have the same */
  constructor(world: World<M>, name: string) {
    this.#prefix = `${name}: `;
    const { clock, net } = world;
    const sessions = this.#sessions;
    const prefixed = (timer: string) => this.#prefix + timer;
    this.world = {
      get config() {
        return world.config;
      },
      get random() {
        return world.random;
      },
      get crypto() {
        return world.crypto;
      },
      get kv() {
        return world.kv;
      },
      get block() {
        return world.block;
      },
      get http() {
        return world.http;
      },
      get log() {
        return world.log;
      },
      get lifecycle() {
        return world.lifecycle;
      },
      ...(world.memory && { memory: world.memory }),
      buggify: (point) => world.buggify(point),
      clock: {
        now: () => clock.now(),
        wall: () => clock.wall(),
        arm: (timer, at) => clock.arm(prefixed(timer), at),
        disarm: (timer) => clock.disarm(prefixed(timer)),
      },
      net: {
        endpoint: (endpoint) => net.endpoint(endpoint),
        open: (from, to) => {
          // How it authenticates may be asked before the session has its number here.
          this.#isOpening = true;
          const session = net.open(from, to);
          this.#isOpening = false;
          sessions.add(session);
          return session;
        },
        send: (session, message, use) => net.send(session, message, use),
        close: (session) => {
          sessions.delete(session);
          net.close(session);
        },
        get highWater() {
          return net.highWater;
        },
      },
    };
  }

  /** Whether the part has opened it, or just does so, and it is not gone. */
  owns(session: SessionId): boolean {
    return this.#isOpening || this.#sessions.has(session);
  }

  /** The event as the part knows it; undefined: it is not for it. */
  route(event: WorldEvent<M>): WorldEvent<M> | undefined {
    if (event.kind === 'timer') {
      return event.name.startsWith(this.#prefix)
        ? { kind: 'timer', name: event.name.slice(this.#prefix.length) }
        : undefined;
    }
    if (!('session' in event) || !this.#sessions.has(event.session)) return undefined;
    if (event.kind === 'reset') this.#sessions.delete(event.session);
    return event;
  }
}
