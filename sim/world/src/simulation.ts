import type { Message } from '@spirula/messages';
import { type Instant, type Log, SECOND, type WorldEvent } from '@spirula/world';
import { Digest, hashText } from './digest.ts';
import { HttpServers } from './http.ts';
import { Network } from './network.ts';
import { type NetworkProfile, QUICK_NETWORK } from './paths.ts';
import { type ProcessHost, SimProcess } from './process.ts';
import type { ProcessSpec } from './process-spec.ts';
import { SeededRandom } from './random.ts';
import { type Scheduled, Scheduler } from './scheduler.ts';
import type { TraceFacts, TraceSink } from './trace.ts';
import { type SentMessage, Tracer } from './tracer.ts';

export interface SimulationConfig {
  readonly seed: number;
  readonly network?: Partial<NetworkProfile>;
  /** Whether daemons' rare branches are taken at all. */
  readonly buggify?: boolean;
}

export interface LogLine {
  readonly at: Instant;
  readonly process: string;
  readonly level: keyof Log;
  readonly message: string;
  readonly facts: Record<string, unknown> | undefined;
}

/** How often a rare branch was asked for and taken. */
export interface BuggifyPoint {
  /** Drawn once a run: whether it is ever taken. */
  readonly enabled: boolean;
  asked: number;
  taken: number;
}

type EventListener = (process: SimProcess, event: WorldEvent<Message>) => void;

const BUGGIFY_ENABLED_ONE_IN = 4;
const BUGGIFY_TAKEN_ONE_IN = 10;
/** Log lines kept. */
const MAX_LOG = 2000;
/** Turns of the microtask queue in which nothing must happen for promises to count as settled. */
const QUIET_TURNS = 64;
const KIND_CODES: Readonly<Record<WorldEvent['kind'], number>> = {
  timer: 1,
  accepted: 2,
  opened: 3,
  message: 4,
  reset: 5,
  drained: 6,
  committed: 7,
  flushed: 8,
  terminate: 9,
  storageFailed: 10,
  posted: 11,
};

/**
 * A world of its own: machines, their network, and virtual time. What happens in it follows from the seed and from what is
 * done to it, and from nothing else.
 */
export class Simulation implements ProcessHost {
  readonly seed: number;
  readonly scheduler = new Scheduler();
  readonly network: Network;
  /** Outside the cluster: whom daemons post to. */
  readonly httpServers: HttpServers;
  readonly #digest = new Digest();
  readonly #processes: SimProcess[] = [];
  readonly #listeners: EventListener[] = [];
  readonly #exitListeners: ((process: SimProcess, reason: string) => void)[] = [];
  readonly #violations: string[] = [];
  readonly #buggify: boolean;
  readonly #buggifyRandom: SeededRandom;
  readonly #buggifyPoints = new Map<string, BuggifyPoint>();
  readonly #textHashes = new Map<string, number>();
  #log: LogLine[] = [];
  #linesLogged = 0;
  #events = 0;
  #faults = 0;
  #tracer: Tracer | undefined;
  #promisesDue = false;

  constructor(config: SimulationConfig) {
    this.seed = config.seed;
    this.#buggify = config.buggify ?? false;
    this.#buggifyRandom = this.random('buggify');
    const profile = { ...QUICK_NETWORK, ...config.network };
    this.network = new Network(this.scheduler, this.random('network'), profile);
    this.httpServers = new HttpServers(this.scheduler, this.random('http'));
  }

  get now(): Instant {
    return this.scheduler.now;
  }

  get processes(): readonly SimProcess[] {
    return this.#processes;
  }

  /** Events delivered so far. */
  get events(): number {
    return this.#events;
  }

  /** Hash of every event delivered and every random number drawn so far: one history, one digest. */
  get digest(): string {
    return this.#digest.toString();
  }

  /** What must never happen and did: one text each, with the virtual time. */
  get violations(): readonly string[] {
    return this.#violations;
  }

  /** The last lines that daemons logged. */
  get logLines(): readonly LogLine[] {
    return this.#log;
  }

  /** Lines that daemons have logged so far, those included that are not kept. */
  get linesLogged(): number {
    return this.#linesLogged;
  }

  /** The rare branches that were asked for, by name. */
  get buggifyPoints(): ReadonlyMap<string, BuggifyPoint> {
    return this.#buggifyPoints;
  }

  /** Undefined unless this run is traced. */
  get tracer(): Tracer | undefined {
    return this.#tracer;
  }

  /** Tells `sink` all that happens from now on. Daemons' disks are traced from their next start. */
  traceTo(sink: TraceSink): void {
    this.#tracer = new Tracer(sink, this);
  }

  /**
   * For traces: something is done to the world. `facts.daemons`, a list of names, says to whom. Returns what `noteHealed` takes
   * when it is put right again; what is over at once never is.
   */
  noteFault(text: string, facts?: TraceFacts): number {
    this.#faults += 1;
    this.#tracer?.record({ kind: 'fault', what: 'injected', id: this.#faults, text, ...(facts && { facts }) });
    return this.#faults;
  }

  noteHealed(fault: number): void {
    this.#tracer?.record({ kind: 'fault', what: 'healed', id: fault });
  }

  /** A stream of random numbers of this run. Streams with different names do not disturb one another. */
  random(name: string): SeededRandom {
    return new SeededRandom(this.seed, name, this.#digest);
  }

  /** Adds a machine with a daemon, not started. */
  addProcess(spec: ProcessSpec): SimProcess {
    const process = new SimProcess(this, spec, this.#processes.length);
    this.#processes.push(process);
    return process;
  }

  /** Makes something happen to the world. */
  after(delay: Instant, run: () => void): Scheduled {
    return this.scheduler.after(delay, run);
  }

  /** Calls `listener` after every event that a daemon has handled. */
  onEvent(listener: EventListener): void {
    this.#listeners.push(listener);
  }

  /** Calls `listener` when a daemon has ended, however. */
  onProcessExit(listener: (process: SimProcess, reason: string) => void): void {
    this.#exitListeners.push(listener);
  }

  addViolation(problem: string): void {
    this.#violations.push(`at ${(this.now / SECOND).toFixed(6)} s: ${problem}`);
    this.#tracer?.record({ kind: 'violation', text: problem });
  }

  /** Lets the next thing happen. Returns false when nothing is left to happen. */
  step(): boolean {
    return this.scheduler.step(Number.MAX_SAFE_INTEGER);
  }

  /** Lets time pass until `until`. */
  runUntil(until: Instant): void {
    while (this.scheduler.step(until));
  }

  runFor(duration: Instant): void {
    this.runUntil(this.now + duration);
  }

  /** As `runUntil`; promises that hang on events are settled before time moves on. For clients above `rados`. */
  async runWithPromises(until: Instant): Promise<void> {
    await this.settlePromises();
    while (this.scheduler.step(until)) if (this.#promisesDue) await this.settlePromises();
  }

  /** Whether promises may hang on what happened last: `settlePromises` before anything else happens. */
  get promisesDue(): boolean {
    return this.#promisesDue;
  }

  /** Whatever promises do shows as something scheduled; when for long nothing is, they wait for events. */
  async settlePromises(): Promise<void> {
    this.#promisesDue = false;
    let { size } = this.scheduler;
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      await undefined;
      if (this.scheduler.size === size) continue;
      size = this.scheduler.size;
      quiet = 0;
    }
  }

  // For processes

  buggify(point: string): boolean {
    if (!this.#buggify) return false;
    let found = this.#buggifyPoints.get(point);
    if (found === undefined) {
      found = { enabled: this.#buggifyRandom.oneIn(BUGGIFY_ENABLED_ONE_IN), asked: 0, taken: 0 };
      this.#buggifyPoints.set(point, found);
    }
    found.asked += 1;
    if (!found.enabled || !this.#buggifyRandom.oneIn(BUGGIFY_TAKEN_ONE_IN)) return false;
    found.taken += 1;
    return true;
  }

  log(process: SimProcess, level: keyof Log, message: string, facts?: Record<string, unknown>): void {
    this.#tracer?.log(process.name, level, message, facts);
    if (level !== 'debug') this.#keep({ at: this.now, process: process.name, level, message, facts });
  }

  /** Puts a line among those that daemons log. */
  addNote(message: string): void {
    this.#tracer?.log('operator', 'info', message, undefined);
    this.#keep({ at: this.now, process: 'operator', level: 'info', message, facts: undefined });
  }

  #keep(line: LogLine): void {
    this.#linesLogged += 1;
    this.#log.push(line);
    if (this.#log.length > 2 * MAX_LOG) this.#log = this.#log.slice(-MAX_LOG);
  }

  reportBug(process: SimProcess, problem: string): void {
    this.addViolation(`${process.name}: ${problem}`);
  }

  beforeEvent(process: SimProcess, event: WorldEvent<Message>, checksum: number, sent?: SentMessage): void {
    const digest = this.#digest;
    this.#events += 1;
    this.#tracer?.event(process.name, event, sent);
    digest.add(this.now);
    digest.add((process.number << 8) | KIND_CODES[event.kind]);
    switch (event.kind) {
      case 'timer':
        digest.add(this.#hash(event.name));
        break;
      case 'message':
        digest.add(event.session);
        digest.add(this.#hash(event.message.type));
        digest.add(checksum);
        break;
      case 'reset':
        digest.add(event.session);
        digest.add(this.#hash(event.reason));
        break;
      case 'accepted':
      case 'opened':
      case 'drained':
        digest.add(event.session);
        break;
      case 'committed':
      case 'flushed':
        digest.add(event.token);
        break;
      case 'storageFailed':
        digest.add(-event.code);
        break;
      case 'posted':
        digest.add(event.token);
        digest.add(event.status ?? 0);
        break;
      case 'terminate':
        break;
    }
  }

  afterEvent(process: SimProcess, event: WorldEvent<Message>): void {
    if (process.spec.promises) this.#promisesDue = true;
    for (const listener of this.#listeners) listener(process, event);
  }

  onExit(process: SimProcess, reason: string): void {
    for (const listener of this.#exitListeners) listener(process, reason);
  }

  #hash(text: string): number {
    let hash = this.#textHashes.get(text);
    if (hash === undefined) {
      hash = hashText(text);
      this.#textHashes.set(text, hash);
    }
    return hash;
  }
}
