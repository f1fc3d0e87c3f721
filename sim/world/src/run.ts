import type { AddrVec, EntityName } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import {
  type AuthDecision,
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
import { SimNet } from './net.ts';
import type { ProcessHost, SimProcess } from './process.ts';
import type { NetOwner, Session } from './session.ts';
import { traceBlocks, traceKeyValue } from './trace-disk.ts';
import type { SentMessage, Tracer } from './tracer.ts';
import { Turns } from './turns.ts';

/** Of an error's stack, in a report. */
const STACK_LINES = 6;
/** Sources of events beside sessions. */
const TIMERS: SessionId = -1;
const DISK: SessionId = -2;

/** From one start to the next end of a daemon. */
export class Run implements NetOwner {
  readonly entity: EntityName;
  readonly gid: bigint | undefined;
  readonly machine: string;
  readonly net: SimNet;
  globalId = 0n;
  readonly #process: SimProcess;
  readonly #host: ProcessHost;
  readonly #clock: SimClock;
  readonly #turns: Turns;
  readonly #onGone: (reason: string) => void;
  #daemon: Daemon<Message> | undefined;
  #gone = false;
  #stopReason: string | undefined;

  constructor(process: SimProcess, clock: ClockProfile, nonce: number, onGone: (reason: string) => void) {
    const { spec, host } = process;
    this.entity = spec.entity;
    this.gid = spec.gid;
    this.machine = process.name;
    this.#process = process;
    this.#host = host;
    this.#onGone = onGone;
    this.net = new SimNet(host.network, process.ip, nonce, spec.endpoints);
    this.#turns = new Turns(host.scheduler, process.random, process.cpu);
    this.#clock = new SimClock(host.scheduler, process.random, clock, (take) => {
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
    return this.#host.tracer;
  }

  start(): void {
    const process = this.#process;
    this.net.listen(this);
    const { tracer } = this;
    const { kv, block } = process.disk.attach({
      post: (event) => this.post(DISK, () => this.deliver(event)),
      reportBug: (problem) => this.reportBug(problem),
    });
    const world: World<Message> = {
      config: process.spec.config,
      clock: this.#clock,
      random: process.random,
      crypto: process.crypto,
      net: this.net,
      kv: tracer ? traceKeyValue(kv, this.machine, tracer) : kv,
      block: tracer ? traceBlocks(block, this.machine, tracer, () => this.#turns.isDoing) : block,
      log: this.#makeLog(),
      lifecycle: {
        stop: (reason) => {
          this.#stopReason = reason;
        },
      },
      buggify: (point) => this.#host.buggify(point),
    };
    this.#handle('start', () => {
      this.#daemon = process.spec.make(world);
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
    this.#host.beforeEvent(this.#process, event, checksum, sent);
    this.#handle(event.kind, () => this.#daemon!.handle(event));
    if (!this.#gone) this.#host.afterEvent(this.#process, event);
    if (event.kind === 'storageFailed') this.#fail(event.detail);
  }

  call(work: () => void): void {
    if (this.responsive) this.#handle('call', work);
  }

  authorize(request: AuthRequest): AuthDecision {
    let decision: AuthDecision | undefined;
    this.#handle('authorize', () => {
      decision = this.#daemon!.authorize?.(request);
    });
    return decision ?? { kind: 'accept', globalId: request.globalId };
  }

  reportBug(rule: string): void {
    this.#host.reportBug(this.#process, rule);
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
      this.#process.disk.detach();
    } else {
      if (how === 'crash') this.net.destroy();
      else this.net.vanish();
      this.#process.disk.crash();
    }
    this.#onGone(reason);
  }

  /** Its disk does not do what the daemon needs: it ends as in a crash. */
  #fail(problem: string): void {
    if (this.#gone) return;
    this.#host.log(this.#process, 'error', `the daemon fails: ${problem}`);
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
      this.#host.reportBug(this.#process, `${message} (handling ${what})\n${where}`);
      this.end('crash', message);
      return;
    }
    const charge = this.#process.disk.takeCharge();
    if (charge > 0) this.#turns.owe(charge);
    if (this.#stopReason !== undefined) this.end('stop', this.#stopReason);
  }

  #makeLog(): Log {
    const write = (level: keyof Log) => (message: string, facts?: Record<string, unknown>) =>
      this.#host.log(this.#process, level, message, facts);
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  }
}
