/** Questions of the manager to other daemons, which they answer by their admin commands; each on a session of its own. */
import { type AddrVec, type Bytes, EMPTY, Errno, type Uuid } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import { type Instant, SECOND, type SessionId, type World, type WorldEvent } from '@spirula/world';

const TIMER = 'mgr question ';
const TIMEOUT: Instant = 5 * SECOND;
/** Questions at a time; beyond it they fail with EBUSY. */
const MAX_QUESTIONS = 64;

export interface DaemonAnswer {
  readonly code: number;
  readonly status: string;
  readonly data: Bytes;
}

export class DaemonQuestions {
  readonly #world: World<Message>;
  readonly #endpoint: string;
  readonly #fsid: Uuid;
  readonly #asked = new Map<SessionId, (answer: DaemonAnswer) => void>();

  constructor(world: World<Message>, endpoint: string, fsid: Uuid) {
    this.#world = world;
    this.#endpoint = endpoint;
    this.#fsid = fsid;
  }

  /** Fails with ETIMEDOUT when the daemon does not answer within 5 s. */
  ask(type: 'mon' | 'osd', addrs: AddrVec, line: string, done: (answer: DaemonAnswer) => void): void {
    if (this.#asked.size >= MAX_QUESTIONS) return done({ code: Errno.EBUSY, status: '', data: EMPTY });
    const { net, clock } = this.#world;
    const session = net.open(this.#endpoint, { type, addrs });
    this.#asked.set(session, done);
    net.send(session, { type: 'command', tid: 1n, fsid: this.#fsid, cmd: [line], data: EMPTY });
    clock.arm(TIMER + session, clock.now() + TIMEOUT);
  }

  /** Returns whether the event was for a question. */
  handle(event: WorldEvent<Message>): boolean {
    if (event.kind === 'timer' && event.name.startsWith(TIMER)) {
      this.#finish(Number(event.name.slice(TIMER.length)), { code: Errno.ETIMEDOUT, status: '', data: EMPTY });
      return true;
    }
    if (!('session' in event) || !this.#asked.has(event.session)) return false;
    if (event.kind === 'message' && event.message.type === 'command_reply') {
      const { code, status, data } = event.message;
      this.#finish(event.session, { code, status, data });
    } else if (event.kind === 'reset') {
      this.#finish(event.session, { code: Errno.ETIMEDOUT, status: event.detail, data: EMPTY });
    }
    return true;
  }

  #finish(session: SessionId, answer: DaemonAnswer): void {
    const done = this.#asked.get(session);
    if (!done) return;
    this.#asked.delete(session);
    this.#world.clock.disarm(TIMER + session);
    this.#world.net.close(session);
    done(answer);
  }
}
