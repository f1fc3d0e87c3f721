import type { EntityAddr } from '@spirula/encoding';
import type { Instant } from '@spirula/world';
import { Layers, type Undo } from './layers.ts';
import type { NetworkName, Path } from './path.ts';
import { type NetworkProfile, Paths } from './paths.ts';
import { Pipe } from './pipe.ts';
import type { SeededRandom } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import type { Listener, Wire } from './session.ts';

/** The port of each endpoint; `dial` for one that only dials out. */
export type Endpoints = Readonly<Record<string, number | 'dial'>>;

/** Of an OSD's endpoints, those on Ceph's cluster network; all others are on its public network. */
const BACK_ENDPOINTS: ReadonlySet<string> = new Set(['cluster', 'hb_back']);

interface Host {
  readonly machine: string;
  readonly backPorts: ReadonlySet<number>;
}

/** Machines, who listens on them, and the packets between them. */
export class Network implements Wire {
  readonly scheduler: Scheduler;
  readonly paths: Paths;
  readonly #random: SeededRandom;
  /** By IP address. */
  readonly #hosts = new Map<string, Host>();
  readonly #listeners = new Map<string, Listener>();
  /** Until when nobody is let in, by address. */
  readonly #refusing = new Map<string, Layers<Instant>>();
  /** By the machine they come from. */
  readonly #pipes = new Map<string, Set<Pipe>>();

  constructor(scheduler: Scheduler, random: SeededRandom, profile: NetworkProfile) {
    this.scheduler = scheduler;
    this.paths = new Paths(scheduler, random, profile);
    this.#random = random;
  }

  /** Adds a machine, by itself or in a rack; returns its IP address. */
  addMachine(name: string, endpoints: Endpoints, rack?: string): string {
    const number = this.#hosts.size;
    // 10.0.0.0/8, no byte of which is 255: addresses are four bytes on the wire.
    const ip = `10.${Math.floor(number / 62_500)}.${Math.floor(number / 250) % 250}.${(number % 250) + 1}`;
    const back = Object.entries(endpoints).filter(([endpoint]) => BACK_ENDPOINTS.has(endpoint));
    this.#hosts.set(ip, {
      machine: name,
      backPorts: new Set(back.flatMap(([, port]) => (port === 'dial' ? [] : port))),
    });
    this.paths.addMachine(name, rack);
    return ip;
  }

  pathTo(from: string, { ip, port }: EntityAddr): Path | undefined {
    const host = this.#hosts.get(ip);
    if (host === undefined) return undefined;
    const network: NetworkName = host.backPorts.has(port) ? 'back' : 'front';
    return this.paths.path(from, host.machine, network);
  }

  listen(ip: string, port: number, listener: Listener): void {
    this.#listeners.set(`${ip}:${port}`, listener);
  }

  stopListening(ip: string, port: number): void {
    this.#listeners.delete(`${ip}:${port}`);
  }

  listenerAt({ ip, port }: EntityAddr): Listener | undefined {
    const addr = `${ip}:${port}`;
    const isRefusing = this.#refusing.get(addr)?.values.some((until) => this.scheduler.now < until);
    return isRefusing ? undefined : this.#listeners.get(addr);
  }

  /** New connections to a port are refused for so long, though its process runs. Those that exist go on. */
  refuse(ip: string, port: number, forUs: Instant): Undo {
    const addr = `${ip}:${port}`;
    let refusing = this.#refusing.get(addr);
    if (refusing === undefined) {
      refusing = new Layers();
      this.#refusing.set(addr, refusing);
    }
    return refusing.add(this.scheduler.now + forUs);
  }

  /** Whoever listens lets everybody in. */
  endRefusals(): void {
    for (const refusing of this.#refusing.values()) refusing.clear();
  }

  newPipe(path: Path, onTimeout: () => void): Pipe {
    const from = path.from.name;
    let pipes = this.#pipes.get(from);
    if (pipes === undefined) {
      pipes = new Set();
      this.#pipes.set(from, pipes);
    }
    const pipe: Pipe = new Pipe(this.scheduler, this.paths, path, {
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

  sendRaw(path: Path, arrive: () => void): void {
    const onDue = () => {
      if (path.cloggedUntil !== undefined) path.held.push(onDue);
      else if (!path.isCut) arrive();
    };
    this.scheduler.after(this.paths.drawLatency(path), onDue);
  }

  passesCodec(): boolean {
    return this.#random.oneIn(this.paths.profile.codecOneIn);
  }

  /** How much of `count` packets in flight outlives the process that sent them: a kernel sends them all, unless it resets. */
  drawSurvivors(count: number): number {
    return this.#random.oneIn(2) ? count : this.#random.below(count + 1);
  }
}
