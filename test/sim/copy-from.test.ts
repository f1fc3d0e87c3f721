/** Objects that OSDs copy, each reading the other's as a client does. */
import { type Bytes, crc32c, Errno, type RawString, utf8 } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, Rados, RadosError } from '@spirula/rados';
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import { SECOND } from '@spirula/world';
import { beforeEach, describe, expect, test } from 'vitest';

let lab: Lab;
let rados: Rados;
let io: IoCtx;

/** Lets time pass until a promise is settled. */
async function settle<T>(promise: Promise<T>, withinSeconds = 60): Promise<T> {
  let isSettled = false;
  const done = () => {
    isSettled = true;
  };
  promise.then(done, done);
  const { simulation } = lab;
  const deadline = simulation.now + withinSeconds * SECOND;
  while (!isSettled && simulation.now < deadline) await simulation.runWithPromises(simulation.now + SECOND / 10);
  expect(isSettled, 'it is answered').toBe(true);
  return promise;
}

async function codeOf(promise: Promise<unknown>): Promise<number> {
  try {
    await settle(promise);
    return 0;
  } catch (error) {
    if (error instanceof RadosError) return error.code;
    throw error;
  }
}

beforeEach(async () => {
  const spec = checkScenario({
    name: 'copies',
    cluster: { osds: 5, mgrs: 0, clients: 1, options: { mon_osd_min_down_reporters: 1, osd_heartbeat_grace: 6 } },
    pools: [{ name: 'data', pgNum: 16 }],
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
});

/** More than one read brings. */
const LARGE = Uint8Array.from({ length: 9 << 20 }, (_, i) => (i * 31 + (i >> 8)) & 255);
const OMAP = new Map(Array.from({ length: 2500 }, (_, i) => [`key${i}`, utf8(`value ${i}`)] as const));

async function make(name: RawString, io_: IoCtx = io): Promise<void> {
  const operation = new ObjectOperation()
    .writeFull(LARGE)
    .setXattr('colour', utf8('red'))
    .omapSetHeader(utf8('header'))
    .omapSet(OMAP);
  await settle(io_.operate(name, operation));
}

function sumOf(data: Bytes): string {
  return `${data.length} bytes, ${crc32c(data, 0)}`;
}

async function contentOf(name: RawString, io_: IoCtx = io) {
  const [data, stat, xattrs, header, omap] = await settle(
    Promise.all([io_.read(name), io_.stat(name), io_.listXattrs(name), io_.omapGetHeader(name), io_.omapGetAll(name)]),
  );
  return { data: sumOf(data), stat, xattrs, header, omap };
}

describe('a copy', () => {
  test('is like its source in data, xattrs, omap, time and user version, whatever was there', async () => {
    await make('source');
    await settle(io.operate('copy', new ObjectOperation().append(utf8('old')).setXattr('shape', utf8('round'))));
    lab.simulation.runFor(5 * SECOND);
    await settle(io.copy('source', 'copy'));

    const copy = await contentOf('copy');
    expect(copy).toEqual(await contentOf('source'));
    expect([copy.omap.size, copy.data]).toEqual([2500, sumOf(LARGE)]);
    const version = async (name: RawString) =>
      (await settle(io.operate(name, new ObjectOperation().stat()))).userVersion;
    expect(await version('copy')).toBe(await version('source'));
  });

  test('may be of another namespace, and part of a larger operation', async () => {
    const elsewhere = io.with({ nspace: 'elsewhere' });
    await settle(elsewhere.writeFull('source', utf8('text')));
    const { pool } = lab.cluster;
    const operation = new ObjectOperation()
      .copyFrom('source', { pool, key: '', nspace: 'elsewhere', hash: -1n })
      .append(utf8(' and more'));
    await settle(io.operate('copy', operation));

    expect((await contentOf('copy')).data).toBe(sumOf(utf8('text and more')));
  });

  test('is refused of what is not there, of itself, of another version, and of no pool', async () => {
    for (const text of ['first', 'text']) await settle(io.writeFull('source', utf8(text)));
    await settle(io.writeFull('copy', utf8('old')));
    const { userVersion } = await settle(io.operate('source', new ObjectOperation().stat()));
    const from = (name: RawString, version = 0, pool = lab.cluster.pool) =>
      codeOf(
        io.operate('copy', new ObjectOperation().copyFrom(name, { pool, key: '', nspace: '', hash: -1n }, version)),
      );

    expect(await from('nothing')).toBe(Errno.ENOENT);
    expect(await from('copy')).toBe(Errno.EINVAL);
    expect(await from('source', 0, 99)).toBe(Errno.ENOENT);
    expect(await from('source', userVersion - 1)).toBe(Errno.ERANGE);
    expect(await from('source', userVersion + 1)).toBe(Errno.EOVERFLOW);
    expect((await contentOf('copy')).data).toBe(sumOf(utf8('old')));
    expect(await from('source', userVersion)).toBe(0);
    expect((await contentOf('copy')).data).toBe(sumOf(utf8('text')));
  });

  test('waits for no other that copies crosswise', async () => {
    for (const name of ['a', 'b']) await settle(io.writeFull(name, utf8(name)));
    const copies = [io.copy('a', 'b'), io.copy('b', 'a'), io.copy('a', 'b'), io.copy('b', 'a')];
    await settle(Promise.all(copies));

    const [a, b] = [(await contentOf('a')).data, (await contentOf('b')).data];
    const either = ['a', 'b'].map((text) => sumOf(utf8(text)));
    expect(either).toContain(a);
    expect(either).toContain(b);
  });

  test.each(['source', 'copy'])('is made though the primary of its %s dies meanwhile', async (name) => {
    await make('source');
    const [primary] = lab.cluster.actingFor(name);
    const copied = settle(io.copy('source', 'copy'), 120);
    lab.injector.inject({ fault: 'crash', daemons: [primary!.process.name] }, { forUs: 20 * SECOND });
    await copied;

    expect(await contentOf('copy')).toEqual(await contentOf('source'));
    expect(lab.simulation.violations).toEqual([]);
  });
});
