/** A pool that has used up its quota: who asks is told, who does not waits, and what takes away goes on. */
import { Errno, utf8 } from '@spirula/encoding';
import { PoolFlag } from '@spirula/maps';
import { OsdFlag } from '@spirula/messages';
import { type IoCtx, ObjectOperation, Rados } from '@spirula/rados';
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import { SECOND } from '@spirula/world';
import { beforeEach, expect, test } from 'vitest';

let lab: Lab;
let rados: Rados;
let io: IoCtx;

async function settle<T>(promise: Promise<T>, withinSeconds = 60): Promise<T> {
  let isSettled = false;
  const done = () => {
    isSettled = true;
  };
  promise.then(done, done);
  const deadline = lab.simulation.now + withinSeconds * SECOND;
  while (!isSettled && lab.simulation.now < deadline) {
    await lab.simulation.runWithPromises(lab.simulation.now + SECOND / 10);
  }
  expect(isSettled, 'it is answered').toBe(true);
  return promise;
}

const isFull = () => (lab.cluster.osdMap!.pools.get(lab.cluster.pool)!.flags & PoolFlag.full) !== 0n;

async function setQuota(objects: number): Promise<void> {
  const command = { prefix: 'osd pool set-quota', pool: 'data', field: 'max_objects', val: String(objects) };
  expect(await settle(rados.monCommand(command))).toMatchObject({ code: 0 });
  const deadline = lab.simulation.now + 60 * SECOND;
  while (isFull() !== objects > 0 && lab.simulation.now < deadline) {
    await lab.simulation.runWithPromises(lab.simulation.now + SECOND);
  }
  expect(isFull()).toBe(objects > 0);
}

beforeEach(async () => {
  const spec = checkScenario({
    name: 'quota',
    cluster: { osds: 3, mgrs: 1, clients: 1 },
    pools: [{ name: 'data', pgNum: 8 }],
    workloads: [{ kind: 'objects', objects: 1, pace: { kind: 'closed', workers: 0 } }],
  });
  lab = new Lab(spec, 1);
  expect(lab.boot()).toBeUndefined();
  rados = lab.cluster.addTools(
    'admin',
    (world, monAddrs, auth) => new Rados(world, { monAddrs, auth, fsid: lab.cluster.fsid }),
  );
  await settle(rados.connect());
  io = await settle(rados.ioctx(lab.cluster.pool));
  for (const name of ['a', 'b', 'c']) await settle(io.writeFull(name, utf8('text')));
});

test('writes that try are refused with EDQUOT while the pool is full, and no longer', async () => {
  const trying = io.with({ flags: OsdFlag.fullTry });
  await setQuota(2);
  const result = async (oid: string, operation: ObjectOperation) =>
    (await settle(trying.submit(oid, operation))).result;

  expect(await result('new', new ObjectOperation().writeFull(utf8('x')))).toBe(Errno.EDQUOT);
  expect(await result('a', new ObjectOperation().append(utf8('x')))).toBe(Errno.EDQUOT);
  // These add nothing.
  expect(await result('a', new ObjectOperation().writeFull(utf8('TEXT')))).toBe(0);
  expect(await result('a', new ObjectOperation().setXattr('x', utf8('1')))).toBe(0);
  await setQuota(0);
  expect(await result('new', new ObjectOperation().writeFull(utf8('x')))).toBe(0);
});

test('removals go on, as with librados; other writes wait until the quota is lifted', async () => {
  await setQuota(2);
  await settle(io.remove('b'));
  let isWritten = false;
  const written = io.writeFull('new', utf8('x')).then(() => {
    isWritten = true;
  });
  await lab.simulation.runWithPromises(lab.simulation.now + 20 * SECOND);
  expect(isWritten).toBe(false);
  expect(await settle(io.read('a'))).toEqual(utf8('text'));

  await setQuota(0);
  await settle(written);
});
