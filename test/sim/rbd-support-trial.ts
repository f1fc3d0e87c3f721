/** What a manager does for images, without the manager, in virtual time. */
import type { ImagePerf, Message, OsdPerfQuery } from '@spirula/messages';
import type { PerfQueries } from '@spirula/mgr';
import { Rados } from '@spirula/rados';
import { type ImageWorld, initPool } from '@spirula/rbd';
import { RbdSupport, type RbdSupportOptions } from '@spirula/rbd-support';
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import type { SimProcess } from '@spirula/sim-world';
import { type Authentication, type Clock, type Daemon, SECOND, type World, type WorldEvent } from '@spirula/world';
import { expect } from 'vitest';
import { runUntil, settle } from './lab-time.ts';

export const POOL = 'data';

/** What OSDs are asked to count, and what they say. */
class OsdsThatCount implements PerfQueries {
  readonly asked: OsdPerfQuery[] = [];
  readonly ended: number[] = [];
  reported: readonly ImagePerf[] = [];

  add(query: Omit<OsdPerfQuery, 'id'>): number {
    const id = this.asked.length + 1;
    this.asked.push({ ...query, id });
    return id;
  }

  remove(id: number): void {
    this.ended.push(id);
  }

  take(): readonly ImagePerf[] {
    return this.reported;
  }
}

/** The module without a manager around it. */
class ModuleHost implements Daemon<Message> {
  readonly module: RbdSupport;
  readonly osds = new OsdsThatCount();
  readonly #world: World<Message>;
  readonly auth: Authentication | undefined;

  constructor(world: World<Message>, options: RbdSupportOptions) {
    this.#world = world;
    this.module = new RbdSupport(world, options);
    this.auth = options.rados.auth && {
      connect: (session, to) => this.module.authenticationOf(session)?.connect(session, to),
      accept: () => [],
    };
  }

  start(): void {
    this.module.becomeActive({ perf: this.osds });
  }

  handle(event: WorldEvent<Message>): void {
    if (event.kind === 'terminate') {
      this.module.shutdown();
      this.#world.lifecycle.stop('asked to stop');
    } else expect(this.module.handle(event)).toBe(true);
  }
}

/** A small cluster in virtual time, with the module and whoever uses images. */
export class Trial {
  readonly lab: Lab;
  readonly world: ImageWorld;
  readonly #tools: Rados;
  readonly #process: SimProcess;
  #host: ModuleHost | undefined;
  #clock: Clock | undefined;

  constructor(seed: number) {
    const spec = checkScenario({
      name: 'rbd-support',
      cluster: { mons: 1, osds: 3, mgrs: 0, clients: 1 },
      pools: [{ name: POOL, pgNum: 4 }],
      workloads: [{ kind: 'objects', objects: 1, pace: { kind: 'closed', workers: 0 } }],
      checkOneIn: 1000,
    });
    this.lab = new Lab(spec, seed);
    expect(this.lab.boot()).toBeUndefined();
    const { simulation, cluster } = this.lab;
    const random = simulation.random('images');
    this.#tools = cluster.addTools('tools', (world, monAddrs, auth) => {
      this.#clock = world.clock;
      return new Rados(world, { monAddrs, auth });
    });
    cluster.addTools('support', (world, monAddrs, auth) => {
      this.#host = new ModuleHost(world, { rados: { monAddrs, auth } });
      return this.#host;
    });
    this.#process = simulation.processes.at(-1)!;
    this.world = {
      randomBytes: (count) => Uint8Array.from({ length: count }, () => random.below(256)),
      sleep: (us) => new Promise((resolve) => simulation.after(us, resolve)),
      wall: () => this.#clock!.wall(),
    };
  }

  async io(nspace = '') {
    return (await this.#tools.ioctx(POOL)).with({ nspace });
  }

  async start() {
    await settle(this.lab, this.#tools.connect());
    await settle(this.lab, initPool(this.#tools, POOL));
    return this.#tools;
  }

  get osds(): OsdsThatCount {
    return this.#host!.osds;
  }

  restart(): void {
    this.#process.restart(SECOND);
  }

  /** What a command of the module answers, once it is ready. */
  async ask(prefix: string, args: Readonly<Record<string, string>> = {}): Promise<string> {
    for (let tries = 0; tries < 60; tries++) {
      const { run } = this.#host!.module.commands.find(
        ({ description: { sig } }) => sig.filter((part) => typeof part === 'string').join(' ') === `rbd ${prefix}`,
      )!;
      const { code, status, output } = await settle(this.lab, run(args, { may: () => true }));
      if (!status.endsWith('not ready, try again')) {
        expect([code, status]).toEqual([0, '']);
        return output;
      }
      await this.pass(1);
    }
    throw new Error('the module does not get ready');
  }

  async pass(seconds: number): Promise<void> {
    await runUntil(this.lab, () => false, seconds);
    expect(this.lab.simulation.violations).toEqual([]);
  }

  done<T>(work: Promise<T>): Promise<T> {
    return settle(this.lab, work);
  }
}
