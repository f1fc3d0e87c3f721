import { readFileSync } from 'node:fs';
import { EMPTY, Encoder, utf8 } from '@spirula/encoding';
import { decodeMgrMap, encodeMgrMap } from '@spirula/maps';
import type { OsdOpReply } from '@spirula/messages';
import { ObjectOperation, Rados, RadosError } from '@spirula/rados';
import { beforeEach, expect, test } from 'vitest';
import { addrOf, FakeWorld } from './fake-world.ts';
import { MapHistory } from './osd-maps.ts';

const golden = (name: string) => new Uint8Array(readFileSync(new URL(`../golden/samples/${name}`, import.meta.url)));
const mgrMap = decodeMgrMap(golden('mgrmap.bin'));

let fake: FakeWorld;
let rados: Rados;
let mon: number;

beforeEach(() => {
  fake = new FakeWorld();
  rados = new Rados(fake.world, { monAddrs: [addrOf(3300)], connectTimeoutUs: 5_000_000, mgrTimeoutUs: 3_000_000 });
  fake.handler = (event) => rados.handle(event);
});

async function connect(): Promise<void> {
  const connected = rados.connect();
  mon = fake.lastDialled.session;
  fake.open(mon);
  fake.deliver(mon, { type: 'mon_map', monmap: golden('monmap.1mon.bin') });
  fake.deliver(mon, new MapHistory().full());
  await connected;
}

/** Answers the one request under way. */
function answer(result: number, output = EMPTY): void {
  const [sent] = fake.take('osd_op');
  const reply: OsdOpReply = {
    type: 'osd_op_reply',
    tid: sent!.tid,
    oid: sent!.oid,
    pgid: sent!.pgid,
    flags: 0,
    result,
    epoch: 5,
    ops: sent!.ops.map(({ code }) => ({ code, flags: 0, args: new Uint8Array(28), rval: result, output })),
    retry: sent!.retry,
    replayVersion: { epoch: 5, version: 9 },
    userVersion: 9,
  };
  fake.deliver(sent!.on, reply);
}

test('connect resolves with the maps, or rejects when no monitor answers in time', async () => {
  await connect();
  expect(rados.poolList()).toEqual(['rbd', 'data']);

  const other = new Rados(fake.world, { monAddrs: [addrOf(3300)], connectTimeoutUs: 5_000_000 });
  fake.handler = (event) => other.handle(event);
  const failed = expect(other.connect()).rejects.toMatchObject({ code: -110 });
  fake.advance(6);
  await failed;
});

test('a read resolves to its bytes, and an errno rejects', async () => {
  await connect();
  const io = await rados.ioctx('data');

  const read = io.read('greeting');
  answer(0, utf8('hello'));
  const missing = expect(io.stat('nothing')).rejects.toEqual(new RadosError(-2, 'nothing'));
  answer(-2);

  expect(await read).toEqual(utf8('hello'));
  await missing;
});

test('omap comes page by page', async () => {
  await connect();
  const io = await rados.ioctx('data');
  const page = (keys: readonly string[], more: boolean) => {
    const output = new Encoder();
    output.list(keys, (key) => output.rawString(key));
    output.bool(more);
    return output.finish();
  };

  const keys = io.omapGetKeys('index');
  answer(0, page(['a', 'b'], true));
  await Promise.resolve();
  await new Promise(setImmediate);
  answer(0, page(['c'], false));

  expect(await keys).toEqual(['a', 'b', 'c']);
});

test('a compound operation asks for what its parts need', () => {
  const operation = new ObjectOperation().create(true).setXattr('a', utf8('1')).stat();

  expect(operation.ops).toHaveLength(3);
  expect(operation.flags).toBe(0x30);
});

test('a pool that is in no map is ENOENT, once the newest map has been asked for', async () => {
  await connect();
  const failed = expect(rados.ioctx('nope')).rejects.toMatchObject({ code: -2 });
  const { handle, tid } = fake.take('mon_get_version')[0]!;

  fake.deliver(mon, { type: 'mon_get_version_reply', tid, handle, newest: 5, oldest: 1 });

  await failed;
});

test('a manager command waits for a manager, goes to its successor, and ends when there is none', async () => {
  await connect();
  const active = (port: number, epoch: number) =>
    encodeMgrMap({ ...mgrMap, epoch, available: true, activeAddrs: addrOf(port) });
  const first = rados.mgrCommand({ prefix: 'pg stat' });
  fake.deliver(mon, { type: 'mgr_map', mgrmap: active(6801, 900) });
  expect(fake.take('mgr_command')).toHaveLength(1);

  fake.deliver(mon, { type: 'mgr_map', mgrmap: active(6802, 901) });
  const [again] = fake.take('mgr_command');
  fake.deliver(again!.on, { type: 'mgr_command_reply', tid: again!.tid, code: 0, status: '', data: utf8('fine') });
  expect(await first).toMatchObject({ code: 0, data: utf8('fine') });

  fake.deliver(mon, { type: 'mgr_map', mgrmap: encodeMgrMap({ ...mgrMap, epoch: 902, available: false }) });
  const late = rados.mgrCommand({ prefix: 'pg stat' });
  fake.advance(4);
  expect(await late).toMatchObject({ code: -110, status: 'no manager is active' });
});

test('shutdown settles everything', async () => {
  await connect();
  const io = await rados.ioctx('data');
  const pending = [
    expect(io.read('greeting')).rejects.toMatchObject({ code: -108 }),
    expect(rados.monCommand({ prefix: 'status' })).resolves.toMatchObject({ code: -108 }),
    expect(rados.mgrCommand({ prefix: 'pg stat' })).resolves.toMatchObject({ code: -108 }),
    expect(rados.clusterStats()).rejects.toMatchObject({ code: -108 }),
  ];

  rados.shutdown();

  await Promise.all(pending);
  expect(fake.armed).toEqual([]);
});
