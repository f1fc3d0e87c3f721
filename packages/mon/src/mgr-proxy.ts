/**
 * Commands of the manager that were sent to this monitor: the active manager answers them through it (C_MgrProxyCommand of
 * mon/Monitor.cc, mgr/MgrClient.cc). As in Ceph the monitor looks at capabilities, and the manager does what it is asked.
 *
 *   command --(allowed, there is room)--> pending --(the manager answers)--> answered
 *                                            \--(session broke, another manager is active)--> said again
 */
import { type AddrVec, EMPTY, Errno, sameAddrVec, utf8 } from '@spirula/encoding';
import type { MgrMap } from '@spirula/maps';
import type { CommandDescription, Message, MgrCommandReply, MonCommand } from '@spirula/messages';
import { type Instant, SECOND, type SessionId, type World, type WorldEvent } from '@spirula/world';
import { findMgrCommand, type NamedCommand } from './commands/command-table.ts';
import { isAbandoned, type Request, type Requester } from './requester.ts';

const REOPEN_TIMER = 'mgr proxy reopen';
/** mgr_connect_retry_interval. */
const REOPEN_DELAY: Instant = SECOND;
/** Commands at a time, however small. */
const MAX_PENDING = 4096;
/** Of a command beside its lines and its input: a head, the fsid, counts. */
const FRAME_BYTES = 38;

export interface MgrProxyContext {
  readonly world: Pick<World<Message>, 'net' | 'clock' | 'config'>;
  readonly endpoint: string;
  /** What managers serve, as the last active one said. */
  commands(): readonly CommandDescription[];
  /** A command has come in. */
  onCommand(found: NamedCommand, from: Requester, cmd: readonly string[]): void;
}

interface Pending extends Request {
  readonly message: MonCommand;
  readonly bytes: number;
}

export class MgrProxy {
  readonly #context: MgrProxyContext;
  readonly #pending = new Map<bigint, Pending>();
  #lastTid = 0n;
  /** Of the active manager, while it serves. */
  #active: AddrVec | undefined;
  #session: SessionId | undefined;

  constructor(context: MgrProxyContext) {
    this.#context = context;
  }

  /** Takes a request that is a command of the manager's: it is answered, now or later. Returns whether it was one. */
  take({ from, message }: Request): boolean {
    if (message.type !== 'mon_command') return false;
    const { cmd, tid } = message;
    const found = findMgrCommand(cmd[0] ?? '', this.#context.commands());
    if (found === undefined) return false;
    this.#context.onCommand(found, from, cmd);
    const refuse = (code: number, status: string) =>
      from.reply({ type: 'mon_command_ack', tid, code, status, cmd, data: EMPTY });
    if (!from.rights.mayRun(found.description, found.prefix, found.args)) refuse(Errno.EACCES, 'access denied');
    else if (!this.#add({ from, message, bytes: bytesOf(message) })) {
      refuse(Errno.EAGAIN, 'hit limit on proxied mgr commands');
    }
    return true;
  }

  #add(pending: Pending): boolean {
    const { mon_client_bytes, mon_mgr_proxy_client_bytes_ratio } = this.#context.world.config;
    const bound = mon_client_bytes * mon_mgr_proxy_client_bytes_ratio;
    const hasRoom = () => this.#pending.size < MAX_PENDING && this.#pendingBytes() + pending.bytes <= bound;
    if (!hasRoom()) {
      this.#forgetAbandoned();
      if (!hasRoom()) return false;
    }
    const tid = ++this.#lastTid;
    this.#pending.set(tid, pending);
    if (this.#session === undefined) this.#open();
    else this.#send(tid, pending);
    return true;
  }

  #pendingBytes(): number {
    let sum = 0;
    for (const { bytes } of this.#pending.values()) sum += bytes;
    return sum;
  }

  #forgetAbandoned(): void {
    for (const [tid, request] of this.#pending) if (isAbandoned(request)) this.#pending.delete(tid);
  }

  /** A newer map, or the same. */
  onMgrMap({ available, activeAddrs }: MgrMap): void {
    const active = available && activeAddrs.length > 0 ? activeAddrs : undefined;
    if (active === this.#active || (active && this.#active && sameAddrVec(active, this.#active))) return;
    this.#active = active;
    const { net, clock } = this.#context.world;
    clock.disarm(REOPEN_TIMER);
    if (this.#session !== undefined) net.close(this.#session);
    this.#session = undefined;
    this.#open();
  }

  #open(): void {
    this.#forgetAbandoned();
    if (this.#active === undefined || this.#session !== undefined || this.#pending.size === 0) return;
    const { world, endpoint } = this.#context;
    world.clock.disarm(REOPEN_TIMER);
    this.#session = world.net.open(endpoint, { type: 'mgr', addrs: this.#active });
    for (const [tid, pending] of this.#pending) this.#send(tid, pending);
  }

  #send(tid: bigint, { message: { fsid, cmd, data } }: Pending): void {
    if (this.#session === undefined) return;
    this.#context.world.net.send(this.#session, { type: 'mgr_command', tid, fsid, cmd, data });
  }

  /** Returns whether the event was about the session with the manager. */
  handle(event: WorldEvent<Message>): boolean {
    if (event.kind === 'timer') {
      if (event.name !== REOPEN_TIMER) return false;
      this.#open();
      return true;
    }
    if (!('session' in event) || event.session !== this.#session) return false;
    if (event.kind === 'message' && event.message.type === 'mgr_command_reply') this.#onReply(event.message);
    else if (event.kind === 'reset') {
      this.#session = undefined;
      const { clock } = this.#context.world;
      clock.arm(REOPEN_TIMER, clock.now() + REOPEN_DELAY);
    }
    return true;
  }

  #onReply({ tid, code, status, data }: MgrCommandReply): void {
    const pending = this.#pending.get(tid);
    if (pending === undefined) return;
    this.#pending.delete(tid);
    const { from, message } = pending;
    from.reply({ type: 'mon_command_ack', tid: message.tid, code, status, cmd: message.cmd, data });
  }
}

function bytesOf({ cmd, data }: MonCommand): number {
  return cmd.reduce((sum, line) => sum + 4 + utf8(line).length, FRAME_BYTES + data.length);
}
