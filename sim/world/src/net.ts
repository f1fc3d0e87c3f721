import { AddrType, type AddrVec } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import { invariant, type Net, type SessionId } from '@spirula/world';
import type { Endpoints, Network } from './network.ts';
import { type Dialled, HIGH_WATER, type NetOwner, Session } from './session.ts';

/** The network of one run of a daemon. */
export class SimNet implements Net<Message> {
  readonly highWater = HIGH_WATER;
  readonly #network: Network;
  readonly #ip: string;
  readonly #nonce: number;
  readonly #endpoints: Endpoints;
  readonly #sessions = new Map<SessionId, Session>();
  #owner: NetOwner | undefined;
  #lastSession: SessionId = 0;

  constructor(network: Network, ip: string, nonce: number, endpoints: Endpoints) {
    this.#network = network;
    this.#ip = ip;
    this.#nonce = nonce;
    this.#endpoints = endpoints;
  }

  /** Takes connections from now on. */
  listen(owner: NetOwner): void {
    this.#owner = owner;
    for (const [endpoint, port] of Object.entries(this.#endpoints)) {
      if (port !== 'dial') this.#network.listen(this.#ip, port, { owner, endpoint });
    }
  }

  endpoint(name: string): AddrVec {
    const port = this.#endpoints[name];
    invariant(port !== undefined, `endpoint ${name} is known`);
    const { v2, any } = AddrType;
    const listens = port !== 'dial';
    return [{ type: listens ? v2 : any, nonce: this.#nonce, family: 2, ip: this.#ip, port: listens ? port : 0 }];
  }

  open(from: string, to: Dialled): SessionId {
    this.endpoint(from);
    const session = new Session(this.#network, this.#owner!, from, 'outgoing');
    this.#sessions.set(session.id, session);
    session.dial(to);
    return session.id;
  }

  send(id: SessionId, message: Message): number {
    return this.#sessions.get(id)?.send(message) ?? 0;
  }

  close(id: SessionId): void {
    this.#sessions.get(id)?.close();
  }

  nextSession(): SessionId {
    this.#lastSession += 1;
    return this.#lastSession;
  }

  onAccept(session: Session): void {
    this.#sessions.set(session.id, session);
  }

  onSessionGone(session: Session): void {
    this.#sessions.delete(session.id);
  }

  get sessions(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  /** The daemon stopped in order: what was sent leaves first. */
  shutdown(): void {
    this.#stopListening();
    for (const session of this.sessions) session.close();
  }

  /** The process is gone: peers see a reset, and of what is in flight some may be lost. */
  destroy(): void {
    this.#stopListening();
    for (const session of this.sessions) session.orphan(this.#network.drawSurvivors(session.inFlight));
    this.#sessions.clear();
  }

  /** The machine is gone: peers see nothing. */
  vanish(): void {
    this.#stopListening();
    for (const session of this.sessions) session.vanish();
    this.#sessions.clear();
  }

  #stopListening(): void {
    for (const port of Object.values(this.#endpoints)) if (port !== 'dial') this.#network.stopListening(this.#ip, port);
  }
}
