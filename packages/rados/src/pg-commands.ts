import { type Bytes, EMPTY, Errno, type PgId } from '@spirula/encoding';
import { mapPg, type OsdMap, osdUp } from '@spirula/maps';
import type { Message } from '@spirula/messages';
import type { CommandResult } from '@spirula/mon-client';
import { type Instant, SECOND, type SessionId, type World, type WorldEvent } from '@spirula/world';
import { type Command, PendingCommands } from './pending-commands.ts';

const NAME = 'pg-commands';
const RETRY_TIMER = `${NAME} retry`;
const RETRY: Instant = SECOND / 5;
const TIMEOUT: Instant = 30 * SECOND;

interface PgCommand extends Command {
  readonly pgid: PgId;
  /** Undefined while no primary is up. */
  session: SessionId | undefined;
}

/**
 * Commands to whichever OSD leads a PG (Objecter::pg_command). Each has a connection of its own; when it breaks the command
 * goes to whoever leads the PG then.
 */
export class PgCommands {
  readonly #world: World<Message>;
  readonly #endpoint: string;
  readonly #map: () => OsdMap | undefined;
  readonly #pending: PendingCommands<PgCommand>;

  constructor(world: World<Message>, endpoint: string, map: () => OsdMap | undefined) {
    this.#world = world;
    this.#endpoint = endpoint;
    this.#map = map;
    this.#pending = new PendingCommands(world.clock, NAME);
  }

  /** Fails with ENOENT when there is no such pool, and with ETIMEDOUT when nobody has answered for 30 s. */
  command(pgid: PgId, line: string, data: Bytes, done: (result: CommandResult) => void): void {
    if (!this.#map()?.pools.has(pgid.pool)) {
      return done({ code: Errno.ENOENT, status: `pool ${pgid.pool} does not exist`, data: EMPTY });
    }
    const command: PgCommand = { pgid, line, data, done, session: undefined };
    const tid = this.#pending.add(command, TIMEOUT);
    if (tid !== undefined) this.#send(tid, command);
  }

  /** Returns whether the event was for a command. */
  handle(event: WorldEvent<Message>): boolean {
    if (event.kind === 'timer') return this.#onTimer(event.name);
    if (!('session' in event)) return false;
    const found = [...this.#pending].find(([, { session }]) => session === event.session);
    if (found === undefined) return false;
    const [tid, command] = found;
    if (event.kind === 'message' && event.message.type === 'command_reply') {
      const { code, status, data } = event.message;
      this.#world.net.close(event.session);
      if (code === Errno.EAGAIN) this.#retry(command);
      else this.#pending.finish(tid, { code, status, data });
    } else if (event.kind === 'reset') this.#retry(command);
    return true;
  }

  shutdown(): void {
    for (const [, { session }] of this.#pending) if (session !== undefined) this.#world.net.close(session);
    this.#pending.shutdown();
  }

  #send(tid: bigint, command: PgCommand): void {
    const map = this.#map();
    const primary = map === undefined ? -1 : mapPg(map, command.pgid).actingPrimary;
    if (map === undefined || primary < 0 || !osdUp(map, primary)) return this.#retry(command);
    const { net } = this.#world;
    command.session = net.open(this.#endpoint, { type: 'osd', addrs: map.clientAddrs[primary]! });
    net.send(command.session, { type: 'command', tid, fsid: map.fsid, cmd: [command.line], data: command.data });
  }

  #retry(command: PgCommand): void {
    command.session = undefined;
    this.#world.clock.arm(RETRY_TIMER, this.#world.clock.now() + RETRY);
  }

  #onTimer(name: string): boolean {
    if (name === RETRY_TIMER) {
      for (const [tid, command] of this.#pending) if (command.session === undefined) this.#send(tid, command);
      return true;
    }
    const tid = this.#pending.numberOf(name);
    if (tid === undefined) return false;
    const session = this.#pending.get(tid)?.session;
    if (session !== undefined) this.#world.net.close(session);
    this.#pending.finish(tid, { code: Errno.ETIMEDOUT, status: 'the primary does not answer', data: EMPTY });
    return true;
  }
}
