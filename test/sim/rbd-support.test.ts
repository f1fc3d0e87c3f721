/** What the manager does for images as time passes: tasks that failed are tried again, the trash is emptied at set times, after a restart too. */
import { MirrorPeerDirection } from '@spirula/cls';
import type { Message } from '@spirula/messages';
import { Rados } from '@spirula/rados';
import {
  addMirrorPeer,
  commitMigration,
  createImage,
  createNamespace,
  demoteImage,
  Image,
  type ImageWorld,
  initPool,
  listTrash,
  MirrorImageMode,
  MirrorMode,
  mirrorImage,
  moveToTrash,
  prepareMigration,
  removeNamespace,
  setMirrorMode,
  WritableImage,
} from '@spirula/rbd';
import { RbdSupport, type RbdSupportOptions } from '@spirula/rbd-support';
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import type { SimProcess } from '@spirula/sim-world';
import { type Authentication, type Clock, type Daemon, SECOND, type World, type WorldEvent } from '@spirula/world';
import { expect, test } from 'vitest';
import { runUntil, settle } from './lab-time.ts';

const POOL = 'data';
/** Of an image's objects. */
const ORDER = 12;
const OBJECT = 2 ** ORDER;
const SIZE = 200 * OBJECT;

type Place = Parameters<typeof commitMigration>[1];

/** The module without a manager around it. */
class ModuleHost implements Daemon<Message> {
  readonly module: RbdSupport;
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
    this.module.becomeActive();
  }

  handle(event: WorldEvent<Message>): void {
    if (event.kind === 'terminate') {
      this.module.shutdown();
      this.#world.lifecycle.stop('asked to stop');
    } else expect(this.module.handle(event)).toBe(true);
  }
}

class Trial {
  readonly lab: Lab;
  readonly world: ImageWorld;
  readonly #tools: Rados;
  readonly #process: SimProcess;
  #module: RbdSupport | undefined;
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
      const host = new ModuleHost(world, { rados: { monAddrs, auth } });
      this.#module = host.module;
      return host;
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

  restart(): void {
    this.#process.restart(SECOND);
  }

  /** What a command of the module answers, once it is ready. */
  async ask(prefix: string, args: Readonly<Record<string, string>> = {}): Promise<string> {
    for (let tries = 0; tries < 60; tries++) {
      const { run } = this.#module!.commands.find(
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

test('the trash is emptied of what may go, at set times, also by a manager that was started since', async () => {
  const trial = new Trial(1);
  const { world } = trial;
  const rados = await trial.start();
  const io = await trial.io();
  await trial.done(createNamespace(io, 'ns'));
  const inner = await trial.io('ns');
  const trash = async () => (await trial.done(listTrash(io))).map(({ name }) => name);
  const discard = async (name: string, deferSeconds: number, place = io) => {
    await trial.done(createImage(place, name, { size: 1 << 20 }, world));
    await trial.done(moveToTrash(rados, place, name, deferSeconds, world));
  };
  await discard('kept', 3600);
  await discard('first', 0);
  await discard('inner', 0, inner);

  await trial.ask('trash purge schedule add', { level_spec: `${POOL}/`, interval: '1m' });
  const { scheduled } = JSON.parse(await trial.ask('trash purge schedule status'));
  expect(scheduled).toMatchObject([
    { namespace: '', pool_name: POOL },
    { namespace: 'ns', pool_name: POOL },
  ]);
  expect(await trash()).toContain('first');
  await trial.pass(70);
  expect(await trash()).toEqual(['kept']);
  expect(await trial.done(listTrash(inner))).toEqual([]);

  await discard('second', 0);
  trial.restart();
  await trial.pass(80);
  expect(await trash()).toEqual(['kept']);

  await discard('third', 0);
  await trial.ask('trash purge schedule remove', { level_spec: `${POOL}/`, interval: '1m' });
  await trial.pass(130);
  expect((await trash()).sort()).toEqual(['kept', 'third']);
});

test('schedules of what is no more are forgotten', async () => {
  const trial = new Trial(2);
  await trial.start();
  const io = await trial.io();
  await trial.done(createNamespace(io, 'ns'));
  await trial.ask('trash purge schedule add', { level_spec: `${POOL}/ns/`, interval: '1d' });
  await trial.ask('trash purge schedule add', { level_spec: '', interval: '2h', start_time: '12:00' });
  const list = async () => Object.keys(JSON.parse(await trial.ask('trash purge schedule list')));

  expect((await list()).sort()).toEqual(['', `${io.pool}/ns`]);
  await trial.done(removeNamespace(io, 'ns'));
  await trial.pass(70);
  expect(await list()).toEqual(['']);
  expect(await trial.done(io.omapGetKeys('rbd_trash_purge_schedule'))).toEqual([]);
});

test('a task that failed is tried again until it is done, also by a manager that was started since', async () => {
  const trial = new Trial(3);
  await trial.start();
  const io = await trial.io();
  const tasks = async () => JSON.parse(await trial.ask('task list'));
  for (const name of ['first', 'second']) {
    const id = await trial.done(createImage(io, name, { size: 1 << 20 }, trial.world));
    const watch = await trial.done(io.watch(`rbd_header.${id}`, { onNotify: () => undefined }));
    await trial.ask('task add remove', { image_spec: `${POOL}/${name}` });
    await trial.pass(3);
    expect(await tasks()).toMatchObject([{ retry_attempts: 1, retry_message: expect.stringContaining('busy') }]);
    await trial.pass(32);
    expect(await tasks()).toMatchObject([{ retry_attempts: 2 }]);

    await trial.done(watch.unwatch());
    if (name === 'second') trial.restart();
    await trial.pass(name === 'second' ? 20 : 75);
    expect(await tasks()).toEqual([]);
  }
});

test('a migration comes to its end, though it was cut short or is taken back meanwhile', async () => {
  const trial = new Trial(5);
  const { world } = trial;
  const rados = await trial.start();
  const io = await trial.io();
  const tasks = async () => JSON.parse(await trial.ask('task list'));
  const write = async (name: string) => {
    const image = await trial.done(WritableImage.open(rados, io, name, world));
    for (let offset = 0; offset < SIZE; offset += OBJECT)
      await trial.done(image.write(offset, new Uint8Array(OBJECT).fill(7)));
    await trial.done(image.close());
  };
  for (const ending of ['cut short', 'taken back']) {
    const [from, to] = [`old ${ending}`, `new ${ending}`].map((name) => ({ io, name })) as [Place, Place];
    await trial.done(createImage(io, from.name, { size: SIZE, order: ORDER }, world));
    await write(from.name);
    await trial.done(prepareMigration(rados, from, to, { order: ORDER, isFlat: false }, world));
    await trial.ask('task add migration execute', { image_spec: `${POOL}/${from.name}` });
    await trial.pass(20);
    expect(await tasks()).toEqual([]);

    if (ending === 'cut short') {
      const committing = commitMigration(rados, to, world, () => {
        throw new Error(ending);
      });
      await expect(trial.done(committing)).rejects.toThrow(ending);
      expect(await trial.done(listTrash(io))).toHaveLength(1);
      await trial.ask('task add migration commit', { image_spec: `${POOL}/${from.name}` });
    } else {
      const { id } = JSON.parse(await trial.ask('task add migration commit', { image_spec: `${POOL}/${to.name}` }));
      while (((await tasks())[0]?.progress ?? 0) === 0) await trial.pass(0.02);
      await trial.ask('task cancel', { task_id: id });
    }
    await trial.pass(20);

    expect(await tasks()).toEqual([]);
    expect(await trial.done(listTrash(io))).toEqual([]);
    const image = await trial.done(Image.open(rados, io, to.name));
    expect(image.migration).toBeUndefined();
    expect((await trial.done(image.read(SIZE - OBJECT, OBJECT))).every((byte) => byte === 7)).toBe(true);
  }
});

test('mirrored images get snapshots for their mirrors at set times, those of others do not', async () => {
  const trial = new Trial(4);
  const rados = await trial.start();
  const io = await trial.io();
  const scene = { rados, io, world: trial.world };
  await trial.done(setMirrorMode(scene, MirrorMode.image));
  await trial.done(
    addMirrorPeer(io, { direction: MirrorPeerDirection.rxTx, siteName: 'far', clientName: 'client.far' }, trial.world),
  );
  const make = async (name: string) => {
    const id = await trial.done(createImage(io, name, { size: 1 << 20 }, trial.world));
    await trial.done(
      mirrorImage(scene, (await trial.done(Image.openId(rados, io, id))).header, MirrorImageMode.snapshot),
    );
    return id;
  };
  const [own, others] = [await make('own'), await make('others')];
  await trial.done(demoteImage(scene, others));
  const newest = async (id: string) => (await trial.done(Image.openId(rados, io, id))).header.snapshots[0]!.id;
  const before = [await newest(own), await newest(others)];

  await trial.ask('mirror snapshot schedule add', { level_spec: `${POOL}/`, interval: '1m' });
  const { scheduled_images } = JSON.parse(await trial.ask('mirror snapshot schedule status'));
  expect(scheduled_images).toMatchObject([{ image: `${POOL}/own` }]);
  await trial.pass(70);

  expect(await newest(own)).toBeGreaterThan(before[0]!);
  expect(await newest(others)).toBe(before[1]);
});
