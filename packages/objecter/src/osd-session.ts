import type { AddrVec, OsdId, PgId } from '@spirula/encoding';
import { compareHObjects, type HObject } from '@spirula/maps';
import type { Message, OsdBackoff } from '@spirula/messages';
import { type Instant, SECOND, type SessionId, type World } from '@spirula/world';

/** Before a broken session is opened again; doubles with every failure in a row. */
const FIRST_REOPEN: Instant = SECOND / 100;
const LAST_REOPEN: Instant = SECOND;

type State =
  | { readonly name: 'open'; readonly session: SessionId; congested: boolean }
  /** Broken; to be opened again at the timer. */
  | { readonly name: 'waiting' };

/** The connection to one OSD, and what waits to be sent on it. */
export class OsdSession {
  readonly osd: OsdId;
  readonly addrs: AddrVec;
  readonly #world: World<Message>;
  readonly #endpoint: string;
  readonly #timer: string;
  #state: State;
  #reopenDelay: Instant = FIRST_REOPEN;
  /** Transaction numbers to send once the connection drains. */
  #outbox: bigint[] = [];
  /** What the OSD wants no requests on; a broken connection ends them. */
  readonly #backoffs = new Map<bigint, OsdBackoff>();

  constructor(world: World<Message>, endpoint: string, osd: OsdId, addrs: AddrVec) {
    this.#world = world;
    this.#endpoint = endpoint;
    this.osd = osd;
    this.addrs = addrs;
    this.#timer = reopenTimer(osd);
    this.#state = this.#open();
  }

  /** Undefined while it waits to be opened again. */
  get session(): SessionId | undefined {
    return this.#state.name === 'open' ? this.#state.session : undefined;
  }

  /** Whether a request may be sent now; if not, `postpone` it. */
  get ready(): boolean {
    return this.#state.name === 'open' && !this.#state.congested;
  }

  send(message: Message): void {
    if (this.#state.name !== 'open') return;
    const queued = this.#world.net.send(this.#state.session, message);
    if (queued > this.#world.net.highWater) this.#state.congested = true;
  }

  postpone(tid: bigint): void {
    this.#outbox.push(tid);
  }

  /** The requests postponed, now to be sent or postponed again. */
  takePostponed(): readonly bigint[] {
    const postponed = this.#outbox;
    this.#outbox = [];
    return postponed;
  }

  /** Objects are blocked, or no longer. */
  onBackoff(backoff: OsdBackoff): void {
    if (backoff.op === 'block') {
      this.#backoffs.set(backoff.id, backoff);
      this.send({ ...backoff, op: 'ackBlock' });
    } else if (backoff.op === 'unblock') this.#backoffs.delete(backoff.id);
  }

  /** Whether the OSD would drop a request on `object` now. */
  isBlocked(pgid: PgId, object: HObject): boolean {
    for (const backoff of this.#backoffs.values()) if (covers(backoff, pgid, object)) return true;
    return false;
  }

  /** It answers: the next failure is the first again. */
  onHeard(): void {
    this.#reopenDelay = FIRST_REOPEN;
  }

  onDrained(): void {
    if (this.#state.name === 'open') this.#state.congested = false;
  }

  /** Everything in flight is lost; a timer is armed to open it again. */
  onReset(): void {
    this.#state = { name: 'waiting' };
    this.#outbox = [];
    this.#backoffs.clear();
    this.#world.clock.arm(this.#timer, this.#world.clock.now() + this.#reopenDelay);
    this.#reopenDelay = Math.min(2 * this.#reopenDelay, LAST_REOPEN);
  }

  reopen(): void {
    if (this.#state.name === 'waiting') this.#state = this.#open();
  }

  close(): void {
    this.#world.clock.disarm(this.#timer);
    if (this.#state.name === 'open') this.#world.net.close(this.#state.session);
    this.#state = { name: 'waiting' };
    this.#outbox = [];
  }

  #open(): State {
    const session = this.#world.net.open(this.#endpoint, { type: 'osd', addrs: this.addrs });
    return { name: 'open', session, congested: false };
  }
}

/** Whether a block is about `object` of `pg`. */
export function covers({ pgid, begin, end }: OsdBackoff, pg: PgId, object: HObject): boolean {
  if (pgid.pool !== pg.pool || pgid.seed !== pg.seed) return false;
  const fromBegin = compareHObjects(object, begin);
  return fromBegin === 0 || (fromBegin > 0 && compareHObjects(object, end) < 0);
}

const REOPEN_PREFIX = 'objecter reopen osd.';

function reopenTimer(osd: OsdId): string {
  return REOPEN_PREFIX + osd;
}

/** The OSD a timer is for; undefined when it is another timer. */
export function osdOfReopenTimer(timer: string): OsdId | undefined {
  return timer.startsWith(REOPEN_PREFIX) ? Number(timer.slice(REOPEN_PREFIX.length)) : undefined;
}
