import { EMPTY } from '@spirula/encoding';
import type { Http, HttpPost, HttpReply, Instant, Token, WorldEvent } from '@spirula/world';
import type { SeededRandom } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** What a server makes of a request; `lost`: it has acted, and nobody hears of it; `silent`: it never answers. */
export type HttpAnswer = ({ readonly status: number } & Partial<HttpReply>) | 'lost' | 'silent';

export type HttpServer = (request: HttpPost) => HttpAnswer;

type Posted = Extract<WorldEvent, { readonly kind: 'posted' }>;

const MIN_LATENCY_US = 50;
const MAX_LATENCY_US = 3000;

/** Servers outside the cluster, by the origins of their URLs. Each way takes a while that is drawn. */
export class HttpServers {
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #servers = new Map<string, HttpServer>();

  constructor(scheduler: Scheduler, random: SeededRandom) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** @param origin such as `http://hook:80` */
  serve(origin: string, server: HttpServer): void {
    this.#servers.set(origin, server);
  }

  /** What one run of a daemon posts; `deliver` is not called during `post`. */
  portFor(deliver: (event: Posted) => void): Http {
    return { post: (request, token) => this.#post(request, token, deliver) };
  }

  #post(request: HttpPost, token: Token, deliver: (event: Posted) => void): void {
    const told = (after: Instant, status: number | undefined, detail: string, reply?: HttpReply) =>
      this.#scheduler.after(after, () => deliver({ kind: 'posted', token, status, detail, ...(reply && { reply }) }));
    const origin = originOf(request.url);
    if (origin === undefined) return void told(0, undefined, `${request.url} is no URL of http or https`);
    this.#scheduler.after(this.#latency(), () => {
      // It is on its way, whatever became of who sent it.
      const server = this.#servers.get(origin);
      if (!server) return void told(this.#latency(), undefined, `nobody listens at ${origin}`);
      const answer = server(request);
      if (answer === 'lost') told(this.#latency(), undefined, 'the connection ended without an answer');
      else if (answer === 'silent') told(request.timeout, undefined, `no answer within ${request.timeout / 1e6} s`);
      else if (request.replyBytes === undefined) told(this.#latency(), answer.status, String(answer.status));
      else if ((answer.body?.length ?? 0) > request.replyBytes) told(this.#latency(), undefined, 'too long an answer');
      else told(this.#latency(), answer.status, String(answer.status), { headers: new Map(), body: EMPTY, ...answer });
    });
  }

  #latency(): Instant {
    return this.#random.between(MIN_LATENCY_US, MAX_LATENCY_US);
  }
}

/** `scheme://host:port`; undefined: no URL of http or https. */
function originOf(url: string): string | undefined {
  return /^https?:\/\/[^/?#@]+(?=[/?#]|$)/.exec(url)?.[0];
}
