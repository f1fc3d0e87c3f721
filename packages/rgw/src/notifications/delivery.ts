/**
 * Delivers what waits in queues (rgw::notify::Manager). Every gateway looks now and then which queues there are, and tries to take
 * each; who has one pushes its events, oldest first, and removes those that were acknowledged. An event may come twice: when a
 * gateway dies between the two, or the acknowledgement is lost. One that is not acknowledged is pushed again until it is, and those
 * behind it wait.
 *
 * Entries for endpoints that only radosgw pushes to (AMQP, Kafka) stay for it: those behind them are pushed, and the queue is given up
 * after each look, so that a radosgw beside can take it. What was pushed from behind is not pushed again while this gateway lives.
 */
import type { QueueEntry } from '@spirula/cls';
import { Decoder, MalformedInput, type RawString } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { type Instant, seconds, type World } from '@spirula/world';
import { decodeQueuedEvent } from '../formats/notification.ts';
import { randomAlphanumeric } from '../store/entropy.ts';
import { parseEndpoint, UnsupportedEndpoint } from './endpoint.ts';
import type { Pusher } from './pusher.ts';
import type { EventQueues } from './queues.ts';
import { eventDocument } from './record.ts';

/** How often a gateway looks which queues there are, and takes or keeps them. */
const LOOK_PERIOD: Instant = seconds(30);
/** How often it looks into a queue of its own for what other gateways have put there. */
const IDLE_PERIOD: Instant = seconds(1);
/** Of what is not acknowledged. */
const FIRST_RETRY: Instant = seconds(1);
const LAST_RETRY: Instant = seconds(30);
const RESERVATION_SECONDS = 120;
/** Entries read at a time, and pushed at a time. */
const PAGE = 64;
const AT_ONCE = 8;
const COOKIE_LENGTH = 16;
/** So many entries are looked at behind one that stays. */
const MAX_BEHIND = 1024;

/** What became of an entry: nobody need push it again; it is to be tried again; it is for others to push. */
type Outcome = 'done' | 'waits' | 'stays';

interface OwnQueue {
  dueAt: Instant;
  retry: Instant;
  /** Its events are being pushed: queues do not wait for one another. */
  isBusy: boolean;
}

export interface DeliveryOptions {
  readonly world: Pick<World, 'clock' | 'crypto' | 'log'>;
  readonly queues: EventQueues;
  readonly pusher: Pusher;
  /** Asks for `work` at that time. */
  readonly wakeAt: (at: Instant) => void;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #cookie: RawString;
  readonly #own = new Map<RawString, OwnQueue>();
  /** By queue: markers of entries that were pushed, and stand behind one that stays. */
  readonly #pushedBehind = new Map<RawString, ReadonlySet<RawString>>();
  #lookAt: Instant = 0;
  #isLooking = false;
  #stopped = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#cookie = randomAlphanumeric(options.world.crypto, COOKIE_LENGTH);
  }

  start(): void {
    this.#options.wakeAt(this.#now);
  }

  /** Something was put into a queue: if it is this gateway's, or new, it is looked into soon. */
  poke(queue: RawString): void {
    const own = this.#own.get(queue);
    // What is not acknowledged keeps its pace.
    if (own && own.retry === FIRST_RETRY) own.dueAt = this.#now;
    if (!own) this.#lookAt = Math.min(this.#lookAt, this.#now + IDLE_PERIOD);
    this.#wake();
  }

  /** Does what is due. Never rejects with what RADOS fails with. */
  async work(): Promise<void> {
    if (this.#isLooking || this.#stopped) return;
    if (this.#now >= this.#lookAt) await this.#look();
    for (const [name, own] of this.#own) if (own.dueAt <= this.#now && !own.isBusy) void this.#deliver(name, own);
    this.#wake();
  }

  /** Other gateways take over at once. Never rejects with what RADOS fails with. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const own = [...this.#own.keys()];
    this.#own.clear();
    await this.#quietly('queues are not given up', async () => {
      for (const name of own) await this.#options.queues.unlock(name, this.#cookie);
    });
  }

  get #now(): Instant {
    return this.#options.world.clock.now();
  }

  #wake(): void {
    if (this.#stopped || this.#isLooking) return;
    const idle = [...this.#own.values()].filter(({ isBusy }) => !isBusy);
    this.#options.wakeAt(Math.min(this.#lookAt, ...idle.map(({ dueAt }) => dueAt)));
  }

  async #look(): Promise<void> {
    this.#lookAt = this.#now + LOOK_PERIOD;
    this.#isLooking = true;
    const { queues, world } = this.#options;
    await this.#quietly('queues of events are not looked for', async () => {
      for (const name of await queues.names()) {
        if (!(await queues.lock(name, this.#cookie))) {
          this.#own.delete(name);
          continue;
        }
        if (!this.#own.has(name)) this.#own.set(name, { dueAt: this.#now, retry: FIRST_RETRY, isBusy: false });
        const { sec, nsec } = world.clock.wall();
        await queues.expire(name, this.#cookie, { sec: sec - RESERVATION_SECONDS, nsec });
      }
    });
    this.#isLooking = false;
  }

  async #deliver(name: RawString, own: OwnQueue): Promise<void> {
    own.dueAt = this.#now + IDLE_PERIOD;
    own.isBusy = true;
    await this.#quietly('events wait', async () => {
      const { queues } = this.#options;
      const entries: QueueEntry[] = [];
      const outcomes: Outcome[] = [];
      let next: RawString = '';
      for (let more = true; more; ) {
        const page = await queues.list(name, this.#cookie, PAGE, next);
        if (!page) return void this.#own.delete(name);
        entries.push(...page.entries);
        outcomes.push(...(await this.#pushAll(name, page.entries)));
        next = page.next;
        const goesOn = outcomes.includes('stays') && !outcomes.includes('waits') && entries.length < MAX_BEHIND;
        more = goesOn && page.truncated && page.entries.length > 0;
      }
      if (entries.length === 0) return;
      const firstLeft = outcomes.findIndex((outcome) => outcome !== 'done');
      const delivered = firstLeft < 0 ? entries.length : firstLeft;
      if (delivered > 0) await queues.removeUpTo(name, this.#cookie, entries[delivered]?.marker ?? next);
      if (outcomes.includes('stays')) this.#remember(name, entries, outcomes, delivered);
      else this.#pushedBehind.delete(name);
      if (outcomes.includes('waits')) {
        own.dueAt = this.#now + own.retry;
        own.retry = Math.min(own.retry * 2, LAST_RETRY);
      } else if (outcomes.includes('stays')) {
        await this.#leave(name);
      } else {
        own.dueAt = this.#now;
        own.retry = FIRST_RETRY;
      }
    });
    own.isBusy = false;
    this.#wake();
  }

  /** What was pushed and cannot be removed yet. */
  #remember(name: RawString, entries: readonly QueueEntry[], outcomes: readonly Outcome[], from: number): void {
    const behind = entries.filter((_, at) => at >= from && outcomes[at] === 'done').map(({ marker }) => marker);
    this.#pushedBehind.set(name, new Set(behind));
  }

  /** Until the next look: another gateway may have it meanwhile. */
  async #leave(name: RawString): Promise<void> {
    this.#own.delete(name);
    await this.#options.queues.unlock(name, this.#cookie);
  }

  /** After one that waits, no more are begun: those count as waiting, too. */
  async #pushAll(name: RawString, entries: readonly QueueEntry[]): Promise<Outcome[]> {
    const outcomes = new Array<Outcome>(entries.length).fill('waits');
    const pushed = this.#pushedBehind.get(name);
    let next = 0;
    let hasFailed = false;
    const work = async () => {
      while (next < entries.length && !hasFailed) {
        const at = next++;
        const { data, marker } = entries[at]!;
        outcomes[at] = pushed?.has(marker) ? 'done' : await this.#push(data);
        hasFailed ||= outcomes[at] === 'waits';
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, entries.length) }, work));
    return outcomes;
  }

  async #push(entry: Uint8Array): Promise<Outcome> {
    const { pusher, world } = this.#options;
    try {
      const { event, ...endpoint } = decodeQueuedEvent(new Decoder(entry));
      const { delivered, detail } = await pusher.push(parseEndpoint(endpoint), eventDocument(event));
      if (!delivered) world.log.warn('an event waits', { event: event.id, problem: detail });
      return delivered ? 'done' : 'waits';
    } catch (error) {
      if (error instanceof UnsupportedEndpoint) {
        world.log.warn('an event is left to other gateways', { problem: error.message });
        return 'stays';
      }
      if (!(error instanceof MalformedInput)) throw error;
      // Nobody can ever deliver it, and it would hold up the others.
      world.log.error('an entry of a queue does not parse: it is dropped', { problem: error.message });
      return 'done';
    }
  }

  async #quietly(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      this.#options.world.log.warn(what, { error: error.message });
    }
  }
}
