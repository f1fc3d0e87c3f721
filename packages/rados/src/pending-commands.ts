import { type Bytes, EMPTY, Errno } from '@spirula/encoding';
import type { CommandResult } from '@spirula/mon-client';
import type { Clock, Instant } from '@spirula/world';

const MAX_COMMANDS = 1024;

export interface Command {
  /** JSON. */
  readonly line: string;
  readonly data: Bytes;
  readonly done: (result: CommandResult) => void;
}

/** Commands that nobody has answered yet, by number; each is given up after its time. */
export class PendingCommands<C extends Command> {
  readonly #clock: Clock;
  readonly #timer: string;
  readonly #commands = new Map<bigint, C>();
  #lastTid = 0n;

  /** @param name begins the names of its timers: no other timers' do */
  constructor(clock: Clock, name: string) {
    this.#clock = clock;
    this.#timer = `${name} timeout `;
  }

  get size(): number {
    return this.#commands.size;
  }

  [Symbol.iterator](): Iterator<[bigint, C]> {
    return this.#commands[Symbol.iterator]();
  }

  get(tid: bigint): C | undefined {
    return this.#commands.get(tid);
  }

  /** Returns its number; undefined when there are too many: it has failed with EBUSY then. */
  add(command: C, timeoutUs: Instant): bigint | undefined {
    if (this.size >= MAX_COMMANDS) {
      command.done({ code: Errno.EBUSY, status: 'too many commands at once', data: EMPTY });
      return undefined;
    }
    const tid = ++this.#lastTid;
    this.#commands.set(tid, command);
    this.#clock.arm(this.#timer + tid, this.#clock.now() + timeoutUs);
    return tid;
  }

  /** The number of the command whose time is up; undefined when that is not what the timer is about. */
  numberOf(timer: string): bigint | undefined {
    return timer.startsWith(this.#timer) ? BigInt(timer.slice(this.#timer.length)) : undefined;
  }

  finish(tid: bigint, result: CommandResult): void {
    const command = this.#commands.get(tid);
    if (!command) return;
    this.#commands.delete(tid);
    this.#clock.disarm(this.#timer + tid);
    command.done(result);
  }

  /** Nobody will answer any more. */
  shutdown(): void {
    for (const tid of [...this.#commands.keys()]) this.finish(tid, { code: Errno.ESHUTDOWN, status: '', data: EMPTY });
  }
}
