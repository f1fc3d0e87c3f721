/** Parts of a manager have OSDs count, and are told what comes of it. */
import { readFileSync } from 'node:fs';
import { decodeMgrMap, encodeMgrMap } from '@spirula/maps';
import { type ImagePerf, NO_OSD_PERF } from '@spirula/messages';
import { Mgr, type MgrModule, type MgrServices } from '@spirula/mgr';
import { beforeEach, expect, test } from 'vitest';
import { addrOf, FakeWorld } from '../client/fake-world.ts';
import { MapHistory } from '../client/osd-maps.ts';

const sample = decodeMgrMap(new Uint8Array(readFileSync(new URL('../golden/samples/mgrmap.bin', import.meta.url))));
const QUERY = { pool: 3, namespace: undefined, maxImages: 9 };

let fake: FakeWorld;
let history: MapHistory;
let mon: number;
let gid: bigint;
let services: MgrServices;

const part: MgrModule = {
  name: 'part',
  commands: [],
  authenticationOf: () => undefined,
  becomeActive: (given) => {
    services = given;
  },
  becomeStandby: () => {},
  shutdown: () => {},
  handle: () => false,
};

beforeEach(() => {
  fake = new FakeWorld();
  history = new MapHistory();
  const mgr = new Mgr(fake.world, { name: 'x', fsid: history.map.fsid, monAddrs: [addrOf(3300)], modules: [part] });
  fake.handler = (event) => mgr.handle(event);
  mgr.start();
  mon = fake.lastDialled.session;
  fake.open(mon);
  gid = fake.take('mgr_beacon')[0]!.gid;
  nameActive(gid, 100);
  fake.deliver(mon, history.full());
});

function nameActive(activeGid: bigint, epoch: number): void {
  const map = { ...sample, epoch, activeGid, activeName: 'x', available: true };
  fake.deliver(mon, { type: 'mgr_map', mgrmap: encodeMgrMap(map) });
}

/** A session from an OSD, which says that it reports here. */
function open(osd: number, addrs = history.map.clientAddrs[osd]!): number {
  const session = 100 + osd;
  const peer = { entity: { type: 'osd', id: String(osd) }, addrs, globalId: 0n } as const;
  fake.handler({ kind: 'accepted', session, endpoint: 'public', peer });
  fake.deliver(session, { type: 'mgr_open', entity: peer.entity });
  return session;
}

const image = (writeOps: number, id = 'abc'): ImagePerf => ({
  ...{ pool: 3, namespace: '', id, counters: { ...NO_OSD_PERF, writeOps } },
});

function report(session: number, query: number, ...images: readonly ImagePerf[]): void {
  fake.deliver(session, { type: 'osd_perf_reports', reports: [{ query, images }] });
}

test('OSDs are told what to count when it changes, and when they come', () => {
  const first = open(0);
  expect(fake.take('mgr_configure')).toEqual([]);
  const id = services.perf.add(QUERY);
  const second = open(1);
  services.perf.remove(id);

  const told = fake.take('mgr_configure').map(({ on, perfQueries }) => [on, perfQueries]);
  expect(told).toEqual([
    [first, [{ ...QUERY, id }]],
    [second, [{ ...QUERY, id }]],
    [first, []],
    [second, []],
  ]);
});

test('what all OSDs report is added up, until somebody takes it', () => {
  const [first, second] = [open(0), open(1)];
  const [id, other] = [services.perf.add(QUERY), services.perf.add(QUERY)];
  report(first, id, image(1), image(2, 'def'));
  report(second, id, image(10));
  report(first, id, image(100));
  report(first, other, image(7));
  report(first, 99, image(7));

  expect(services.perf.take(id)).toEqual([image(111), image(2, 'def')]);
  expect(services.perf.take(id)).toEqual([]);
  expect(services.perf.take(other)).toEqual([image(7)]);
});

test('nobody is believed whom the map does not show at his address', () => {
  const stranger = open(0, addrOf(9999));
  const id = services.perf.add(QUERY);
  report(stranger, id, image(1));

  expect(services.perf.take(id)).toEqual([]);
});

test('a manager that was active before has OSDs count nothing when it is again', () => {
  open(0);
  const id = services.perf.add(QUERY);
  fake.take('mgr_configure');
  nameActive(gid + 1n, 101);
  nameActive(gid, 102);
  open(0);

  expect(fake.take('mgr_configure')).toEqual([]);
  expect(services.perf.take(id)).toEqual([]);
});
