/**
 * Several clients write one image, in turns by its lock, while OSDs crash, clients die and others hang until they are taken for dead: every
 * block of the image is a register that behaves as if one operation came after the other, snapshots are of one moment, and the
 * object map knows of every object.
 *
 *     SEED=7 npx vitest run test/sim/rbd-images.test.ts        one seed; SEEDS=100 FROM=1: many
 */
import { decodeRbdBitVector } from '@spirula/cls';
import { Decoder, Errno } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import { Rados, RadosError } from '@spirula/rados';
import { createImage, Image, WritableImage } from '@spirula/rbd';
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import type { SimProcess } from '@spirula/sim-world';
import { type Daemon, SECOND, type World, type WorldEvent } from '@spirula/world';
import { expect, test } from 'vitest';
import { Sleeper } from '../../packages/rgw/src/faults/sleeper.ts';
import {
  type Keyed,
  StepBudget,
  searchLinearizations,
  type TimedOperation,
} from '../../sim/scenarios/src/checkers/linearization-search.ts';
import { runUntil, settle } from './lab-time.ts';

const { SEED, SEEDS, FROM } = process.env;
const seeds = SEED ? [Number(SEED)] : Array.from({ length: Number(SEEDS ?? 3) }, (_, i) => Number(FROM ?? 1) + i);

const CLIENTS = 3;
const BLOCK = 1024;
const BLOCKS = 32;
/** Objects of four blocks. */
const ORDER = 12;
const WORK_SECONDS = 90;
const IMAGE = 'disk';
const POOL = 'data';
const MAX_STEPS = 2_000_000;

interface State extends Keyed {
  readonly key: string;
}

type Operation = { -readonly [K in keyof TimedOperation<State>]: TimedOperation<State>[K] };

/** All that happened to a block: `0` is what nobody has written. */
class History {
  readonly #blocks: Operation[][] = Array.from({ length: BLOCKS }, () => []);
  #order = 0;

  tick(): number {
    return ++this.#order;
  }

  /** Ends with `ended`, or nobody knows. */
  write(first: number, count: number, tag: number): { ended(): void } {
    const calledAt = this.tick();
    const operations = Array.from({ length: count }, (_, i): Operation => {
      const operation = {
        calledAt,
        returnedAt: Number.POSITIVE_INFINITY,
        changes: true,
        step: () => ({ key: String(tag) }),
      };
      this.#blocks[first + i]!.push(operation);
      return operation;
    });
    return {
      ended: () => {
        const returnedAt = this.tick();
        for (const operation of operations) operation.returnedAt = returnedAt;
      },
    };
  }

  read(first: number, tags: readonly number[], calledAt: number, returnedAt: number): void {
    for (const [i, tag] of tags.entries()) {
      const step = (before: State) => (before.key === String(tag) ? before : undefined);
      this.#blocks[first + i]!.push({ calledAt, returnedAt, changes: false, step });
    }
  }

  verdicts(): string[] {
    return this.#blocks.map((operations) =>
      searchLinearizations({
        from: { key: '0' },
        operations,
        budget: new StepBudget(MAX_STEPS),
        onEnding: () => false,
      }),
    );
  }
}

/** A program that has the image open. */
class ImageUser implements Daemon<Message> {
  readonly rados: Rados;
  readonly #sleeper: Sleeper;
  readonly #world: World<Message>;
  readonly #onOpen: (image: WritableImage) => void;
  readonly #onFailure: () => void;

  constructor(rados: Rados, world: World<Message>, onOpen: (image: WritableImage) => void, onFailure: () => void) {
    this.rados = rados;
    this.#world = world;
    this.#sleeper = new Sleeper(world.clock, 'image');
    this.#onOpen = onOpen;
    this.#onFailure = onFailure;
  }

  get auth() {
    return this.rados.auth;
  }

  start(): void {
    this.#open().then(this.#onOpen, this.#onFailure);
  }

  handle(event: WorldEvent<Message>): void {
    if (event.kind === 'timer' && event.name === 'image') this.#sleeper.onTimer();
    else this.rados.handle(event);
  }

  async #open(): Promise<WritableImage> {
    await this.rados.connect();
    const sleep = (us: number) => this.#sleeper.sleep(us);
    const world = { sleep, randomBytes: (count: number) => this.#world.crypto.randomBytes(count) };
    return await WritableImage.open(this.rados, await this.rados.ioctx(POOL), IMAGE, world);
  }
}

/** A machine on which one runs, again and again. */
class Place {
  readonly process: SimProcess;
  image: WritableImage | undefined;
  #onGone: (() => void)[] = [];
  #current: unknown;

  constructor(lab: Lab, name: string) {
    lab.cluster.addTools(name, (world, monAddrs, auth) => {
      this.#current = world;
      const rados = new Rados(world, { monAddrs, auth, fsid: lab.cluster.fsid });
      const opened = (image: WritableImage) => {
        if (this.#current === world) this.image = image;
      };
      const failed = () => {
        if (this.#current === world) this.process.restart(SECOND);
      };
      return new ImageUser(rados, world, opened, failed);
    });
    this.process = lab.simulation.processes.at(-1)!;
    lab.simulation.onProcessExit((process) => {
      if (process !== this.process) return;
      this.image = undefined;
      this.#current = undefined;
      for (const told of this.#onGone.splice(0)) told();
    });
  }

  /** Whether it was done. One that was taken for dead begins anew. */
  async attempt(work: (image: WritableImage) => Promise<void>): Promise<boolean> {
    const gone = new Promise<boolean>((resolve) => this.#onGone.push(() => resolve(false)));
    const done = work(this.image!).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof RadosError)) throw error;
        if (error.code === Errno.ESHUTDOWN) this.process.restart(SECOND);
        return false;
      },
    );
    return await Promise.race([done, gone]);
  }
}

function tagsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / BLOCK }, (_, block) => {
    const tag = view.getUint32(block * BLOCK);
    for (let at = 0; at < BLOCK; at += 4) expect(view.getUint32(block * BLOCK + at)).toBe(tag);
    return tag;
  });
}

function tagged(count: number, tag: number): Uint8Array {
  const bytes = new Uint8Array(count * BLOCK);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 4) view.setUint32(at, tag);
  return bytes;
}

test.each(seeds)(
  'an image with several writers is as if there were one (seed %i)',
  async (seed) => {
    const spec = checkScenario({
      name: 'images',
      cluster: { mons: 1, osds: 4, mgrs: 0, clients: 1, options: { osd_client_watch_timeout: 15 } },
      pools: [{ name: POOL, pgNum: 4 }],
      workloads: [{ kind: 'objects', objects: 1, pace: { kind: 'closed', workers: 0 } }],
      checkOneIn: 1000,
    });
    const lab = new Lab(spec, seed);
    expect(lab.boot()).toBeUndefined();
    const { simulation, injector } = lab;
    const random = simulation.random('images');
    const tools = lab.cluster.addTools(
      'tools',
      (world, monAddrs, auth) => new Rados(world, { monAddrs, auth, fsid: lab.cluster.fsid }),
    );
    await settle(lab, tools.connect());
    const io = await tools.ioctx(POOL);
    const made = { size: BLOCKS * BLOCK, order: ORDER };
    const id = await settle(
      lab,
      createImage(io, IMAGE, made, {
        randomBytes: (count) => Uint8Array.from({ length: count }, () => random.below(256)),
      }),
    );

    const places = Array.from({ length: CLIENTS }, (_, i) => new Place(lab, `image${i}`));
    const history = new History();
    const snapshots: { name: string; calledAt: number; returnedAt: number }[] = [];
    const count = { writes: 0, reads: 0, snapshots: 0, unknown: 0 };
    let tags = 0;
    const end = simulation.now + WORK_SECONDS * SECOND;
    const pause = () => new Promise<void>((resolve) => simulation.after(random.between(SECOND / 50, SECOND), resolve));

    const act = async (place: Place) => {
      const first = random.below(BLOCKS);
      const blocks = Math.min(BLOCKS - first, 1 + random.below(6));
      const kind = random.below(20);
      if (kind < 9) {
        const tag = ++tags;
        const write = history.write(first, blocks, tag);
        const isDone = await place.attempt((image) => image.write(first * BLOCK, tagged(blocks, tag)));
        if (isDone) write.ended();
        count[isDone ? 'writes' : 'unknown'] += 1;
      } else if (kind < 12) {
        const write = history.write(first, blocks, 0);
        if (await place.attempt((image) => image.discard(first * BLOCK, blocks * BLOCK))) write.ended();
      } else if (kind < 19) {
        const calledAt = history.tick();
        await place.attempt(async (image) => {
          const bytes = await image.read(first * BLOCK, blocks * BLOCK);
          history.read(first, tagsOf(bytes), calledAt, history.tick());
          count.reads += 1;
        });
      } else {
        const name = `s${++tags}`;
        const calledAt = history.tick();
        const isTaken = await place.attempt((image) => image.createSnapshot(name));
        if (isTaken) snapshots.push({ name, calledAt, returnedAt: history.tick() });
      }
    };
    let working = CLIENTS;
    const work = async (place: Place) => {
      while (simulation.now < end) {
        if (place.image) await act(place);
        await pause();
      }
      working -= 1;
    };
    for (const place of places) void work(place).catch((error) => simulation.addViolation(String(error)));
    const strike = () => {
      if (simulation.now >= end) return;
      const [fault, daemon, forUs] = random.pick([
        ['crash', `osd.${random.below(4)}`, random.between(SECOND, 5 * SECOND)],
        ['crash', random.pick(places).process.name, random.between(SECOND, 3 * SECOND)],
        ['hang', random.pick(places).process.name, random.between(SECOND, 30 * SECOND)],
      ] as const);
      injector.inject({ fault, daemons: [daemon] }, { forUs });
      simulation.after(random.between(5 * SECOND, 15 * SECOND), strike);
    };
    simulation.after(5 * SECOND, strike);
    expect(await runUntil(lab, () => working === 0, WORK_SECONDS + 300)).toBe(true);
    injector.heal();
    expect(await runUntil(lab, () => places.every(({ image }) => image), 120)).toBe(true);
    expect(simulation.violations).toEqual([]);

    const readAt = async (calledAt: number, returnedAt: () => number, snapshot?: string) => {
      const image = await Image.open(tools, io, IMAGE, snapshot);
      history.read(0, tagsOf(await image.read(0, image.size)), calledAt, returnedAt());
    };
    for (const { name, calledAt, returnedAt } of snapshots)
      await settle(
        lab,
        readAt(calledAt, () => returnedAt, name),
      );
    // The lock comes from whoever has it: what is under way is over.
    // The lock comes from whoever has it: what is under way is over.
    const writeAtLast = async (place: Place) => {
      for (;;) {
        const tag = ++tags;
        const write = history.write(0, 1, tag);
        if (place.image && (await place.attempt((image) => image.write(0, tagged(1, tag))))) return write.ended();
        await pause();
      }
    };
    for (const place of places) await settle(lab, writeAtLast(place));
    await settle(
      lab,
      readAt(history.tick(), () => history.tick()),
    );
    const verdicts = history.verdicts();
    expect(verdicts.filter((verdict) => verdict === 'impossible')).toEqual([]);
    expect(verdicts.filter((verdict) => verdict === 'undecided').length).toBeLessThan(BLOCKS / 4);
    expect(Math.min(count.writes, count.reads)).toBeGreaterThan(5);

    const map = decodeRbdBitVector(
      new Decoder(await settle(lab, io.exec(`rbd_object_map.${id}`, 'rbd', 'object_map_load'))),
    );
    for (let object = 0; object < map.size; object++) {
      const name = `rbd_data.${id}.${object.toString(16).padStart(16, '0')}`;
      const isThere = await settle(
        lab,
        io.stat(name).then(
          () => true,
          () => false,
        ),
      );
      if (isThere) expect(map.get(object), name).not.toBe(0);
    }
  },
  300_000,
);
