import type { Message, MonRoute } from '@spirula/messages';
import type { Random } from '@spirula/world';
import { isAbandoned, type Request } from './requester.ts';

/** Requests that await the leader's answer; beyond it the oldest are forgotten, and their askers ask again. */
const MAX_FORWARDED = 4096;

/** What this peon passed on to the leader (Monitor::forward_request_leader), until the answer is routed back. */
export class Forwarding {
  readonly #requests = new Map<bigint, Request>();
  /** Starts anywhere, so that an answer to an earlier run of this monitor meets no request of this one. */
  #lastTid: bigint;

  constructor(random: Random) {
    this.#lastTid = BigInt(random.u32()) << 24n;
  }

  /** Keeps the request and gives it a number. */
  add(request: Request): bigint {
    this.#lastTid += 1n;
    this.#requests.set(this.#lastTid, request);
    const [oldest] = this.#requests.keys();
    if (this.#requests.size > MAX_FORWARDED) this.#requests.delete(oldest!);
    return this.#lastTid;
  }

  /** All that is unanswered, oldest first: for a new leader, or for one that may have missed some. */
  entries(): (readonly [tid: bigint, request: Request])[] {
    for (const [tid, request] of this.#requests) if (isAbandoned(request)) this.#requests.delete(tid);
    return [...this.#requests];
  }

  /** This monitor leads now: what it asked of another is its own to answer. */
  takeAll(): Request[] {
    const requests = this.entries().map(([, request]) => request);
    this.#requests.clear();
    return requests;
  }

  onRoute({ tid, reply }: MonRoute): void {
    const request = this.#requests.get(tid);
    if (request === undefined) return;
    this.#requests.delete(tid);
    if (reply === undefined) request.from.done();
    else request.from.reply(reply as Message);
  }
}
