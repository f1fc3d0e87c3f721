import { AddrType, type AddrVec } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import { type Config, makeConfig, type SessionId, type World, type WorldEvent } from '@spirula/world';

export interface Dialled {
  readonly session: SessionId;
  readonly type: string;
  readonly addrs: AddrVec;
}

/** Address of a daemon on loopback. */
export function addrOf(port: number, nonce = 0): AddrVec {
  return [{ type: AddrType.v2, nonce, family: 2, ip: '127.0.0.1', port }];
}

/** A world without a network behind it: a test sees what is dialled and sent, and says what happens. */
export class FakeWorld {
  readonly dialled: Dialled[] = [];
  readonly sent: { readonly session: SessionId; readonly message: Message }[] = [];
  readonly closed: SessionId[] = [];
  readonly #timers = new Map<string, number>();
  readonly #config: Config;
  /** What `send` says is queued. */
  queuedBytes = 0;
  handler: (event: WorldEvent<Message>) => void = () => {};
  #now = 1_000_000;
  #lastSession = 0;
  #random = 1;
  stopped = false;
  /** Errors in the log. */
  readonly errors: string[] = [];

  constructor(config: Partial<Config> = {}) {
    this.#config = makeConfig(config);
  }

  get world(): World<Message> {
    const absent = (): never => {
      throw new Error('not part of this test');
    };
    const u32 = () => {
      this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
      return this.#random;
    };
    return {
      config: this.#config,
      clock: {
        now: () => this.#now,
        wall: () => ({ sec: 1_700_000_000 + Math.floor(this.#now / 1e6), nsec: (this.#now % 1e6) * 1000 }),
        arm: (name, at) => void this.#timers.set(name, at),
        disarm: (name) => void this.#timers.delete(name),
      },
      random: { u32, below: (bound) => u32() % bound, float: () => u32() / 2 ** 32 },
      net: {
        endpoint: () => addrOf(6800, 77),
        open: (_from, { type, addrs }) => {
          const session = ++this.#lastSession;
          this.dialled.push({ session, type, addrs });
          return session;
        },
        send: (session, message) => {
          this.sent.push({ session, message });
          return this.queuedBytes;
        },
        close: (session) => void this.closed.push(session),
        highWater: 1 << 20,
      },
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: (text) => void this.errors.push(text) },
      lifecycle: {
        stop: () => {
          this.stopped = true;
        },
      },
      buggify: () => false,
      get crypto() {
        return absent();
      },
      get kv() {
        return absent();
      },
      get block() {
        return absent();
      },
      get http() {
        return absent();
      },
    };
  }

  get armed(): readonly string[] {
    return [...this.#timers.keys()];
  }

  /** Lets time pass; timers fire in order. */
  advance(seconds: number): void {
    const until = this.#now + Math.round(seconds * 1e6);
    for (;;) {
      const due = [...this.#timers].filter(([, at]) => at <= until).sort(([, a], [, b]) => a - b)[0];
      if (!due) break;
      this.#now = Math.max(this.#now, due[1]);
      this.#timers.delete(due[0]);
      this.handler({ kind: 'timer', name: due[0] });
    }
    this.#now = until;
  }

  open(session: SessionId): void {
    const peer = { entity: { type: 'mon', id: 'a' }, addrs: [], globalId: 0n } as const;
    this.handler({ kind: 'opened', session, peer });
  }

  reset(session: SessionId): void {
    this.handler({ kind: 'reset', session, reason: 'closed', detail: '' });
  }

  deliver(session: SessionId, message: Message): void {
    this.handler({ kind: 'message', session, message });
  }

  /** The latest session dialled. */
  get lastDialled(): Dialled {
    return this.dialled.at(-1)!;
  }

  /** What was sent since the last call, of one type. */
  take<T extends Message['type']>(type: T): (Extract<Message, { readonly type: T }> & { readonly on: SessionId })[] {
    const taken = this.sent.filter(({ message }) => message.type === type);
    for (const each of taken) this.sent.splice(this.sent.indexOf(each), 1);
    return taken.map(({ session, message }) => ({
      ...(message as Extract<Message, { readonly type: T }>),
      on: session,
    }));
  }
}
