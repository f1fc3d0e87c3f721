import type { AddrVec, EntityName } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import {
  type AuthDecision,
  type Authentication,
  type AuthRequest,
  type Daemon,
  DeviceError,
  invariant,
  type Log,
  type SessionId,
  type World,
  type WorldEvent,
} from '@spirula/world';
import { type ClockProfile, SimClock } from './clock.ts';
import type { Cpu } from './cpu.ts';
import type { SimCrypto } from './crypto.ts';
import type { SimDisk } from './disk.ts';
import type { HttpServers } from './http.ts';
import { SimNet } from './net.ts';
import type { Network } from './network.ts';
import type { ProcessSpec } from './process-spec.ts';
import type { SeededRandom } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import type { NetOwner, Session } from './session.ts';
import { traceBlocks, traceKeyValue } from './trace-disk.ts';
import type { SentMessage, Tracer } from './tracer.ts';
import { Turns } from './turns.ts';

/** Of an error's stack, in a report. */
const STACK_LINES = 6;
/** Sources of events beside sessions. */
const TIMERS: SessionId = -1;
const DISK: SessionId = -2;
const HTTP: SessionId = -3;

/** What a run needs of its machine and of the simulation. */
export interface RunPlace {
  readonly spec: ProcessSpec;
  readonly machine: string;
  readonly ip: string;
  readonly random: SeededRandom;
  readonly crypto: SimCrypto;
  readonly cpu: Cpu;
  readonly disk: SimDisk;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly httpServers: HttpServers;
  readonly tracer: Tracer | undefined;
  buggify(point: string): boolean;
  log(level: keyof Log, message: string, facts?: Record<string, unknown>): void;
  /** The daemon broke a rule: a bug. */
  reportBug(problem: string): void;
  beforeEvent(event: WorldEvent<Message>, checksum: number, sent: SentMessage | undefined): void;
  afterEvent(event: WorldEvent<Message>): void;
  onGone(reason: string): void;
}

/** From one start to the next end of a daemon. */
export class Run implements NetOwner {
  readonly entity: EntityName;
  readonly gid: bigint | undefined;
  readonly machine: string;
  readonly net: SimNet;
  globalId = 0n;
  readonly #place: RunPlace;
  readonly #clock: SimClock;
  readonly #turns: Turns;
  #daemon: Daemon<Message> | undefined;
  #gone = false;
  #stopReason: string | undefined;

  constructor(place: RunPlace, clock: ClockProfile, nonce: number) {
    const { spec, scheduler, random } = place;
    this.entity = spec.entity;
    this.gid = spec.gid;
    this.machine = place.machine;
    this.#place = place;
    this.net = new SimNet(place.network, place.ip, nonce, spec.endpoints);
    this.#turns = new Turns(scheduler, random, place.cpu);
    this.#clock = new SimClock(scheduler, random, clock, (take) => {
      this.post(TIMERS, () => {
        const name = take();
        if (name !== undefined) this.deliver({ kind: 'timer', name });
      });
    });
  }

  get hung(): boolean {
    return this.#turns.hung;
  }

  get responsive(): boolean {
    return !this.#gone && !this.hung;
  }

  get tracer(): Tracer | undefined {
    return this.#place.tracer;
  }

  start(): void {
    const place = this.#place;
    this.net.listen(this);
    const { tracer } = this;
    const { kv, block } = place.disk.attach({
      post: (event) => this.post(DISK, () => this.deliver(event)),
      reportBug: (problem) => this.reportBug(problem),
    });
    const world: World<Message> = {
      // A copy of its own: options change while it runs.
      config: { ...place.spec.config },
      clock: this.#clock,
      random: place.random,
      crypto: place.crypto,
      net: this.net,
      kv: tracer ? traceKeyValue(kv, this.machine, tracer) : kv,
      block: tracer ? traceBlocks(block, this.machine, tracer, () => this.#turns.isDoing) : block,
      http: place.httpServers.portFor((event) => this.post(HTTP, () => this.deliver(event))),
      log: this.#makeLog(),
      lifecycle: {
        stop: (reason) => {
          this.#stopReason = reason;
        },
      },
      buggify: (point) => place.buggify(point),
    };
    this.#handle('start', () => {
      this.#daemon = place.spec.make(world);
      this.#daemon.start();
    });
  }

  addrsOf(endpoint: string): AddrVec {
    return this.net.endpoint(endpoint);
  }

  nextSession(): SessionId {
    return this.net.nextSession();
  }

  onAccept(session: Session): void {
    this.net.onAccept(session);
  }

  onSessionGone(session: Session): void {
    this.net.onSessionGone(session);
  }

  post(source: SessionId, work: () => void, bytes?: number): void {
    this.#turns.post(source, work, bytes);
  }

  deliver(event: WorldEvent<Message>, checksum = 0, sent?: SentMessage): void {
    if (this.#gone) return;
    this.#place.beforeEvent(event, checksum, sent);
    this.#handle(event.kind, () => this.#daemon!.handle(event));
    if (!this.#gone) this.#place.afterEvent(event);
    if (event.kind === 'storageFailed') this.#fail(event.detail);
  }

  call(work: () => void): void {
    if (this.responsive) this.#handle('call', work);
  }

  get auth(): Authentication | undefined {
    return this.#daemon?.auth;
  }

  during<T>(work: () => T): T | undefined {
    let result: T | undefined;
    this.#handle('authentication', () => {
      result = work();
    });
    return result;
  }

  authorize(request: AuthRequest): AuthDecision {
    const decision = this.during(() => this.#daemon!.authorize?.(request));
    return decision ?? { kind: 'accept', globalId: request.globalId };
  }

  reportBug(rule: string): void {
    this.#place.reportBug(rule);
  }

  hang(): void {
    this.#turns.hang();
  }

  resume(): void {
    this.#turns.resume();
  }

  adjustClock(profile: ClockProfile): void {
    this.#clock.adjust(profile);
  }

  terminate(): void {
    this.post(TIMERS, () => this.deliver({ kind: 'terminate' }));
  }

  end(how: 'stop' | 'crash' | 'powerLoss', reason: string = how): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#clock.stop();
    this.#turns.stop();
    if (how === 'stop') {
      this.net.shutdown();
      this.#place.disk.detach();
    } else {
      if (how === 'crash') this.net.destroy();
      else this.net.vanish();
      this.#place.disk.crash();
    }
    this.#place.onGone(reason);
  }

  /** Its disk does not do what the daemon needs: it ends as in a crash. */
  #fail(problem: string): void {
    if (this.#gone) return;
    this.#place.log('error', `the daemon fails: ${problem}`);
    this.end('crash', problem);
  }

  /** A bug ends this daemon, and is told. */
  #handle(what: string, work: () => void): void {
    invariant(!this.#turns.isDoing, 'one event is handled at a time');
    try {
      this.#turns.during(work);
    } catch (error) {
      if (error instanceof DeviceError) return this.#fail(error.message);
      const { message, stack = '' } = error as Error;
      const where = stack
        .split('\n')
        .slice(1, 1 + STACK_LINES)
        .join('\n');
      this.#place.reportBug(`${message} (handling ${what})\n${where}`);
      this.end('crash', message);
      return;
    }
    const charge = this.#place.disk.takeCharge();
    if (charge > 0) this.#turns.owe(charge);
    if (this.#stopReason !== undefined) this.end('stop', this.#stopReason);
  }

  #makeLog(): Log {
    const write = (level: keyof Log) => (message: string, facts?: Record<string, unknown>) =>
      this.#place.log(level, message, facts);
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  }
}
