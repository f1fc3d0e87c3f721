/**
 * Pushes of events, by the world's `http`. So many at a time go to one server, and so many more wait: whoever does not answer
 * holds up nobody else, and fills no memory.
 */
import type { Bytes } from '@spirula/encoding';
import { type Http, type Instant, seconds, type Token, type WorldEvent } from '@spirula/world';
import type { Endpoint } from './endpoint.ts';

const TIMEOUT: Instant = seconds(10);
const AT_ONCE = 32;
const MAX_WAITING = 256;

export interface PushOutcome {
  /** Whether it was acknowledged: answered with a status from 200 to 299. */
  readonly delivered: boolean;
  /** One line for people. */
  readonly detail: string;
}

interface Push {
  readonly endpoint: Endpoint;
  readonly body: Bytes;
  readonly settle: (outcome: PushOutcome) => void;
}

interface Server {
  underway: number;
  readonly waiting: Push[];
}

export class Pusher {
  readonly #http: Pick<Http, 'post'>;
  readonly #underway = new Map<Token, Push>();
  readonly #servers = new Map<string, Server>();
  #pushes = 0;

  constructor(http: Pick<Http, 'post'>) {
    this.#http = http;
  }

  /** Never rejects. */
  push(endpoint: Endpoint, body: Bytes): Promise<PushOutcome> {
    const server = this.#servers.get(endpoint.origin) ?? { underway: 0, waiting: [] };
    this.#servers.set(endpoint.origin, server);
    return new Promise((settle) => {
      const push = { endpoint, body, settle };
      if (server.underway < AT_ONCE) this.#send(server, push);
      else if (server.waiting.length < MAX_WAITING) server.waiting.push(push);
      else settle({ delivered: false, detail: `${MAX_WAITING} pushes wait for ${endpoint.origin}` });
    });
  }

  /** Whether the event was for this. */
  handle(event: WorldEvent): boolean {
    if (event.kind !== 'posted') return false;
    const push = this.#underway.get(event.token);
    if (!push) return false;
    this.#underway.delete(event.token);
    const { origin } = push.endpoint;
    const server = this.#servers.get(origin)!;
    server.underway -= 1;
    const next = server.waiting.shift();
    if (next) this.#send(server, next);
    else if (server.underway === 0) this.#servers.delete(origin);
    const { status, detail } = event;
    push.settle({ delivered: status !== undefined && status >= 200 && status <= 299, detail });
    return true;
  }

  #send(server: Server, push: Push): void {
    const token = ++this.#pushes;
    server.underway += 1;
    this.#underway.set(token, push);
    const { url, verifiesTls } = push.endpoint;
    this.#http.post({ url, contentType: 'application/json', body: push.body, verifiesTls, timeout: TIMEOUT }, token);
  }
}
