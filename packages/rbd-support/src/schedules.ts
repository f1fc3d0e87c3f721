/**
 * Schedules of one kind: that for all images is an option of the manager, others are kept by the pool that they are for (Schedules of
 * rbd_support/schedule.py).
 */
import { fromUtf8, type RawString, rawFromText, utf8 } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import type { ImagePools } from './image-pools.ts';
import {
  GLOBAL,
  intersects,
  isChildOf,
  type LevelChecks,
  type LevelSpec,
  levelFromId,
  type ScheduledTarget,
} from './level-spec.ts';
import { omapTexts } from './omap-pages.ts';
import { dumpsSorted, type Json } from './python-json.ts';
import { ifThere } from './refusal.ts';
import { parseInterval, parseSchedule, parseStartTime, Schedule } from './schedule.ts';

export interface ScheduleKind {
  /** Of each pool: the object that keeps its schedules. */
  readonly oid: RawString;
  /** `mgr/rbd_support/…` */
  readonly option: string;
  readonly checks: LevelChecks;
}

interface Entry {
  readonly level: LevelSpec;
  readonly schedule: Schedule;
}

export class Schedules {
  readonly #pools: ImagePools;
  readonly #kind: ScheduleKind;
  readonly #world: Pick<World, 'log'>;
  /** By the ids of their levels. */
  #entries = new Map<string, Entry>();

  constructor(pools: ImagePools, kind: ScheduleKind, world: Pick<World, 'log'>) {
    this.#pools = pools;
    this.#kind = kind;
    this.#world = world;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** As the cluster keeps them; what is for images, namespaces and pools that are no more is forgotten. @throws RadosError */
  async load(): Promise<void> {
    const entries = new Map<string, Entry>();
    const global = parseSchedule(await this.#readOption());
    if (global) entries.set(GLOBAL.id, { level: GLOBAL, schedule: global });
    for (const { id, name } of this.#pools.list()) {
      try {
        for (const entry of await this.#loadPool(id)) entries.set(entry.level.id, entry);
      } catch (error) {
        if (!(error instanceof RadosError)) throw error;
        this.#world.log.warn('schedules of a pool are not read', { pool: name, error: error.message });
      }
    }
    this.#entries = entries;
  }

  async #loadPool(pool: number): Promise<readonly Entry[]> {
    const io = await this.#pools.openId(pool);
    const entries: Entry[] = [];
    const stale: RawString[] = [];
    for (const [id, text] of await omapTexts(io, this.#kind.oid)) {
      const level = await levelFromId(this.#pools, id, this.#kind.checks);
      const schedule = parseSchedule(text);
      if (level && schedule) entries.push({ level, schedule });
      else if (!level) stale.push(rawFromText(id));
      else this.#world.log.warn('a schedule does not parse', { pool, id, text });
    }
    if (stale.length > 0) await io.omapRmKeys(this.#kind.oid, stale);
    return entries;
  }

  /** @throws Refusal, RadosError */
  async add(level: LevelSpec, interval: string, start: string | undefined): Promise<void> {
    const item = { interval: parseInterval(interval), start: parseStartTime(start) };
    const { schedule } = this.#entries.get(level.id) ?? { schedule: new Schedule() };
    schedule.add(item);
    this.#entries.set(level.id, { level, schedule });
    await this.#save(level, schedule);
  }

  /** @param interval undefined: the whole schedule. @throws Refusal, RadosError */
  async remove(level: LevelSpec, interval: string | undefined, start: string | undefined): Promise<void> {
    const schedule = this.#entries.get(level.id)?.schedule;
    if (schedule && interval !== undefined) {
      schedule.remove({ interval: parseInterval(interval), start: parseStartTime(start) });
    }
    const isLeft = schedule !== undefined && interval !== undefined && !schedule.isEmpty;
    if (!isLeft) this.#entries.delete(level.id);
    await this.#save(level, isLeft ? schedule : undefined);
  }

  /** Of the closest level that has one. */
  find({ pool, namespace, imageId }: ScheduledTarget): Schedule | undefined {
    const levels = [...(imageId === undefined ? [] : [`${pool}/${namespace}/${imageId}`]), `${pool}/${namespace}`];
    for (const id of [...levels, `${pool}`, GLOBAL.id]) {
      const found = this.#entries.get(id);
      if (found) return found.schedule;
    }
    return undefined;
  }

  /** Whether any schedule may be for what is there. */
  mayConcern(level: LevelSpec): boolean {
    return [...this.#entries.values()].some((each) => intersects(each.level, level));
  }

  /** Of a level, or where it has none of the closest above; and those of its parts. */
  describe(level: LevelSpec): { readonly [name: string]: Json } {
    const above = this.#closest(level);
    const shown = [...this.#entries.values()].filter(
      (each) => each.level.id === above.id || each.level.id === level.id || isChildOf(each.level, level),
    );
    return Object.fromEntries(
      shown.map((each) => [each.level.id, { name: each.level.name, schedule: each.schedule.describe() }]),
    );
  }

  #closest(level: LevelSpec): LevelSpec {
    if (this.#entries.has(level.id)) return level;
    let closest: LevelSpec | undefined;
    for (const { level: other } of this.#entries.values()) {
      if (isChildOf(level, other) && (!closest || isChildOf(other, closest))) closest = other;
    }
    return closest ?? level;
  }

  async #save(level: LevelSpec, schedule: Schedule | undefined): Promise<void> {
    const text = schedule && dumpsSorted(schedule.describe());
    if (level.pool === undefined) {
      await this.#writeOption(text);
      return;
    }
    const io = await this.#pools.openId(level.pool);
    const key = rawFromText(level.id);
    if (text === undefined) await ifThere(io.omapRmKeys(this.#kind.oid, [key]));
    else await io.omapSet(this.#kind.oid, new Map([[key, utf8(text)]]));
  }

  async #readOption(): Promise<string> {
    const { code, status, data } = await this.#pools.rados.monCommand({ prefix: 'config dump', format: 'json' });
    if (code < 0) throw new RadosError(code, status);
    const options = JSON.parse(fromUtf8(data)) as readonly Record<'section' | 'name' | 'value', string>[];
    return options.find(({ section, name }) => section === 'mgr' && name === this.#kind.option)?.value ?? '';
  }

  async #writeOption(value: string | undefined): Promise<void> {
    const option = { who: 'mgr', name: this.#kind.option };
    const { code, status } = await this.#pools.rados.monCommand(
      value === undefined
        ? { prefix: 'config rm', ...option }
        : { prefix: 'config set', ...option, value, force: true },
    );
    if (code < 0) throw new RadosError(code, status);
  }
}
