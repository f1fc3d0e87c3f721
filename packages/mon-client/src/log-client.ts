/**
 * What a daemon has to say in the cluster log (common/LogClient.cc): numbered lines, sent to the monitor that it is connected
 * to and kept until one acknowledges that they stand in the log.
 *
 *   say --> waiting --(mon_client_log_interval)--> sent --(log_ack)--> forgotten
 *              ^------- another monitor -------------/
 *
 * Lines that come twice stand there once: monitors know them by number, stamp and speaker.
 */
import type { AddrVec, EntityName, Uuid } from '@spirula/encoding';
import { type LogAck, type LogEntry, type LogLevel, type Message, priorityOf } from '@spirula/messages';
import { seconds, type World } from '@spirula/world';
import type { MonClient } from './mon-client.ts';

const TIMER = 'log-client send';
/** Lines that may wait; beyond it the oldest are forgotten. */
const MAX_WAITING = 1000;

export interface LogClientOptions {
  readonly world: Pick<World<Message>, 'clock' | 'config' | 'log'>;
  readonly mon: Pick<MonClient, 'send' | 'connected'>;
  readonly fsid: Uuid;
  readonly name: EntityName;
  /** Its number among those of its type. */
  readonly rank: bigint;
  addrs(): AddrVec;
}

export class LogClient {
  readonly #options: LogClientOptions;
  #waiting: LogEntry[] = [];
  #lastSeq = 0;
  /** The newest that went to the monitor connected to. */
  #lastSent = 0;

  constructor(options: LogClientOptions) {
    this.#options = options;
  }

  /** Writes one line. */
  say(level: LogLevel, text: string, channel: 'cluster' | 'audit' = 'cluster'): void {
    const { world, name, rank, addrs } = this.#options;
    this.#lastSeq += 1;
    this.#waiting.push({
      ...{ name, rank, addrs: addrs(), stamp: world.clock.wall(), seq: this.#lastSeq },
      ...{ priority: priorityOf(level), text, channel },
    });
    if (this.#waiting.length > MAX_WAITING) {
      world.log.warn('a line for the cluster log is lost', { text: this.#waiting.shift()!.text });
    }
    // Those before it have armed the timer, unless all of them are on their way.
    if (this.#unsent().length === 1) this.#arm();
  }

  /** Another monitor is connected to: what the last one has not acknowledged may be lost. */
  onSession(): void {
    this.#lastSent = 0;
    this.#send();
  }

  onAck({ last }: LogAck): void {
    this.#waiting = this.#waiting.filter(({ seq }) => seq > last);
    this.#send();
  }

  /** Returns whether the timer belongs here. */
  onTimer(name: string): boolean {
    if (name !== TIMER) return false;
    this.#send();
    return true;
  }

  #unsent(): readonly LogEntry[] {
    return this.#waiting.filter(({ seq }) => seq > this.#lastSent);
  }

  #arm(): void {
    const { clock, config } = this.#options.world;
    clock.arm(TIMER, clock.now() + seconds(config.mon_client_log_interval));
  }

  #send(): void {
    const { world, mon, fsid } = this.#options;
    // Without a monitor they wait for one.
    if (!mon.connected) return;
    const most = world.config.mon_client_max_log_entries_per_message;
    const entries = this.#unsent().slice(0, most > 0 ? most : undefined);
    if (entries.length === 0) return;
    this.#lastSent = entries.at(-1)!.seq;
    world.clock.disarm(TIMER);
    mon.send({ type: 'log', fsid, version: 0, entries }, 'drop');
    if (this.#unsent().length > 0) this.#arm();
  }
}
