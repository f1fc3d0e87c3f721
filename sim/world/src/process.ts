import { AddrType, type AddrVec, type EntityName } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import {
  type AuthDecision,
  type AuthRequest,
  type Config,
  type Daemon,
  invariant,
  type Log,
  type SessionId,
  type World,
  type WorldEvent,
} from '@spirula/world';
import { type ClockProfile, SimClock } from './clock.ts';
import { SimCrypto } from './crypto.ts';
import { type DiskProfile, SimDisk } from './disk.ts';
import { type Endpoints, SimNet } from './net.ts';
import type { Network } from './network.ts';
import type { SeededRandom } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import type { NetOwner, Session } from './session.ts';
import { traceBlocks, traceKeyValue } from './trace-disk.ts';
import type { SentMessage, Tracer } from './tracer.ts';

export interface ProcessSpec {
  readonly entity: EntityName;
  /** OSD number or monitor rank; none for one that gets its global id from a monitor. */
  readonly gid?: bigint;
  readonly endpoints: Endpoints;
  /** Size of the block device; 0 for a daemon without one. */
  readonly deviceBytes: number;
  readonly config: Config;
  readonly disk: DiskProfile;
  readonly clock: ClockProfile;
  /** Whether promises hang on its events: see `Simulation.runWithPromises`. */
  readonly promises?: boolean;
  /** Makes the daemon, anew for each run. */
  make(world: World<Message>): Daemon<Message>;
}

/** What a process needs of the simulation it is in. */
export interface ProcessHost {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly tracer: Tracer | undefined;
  random(name: string): SeededRandom;
  buggify(point: string): boolean;
  log(process: SimProcess, level: keyof Log, message: string, facts?: Record<string, unknown>): void;
  /** The daemon broke a rule: a bug. */
  reportBug(process: SimProcess, problem: string): void;
  beforeEvent(process: SimProcess, event: WorldEvent<Message>, checksum: number, sent?: SentMessage): void;
  afterEvent(process: SimProcess, event: WorldEvent<Message>): void;
  onExit(process: SimProcess, reason: string): void;
}

export type ProcessState = 'stopped' | 'running' | 'hung';

/** Nonces are positive 31-bit numbers. */
const MAX_NONCE = 0x7fff_ffff;
/** Of an error's stack, in a report. */
const STACK_LINES = 6;
/** Sources of events beside sessions. */
const TIMERS: SessionId = -1;
const DISK: SessionId = -2;

/**
 * A machine with one daemon on it. Its disk and address stay; the daemon starts, crashes and starts again.
 *
 *     stopped --start--> running <--hang, resume--> hung
 *        ^                  |                         |
 *        +--- crash, powerLoss, the daemon stops -----+
 */
export class SimProcess {
  /** As Ceph says it: `osd.3`. */
  readonly name: string;
  readonly number: number;
  readonly spec: ProcessSpec;
  readonly random: SeededRandom;
  readonly host: ProcessHost;
  readonly ip: string;
  readonly disk: SimDisk;
  readonly crypto: SimCrypto;
  #run: Run | undefined;
  #runs = 0;

  constructor(host: ProcessHost, spec: ProcessSpec, number: number) {
    this.name = `${spec.entity.type}.${spec.entity.id}`;
    this.number = number;
    this.host = host;
    this.spec = spec;
    this.ip = host.network.addMachine(this.name);
    this.random = host.random(`daemon ${this.name}`);
    this.disk = new SimDisk(host.scheduler, host.random(`disk ${this.name}`), spec.disk, spec.deviceBytes);
    this.crypto = new SimCrypto(host.random(`crypto ${this.name}`));
  }

  get state(): ProcessState {
    if (this.#run === undefined) return 'stopped';
    return this.#run.hung ? 'hung' : 'running';
  }

  /** How many times it was started. */
  get runs(): number {
    return this.#runs;
  }

  /** Where an endpoint is, whichever run is asked for (nonce 0). */
  addrs(endpoint: string): AddrVec {
    const port = this.spec.endpoints[endpoint];
    invariant(typeof port === 'number', `${this.name} listens at ${endpoint}`);
    return [{ type: AddrType.v2, nonce: 0, family: 2, ip: this.ip, port }];
  }

  start(): void {
    invariant(this.#run === undefined, `${this.name} is started once at a time`);
    this.#runs += 1;
    this.host.network.powerOn(this.name);
    this.#trace('start');
    const run = new Run(this, this.random.between(1, MAX_NONCE), (how) => this.#onGone(how));
    this.#run = run;
    run.start();
  }

  /** The process is killed: memory gone, sessions reset, connections refused; the disk loses what was not durable. */
  crash(): void {
    this.#run?.end('crash');
  }

  /** The machine is: as a crash, but peers hear nothing until it is started again. */
  powerLoss(): void {
    if (this.#run === undefined) return;
    this.host.network.powerOff(this.name);
    this.#run.end('powerLoss');
  }

  /** Falls silent, as a stopped process does: nothing is read, answered or timed. */
  hang(): void {
    if (this.state === 'running') this.#trace('hang');
    this.#run?.hang();
  }

  resume(): void {
    if (this.state === 'hung') this.#trace('resume');
    this.#run?.resume();
  }

  /** Asks for an orderly stop. */
  terminate(): void {
    this.#run?.post(TIMERS, () => this.#run?.deliver({ kind: 'terminate' }));
  }

  /** Runs `work` as if the daemon did it by itself, for those who hold the daemon. Nothing happens unless it runs. */
  call(work: () => void): void {
    this.#run?.call(work);
  }

  /** Sessions of the current run, for faults to break. */
  get sessions(): readonly Session[] {
    return this.#run?.net.sessions ?? [];
  }

  #onGone(reason: string): void {
    this.#run = undefined;
    this.#trace('exit', reason);
    this.host.onExit(this, reason);
  }

  #trace(what: 'start' | 'exit' | 'hang' | 'resume', reason?: string): void {
    this.host.tracer?.record({ kind: 'process', daemon: this.name, what, ...(reason !== undefined && { reason }) });
  }
}

/** From one start to the next end of a daemon. */
class Run implements NetOwner {
  readonly entity: EntityName;
  readonly gid: bigint | undefined;
  readonly machine: string;
  readonly net: SimNet;
  globalId = 0n;
  hung = false;
  readonly #process: SimProcess;
  readonly #host: ProcessHost;
  readonly #clock: SimClock;
  readonly #onGone: (reason: string) => void;
  #daemon: Daemon<Message> | undefined;
  #gone = false;
  #handling = false;
  #stopReason: string | undefined;
  /** What came in while it hung and is not handled yet, by source, each in order. */
  readonly #held = new Map<SessionId, (() => void)[]>();

  constructor(process: SimProcess, nonce: number, onGone: (reason: string) => void) {
    const { spec, host } = process;
    this.entity = spec.entity;
    this.gid = spec.gid;
    this.machine = process.name;
    this.#process = process;
    this.#host = host;
    this.#onGone = onGone;
    this.net = new SimNet(host.network, process.ip, nonce, spec.endpoints);
    this.#clock = new SimClock(host.scheduler, process.random, spec.clock, (take) => {
      this.post(TIMERS, () => {
        const name = take();
        if (name !== undefined) this.deliver({ kind: 'timer', name });
      });
    });
  }

  get responsive(): boolean {
    return !this.#gone && !this.hung;
  }

  start(): void {
    const process = this.#process;
    this.net.listen(this);
    const { tracer } = this.#host;
    const disk = process.disk.attach({
      post: (event) => this.post(DISK, () => this.deliver(event)),
      reportBug: (problem) => this.reportBug(problem),
    });
    const world: World<Message> = {
      config: process.spec.config,
      clock: this.#clock,
      random: process.random,
      crypto: process.crypto,
      net: this.net,
      kv: tracer ? traceKeyValue(disk.kv, this.machine, tracer) : disk.kv,
      block: tracer ? traceBlocks(disk.block, this.machine, tracer, () => this.#handling) : disk.block,
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

  post(source: SessionId, work: () => void): void {
    if (this.#gone) return;
    const held = this.#held.get(source);
    if (held !== undefined) held.push(work);
    else if (this.hung) this.#held.set(source, [work]);
    else if (this.#handling) this.#host.scheduler.after(0, () => this.post(source, work));
    else work();
  }

  get tracer(): Tracer | undefined {
    return this.#host.tracer;
  }

  deliver(event: WorldEvent<Message>, checksum = 0, sent?: SentMessage): void {
    if (this.#gone) return;
    this.#host.beforeEvent(this.#process, event, checksum, sent);
    this.#handle(event.kind, () => this.#daemon!.handle(event));
    if (!this.#gone) this.#host.afterEvent(this.#process, event);
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
    this.hung = true;
  }

  /** What waits is handled, in an order that is drawn but for what comes from one source. */
  resume(): void {
    if (!this.hung) return;
    this.hung = false;
    this.#handleHeld();
  }

  #handleHeld(): void {
    this.#host.scheduler.after(0, () => {
      if (this.#gone || this.hung || this.#held.size === 0) return;
      const [source, works] = this.#process.random.pick([...this.#held]);
      const work = works.shift()!;
      if (works.length === 0) this.#held.delete(source);
      work();
      this.#handleHeld();
    });
  }

  end(how: 'stop' | 'crash' | 'powerLoss', reason: string = how): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#clock.stop();
    this.#held.clear();
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

  /** A bug ends this daemon, and is told. */
  #handle(what: string, work: () => void): void {
    invariant(!this.#handling, 'one event is handled at a time');
    this.#handling = true;
    try {
      work();
    } catch (error) {
      const { message, stack = '' } = error as Error;
      const where = stack
        .split('\n')
        .slice(1, 1 + STACK_LINES)
        .join('\n');
      this.#host.reportBug(this.#process, `${message} (handling ${what})\n${where}`);
      this.#handling = false;
      this.end('crash', message);
      return;
    }
    this.#handling = false;
    if (this.#stopReason !== undefined) this.end('stop', this.#stopReason);
  }

  #makeLog(): Log {
    const write = (level: keyof Log) => (message: string, facts?: Record<string, unknown>) =>
      this.#host.log(this.#process, level, message, facts);
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  }
}
