/**
 * Carries out what fault rules want of a request.
 *
 *   request --> [ wait ] --> [ error | reset ] --> operation --> [ reset | body cut or slow ] --> response
 */
import { type Bytes, EMPTY } from '@spirula/encoding';
import { ConnectionCut, type HttpRequest, type HttpResponse } from '../http.ts';
import { S3Error } from '../s3/s3-error.ts';
import type { FaultEnding, FaultPlan, Faults } from './faults.ts';
import { type BodyFault, faultyBody } from './faulty-body.ts';
import type { FaultRequest } from './matching.ts';

/** What errors are called, and say. */
const errors = {
  429: ['TooManyRequests', 'Too many requests; slow down'],
  500: ['InternalError', 'An error inside the gateway; try again'],
  503: ['SlowDown', 'Too many requests; slow down'],
} as const;

export class Injector {
  readonly faults: Faults;
  readonly #sleep: (us: number) => Promise<void>;

  constructor(faults: Faults, sleep: (us: number) => Promise<void>) {
    this.faults = faults;
    this.#sleep = sleep;
  }

  /** A request that may meet faults. */
  receive(http: HttpRequest): InjectedRequest {
    return new InjectedRequest(http, this.faults, this.#sleep);
  }
}

export class InjectedRequest {
  /** With a body that passes as it is planned when it begins to be read. */
  readonly http: HttpRequest;
  readonly #faults: Faults;
  readonly #sleep: (us: number) => Promise<void>;
  #plan: FaultPlan | undefined;
  #cut: ConnectionCut | undefined;

  constructor(http: HttpRequest, faults: Faults, sleep: (us: number) => Promise<void>) {
    this.#faults = faults;
    this.#sleep = sleep;
    this.http = { ...http, body: { [Symbol.asyncIterator]: () => this.#requestBody(http.body) } };
  }

  /** Set once the connection is to be cut, and nothing answered. */
  get cut(): ConnectionCut | undefined {
    return this.#cut;
  }

  /** A listing does not see what was written in the last so many seconds. */
  get staleSeconds(): number {
    return this.#plan?.staleSeconds ?? 0;
  }

  /** What comes before the operation. @throws S3Error, ConnectionCut */
  async meet(request: FaultRequest): Promise<void> {
    const plan = this.#faults.decide(request);
    if (!plan) return;
    this.#plan = plan;
    if (plan.delayUs > 0) await this.#sleep(plan.delayUs);
    const { ending } = plan;
    if (ending?.kind === 'error') throw errorOf(ending);
    if (ending?.kind === 'reset' && ending.at === 'before') throw this.#reset();
  }

  /** The answer of the operation, as it is let through. @throws ConnectionCut */
  answer(response: HttpResponse): HttpResponse {
    const plan = this.#plan;
    if (!plan) return response;
    if (plan.ending?.kind === 'reset' && plan.ending.at === 'after') throw this.#reset();
    const fault = answerFault(plan, this.http.method);
    const { headers, body } = response;
    if (!fault || (body instanceof Uint8Array && body.length === 0)) return response;
    if (!(body instanceof Uint8Array)) return { ...response, body: faultyBody(body, fault, this.#sleep) };
    const hasLength = headers.some(([name]) => name.toLowerCase() === 'content-length');
    return {
      ...response,
      headers: hasLength ? headers : [...headers, ['Content-Length', String(body.length)]],
      body: faultyBody(once(body), fault, this.#sleep),
    };
  }

  #requestBody(body: AsyncIterable<Bytes>): AsyncIterator<Bytes> {
    const plan = this.#plan;
    const cutAfter = plan?.ending?.kind === 'reset' ? bytesOf(plan.ending) : Number.POSITIVE_INFINITY;
    if (!plan || (cutAfter === Number.POSITIVE_INFINITY && plan.bytesPerSecond === Number.POSITIVE_INFINITY)) {
      return body[Symbol.asyncIterator]();
    }
    const error = () => this.#reset();
    return faultyBody(body, { bytesPerSecond: plan.bytesPerSecond, cutAfter, error }, this.#sleep);
  }

  #reset(): ConnectionCut {
    this.#cut = new ConnectionCut('reset');
    return this.#cut;
  }
}

/** In place of an answer. */
export function cutResponse(cut: ConnectionCut): HttpResponse {
  return { status: 503, headers: [], body: EMPTY, cut };
}

async function* once(body: Bytes): AsyncGenerator<Bytes> {
  yield body;
}

function errorOf({ status, retryAfter }: FaultEnding & { readonly kind: 'error' }): S3Error {
  const [code, message] = errors[status];
  const headers = retryAfter === undefined ? [] : [['Retry-After', String(retryAfter)] as const];
  return new S3Error(code, status, message, [], headers);
}

function bytesOf({ at }: FaultEnding & { readonly kind: 'reset' }): number {
  return typeof at === 'number' ? at : Number.POSITIVE_INFINITY;
}

/** What the body of an answer meets. Of a request with a body of its own it is that which is reset. */
function answerFault({ ending, bytesPerSecond }: FaultPlan, method: string): BodyFault | undefined {
  if (ending?.kind === 'truncate') {
    return { bytesPerSecond, cutAfter: ending.bytes, error: () => new ConnectionCut('close') };
  }
  const sendsBody = method === 'PUT' || method === 'POST';
  const cutAfter = ending?.kind === 'reset' && !sendsBody ? bytesOf(ending) : Number.POSITIVE_INFINITY;
  if (cutAfter === Number.POSITIVE_INFINITY && bytesPerSecond === Number.POSITIVE_INFINITY) return undefined;
  return { bytesPerSecond, cutAfter, error: () => new ConnectionCut('reset') };
}
