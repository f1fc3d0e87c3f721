/**
 * Where requests go: the leader serves them, a peon forwards them to it, and without a quorum they wait, bounded.
 *
 *   request --> served (leader, between two rounds)   forwarded (peon)   waiting (neither) --> routed anew
 *           --> passed on to the manager, by whoever of the quorum knows it for a command of the manager's
 */
import type { Message, MonForward, MonRoute } from '@spirula/messages';
import type { Forwarding } from './forward.ts';
import type { MonPeers } from './mon-peers.ts';
import { isAbandoned, type Request, type Requester } from './requester.ts';
import { Rights } from './rights.ts';

/** What a monitor is at the moment. */
export type MonRole = 'probing' | 'synchronizing' | 'electing' | 'leader' | 'peon';

/** Requests that wait for a quorum; beyond it the oldest are dropped, and their askers ask again. */
const MAX_WAITING = 4096;

export interface RouterContext {
  readonly peers: MonPeers;
  readonly forwarding: Forwarding;
  role(): MonRole;
  /** Whether this monitor leads, and no round is under way. */
  writeable(): boolean;
  leader(): number | undefined;
  nameOf(rank: number): string;
  serve(request: Request): void;
  /** Takes what the manager is to answer; returns whether it was that. */
  passOn(request: Request): boolean;
  /** A request is passed on to the leader for the first time. */
  onForwarded(request: Request): void;
}

export class RequestRouter {
  readonly #context: RouterContext;
  #waiting: Request[] = [];

  constructor(context: RouterContext) {
    this.#context = context;
  }

  route(request: Request): void {
    const { role, writeable, serve, passOn, forwarding } = this.#context;
    if ((role() === 'leader' || role() === 'peon') && passOn(request)) return;
    // While a round is under way nothing may be added to what it decides: requests wait for its end.
    if (writeable()) return serve(request);
    if (role() !== 'peon') return this.wait(request);
    this.#context.onForwarded(request);
    this.#forward(forwarding.add(request), request);
  }

  wait(request: Request): void {
    this.#waiting.push(request);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
  }

  get someWait(): boolean {
    return this.#waiting.length > 0;
  }

  /** The role is another, or a round has ended: what waits is routed anew. */
  dispatchWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    // Requests forwarded to a former leader are this monitor's own now.
    if (this.#context.role() === 'leader') waiting.push(...this.#context.forwarding.takeAll());
    for (const request of waiting) if (!isAbandoned(request)) this.route(request);
  }

  #forward(tid: bigint, { from, message }: Request): void {
    const leader = this.#context.leader();
    if (leader === undefined) return;
    const { entity, addrs, globalId, rights } = from;
    const { caps, socketAddr } = rights;
    this.#context.peers.send(this.#context.nameOf(leader), {
      type: 'mon_forward',
      tid,
      entity,
      addrs,
      socketAddr,
      globalId,
      caps,
      request: message,
    });
  }

  /** To a new leader, or one whose connection broke. */
  forwardAll(): void {
    for (const [tid, request] of this.#context.forwarding.entries()) this.#forward(tid, request);
  }

  /** A peon's request. Whatever this monitor has become meanwhile: only a leader answers. */
  onForward(rank: number, { tid, entity, addrs, socketAddr, globalId, caps, request }: MonForward): void {
    if (this.#context.role() !== 'leader') return;
    // By name: when the answer leaves, its rank may be that of another.
    const peon = this.#context.nameOf(rank);
    const route = (reply: Message | undefined) => this.#context.peers.send(peon, { type: 'mon_route', tid, reply });
    const from: Requester = {
      entity,
      addrs,
      globalId,
      rights: new Rights({ entity, addrs, socketAddr, caps }),
      isForwarded: true,
      // Only the peon would know.
      isThere: () => true,
      reply: route,
      done: () => route(undefined),
    };
    this.route({ from, message: request as Message });
  }

  onRoute(rank: number, message: MonRoute): void {
    if (rank === this.#context.leader()) this.#context.forwarding.onRoute(message);
  }
}
