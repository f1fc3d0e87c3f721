import { readFileSync } from 'node:fs';
import { EMPTY, fromUtf8 } from '@spirula/encoding';
import { decodeMgrMap, decodeMonMap, encodeMgrMap, encodeMonMap } from '@spirula/maps';
import type { LogMessage, MgrCommandReply, OsdStat } from '@spirula/messages';
import { Mgr } from '@spirula/mgr';
import { beforeEach, describe, expect, test } from 'vitest';
import { addrOf, FakeWorld } from '../client/fake-world.ts';
import { MapHistory } from '../client/osd-maps.ts';
import { noObjects, reportOf } from './pg-stats.ts';

const sample = decodeMgrMap(new Uint8Array(readFileSync(new URL('../golden/samples/mgrmap.bin', import.meta.url))));
const monMap = decodeMonMap(
  new Uint8Array(readFileSync(new URL('../golden/samples/monmap.1mon.bin', import.meta.url))),
);
const CLIENT = 500;

let fake: FakeWorld;
let history: MapHistory;
let mgr: Mgr;
let mon: number;
let gid: bigint;

beforeEach(() => {
  fake = new FakeWorld();
  history = new MapHistory();
  mgr = new Mgr(fake.world, { name: 'x', fsid: history.map.fsid, monAddrs: [addrOf(3300)] });
  fake.handler = (event) => mgr.handle(event);
  mgr.start();
  mon = fake.lastDialled.session;
  fake.open(mon);
  gid = fake.take('mgr_beacon')[0]!.gid;
  fake.handler({
    kind: 'accepted',
    session: CLIENT,
    endpoint: 'public',
    peer: { entity: { type: 'client', id: 'admin' }, addrs: [], globalId: 1n },
  });
});

function nameActive(activeGid: bigint, epoch = 100): void {
  const map = { ...sample, epoch, activeGid, activeName: 'x', available: true };
  fake.deliver(mon, { type: 'mgr_map', mgrmap: encodeMgrMap(map) });
}

/** Makes it active with the first OSDMap. */
function activate(): void {
  nameActive(gid);
  fake.deliver(mon, history.full());
}

/** Time in which the monitor is heard. */
function passTime(seconds: number): void {
  for (let passed = 0; passed < seconds; passed += 5) {
    fake.advance(5);
    fake.deliver(mon, { type: 'ping' });
  }
}

/** A session from an OSD, from its own address. */
function acceptOsd(osd: number, addrs = history.map.clientAddrs[osd]!): number {
  const session = 100 + osd;
  const peer = { entity: { type: 'osd', id: String(osd) }, addrs, globalId: 0n } as const;
  fake.handler({ kind: 'accepted', session, endpoint: 'public', peer });
  return session;
}

function reportAll(): void {
  for (const osd of [0, 1, 2]) fake.deliver(acceptOsd(osd), reportOf(history.map, osd));
}

function ask(command: object): Omit<MgrCommandReply, 'data'> & { text: string } {
  const fsid = new Uint8Array(16);
  fake.deliver(CLIENT, { type: 'mgr_command', tid: 3n, fsid, cmd: [JSON.stringify(command)], data: EMPTY });
  const [{ data, ...reply }] = fake.take('mgr_command_reply') as [MgrCommandReply & { on: number }];
  return { ...reply, text: fromUtf8(data) };
}

describe('a manager', () => {
  test('beacons at once and every period; says it serves once it is active and has a map', () => {
    fake.advance(2.1);
    expect(fake.take('mgr_beacon')).toMatchObject([{ available: false, name: 'x', gid }]);

    activate();

    expect(fake.take('mgr_beacon').at(-1)).toMatchObject({ available: true, addrs: addrOf(6800, 77) });
    expect(mgr.active).toBe(true);
  });

  test('on standby it answers commands with EAGAIN', () => {
    expect(ask({ prefix: 'pg stat' }).code).toBe(-11);
  });

  test('when another is named active it stands by again and sends its clients away', () => {
    activate();

    nameActive(gid + 1n, 101);

    expect(mgr.active).toBe(false);
    expect(fake.closed).toContain(CLIENT);
    fake.sent.length = 0;
    fake.advance(5);
    expect(fake.take('mon_mgr_report')).toEqual([]);
  });
});

describe('reports', () => {
  test('what OSDs report is in the next digest, sent soon, and once for many reports', () => {
    activate();
    fake.advance(0.2);
    fake.take('mon_mgr_report');

    reportAll();
    fake.advance(0.11);

    const reports = fake.take('mon_mgr_report');
    expect(reports).toHaveLength(1);
    expect(reports[0]!.digest).toMatchObject({ numPgs: 16, numPgActive: 16, numPgUnknown: 0, kbUsed: 3 * 297_704 });
    expect(reports[0]!.digest.pgsByState).toEqual(new Map([['active+clean', 16]]));
    expect(reports[0]!.checks.size).toBe(0);
  });

  test('PGs nobody has reported are unknown', () => {
    activate();
    fake.advance(0.11);

    expect(fake.take('mon_mgr_report').at(-1)!.digest).toMatchObject({ numPgs: 16, numPgUnknown: 16 });
  });

  test('PGs whose primary is down are stale until another reports them', () => {
    activate();
    reportAll();
    history.markDown(1);
    fake.deliver(mon, history.since(history.map.epoch));
    fake.advance(0.11);
    const led = reportOf(new MapHistory().map, 1).pgs.length;
    expect(fake.take('mon_mgr_report').at(-1)!.digest.stalePgs).toHaveLength(led);

    for (const osd of [0, 2]) fake.deliver(acceptOsd(osd), reportOf(history.map, osd));
    fake.advance(0.11);

    expect(fake.take('mon_mgr_report').at(-1)!.digest.stalePgs).toEqual([]);
  });

  test('an OSD that the map does not show at this address is not believed', () => {
    activate();
    fake.deliver(acceptOsd(0, addrOf(23510, 999)), reportOf(history.map, 0));
    fake.deliver(CLIENT, reportOf(history.map, 1));
    fake.advance(0.11);

    expect(fake.closed).toEqual(expect.arrayContaining([100, CLIENT]));
    expect(fake.take('mon_mgr_report').at(-1)!.digest.numPgUnknown).toBe(16);
  });

  test('one from an OSD whose map is newer than ours waits for that map', () => {
    activate();
    const { port, nonce } = history.map.clientAddrs[0]![0]!;
    history.markDown(0);
    history.markUp(0);
    fake.deliver(acceptOsd(0, addrOf(port, nonce + 1)), reportOf(history.map, 0));
    expect(fake.closed).not.toContain(100);

    fake.deliver(mon, history.since(6));
    fake.advance(0.11);

    expect(fake.take('mon_mgr_report').at(-1)!.digest.numPgUnknown).toBeLessThan(16);
  });

  test('degraded objects make PG_DEGRADED, with the words of Ceph', () => {
    activate();
    reportAll();
    const sum = { ...noObjects, objects: 5, objectCopies: 15, objectsDegraded: 5, bytes: 500_000 };
    const report = reportOf(history.map, 0, { state: 'active+undersized+degraded', reportedSeq: 11 });
    fake.deliver(100, { ...report, pgs: report.pgs.slice(0, 1).map((pg) => ({ ...pg, sum })) });
    fake.advance(0.11);

    const { checks } = fake.take('mon_mgr_report').at(-1)!;

    expect(checks.get('PG_DEGRADED')).toMatchObject({
      severity: 'HEALTH_WARN',
      summary: 'Degraded data redundancy: 5/15 objects degraded (33.333%), 1 pg degraded',
      count: 1,
    });
  });

  test('requests that wait for long make SLOW_OPS, as long as their OSD is up', () => {
    activate();
    reportAll();
    const says = (osd: number, slowOps: OsdStat['slowOps']) => {
      const report = reportOf(history.map, osd);
      fake.deliver(100 + osd, { ...report, osdStat: { ...report.osdStat, slowOps } });
      fake.advance(0.11);
      return fake.take('mon_mgr_report').at(-1)!.checks.get('SLOW_OPS');
    };
    expect(says(1, { count: 2, oldestSeconds: 32 })).toEqual({
      severity: 'HEALTH_WARN',
      summary: '2 slow ops, oldest one blocked for 32 sec, osd.1 has slow ops',
      count: 1,
      detail: [],
    });
    expect(says(0, { count: 1, oldestSeconds: 40 })?.summary).toBe(
      '3 slow ops, oldest one blocked for 40 sec, daemons [osd.0,osd.1] have slow ops.',
    );
    says(0, { count: 0, oldestSeconds: 0 });
    expect(says(1, { count: 0, oldestSeconds: 0 })).toBeUndefined();
    says(1, { count: 1, oldestSeconds: 31 });

    history.markDown(1);
    fake.deliver(mon, history.since(history.map.epoch));
    fake.advance(0.11);

    expect(fake.take('mon_mgr_report').at(-1)!.checks.has('SLOW_OPS')).toBe(false);
  });

  test('slow pings are told of by network, the slowest first', () => {
    activate();
    reportAll();
    const report = reportOf(history.map, 0);
    const pings = [
      { osd: 1, back: [900_000, 800_000, 700_000], front: [1_000_001, 1_200_000, 1_400_000] },
      { osd: 2, back: [1_000_000, 1_000_000, 1_000_000], front: [2_251_000, 1000, 1000] },
    ];
    fake.deliver(100, { ...report, osdStat: { ...report.osdStat, pings } });
    fake.advance(0.11);

    const { checks } = fake.take('mon_mgr_report').at(-1)!;

    // A twentieth of osd_heartbeat_grace, a second, is not yet slow.
    expect(checks.has('OSD_SLOW_PING_TIME_BACK')).toBe(false);
    expect(checks.get('OSD_SLOW_PING_TIME_FRONT')).toEqual({
      severity: 'HEALTH_WARN',
      summary: 'Slow OSD heartbeats on front (longest 2251.000ms)',
      count: 2,
      detail: [
        'Slow OSD heartbeats on front from osd.0 [] to osd.2 [] 2251.000 msec',
        'Slow OSD heartbeats on front from osd.0 [] to osd.1 [] 1400.000 msec possibly improving',
      ],
    });
  });

  test('a PG that stays inactive becomes PG_AVAILABILITY after mon_pg_stuck_threshold', () => {
    activate();
    passTime(30);
    expect(fake.take('mon_mgr_report').at(-1)!.checks.size).toBe(0);

    passTime(40);

    expect(fake.take('mon_mgr_report').at(-1)!.checks.get('PG_AVAILABILITY')?.summary).toBe(
      'Reduced data availability: 16 pgs inactive',
    );
  });
});

describe('commands', () => {
  test('every description has an answer, and an unknown command is refused in words', () => {
    activate();
    reportAll();
    const { text } = ask({ prefix: 'get_command_descriptions' });
    const prefixes = Object.values(JSON.parse(text) as Record<string, { sig: unknown[] }>).map(({ sig }) =>
      sig.filter((part) => typeof part === 'string').join(' '),
    );
    const args = { ids: ['0'], osd: 0, poolstr: 'rbd', debugop: 'unfound_objects_exist' };
    // As in Ceph, text whatever is asked for.
    const alwaysText = ['pg debug', 'crash stat'];

    for (const prefix of prefixes) {
      for (const format of ['plain', 'json', 'json-pretty']) {
        const reply = ask({ prefix, format, ...args });
        expect(reply.tid).toBe(3n);
        if (format !== 'plain' && reply.text !== '' && !alwaysText.includes(prefix)) JSON.parse(reply.text);
      }
    }
    expect(prefixes.length).toBeGreaterThan(14);
    expect(ask({ prefix: 'pg nonsense' })).toMatchObject({
      code: -22,
      status: "No handler found for 'pg nonsense'",
    });
  });

  test('a line that is no JSON is refused', () => {
    activate();
    const fsid = new Uint8Array(16);

    fake.deliver(CLIENT, { type: 'mgr_command', tid: 1n, fsid, cmd: ['{'], data: EMPTY });
    fake.deliver(CLIENT, { type: 'mgr_command', tid: 1n, fsid, cmd: [], data: EMPTY });

    expect(fake.take('mgr_command_reply').map(({ code }) => code)).toEqual([-22, -22]);
  });

  test('osd df prints the figures of a real OSD as Ceph does', () => {
    activate();
    reportAll();

    const lines = ask({ prefix: 'osd df' }).text.split('\n');

    expect(lines[0]).toMatch(
      /^ID +CLASS +WEIGHT +REWEIGHT +SIZE +RAW USE +DATA +OMAP +META +AVAIL +%USE +VAR +PGS +STATUS$/,
    );
    expect(lines[1]).toMatch(
      / 1\.00000 {2}1 GiB {2}291 MiB {2}608 KiB {3}0 B {2}290 MiB {2}733 MiB {2}28\.39 {2}1\.00 {3}16 {6}up$/,
    );
    expect(lines.at(-2)).toBe('MIN/MAX VAR: 1.00/1.00  STDDEV: 0');
  });

  test('pg stat, pg ls and pg dump agree with one another', () => {
    activate();
    reportAll();

    expect(ask({ prefix: 'pg stat' }).text).toBe(
      '16 pgs: 16 active+clean; 0 B data, 872 MiB used, 2.1 GiB / 3 GiB avail\n',
    );
    expect(JSON.parse(ask({ prefix: 'pg ls', pool: 2, format: 'json' }).text).pg_stats).toHaveLength(8);
    expect(JSON.parse(ask({ prefix: 'pg dump', format: 'json' }).text).pg_map.pg_stats).toHaveLength(16);
    expect(ask({ prefix: 'pg dump', dumpcontents: ['pgs_brief'] }).text.split('\n')[0]).toBe(
      'PG_STAT  STATE         UP       UP_PRIMARY  ACTING   ACTING_PRIMARY',
    );
    expect(ask({ prefix: 'pg ls', states: ['foo'] }).status).toContain("'foo' is not a valid pg state");
  });

  test('ok-to-stop and safe-to-destroy look at what would be lost', () => {
    activate();
    reportAll();

    expect(ask({ prefix: 'osd ok-to-stop', ids: ['all'] })).toMatchObject({
      code: -16,
      status: 'unsafe to stop osd(s) at this time (16 PGs are or would become offline)',
    });
    expect(ask({ prefix: 'osd ok-to-stop', ids: ['0'] }).code).toBe(0);
    expect(ask({ prefix: 'osd safe-to-destroy', ids: ['77'] })).toMatchObject({
      code: 0,
      status: 'OSD(s) 77 are safe to destroy without reducing data durability.',
    });
    expect(JSON.parse(ask({ prefix: 'osd safe-to-destroy', ids: ['0', '77'], format: 'json' }).text)).toEqual({
      safe_to_destroy: [77],
      active: [0],
      missing_stats: [],
      stored_pgs: [],
    });
    expect(ask({ prefix: 'osd safe-to-destroy', ids: ['0'] })).toMatchObject({
      code: -16,
      status: 'OSD(s) 0 have 16 pgs currently mapped to them. ',
    });
  });

  test('an OSD that holds data is purged when forced only, and it is the monitors that do it', () => {
    activate();
    reportAll();
    const line = (args: object) => [JSON.stringify({ prefix: 'osd purge', id: 0, ...args })];
    const command = { type: 'mgr_command', tid: 3n, fsid: new Uint8Array(16), data: EMPTY } as const;

    expect(ask({ prefix: 'osd purge', id: 0 })).toMatchObject({
      code: -16,
      status:
        'OSD(s) 0 have 16 pgs currently mapped to them. \nYou can proceed by passing --force, ' +
        'but be warned that this will likely mean real, permanent data loss.',
    });
    fake.deliver(mon, { type: 'mon_map', monmap: encodeMonMap({ ...monMap, fsid: history.map.fsid }) });
    fake.take('mon_command');
    fake.deliver(CLIENT, { ...command, cmd: line({ force: true }) });
    const [asked] = fake.take('mon_command');
    expect(JSON.parse(asked!.cmd[0]!)).toEqual({ prefix: 'osd purge-actual', id: 0, yes_i_really_mean_it: true });
    expect(fake.take('mgr_command_reply')).toEqual([]);

    const ack = { type: 'mon_command_ack', tid: asked!.tid, cmd: asked!.cmd, data: EMPTY } as const;
    fake.deliver(mon, { ...ack, code: -16, status: 'osd.0 is not `down`.' });

    expect(fake.take('mgr_command_reply')).toMatchObject([{ on: CLIENT, code: -16, status: 'osd.0 is not `down`.' }]);
  });

  test('client traffic shows in osd pool stats while it lasts', () => {
    activate();
    reportAll();
    fake.advance(2);
    const led = (writes: number) =>
      reportOf(history.map, 0, { reportedSeq: 11 + writes, sum: { ...noObjects, writes, writeBytes: writes * 4096 } });
    fake.deliver(100, led(100));
    fake.advance(4);

    expect(ask({ prefix: 'osd pool stats', pool_name: 'data' }).text).toMatch(
      /client io .* KiB\/s wr, 0 op\/s rd, \d+ op\/s wr/,
    );
    fake.advance(20);

    expect(ask({ prefix: 'osd pool stats', pool_name: 'data' }).text).toBe('pool data id 2\n  nothing is going on\n\n');
  });
});

test('/metrics has the names of Ceph, one TYPE each, and a line for every OSD and pool', () => {
  activate();
  reportAll();

  const { status, body } = mgr.handleHttp({ method: 'GET', path: '/metrics' });

  const types = body.split('\n').filter((line) => line.startsWith('# TYPE'));
  expect(status).toBe(200);
  expect(new Set(types).size).toBe(types.length);
  expect(body).toContain('ceph_osd_up{ceph_daemon="osd.0"} 1\n');
  expect(body).toContain('ceph_pg_total{pool_id="1"} 8\n');
  expect(body).toContain('ceph_pool_stored{pool_id="2"} 0\n');
  for (const line of body.trimEnd().split('\n')) {
    if (!line.startsWith('#'))
      expect(line).toMatch(/^ceph_[a-z_]+(\{([a-z_]+="[^"]*",?)*\})? -?\d+(\.\d+)?(e[+-]\d+)?$/);
  }
  expect(mgr.handleHttp({ method: 'GET', path: '/nope' }).status).toBe(404);
  expect(mgr.handleHttp({ method: 'POST', path: '/metrics' }).status).toBe(405);
});

test('tells the audit channel of what it is asked, and by whom; again when nobody acknowledged it', () => {
  activate();
  ask({ prefix: 'pg stat' });
  ask({ prefix: 'pg nonsense' });
  fake.advance(1.1);

  const [{ entries }] = fake.take('log') as [LogMessage & { on: number }];
  expect(entries).toMatchObject([
    {
      ...{ name: { type: 'mgr', id: 'x' }, rank: gid, seq: 1, priority: 0, channel: 'audit' },
      text: `from='client.1 -' entity='client.admin' cmd=[{"prefix":"pg stat"}]: dispatch`,
    },
  ]);
  fake.reset(mon);
  fake.open(fake.lastDialled.session);
  expect(fake.take('log')).toMatchObject([{ entries }]);
  fake.deliver(fake.lastDialled.session, { type: 'log_ack', fsid: history.map.fsid, last: 1 });
  fake.reset(fake.lastDialled.session);
  fake.open(fake.lastDialled.session);
  expect(fake.take('log')).toEqual([]);
});
