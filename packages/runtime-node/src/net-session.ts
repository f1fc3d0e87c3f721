import type { OnReadOpts, Socket } from 'node:net';
import type { Bytes } from '@spirula/encoding';
import type { ConnectionEvent, MsgrConnection, OutgoingMessage, RawMessage } from '@spirula/msgr';
import type { Peer, ResetReason, SessionId } from '@spirula/world';
import { largeMemory } from './large-memory.ts';
import type { NetBounds } from './net-bounds.ts';
import { ReceiveRoom } from './receive-room.ts';

/** What a message takes beside its front and data: preamble, header, crcs. */
const FRAME_OVERHEAD_BYTES = 90;

/** What happens to a session, told to its net at once; the net queues it for the daemon. */
export interface SessionListener {
  onReady(session: NetSession, peer: Peer): void;
  onMessage(session: NetSession, message: RawMessage): void;
  /** Below half of `highWater` again. */
  onDrained(session: NetSession): void;
  /** Nothing more comes of it. The socket may still be sending what was queued. */
  onEnded(session: NetSession, reason: ResetReason, detail: string): void;
  /** The socket is gone. */
  onGone(session: NetSession): void;
  /** There is output: `flush` is to be called before long. */
  onOutput(session: NetSession): void;
}

export interface SessionConfig {
  readonly id: SessionId;
  readonly direction: 'incoming' | 'outgoing';
  readonly endpoint: string;
  /** Makes the socket. */
  readonly connect: (onread: OnReadOpts) => Socket;
  readonly connection: MsgrConnection;
  readonly bounds: NetBounds;
  readonly listener: SessionListener;
}

/**
 * One connection: a socket, and the machine that reads and writes its bytes.
 *
 *     connecting --> handshake --> ready --> ended --> gone
 */
export class NetSession {
  readonly id: SessionId;
  readonly direction: 'incoming' | 'outgoing';
  readonly endpoint: string;
  /** Settles when the socket is gone. */
  readonly gone: Promise<void>;
  readonly #socket: Socket;
  readonly #connection: MsgrConnection;
  readonly #bounds: NetBounds;
  readonly #listener: SessionListener;
  #peer: Peer | undefined;
  /** Sent before the handshake was complete. */
  #waiting: OutgoingMessage[] = [];
  #waitingBytes = 0;
  #aboveHighWater = false;
  /** Data of what was sent since the last flush, of which nobody has any more use. */
  #lastUsed: Bytes[] = [];
  /** This side has closed it: nothing is told any more. */
  #closing = false;
  #ended = false;
  #handshakeTimer: NodeJS.Timeout | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;
  #lastSignOfLife = performance.now();

  constructor(config: SessionConfig) {
    this.id = config.id;
    this.direction = config.direction;
    this.endpoint = config.endpoint;
    this.#connection = config.connection;
    this.#bounds = config.bounds;
    this.#listener = config.listener;

    const { connection } = config;
    const receive = new ReceiveRoom({
      get room() {
        return connection.room;
      },
      onData: (chunk) => this.#onData(chunk),
    });
    this.#socket = config.connect(receive.onread);
    this.#handshakeTimer = setTimeout(() => this.#onHandshakeTimeout(), this.#bounds.handshakeTimeoutMs);
    this.#socket.setNoDelay(true);
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
    this.#socket.on('end', () => this.#onCut('the peer closed the connection'));
    this.gone = new Promise((resolve) => {
      this.#socket.on('close', () => {
        this.#onClose();
        resolve();
      });
    });
    if (this.direction === 'outgoing') this.#socket.once('connect', () => this.flush());
    else this.#listener.onOutput(this);
  }

  /** Who is at the other end, once the handshake is complete. */
  get peer(): Peer | undefined {
    return this.#peer;
  }

  get queuedBytes(): number {
    return this.#waitingBytes + this.#connection.outputBytes + this.#socket.writableLength;
  }

  /** True until the session ends or is closed. */
  get open(): boolean {
    return !this.#ended && !this.#closing;
  }

  /** Queues a message; returns the bytes queued. */
  send(message: OutgoingMessage, use?: 'last'): number {
    if (this.#connection.ready) {
      this.#connection.sendMessage(message);
      if (use === 'last') this.#lastUsed.push(...message.data);
      this.#listener.onOutput(this);
    } else {
      this.#waiting.push(message);
      this.#waitingBytes += sizeOf(message);
    }
    const queued = this.queuedBytes;
    if (queued > this.#bounds.highWater) {
      this.#aboveHighWater = true;
      this.#checkOverflow();
    }
    return queued;
  }

  /** Gives the socket all there is to send. */
  flush(): void {
    if (this.#socket.destroyed || this.#socket.connecting) return;
    const chunks = this.#connection.takeOutput();
    const last = chunks.pop();
    if (last !== undefined) {
      if (chunks.length > 0) this.#socket.cork();
      for (const chunk of chunks) this.#socket.write(chunk);
      this.#socket.write(last, this.#takeOnWritten());
      if (chunks.length > 0) this.#socket.uncork();
    }
    if (this.#ended || (this.#closing && this.#connection.ready)) this.#socket.end();
  }

  /** Ends the session after what was sent has left, or `lingerMs` later. Nothing is told of it any more. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    if (!this.#connection.ready && this.#waiting.length === 0) {
      this.#socket.destroy();
      return;
    }
    this.#linger();
    this.flush();
  }

  /** Ends the session at once, as a killed process would. */
  destroy(): void {
    this.#closing = true;
    this.#clearTimers();
    if (this.#socket.connecting) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** Ends the session and says so. */
  fail(reason: ResetReason, detail: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#clearTimers();
    if (!this.#closing) this.#listener.onEnded(this, reason, detail);
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (reason === 'overflow' || reason === 'timeout') {
      this.#socket.destroy();
      return;
    }
    // The last frame may tell the peer why.
    this.#linger();
    this.flush();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Asks the peer for a sign of life, or gives it up when it gave none for too long. */
  keepalive(): void {
    if (!this.#connection.ready || !this.open) return;
    const silentMs = performance.now() - this.#lastSignOfLife;
    if (silentMs > this.#bounds.keepaliveTimeoutMs) {
      this.fail('timeout', `no sign of life for ${Math.round(silentMs / 1000)} s`);
      return;
    }
    const now = Date.now();
    this.#connection.sendKeepalive({ sec: Math.floor(now / 1000), nsec: (now % 1000) * 1_000_000 });
    this.#listener.onOutput(this);
  }

  #onData(chunk: Bytes): void {
    if (this.#ended) return;
    this.#lastSignOfLife = performance.now();
    for (const event of this.#connection.feed(chunk)) {
      if (this.#ended) return;
      this.#onEvent(event);
    }
    if (this.#connection.outputBytes > 0) {
      this.#listener.onOutput(this);
      this.#checkOverflow();
    }
  }

  #onEvent(event: ConnectionEvent): void {
    switch (event.kind) {
      case 'ready':
        this.#onReady(event.peer);
        break;
      case 'message':
        if (!this.#closing) this.#listener.onMessage(this, event.message);
        break;
      case 'keepaliveAck':
        break;
      case 'failed':
        this.fail(event.reason, event.detail);
        break;
    }
  }

  #onReady(peer: Peer): void {
    this.#peer = peer;
    clearTimeout(this.#handshakeTimer);
    if (!this.#closing) this.#listener.onReady(this, peer);
    for (const message of this.#waiting) this.#connection.sendMessage(message);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#listener.onOutput(this);
  }

  #takeOnWritten(): (error?: Error | null) => void {
    const lastUsed = this.#lastUsed;
    if (lastUsed.length === 0) return this.#onWritten;
    this.#lastUsed = [];
    return (error) => {
      if (!error) for (const data of lastUsed) largeMemory.giveBack(data);
      this.#onWritten();
    };
  }

  readonly #onWritten = (): void => {
    if (!this.#aboveHighWater || !this.open || this.queuedBytes >= this.#bounds.highWater / 2) return;
    this.#aboveHighWater = false;
    this.#listener.onDrained(this);
  };

  #checkOverflow(): void {
    const queued = this.queuedBytes;
    if (queued > this.#bounds.overflow) {
      this.fail('overflow', `${queued} bytes wait, at most ${this.#bounds.overflow} are kept`);
    }
  }

  #onHandshakeTimeout(): void {
    this.fail('timeout', `no handshake within ${this.#bounds.handshakeTimeoutMs} ms`);
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (error.code === 'ECONNREFUSED') this.fail('refused', error.message);
    else if (error.code === 'ETIMEDOUT') this.fail('timeout', error.message);
    else this.#onCut(error.message);
  }

  #onCut(detail: string): void {
    if (this.#connection.awaitsServerIdent) this.fail('refused', `not who was dialled: ${detail}`);
    else this.fail('closed', detail);
  }

  #onClose(): void {
    this.#onCut('the connection was closed');
    this.#clearTimers();
    this.#listener.onGone(this);
  }

  #linger(): void {
    if (this.#lingerTimer !== undefined) return;
    this.#lingerTimer = setTimeout(() => this.#socket.destroy(), this.#bounds.lingerMs);
  }

  #clearTimers(): void {
    clearTimeout(this.#handshakeTimer);
    clearTimeout(this.#lingerTimer);
    this.#lingerTimer = undefined;
  }
}

function sizeOf(message: OutgoingMessage): number {
  let size = FRAME_OVERHEAD_BYTES + message.front.length;
  for (const part of message.data) size += part.length;
  return size;
}
