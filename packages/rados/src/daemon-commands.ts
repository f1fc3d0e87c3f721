import { type AddrVec, type Bytes, EMPTY, Errno, type OsdId, type PgId } from '@spirula/encoding';
import { mapPg, type OsdMap, osdExists, osdUp } from '@spirula/maps';
import type { Message } from '@spirula/messages';
import type { CommandResult } from '@spirula/mon-client';
import { type Instant, SECOND, type SessionId, type World, type WorldEvent } from '@spirula/world';
import { type Command, PendingCommands } from './pending-commands.ts';

const NAME = 'daemon-commands';
const RETRY_TIMER = `${NAME} retry`;
const RETRY: Instant = SECOND / 5;
const TIMEOUT: Instant = 30 * SECOND;

/** Whoever leads a PG, an OSD, or a monitor at its address. */
export type CommandTarget =
  | { readonly to: 'pg'; readonly pgid: PgId }
  | { readonly to: 'osd'; readonly osd: OsdId }
  | { readonly to: 'mon'; readonly addrs: AddrVec };

interface DaemonCommand extends Command {
  readonly target: CommandTarget;
  /** Undefined while nobody is there to be asked. */
  session: SessionId | undefined;
}

/**
 * Commands to one daemon: to whichever OSD leads a PG, to an OSD, to a monitor (Objecter::CommandOp). Each has a connection
 * of its own; when it breaks the command goes to whoever is meant then.
 */
export class DaemonCommands {
  readonly #world: World<Message>;
  readonly #endpoint: string;
  readonly #map: () => OsdMap | undefined;
  readonly #pending: PendingCommands<DaemonCommand>;

  constructor(world: World<Message>, endpoint: string, map: () => OsdMap | undefined) {
    this.#world = world;
    this.#endpoint = endpoint;
    this.#map = map;
    this.#pending = new PendingCommands(world.clock, NAME);
  }

  /** Fails with ENOENT when there is no such pool or OSD, and with ETIMEDOUT when nobody has answered for 30 s. */
  command(target: CommandTarget, line: string, data: Bytes, done: (result: CommandResult) => void): void {
    const map = this.#map();
    if (target.to === 'pg' && !map?.pools.has(target.pgid.pool)) {
      return done({ code: Errno.ENOENT, status: `pool ${target.pgid.pool} does not exist`, data: EMPTY });
    }
    if (target.to === 'osd' && !(map && osdExists(map, target.osd))) {
      return done({ code: Errno.ENOENT, status: '', data: EMPTY });
    }
    const command: DaemonCommand = { target, line, data, done, session: undefined };
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

  #send(tid: bigint, command: DaemonCommand): void {
    const map = this.#map();
    const { target } = command;
    const addrs = target.to === 'mon' ? target.addrs : addrsOfOsd(map, target);
    if (map === undefined || addrs === undefined) return this.#retry(command);
    const { net } = this.#world;
    command.session = net.open(this.#endpoint, { type: target.to === 'mon' ? 'mon' : 'osd', addrs });
    net.send(command.session, { type: 'command', tid, fsid: map.fsid, cmd: [command.line], data: command.data });
  }

  #retry(command: DaemonCommand): void {
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
    this.#pending.finish(tid, { code: Errno.ETIMEDOUT, status: 'the daemon does not answer', data: EMPTY });
    return true;
  }
}

function addrsOfOsd(
  map: OsdMap | undefined,
  target: Exclude<CommandTarget, { readonly to: 'mon' }>,
): AddrVec | undefined {
  if (map === undefined) return undefined;
  const osd = target.to === 'osd' ? target.osd : mapPg(map, target.pgid).actingPrimary;
  return osd >= 0 && osdUp(map, osd) ? map.clientAddrs[osd] : undefined;
}
