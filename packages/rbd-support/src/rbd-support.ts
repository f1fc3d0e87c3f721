/**
 * What a manager does for images (pybind/mgr/rbd_support): a client of the cluster of its own, which the active manager's module is.
 *
 *   standby --(active)--> connecting, reading what the pools keep --> ready: commands, tasks, schedules
 *      ^                                                                |
 *      +----------------------------(standby)---------------------------+
 */
import type { Message } from '@spirula/messages';
import type { MgrModule, MgrServices, ModuleCommand } from '@spirula/mgr';
import { Rados, RadosError, type RadosOptions } from '@spirula/rados';
import {
  type Authentication,
  type Instant,
  SECOND,
  type SessionId,
  Sleeper,
  seconds,
  type World,
  type WorldEvent,
  WorldScope,
} from '@spirula/world';
import type { CommandScene } from './command-scene.ts';
import { ImagePerf } from './image-perf.ts';
import { ImagePools } from './image-pools.ts';
import { migrationCommands } from './migration-tasks.ts';
import { mirrorSnapshots } from './mirror-snapshots.ts';
import { perfCommands } from './perf-commands.ts';
import { ScheduleHandler } from './schedule-handler.ts';
import type { Scheduled } from './schedule-queue.ts';
import { taskCommands } from './task-commands.ts';
import { TaskQueue } from './task-queue.ts';
import { trashPurge } from './trash-purge.ts';

const TICK_TIMER = 'tick';
const PERF_TIMER = 'perf';
const SLEEP_TIMER = 'sleep';
/** How often it is looked what is due. */
const TICK_US: Instant = 5 * SECOND;

export interface RbdSupportOptions {
  /** Who the manager is to the cluster. */
  readonly rados: RadosOptions;
}

export class RbdSupport implements MgrModule {
  readonly name = 'rbd_support';
  readonly commands: readonly ModuleCommand[];
  readonly #scope: WorldScope<Message>;
  readonly #world: World<Message>;
  readonly #rados: Rados;
  readonly #sleeper: Sleeper;
  readonly #tasks: TaskQueue;
  readonly #perf: ImagePerf;
  readonly #schedules: readonly ScheduleHandler<Scheduled>[];
  #isActive = false;
  #isReady = false;
  /** A round of becoming active; a later one is another. */
  #term = 0;

  constructor(world: World<Message>, options: RbdSupportOptions) {
    this.#scope = new WorldScope(world, this.name);
    this.#world = this.#scope.world;
    const own = this.#world;
    this.#rados = new Rados(own, options.rados);
    this.#sleeper = new Sleeper(own.clock, SLEEP_TIMER);
    const images = {
      sleep: (us: number) => this.#sleeper.sleep(us),
      randomBytes: (count: number) => own.crypto.randomBytes(count),
      wall: () => own.clock.wall(),
    };
    const pools = new ImagePools(this.#rados);
    this.#tasks = new TaskQueue(pools, own, images);
    this.#perf = new ImagePerf(pools, own.clock);
    const scene: CommandScene = {
      pools,
      isReady: () => this.#isReady,
    };
    this.#schedules = [
      new ScheduleHandler(mirrorSnapshots(pools, images), scene, own),
      new ScheduleHandler(trashPurge(pools, images), scene, own),
    ];
    const tasks = { ...scene, tasks: this.#tasks };
    this.commands = [
      ...taskCommands(tasks),
      ...migrationCommands(tasks),
      ...this.#schedules.flatMap(({ commands }) => commands),
      ...perfCommands({ ...scene, perf: this.#perf, now: () => own.clock.wall().sec }),
    ];
  }

  authenticationOf(session: SessionId): Authentication | undefined {
    return this.#scope.owns(session) ? this.#rados.auth : undefined;
  }

  becomeActive({ perf }: MgrServices): void {
    this.#isActive = true;
    this.#perf.start(perf);
    this.#armPerf();
    this.#term += 1;
    void this.#begin(this.#term);
  }

  becomeStandby(): void {
    this.#isActive = false;
    this.#isReady = false;
    this.#term += 1;
    for (const each of [this.#tasks, this.#perf, ...this.#schedules]) each.stop();
    for (const timer of [TICK_TIMER, PERF_TIMER]) this.#world.clock.disarm(timer);
  }

  shutdown(): void {
    this.becomeStandby();
    this.#rados.shutdown();
  }

  handle(event: WorldEvent<Message>): boolean {
    const own = this.#scope.route(event);
    if (!own) return false;
    if (own.kind === 'timer' && own.name === TICK_TIMER) this.#onTick();
    else if (own.kind === 'timer' && own.name === PERF_TIMER) this.#onPerf();
    else if (own.kind === 'timer' && own.name === SLEEP_TIMER) this.#sleeper.onTimer();
    else this.#rados.handle(own);
    return true;
  }

  async #begin(term: number): Promise<void> {
    while (term === this.#term) {
      try {
        await this.#rados.connect();
        await this.#rados.waitForLatestMap();
        await this.#tasks.start();
        for (const schedules of this.#schedules) await schedules.start();
        if (term !== this.#term) return;
        this.#isReady = true;
        this.#armTick();
        return;
      } catch (error) {
        if (!(error instanceof RadosError)) throw error;
        this.#world.log.warn('rbd_support does not get to the cluster', { error: error.message });
        await this.#sleeper.sleep(TICK_US);
      }
    }
  }

  #armTick(): void {
    this.#world.clock.arm(TICK_TIMER, this.#world.clock.now() + TICK_US);
  }

  #armPerf(): void {
    const { clock, config } = this.#world;
    clock.arm(PERF_TIMER, clock.now() + seconds(config.mgr_stats_period));
  }

  #onPerf(): void {
    if (!this.#isActive) return;
    this.#armPerf();
    if (this.#perf.isAsked) void this.#perf.look();
  }

  #onTick(): void {
    if (!this.#isActive) return;
    this.#armTick();
    this.#tasks.work();
    for (const schedules of this.#schedules) void schedules.tick();
  }
}
