import { type AddrVec, EMPTY, Errno, sameAddrVec } from '@spirula/encoding';
import type { MgrMap } from '@spirula/maps';
import type { Message } from '@spirula/messages';
import type { CommandResult } from '@spirula/mon-client';
import { type Instant, SECOND, type SessionId, type World, type WorldEvent } from '@spirula/world';
import { type Command, PendingCommands } from './pending-commands.ts';

const NAME = 'mgr-client';
const REOPEN_TIMER = `${NAME} reopen`;
const REOPEN_DELAY: Instant = SECOND / 5;

/** `told`: for the daemon itself (`tell mgr`), not for the manager's modules. */
interface MgrCommand extends Command {
  readonly told: boolean;
}

/**
 * Commands to the active manager (mgr/MgrClient.cc). It is dialled when there is a command for it; the command goes to
 * its successor when another takes over.
 */
export class MgrClient {
  readonly #world: World<Message>;
  readonly #endpoint: string;
  readonly #pending: PendingCommands<MgrCommand>;
  #active: AddrVec | undefined;
  #session: SessionId | undefined;

  constructor(world: World<Message>, endpoint: string) {
    this.#world = world;
    this.#endpoint = endpoint;
    this.#pending = new PendingCommands(world.clock, NAME);
  }

  /** Fails with ETIMEDOUT when no manager has answered within `timeoutUs`. */
  command(
    { line, data, told }: Omit<MgrCommand, 'done'>,
    timeoutUs: Instant,
    done: (result: CommandResult) => void,
  ): void {
    const command = { line, data, told, done };
    const tid = this.#pending.add(command, timeoutUs);
    if (tid === undefined) return;
    if (this.#session === undefined) this.#open();
    else this.#send(tid, command);
  }

  handleMgrMap(map: MgrMap): void {
    const active = map.available && map.activeAddrs.some((addr) => addr.family !== 0) ? map.activeAddrs : undefined;
    if (active && this.#active && sameAddrVec(active, this.#active)) return;
    this.#close();
    this.#active = active;
    if (this.#pending.size > 0) this.#open();
  }

  handle(event: WorldEvent<Message>): boolean {
    if (event.kind === 'timer') return this.#onTimer(event.name);
    if (!('session' in event) || event.session !== this.#session) return false;
    if (event.kind === 'message' && isReply(event.message)) {
      const { tid, code, status, data } = event.message;
      this.#pending.finish(tid, { code, status, data });
    } else if (event.kind === 'reset') {
      this.#session = undefined;
      if (this.#pending.size > 0) this.#world.clock.arm(REOPEN_TIMER, this.#world.clock.now() + REOPEN_DELAY);
    }
    return true;
  }

  shutdown(): void {
    this.#close();
    this.#pending.shutdown();
  }

  #open(): void {
    if (!this.#active || this.#session !== undefined) return;
    this.#session = this.#world.net.open(this.#endpoint, { type: 'mgr', addrs: this.#active });
    for (const [tid, command] of this.#pending) this.#send(tid, command);
  }

  #close(): void {
    this.#world.clock.disarm(REOPEN_TIMER);
    if (this.#session !== undefined) this.#world.net.close(this.#session);
    this.#session = undefined;
  }

  #send(tid: bigint, { line, data, told }: MgrCommand): void {
    if (this.#session === undefined) return;
    // Clients leave the fsid zero here.
    const type = told ? 'command' : 'mgr_command';
    this.#world.net.send(this.#session, { type, tid, fsid: new Uint8Array(16), cmd: [line], data });
  }

  #onTimer(name: string): boolean {
    if (name === REOPEN_TIMER) {
      this.#open();
      return true;
    }
    const tid = this.#pending.numberOf(name);
    if (tid === undefined) return false;
    const status = this.#active ? 'the manager does not answer' : 'no manager is active';
    this.#pending.finish(tid, { code: Errno.ETIMEDOUT, status, data: EMPTY });
    return true;
  }
}

function isReply(message: Message): message is Extract<Message, { type: 'mgr_command_reply' | 'command_reply' }> {
  return message.type === 'mgr_command_reply' || message.type === 'command_reply';
}
