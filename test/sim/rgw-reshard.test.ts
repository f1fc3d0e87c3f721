/** What gateways do with indexes beside requests: they get more shards by themselves, and are closed while their bucket goes. */
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { GatewayPlace } from '../../sim/scenarios/src/gateways/gateway-place.ts';

const OBJECTS = 60;
const RACES = 20;

function openLab(options: Readonly<Record<string, number>> = {}) {
  const lab = new Lab(
    checkScenario({
      name: 'indexes',
      cluster: { mons: 1, osds: 3, mgrs: 0, clients: 1, options, network: { latencyUs: [100, 2000] } },
      pools: [{ name: 'data', pgNum: 4 }],
      workloads: [{ kind: 'objects', objects: 1, pace: { kind: 'closed', workers: 0 } }],
    }),
    1,
  );
  expect(lab.boot()).toBeUndefined();
  const { simulation } = lab;
  const until = async (isDone: () => boolean, withinSeconds = 120) => {
    const deadline = simulation.now + withinSeconds * SECOND;
    while (!isDone() && simulation.now < deadline) await simulation.runWithPromises(simulation.now + SECOND / 50);
    expect([isDone(), simulation.violations]).toEqual([true, []]);
  };
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    let isSettled = false;
    const done = () => {
      isSettled = true;
    };
    promise.then(done, done);
    await until(() => isSettled);
    return await promise;
  };
  return { lab, simulation, until, settle };
}

test('of a bucket that is removed while an object is written into it, the object stays or the write fails', async () => {
  const { lab, simulation, until, settle } = openLab();
  const places = [new GatewayPlace(lab.cluster, 'rgw0'), new GatewayPlace(lab.cluster, 'rgw1')] as const;
  await until(() => places.every(({ gateway }) => gateway));
  const random = simulation.random('races');
  const outcomes = new Set<string>();
  for (let i = 0; i < RACES; i++) {
    const target = `/race-${i}`;
    expect((await settle(places[0].ask({ method: 'PUT', target })))?.status).toBe(200);
    const put = async () => {
      await new Promise<void>((resolve) => simulation.after(random.between(1, SECOND / 20), resolve));
      return await places[1].ask({ method: 'PUT', target: `${target}/k`, body: Buffer.from('k') });
    };
    const [removed, written] = await settle(Promise.all([places[0].ask({ method: 'DELETE', target }), put()]));
    outcomes.add(`${removed?.status} ${written?.status}`);
    const read = await settle(places[0].ask({ method: 'GET', target: `${target}/k` }));
    expect([i, read?.status]).toEqual([i, written?.status]);
  }

  // Removed first, or written first; never both.
  expect([...outcomes].sort()).toEqual(['204 404', '409 200']);
}, 120_000);

test('a bucket whose shards have too many objects is resharded by one of its gateways', async () => {
  const { lab, simulation, until, settle } = openLab({
    rgw_max_objs_per_shard: 5,
    rgw_user_quota_bucket_sync_interval: 5,
    rgw_reshard_thread_interval: 10,
  });
  const places = [new GatewayPlace(lab.cluster, 'rgw0'), new GatewayPlace(lab.cluster, 'rgw1')];
  await until(() => places.every(({ gateway }) => gateway));
  const [one, other] = places;
  expect((await settle(one!.ask({ method: 'PUT', target: '/grows' })))?.status).toBe(200);
  const shards = async () => {
    const bucket = await settle(other!.gateway!.store.buckets.load('', 'grows'));
    return bucket!.info.layout.current.shards.count;
  };
  const before = await shards();
  const names = Array.from({ length: OBJECTS }, (_, i) => `object-${String(i).padStart(2, '0')}`);
  const put = (name: string) => settle(one!.ask({ method: 'PUT', target: `/grows/${name}`, body: Buffer.from(name) }));
  // As many as the shards may have, so far.
  for (const name of names.slice(0, 5 * before)) expect((await put(name))?.status).toBe(200);
  const end = simulation.now + 60 * SECOND;
  await until(() => simulation.now >= end);
  expect([before, await shards()]).toEqual([11, 11]);

  for (const name of names.slice(5 * before)) expect((await put(name))?.status).toBe(200);
  let count = before;
  const deadline = simulation.now + 120 * SECOND;
  while (count === before && simulation.now < deadline) {
    const next = simulation.now + SECOND;
    await until(() => simulation.now >= next);
    count = await shards();
  }

  // Twice as many as are needed, and a prime: 60 * 2 / 5 are 24.
  expect(count).toBe(29);
  const { body } = (await settle(other!.ask({ method: 'GET', target: '/grows?max-keys=1000' })))!;
  expect(
    [
      ...Buffer.from(body)
        .toString()
        .matchAll(/<Key>([^<]*)</g),
    ].map(([, name]) => name),
  ).toEqual(names);
});
