import type { EntityAddr } from '@spirula/encoding';
import { type NetworkProfile, Paths } from './paths.ts';
import { Pipe } from './pipe.ts';
import type { SeededRandom } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import type { Listener, Wire } from './session.ts';

/** Machines, who listens on them, and the packets between them. */
export class Network implements Wire {
  readonly scheduler: Scheduler;
  readonly paths: Paths;
  readonly #random: SeededRandom;
  /** By IP address. */
  readonly #machines = new Map<string, string>();
  readonly #listeners = new Map<string, Listener>();
  /** By the machine they come from. */
  readonly #pipes = new Map<string, Set<Pipe>>();

  constructor(scheduler: Scheduler, random: SeededRandom, profile: NetworkProfile) {
    this.scheduler = scheduler;
    this.paths = new Paths(scheduler, random, profile);
    this.#random = random;
  }

  /** Adds a machine; returns its IP address. */
  addMachine(name: string): string {
    const number = this.#machines.size;
    const ip = `10.0.${number >> 8}.${(number & 255) + 1}`;
    this.#machines.set(ip, name);
    return ip;
  }

  machineAt(ip: string): string | undefined {
    return this.#machines.get(ip);
  }

  listen(ip: string, port: number, listener: Listener): void {
    this.#listeners.set(`${ip}:${port}`, listener);
  }

  stopListening(ip: string, port: number): void {
    this.#listeners.delete(`${ip}:${port}`);
  }

  listenerAt({ ip, port }: EntityAddr): Listener | undefined {
    return this.#listeners.get(`${ip}:${port}`);
  }

  newPipe(from: string, to: string, onTimeout: () => void): Pipe {
    let pipes = this.#pipes.get(from);
    if (pipes === undefined) {
      pipes = new Set();
      this.#pipes.set(from, pipes);
    }
    const pipe: Pipe = new Pipe(this.scheduler, this.paths, from, to, {
      onTimeout,
      onClose: () => void pipes.delete(pipe),
    });
    pipes.add(pipe);
    return pipe;
  }

  /** The machine loses power, and with it all that it had to send. */
  powerOff(machine: string): void {
    for (const pipe of [...(this.#pipes.get(machine) ?? [])]) pipe.close();
    this.paths.setPower(machine, false);
  }

  powerOn(machine: string): void {
    this.paths.setPower(machine, true);
  }

  sendRaw(from: string, to: string, arrive: () => void): void {
    this.scheduler.after(this.paths.drawLatency(from, to), () => {
      if (!this.paths.isCut(from, to)) arrive();
    });
  }

  passesCodec(): boolean {
    return this.#random.oneIn(this.paths.profile.codecOneIn);
  }

  /** How much of `count` packets in flight outlives the process that sent them: a kernel sends them all, unless it resets. */
  drawSurvivors(count: number): number {
    return this.#random.oneIn(2) ? count : this.#random.below(count + 1);
  }
}
