/**
 * Tasks, one after another (rbd_support/task.py, TaskHandler). What is added is kept by its pool until it is done.
 *
 *   added --> in progress --> done, or nothing to do: forgotten
 *                 ^   \-----> failed: waits 30 s, 60 s ... 300 s
 *                 \------------/
 */
import { addSeconds, formatUuid } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { type ImageWorld, listNamespaces } from '@spirula/rbd';
import { type Crypto, type Instant, SECOND, type World } from '@spirula/world';
import { isoTime } from './clock-text.ts';
import type { ImagePools } from './image-pools.ts';
import { Refusal } from './refusal.ts';
import { isFor, newTask, type Task, type TaskRefs } from './task.ts';
import { mayStop, perform, TryAgain } from './task-actions.ts';
import { forgetTask, loadTasks, saveTask } from './task-store.ts';

const RETRY_SECONDS = 30;
const MAX_RETRY_SECONDS = 300;
/** Done ones that are remembered: who asks again is told of them. */
const MAX_DONE = 50;

/** The task was taken back, or this manager is not the active one any more. */
class Stopped extends Error {
  override readonly name = 'Stopped';
}

export class TaskQueue {
  readonly #pools: ImagePools;
  readonly #world: Pick<World, 'clock' | 'crypto' | 'log'>;
  readonly #images: ImageWorld;
  /** By sequence. */
  readonly #tasks = new Map<number, Task>();
  readonly #retryAt = new Map<Task, Instant>();
  #done: Task[] = [];
  #lastSequence = 0;
  /** Another one, and whatever was begun before ends. */
  #term = 0;
  #isActive = false;
  #working: Promise<void> = Promise.resolve();
  #isWorking = false;

  constructor(pools: ImagePools, world: Pick<World, 'clock' | 'crypto' | 'log'>, images: ImageWorld) {
    this.#pools = pools;
    this.#world = world;
    this.#images = images;
  }

  /** Goes on with what the pools keep. @throws RadosError */
  async start(): Promise<void> {
    this.#term += 1;
    await this.#working;
    this.#tasks.clear();
    this.#retryAt.clear();
    this.#done = [];
    for (const task of await this.#load()) this.#tasks.set(task.sequence, task);
    this.#lastSequence = Math.max(0, ...this.#tasks.keys());
    this.#isActive = true;
    this.work();
  }

  stop(): void {
    this.#term += 1;
    this.#isActive = false;
  }

  async #load(): Promise<readonly Task[]> {
    const all: Task[] = [];
    for (const { id, name } of this.#pools.list()) {
      try {
        const pool = await this.#pools.openId(id);
        for (const nspace of ['', ...(await listNamespaces(pool))])
          all.push(...(await loadTasks(pool.with({ nspace }))));
      } catch (error) {
        if (!(error instanceof RadosError)) throw error;
        this.#world.log.warn('tasks of a pool are not read', { pool: name, error: error.message });
      }
    }
    return all;
  }

  /** In the order in which they were added. */
  list(): readonly Task[] {
    return [...this.#tasks.values()].sort((a, b) => a.sequence - b.sequence);
  }

  byId(id: string): Task | undefined {
    return this.list().find((task) => task.id === id);
  }

  /** One for the same, which waits, is being done, or was done lately. */
  find(refs: TaskRefs): Task | undefined {
    const isSame = (task: Task) => isFor(task, refs);
    return this.list().find(isSame) ?? this.#done.findLast(isSame);
  }

  /** It is durable when it resolves. @throws RadosError, Refusal: the pool is no more */
  async add(message: string, refs: TaskRefs): Promise<Task> {
    const io = await this.#pools.open(refs.pool_name, refs.pool_namespace);
    this.#lastSequence += 1;
    const task = newTask(this.#lastSequence, randomUuid(this.#world.crypto), message, refs);
    await saveTask(io, task);
    this.#tasks.set(task.sequence, task);
    this.work();
    return task;
  }

  /** One that is being done ends as soon as may be. @throws RadosError, Refusal: the pool is no more */
  async cancel(task: Task): Promise<void> {
    task.isCanceled = true;
    if (task.progress === undefined) this.#tasks.delete(task.sequence);
    await forgetTask(await this.#pools.open(task.refs.pool_name, task.refs.pool_namespace), task);
  }

  /** Does what is due; called whenever time has passed. */
  work(): void {
    if (this.#isWorking || !this.#isActive) return;
    this.#isWorking = true;
    this.#working = this.#round(this.#term).finally(() => {
      this.#isWorking = false;
      // It may have come just when the round had looked for the last time.
      if (this.#nextDue()) this.work();
    });
  }

  async #round(term: number): Promise<void> {
    for (let next = this.#nextDue(); next && term === this.#term; next = this.#nextDue())
      await this.#execute(next, term);
  }

  #nextDue(): Task | undefined {
    const now = this.#world.clock.now();
    return this.list().find((task) => (this.#retryAt.get(task) ?? 0) <= now);
  }

  async #execute(task: Task, term: number): Promise<void> {
    const { refs } = task;
    const onProgress = (done: number, of: number) => {
      if (mayStop(task) && (task.isCanceled || term !== this.#term)) throw new Stopped();
      task.progress = of === 0 ? 0 : done / of;
    };
    try {
      const io = await this.#pools.open(refs.pool_name, refs.pool_namespace);
      task.progress = 0;
      const place = { rados: this.#pools.rados, world: this.#images, io };
      const wasDone = await perform(task, place, onProgress).catch((error: unknown) => {
        if (error instanceof Stopped) return false;
        throw error;
      });
      if (term !== this.#term) return;
      await forgetTask(io, task);
      this.#drop(task, wasDone);
    } catch (error) {
      this.#onFailure(task, error);
    } finally {
      task.progress = undefined;
      this.#postpone(task);
    }
  }

  #onFailure(task: Task, error: unknown): void {
    // The pool is no more, and the task with it.
    if (error instanceof Refusal) this.#drop(task, false);
    else if (task.isCanceled) this.#drop(task, false);
    else if (error instanceof TryAgain || error instanceof RadosError) task.retryMessage = error.message;
    else throw error;
  }

  #drop(task: Task, wasDone: boolean): void {
    this.#tasks.delete(task.sequence);
    if (wasDone && !task.isCanceled) this.#done = [...this.#done, task].slice(-MAX_DONE);
  }

  #postpone(task: Task): void {
    task.retryAttempts += 1;
    const delay = Math.min(RETRY_SECONDS * task.retryAttempts, MAX_RETRY_SECONDS);
    task.retryTime = isoTime(addSeconds(this.#world.clock.wall(), delay));
    if (this.#tasks.has(task.sequence)) this.#retryAt.set(task, this.#world.clock.now() + delay * SECOND);
    else this.#retryAt.delete(task);
  }
}

/** Version 4. */
function randomUuid(crypto: Crypto): string {
  const bytes = crypto.randomBytes(16).slice();
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return formatUuid(bytes);
}
