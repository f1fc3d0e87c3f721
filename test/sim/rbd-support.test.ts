/** What the manager does for images as time passes: tasks that failed are tried again, the trash is emptied at set times, after a restart too. */
import { MirrorPeerDirection } from '@spirula/cls';
import {
  addMirrorPeer,
  commitMigration,
  createImage,
  createNamespace,
  demoteImage,
  Image,
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
import { expect, test } from 'vitest';
import { POOL, Trial } from './rbd-support-trial.ts';

/** Of an image's objects. */
const ORDER = 12;
const OBJECT = 2 ** ORDER;
const SIZE = 100 * OBJECT;

type Place = Parameters<typeof commitMigration>[1];

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
    await trial.done(image.write(0, new Uint8Array(SIZE).fill(7)));
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
