/**
 * Work of one kind at set times (TrashPurgeScheduleHandler, MirrorSnapshotScheduleHandler of rbd_support). Every minute it is looked what there is, and
 * what the cluster keeps of schedules.
 */
import { Errno } from '@spirula/encoding';
import { type CommandArgs, type CommandOutcome, type ModuleCommand, refuse, succeed } from '@spirula/mgr';
import { RadosError } from '@spirula/rados';
import { type Instant, SECOND, type World } from '@spirula/world';
import { answer, argument, type CommandScene } from './command-scene.ts';
import { type LevelSpec, levelFromName, matches } from './level-spec.ts';
import { dumpsSorted, type Json } from './python-json.ts';
import { Refusal } from './refusal.ts';
import { type Due, type Scheduled, ScheduleQueue } from './schedule-queue.ts';
import { type ScheduleKind, Schedules } from './schedules.ts';

const REFRESH_US: Instant = 60 * SECOND;

export interface ScheduledWork<T extends Scheduled> extends ScheduleKind {
  /** Of the command: `rbd trash purge schedule`. */
  readonly words: string;
  /** What it is called in help texts. */
  readonly what: string;
  /** What there is to do it to. @throws RadosError */
  targets(mayConcern: (level: LevelSpec) => boolean): Promise<readonly T[]>;
  /** @throws RadosError */
  run(target: T): Promise<void>;
  /** Of what is due. */
  status(due: readonly Due<T>[]): Json;
}

export class ScheduleHandler<T extends Scheduled> {
  readonly #work: ScheduledWork<T>;
  readonly #scene: CommandScene;
  readonly #world: Pick<World, 'clock' | 'log'>;
  readonly #schedules: Schedules;
  readonly #queue = new ScheduleQueue<T>();
  #targets: readonly T[] = [];
  #refreshedAt: Instant = Number.NEGATIVE_INFINITY;
  #isActive = false;
  #isTicking = false;

  constructor(work: ScheduledWork<T>, scene: CommandScene, world: Pick<World, 'clock' | 'log'>) {
    this.#work = work;
    this.#scene = scene;
    this.#world = world;
    this.#schedules = new Schedules(scene.pools, work, world);
  }

  /** @throws RadosError */
  async start(): Promise<void> {
    await this.#refresh();
    this.#isActive = true;
  }

  stop(): void {
    this.#isActive = false;
  }

  /** Does what is due; called whenever time has passed. */
  async tick(): Promise<void> {
    if (!this.#isActive || this.#isTicking) return;
    this.#isTicking = true;
    try {
      if (this.#world.clock.now() - this.#refreshedAt >= REFRESH_US) await this.#refresh();
      for (let next = this.#queue.take(this.#now); next && this.#isActive; next = this.#queue.take(this.#now)) {
        await this.#run(next);
        this.#queue.enqueue(next, this.#schedules.find(next), this.#now);
      }
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      this.#world.log.warn('schedules are not read', { of: this.#work.words, error: error.message });
    } finally {
      this.#isTicking = false;
    }
  }

  async #run(target: T): Promise<void> {
    try {
      await this.#work.run(target);
    } catch (error) {
      if (!(error instanceof RadosError) && !(error instanceof Refusal)) throw error;
      this.#world.log.warn('what was due is not done', { of: this.#work.words, to: target.name, error: error.message });
    }
  }

  get #now(): number {
    return this.#world.clock.wall().sec;
  }

  async #refresh(): Promise<void> {
    await this.#schedules.load();
    await this.#lookAround();
  }

  async #lookAround(): Promise<void> {
    const { isEmpty } = this.#schedules;
    this.#targets = isEmpty ? [] : await this.#work.targets((level) => this.#schedules.mayConcern(level));
    this.#rebuild();
    this.#refreshedAt = this.#world.clock.now();
  }

  #rebuild(): void {
    this.#queue.rebuild(this.#targets, (target) => this.#schedules.find(target), this.#now);
  }

  get commands(): readonly ModuleCommand[] {
    const { words, what } = this.#work;
    const command = answer(this.#scene);
    return [
      command(`w ${words} add <level_spec> <interval> [start_time]`, `${what} every so often`, async (args) => {
        const level = await this.#level(args);
        if ('code' in level) return level;
        await this.#schedules.add(level, argument(args, 'interval'), optional(args, 'start_time'));
        await this.#lookAround();
        return succeed('');
      }),
      command(`w ${words} remove <level_spec> [interval] [start_time]`, `no longer ${what}`, async (args) => {
        const level = await this.#level(args);
        if ('code' in level) return level;
        await this.#schedules.remove(level, optional(args, 'interval'), optional(args, 'start_time'));
        this.#rebuild();
        return succeed('');
      }),
      command(`r ${words} list [level_spec]`, `list when to ${what}`, async (args) => {
        const level = await this.#level(args);
        return 'code' in level ? level : succeed(`${dumpsSorted(this.#schedules.describe(level))}\n`);
      }),
      command(`r ${words} status [level_spec]`, `list when to ${what} next`, async (args) => {
        const level = await this.#level(args);
        if ('code' in level) return level;
        const due = this.#queue.list().filter(({ target }) => matches(level, target));
        return succeed(`${dumpsSorted(this.#work.status(due))}\n`);
      }),
    ];
  }

  async #level(args: CommandArgs): Promise<LevelSpec | CommandOutcome> {
    const text = optional(args, 'level_spec') ?? '';
    try {
      return await levelFromName(this.#scene.pools, text, this.#work.checks);
    } catch (error) {
      if (error instanceof Refusal) return refuse(Errno.EINVAL, `Invalid level spec ${text}: ${error.message}`);
      throw error;
    }
  }
}

function optional(args: CommandArgs, name: string): string | undefined {
  const value = args[name];
  return value === undefined ? undefined : String(value);
}
