import { AddrType, type AddrVec } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import { type Instant, invariant, type Log, type WorldEvent } from '@spirula/world';
import type { ClockProfile } from './clock.ts';
import { Cpu, FREE_CPU } from './cpu.ts';
import { SimCrypto } from './crypto.ts';
import { SimDisk } from './disk.ts';
import type { HttpServers } from './http.ts';
import { Layers, type Undo } from './layers.ts';
import type { Network } from './network.ts';
import type { ProcessSpec } from './process-spec.ts';
import type { SeededRandom } from './random.ts';
import { Run, type RunPlace } from './run.ts';
import type { Scheduler } from './scheduler.ts';
import type { Session } from './session.ts';
import type { SentMessage, Tracer } from './tracer.ts';

/** What a process needs of the simulation it is in. */
export interface ProcessHost {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly httpServers: HttpServers;
  /** Undefined unless the run is traced. */
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
  readonly cpu: Cpu;
  #clock: ClockProfile;
  readonly #drifts = new Layers<number>((ppm) => {
    this.#adjustClock({ driftPpm: ppm.at(-1) ?? this.spec.clock.driftPpm });
  });
  /** How long after its end it is to start again, when that was asked for. */
  #restartAfter: Instant | undefined;
  #run: Run | undefined;
  #runs = 0;

  constructor(host: ProcessHost, spec: ProcessSpec, number: number) {
    this.name = `${spec.entity.type}.${spec.entity.id}`;
    this.number = number;
    this.host = host;
    this.spec = spec;
    this.ip = host.network.addMachine(this.name, spec.endpoints, spec.rack);
    this.random = host.random(`daemon ${this.name}`);
    this.disk = new SimDisk(host.scheduler, host.random(`disk ${this.name}`), spec.disk, spec.deviceBytes);
    this.cpu = new Cpu(spec.cpu ?? FREE_CPU);
    this.#clock = spec.clock;
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
    const { host, spec, name: machine, ip, random, crypto, cpu, disk } = this;
    const place: RunPlace = {
      ...{ spec, machine, ip, random, crypto, cpu, disk, scheduler: host.scheduler, network: host.network },
      httpServers: host.httpServers,
      tracer: host.tracer,
      buggify: (point) => host.buggify(point),
      log: (level, message, facts) => host.log(this, level, message, facts),
      reportBug: (problem) => host.reportBug(this, problem),
      beforeEvent: (event, checksum, sent) => host.beforeEvent(this, event, checksum, sent),
      afterEvent: (event) => host.afterEvent(this, event),
      onGone: (reason) => this.#onGone(reason),
    };
    const run = new Run(place, this.#clock, this.random.between(1, MAX_NONCE));
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
    this.#run?.terminate();
  }

  /** Asks for an orderly stop, and starts it again so long after its end, however it ends. One that is stopped starts then. */
  restart(pauseUs: Instant): void {
    this.#restartAfter = pauseUs;
    if (this.#run === undefined) this.#startLater();
    else this.#run.terminate();
  }

  #startLater(): void {
    const pause = this.#restartAfter;
    if (pause === undefined) return;
    this.#restartAfter = undefined;
    this.host.scheduler.after(pause, () => {
      if (this.#run === undefined) this.start();
    });
  }

  /** Runs `work` as if the daemon did it by itself, for those who hold the daemon. Nothing happens unless it runs. */
  call(work: () => void): void {
    this.#run?.call(work);
  }

  /** Sessions of the current run, for faults to break. */
  get sessions(): readonly Session[] {
    return this.#run?.net.sessions ?? [];
  }

  /**
   * Breaks the connections between this daemon and another: all, or those whose dialled end is `endpoint`. Both ends see a
   * reset. Returns how many.
   */
  breakConnections(other: SimProcess, endpoint?: string): number {
    const broken = this.sessions.filter(
      ({ other: peer, dialled }) =>
        peer?.owner.machine === other.name && (endpoint === undefined || dialled?.endpoint === endpoint),
    );
    for (const session of broken) session.breakOff();
    return broken.length;
  }

  /** New connections to an endpoint are refused for so long, though the daemon runs. */
  refuse(endpoint: string, forUs: Instant): Undo {
    const [addr] = this.addrs(endpoint);
    return this.host.network.refuse(this.ip, addr!.port, forUs);
  }

  // Clock and processor: what is done to them outlives the daemon's runs.

  /** Wall time jumps ahead; back, when negative. */
  jumpWall(us: Instant): void {
    this.#adjustClock({ wallSkewUs: this.#clock.wallSkewUs + us });
  }

  /**
   * From now on the monotonic clock runs so much faster than true time, in parts per million; slower, when negative. Asked
   * for again, the newest counts.
   */
  drift(ppm: number): Undo {
    return this.#drifts.add(ppm);
  }

  /** Timers that are armed from now on fire up to so late. */
  setTimerSlack(timerSlackUs: Instant): void {
    this.#adjustClock({ timerSlackUs });
  }

  /** The clock is again as it was made: skew, drift and slack. What a monotonic clock has gained it keeps. */
  mendClock(): void {
    this.#drifts.clear();
    this.#adjustClock(this.spec.clock);
  }

  #adjustClock(change: Partial<ClockProfile>): void {
    this.#clock = { ...this.#clock, ...change };
    this.#run?.adjustClock(this.#clock);
  }

  /** Everything that the daemon does takes `factor` times as long. What it has begun takes what it took. */
  slow(factor: number): Undo {
    return this.cpu.slow(factor);
  }

  #onGone(reason: string): void {
    this.#run = undefined;
    this.#trace('exit', reason);
    this.host.onExit(this, reason);
    this.#startLater();
  }

  #trace(what: 'start' | 'exit' | 'hang' | 'resume', reason?: string): void {
    this.host.tracer?.record({ kind: 'process', daemon: this.name, what, ...(reason !== undefined && { reason }) });
  }
}
