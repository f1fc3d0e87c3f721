/** Requests to servers outside as promises; each is settled by the event that tells what became of it. */
import type { Http, HttpPost, HttpReply, Token, WorldEvent } from '@spirula/world';

type Posted = Extract<WorldEvent, { readonly kind: 'posted' }>;

export interface Outcome {
  /** Undefined: there is no answer, and `detail` says why. */
  readonly status: number | undefined;
  readonly detail: string;
  readonly reply: HttpReply | undefined;
}

/** Tokens from here on are of these requests: a gateway posts other things, too. */
const FIRST_TOKEN = 2 ** 40;
/** So many at a time: more would only wait at the server. */
const MAX_UNDERWAY = 100;

export class Outgoing {
  readonly #http: Http;
  readonly #underway = new Map<Token, (outcome: Outcome) => void>();
  #next: Token = FIRST_TOKEN;

  constructor(http: Http) {
    this.#http = http;
  }

  async request(post: HttpPost): Promise<Outcome> {
    if (this.#underway.size >= MAX_UNDERWAY) {
      return { status: undefined, detail: 'too many requests are under way', reply: undefined };
    }
    const token = this.#next++;
    return await new Promise((resolve) => {
      this.#underway.set(token, resolve);
      this.#http.post(post, token);
    });
  }

  /** False: it is of no request made here. */
  onPosted({ token, status, detail, reply }: Posted): boolean {
    const settle = this.#underway.get(token);
    this.#underway.delete(token);
    settle?.({ status, detail, reply });
    return settle !== undefined;
  }
}
