import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { EntityName } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import {
  type Authentication,
  type Config,
  type Daemon,
  DeviceError,
  type Log,
  type World,
  type WorldEvent,
} from '@spirula/world';
import { AdminListener } from './admin-listener.ts';
import { NodeClock } from './clock.ts';
import { nodeCrypto } from './crypto.ts';
import { NodeHttp } from './http.ts';
import { largeMemory } from './large-memory.ts';
import { type NetStats, NodeNet } from './net.ts';
import type { NetBounds } from './net-bounds.ts';
import { isLoopback, type Ports } from './net-listener.ts';
import { NodeRandom } from './random.ts';
import { openStorage, type Storage, type StoreConfig } from './storage.ts';
import { explainStorageError } from './storage-problem.ts';

export interface HostConfig {
  readonly entity: EntityName;
  /** OSD number or monitor rank; none for one that gets its global id from a monitor. */
  readonly gid?: bigint;
  readonly store: StoreConfig;
  /** Size of a block device that is made new; 0 for a daemon without one. */
  readonly deviceBytes: number;
  /** Endpoints by name, and the ports each may listen on (0: any); `dial` for one that only dials out. */
  readonly endpoints: Readonly<Record<string, Ports | 'dial'>>;
  /** The address to listen on, instead of loopback: only for a daemon that authenticates its peers. */
  readonly bind?: string;
  readonly config: Config;
  readonly log: Log;
  readonly bounds?: Partial<NetBounds>;
  /** Path of the daemon's own socket; without it there is none. */
  readonly adminSocket?: string;
  /** The daemon is gone: it stopped, was killed, or failed. Called once, after all it held is given back. */
  onExit?(exit: HostExit): void;
}

export interface HostExit {
  readonly how: 'stopped' | 'killed' | 'failed';
  /** One line for people. */
  readonly detail: string;
}

/** Since the last ask; times in milliseconds. */
export interface HostLoad {
  /** Of the whole process. */
  readonly loopDelayMeanMs: number;
  readonly loopDelayP99Ms: number;
  /** Of this daemon: the longest handling of one event, their sum, and how many there were. */
  readonly longestHandlerMs: number;
  readonly handlerMs: number;
  readonly events: number;
  /** Events that wait for the daemon now. */
  readonly queued: number;
  readonly net: NetStats;
}

/** How long a daemon may take over an orderly stop. */
const TERMINATE_TIMEOUT_MS = 5_000;
/** The event loop's delay is sampled so often; a sample is the whole time from one to the next. */
const LOOP_SAMPLE_MS = 10;
/** How long events are handled before the event loop has its turn. */
const SLICE_MS = 5;

/** Until there is a daemon nobody is let in. */
const NOBODY: Authentication = { connect: () => undefined, accept: () => [] };

/** What waits to be handled; a timer that was moved meanwhile gives nothing. */
type Queued = () => WorldEvent<Message> | undefined;

/**
 * One daemon in its world: owns the sockets, files and timers, and hands the daemon one event at a time.
 *
 *     start --> running <--hang, resume--> hung
 *                  |  terminate: the daemon says farewell and stops; kill: at once; a bug or a failed disk: failed
 *                  v
 *                gone: no handle is left open
 */
export class DaemonHost {
  readonly #config: HostConfig;
  readonly #clock: NodeClock;
  readonly #net: NodeNet;
  readonly #http: NodeHttp;
  #storage: Storage | undefined;
  #adminListener: AdminListener | undefined;
  #daemon: Daemon<Message> | undefined;
  #queue: Queued[] = [];
  #scheduled = false;
  #handling = false;
  #hung = false;
  #gone: Promise<void> | undefined;
  /** Who waits for an orderly stop. */
  readonly #onGone: (() => void)[] = [];
  #stopTimer: NodeJS.Timeout | undefined;
  #longestHandlerMs = 0;
  #handlerMs = 0;
  #events = 0;
  #loopDelay: IntervalHistogram | undefined;

  private constructor(config: HostConfig) {
    this.#config = config;
    this.#clock = new NodeClock((take) => this.#enqueueTimer(take));
    this.#http = new NodeHttp((event) => this.#enqueue(() => event));
    this.#net = new NodeNet({
      entity: config.entity,
      ...(config.gid === undefined ? {} : { gid: config.gid }),
      crypto: nodeCrypto,
      log: config.log,
      deliver: (event) => this.#handle(event),
      auth: () => (this.#daemon === undefined ? NOBODY : this.#daemon.auth),
      authorize: (request) => {
        const decision = this.#guard(() => this.#daemon?.authorize?.(request));
        return decision ?? { kind: 'accept', globalId: request.globalId };
      },
      ...(config.bounds === undefined ? {} : { bounds: config.bounds }),
    });
  }

  /**
   * Opens the store, binds the endpoints, makes the daemon and starts it.
   *
   * @throws StorageProblem, or an Error in one line when a port is not free; nothing is left open then.
   */
  static async start(config: HostConfig, make: (world: World<Message>) => Daemon<Message>): Promise<DaemonHost> {
    const host = new DaemonHost(config);
    try {
      await host.#open(make);
    } catch (error) {
      await host.#release('crash');
      throw config.store.kind === 'disk' ? explainStorageError(error, config.store.dir) : error;
    }
    return host;
  }

  get running(): boolean {
    return this.#gone === undefined;
  }

  /** Orderly: the daemon is asked to stop; when it has, or after five seconds, all is closed. */
  async terminate(): Promise<void> {
    if (this.#gone === undefined) {
      this.resume();
      const killed = `did not stop within ${TERMINATE_TIMEOUT_MS / 1000} s`;
      this.#stopTimer = setTimeout(() => this.#exit('killed', killed), TERMINATE_TIMEOUT_MS);
      this.#enqueue(() => ({ kind: 'terminate' }));
      await new Promise<void>((resolve) => {
        this.#onGone.push(resolve);
      });
    }
    await this.#gone;
  }

  /**
   * A crash: memory is gone, listeners are closed, peers see a reset; writes under way may or may not have reached the
   * disk. Resolves when no handle is left open.
   */
  async kill(): Promise<void> {
    this.#exit('killed', 'killed');
    await this.#gone;
  }

  /** Falls silent, as a stopped process does: nothing is read, answered or timed. */
  hang(): void {
    this.#hung = true;
    this.#net.pause();
  }

  resume(): void {
    if (!this.#hung) return;
    this.#hung = false;
    this.#net.resume();
    this.#schedule();
  }

  /** Measures since the last ask. */
  load(): HostLoad {
    const delay = this.#loopDelay;
    const load = {
      loopDelayMeanMs: lateness(delay, ({ mean }) => mean),
      loopDelayP99Ms: lateness(delay, (samples) => samples.percentile(99)),
      longestHandlerMs: this.#longestHandlerMs,
      handlerMs: this.#handlerMs,
      events: this.#events,
      queued: this.#queue.length,
      net: this.#net.stats(),
    };
    delay?.reset();
    this.#longestHandlerMs = 0;
    this.#handlerMs = 0;
    this.#events = 0;
    return load;
  }

  async #open(make: (world: World<Message>) => Daemon<Message>): Promise<void> {
    const { entity, store, deviceBytes, log, endpoints, bind } = this.#config;
    this.#storage = await openStorage(store, `${entity.type}.${entity.id}`, deviceBytes, log, {
      onCommitted: (token) => this.#enqueue(() => ({ kind: 'committed', token })),
      onFlushed: (token) => this.#enqueue(() => ({ kind: 'flushed', token })),
      onStorageFailed: ({ code, message }) => this.#enqueue(() => ({ kind: 'storageFailed', code, detail: message })),
      onFailure: (error) => this.#fail(error),
    });
    for (const [name, ports] of Object.entries(endpoints)) {
      if (ports === 'dial') this.#net.addClientEndpoint(name);
      else await this.#net.bind(name, ports, bind);
    }
    this.#loopDelay = monitorEventLoopDelay({ resolution: LOOP_SAMPLE_MS });
    this.#loopDelay.enable();
    this.#daemon = make(this.#world(this.#storage));
    // Nobody is answered before this turn of the event loop ends.
    if (bind !== undefined && !isLoopback(bind) && this.#daemon.auth === undefined) {
      throw new Error(`refusing to listen on ${bind}: without authentication only 127.0.0.0/8 is allowed`);
    }
    this.#daemon.start();
    if (this.#config.adminSocket !== undefined) await this.#listenForAdmin(this.#config.adminSocket);
  }

  /** Requests have their turn among the events: a daemon that hangs answers when it goes on. */
  async #listenForAdmin(path: string): Promise<void> {
    this.#adminListener = await AdminListener.open(path, (request, reply) =>
      this.#enqueue(() => {
        const answer = this.#guard(() => this.#daemon?.admin?.(request));
        if (answer !== undefined) reply(answer);
        return undefined;
      }),
    );
  }

  #world(storage: Storage): World<Message> {
    return {
      // A copy of its own: options change while it runs.
      config: { ...this.#config.config },
      clock: this.#clock,
      random: new NodeRandom(),
      crypto: nodeCrypto,
      net: this.#net,
      kv: storage.kv,
      block: storage.block,
      http: this.#http,
      log: this.#config.log,
      memory: largeMemory,
      lifecycle: { stop: (reason) => this.#exit('stopped', reason) },
      buggify: () => false,
    };
  }

  #enqueueTimer(take: () => string | undefined): void {
    this.#enqueue(() => {
      const name = take();
      return name === undefined ? undefined : { kind: 'timer', name };
    });
  }

  #enqueue(event: Queued): void {
    if (this.#gone !== undefined) return;
    this.#queue.push(event);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#hung || this.#queue.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => this.#handleQueue());
  }

  /** Handles what waits, for one slice of time at the most; then sockets and files have their turn. */
  #handleQueue(): void {
    this.#scheduled = false;
    const until = performance.now() + SLICE_MS;
    const queue = this.#queue;
    let at = 0;
    while (at < queue.length && !this.#hung && this.#gone === undefined && performance.now() < until) {
      const event = queue[at]!();
      at += 1;
      if (event !== undefined) this.#handle(event);
    }
    if (this.#gone !== undefined) return;
    this.#queue = queue.slice(at);
    this.#schedule();
  }

  #handle(event: WorldEvent<Message>): void {
    const daemon = this.#daemon;
    if (daemon === undefined || this.#gone !== undefined) return;
    const started = performance.now();
    this.#guard(() => {
      if (this.#handling) throw new Error('an event was delivered while another was handled');
      this.#handling = true;
      daemon.handle(event);
    });
    this.#handling = false;
    const took = performance.now() - started;
    this.#events += 1;
    this.#handlerMs += took;
    this.#longestHandlerMs = Math.max(this.#longestHandlerMs, took);
    // A daemon that did not end itself: it would wait for ever.
    if (event.kind === 'storageFailed') this.#fail(new DeviceError(event.code, event.detail));
  }

  /** A bug ends this daemon, not the process it is in. */
  #guard<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #fail(error: unknown): void {
    if (this.#gone !== undefined) return;
    const { message, stack } = error as Error;
    this.#config.log.error(`the daemon fails: ${message}`, { stack });
    this.#exit('failed', message);
  }

  #exit(how: HostExit['how'], detail: string): void {
    if (this.#gone !== undefined) return;
    this.#gone = this.#release(how === 'stopped' ? 'orderly' : 'crash').then(() => {
      this.#config.onExit?.({ how, detail });
    });
    for (const resolve of this.#onGone) resolve();
  }

  async #release(how: 'orderly' | 'crash'): Promise<void> {
    clearTimeout(this.#stopTimer);
    this.#queue = [];
    this.#clock.stop();
    this.#http.close();
    this.#loopDelay?.disable();
    await this.#adminListener?.close();
    if (how === 'orderly') await Promise.all([this.#net.shutdown(), this.#storage?.close(how)]);
    else {
      this.#net.destroy();
      await this.#storage?.close(how);
    }
    // A turn of the event loop ends with the handles that were closed in it: they are gone when the next comes here.
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** In milliseconds, by how much samples of the event loop came late. */
function lateness(samples: IntervalHistogram | undefined, measure: (samples: IntervalHistogram) => number): number {
  if (samples === undefined || samples.count === 0) return 0;
  return Math.max(0, measure(samples) / 1e6 - LOOP_SAMPLE_MS);
}
