import type { Message } from '@spirula/messages';
import type { Config } from '@spirula/world';
import { SECOND } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import { MonCluster, type ToyOsd } from './mon-cluster.ts';

function withOsds(count: number, options: Partial<Config> = {}): { cluster: MonCluster; osds: ToyOsd[] } {
  const cluster = new MonCluster({ options }).start();
  return { cluster, osds: cluster.addOsds(count) };
}

function log(cluster: MonCluster): string[] {
  cluster.run(2);
  return cluster.json('log last', { num: 50 }).map((entry: { message: string }) => entry.message);
}

describe('an OSD', () => {
  test('is in, down and new while it is registered only, and up and new no more when it boots', () => {
    const cluster = new MonCluster().start();
    const osd = cluster.addOsd(0);
    expect([osd.isUp, osd.isIn]).toEqual([false, true]);
    expect(cluster.json('osd dump').osds[0].state).toEqual(['exists', 'new']);

    osd.boot();

    cluster.until('it is up', () => osd.isUp);
    expect(osd.isIn).toBe(true);
    expect(cluster.json('osd dump').osds[0].state).toEqual(['exists', 'up']);
    expect(log(cluster).some((line) => /^osd\.0 v2:.* boot$/.test(line))).toBe(true);
    expect(cluster.json('osd metadata', { id: '0' })).toMatchObject({ id: 0, hostname: 'host0' });
  });

  test('that boots with another uuid than is registered is not let in', () => {
    const cluster = new MonCluster().start();
    const osd = cluster.addOsd(0);
    cluster.succeed({ prefix: 'osd out', ids: ['0'] });
    const { epoch } = cluster.osdMap;
    const stranger = cluster.addTalker({ type: 'osd', id: '0' });
    stranger.process.start();
    stranger.process.call(() => {
      const addrs = stranger.daemon.world.net.endpoint('public');
      const all = { publicAddrs: addrs, clusterAddrs: addrs, hbBackAddrs: addrs, hbFrontAddrs: addrs };
      const boot = { type: 'osd_boot', osd: 0, uuid: new Uint8Array(16).fill(7), bootEpoch: 1 } as const;
      stranger.daemon.mon.send({ ...boot, ...all, cleanBegin: 0, cleanEnd: 0, metadata: new Map() });
    });
    cluster.run(3);

    expect(osd.isUp).toBe(false);
    expect(cluster.osdMap.epoch).toBe(epoch);
  });

  test('that restarts is marked down before it is up again, at its new address', () => {
    const { cluster, osds } = withOsds(3);
    const before = cluster.osdMap.osdInfo[1]!;
    osds[1]!.place.process.crash();
    osds[1]!.place.process.start();
    cluster.run(1);

    osds[1]!.boot();

    cluster.until('it is up anew', () => cluster.osdMap.osdInfo[1]!.upFrom > before.upFrom);
    expect(cluster.osdMap.osdInfo[1]!.downAt).toBeGreaterThan(before.upFrom);
    expect(cluster.osdMap.osdInfo[1]!.upFrom).toBeGreaterThan(cluster.osdMap.osdInfo[1]!.downAt);
  });

  test('goes down at once when its connections are refused, and is known to be dead', () => {
    const { cluster, osds } = withOsds(3);

    osds[0]!.report(osds[2]!, 0, { immediate: true });

    expect(cluster.until('it is down', () => !osds[2]!.isUp)).toBeLessThan(1.5);
    expect(cluster.osdMap.osdXInfo[2]!.deadEpoch).toBe(cluster.osdMap.epoch);
    expect(log(cluster)).toContain('osd.2 failed (root=default,host=host2) (connection refused reported by osd.0)');
    expect(cluster.succeed({ prefix: 'health' }).text).toContain('1 osds down; 1 host (1 osds) down\n');
  });

  test('stays down when others have reported it as well until the map said so', () => {
    const { cluster, osds } = withOsds(4, { mon_osd_min_down_reporters: 1 });
    osds[0]!.report(osds[3]!, 0, { immediate: true });
    osds[1]!.report(osds[3]!, 0, { immediate: true });
    cluster.until('it is down', () => !osds[3]!.isUp);
    const { downAt, upFrom } = cluster.osdMap.osdInfo[3]!;

    cluster.run(60);

    expect(osds[3]!.isUp).toBe(false);
    expect(cluster.osdMap.osdInfo[3]).toMatchObject({ downAt, upFrom });
  });

  test('that hangs goes down when two hosts have missed it for the grace, not on the word of one', () => {
    const { cluster, osds } = withOsds(4);

    osds[0]!.report(osds[3]!, 25);
    cluster.run(10);
    expect(osds[3]!.isUp).toBe(true);

    osds[1]!.report(osds[3]!, 12);
    cluster.until('it is down', () => !osds[3]!.isUp, 15);
    expect(log(cluster)).toContainEqual(
      expect.stringMatching(/^osd\.3 failed .*\(2 reporters from different host after 3\d\.\d+ >= grace 20\.000000\)$/),
    );
  });

  test('whose reporters take their word back stays up', () => {
    const { cluster, osds } = withOsds(4);
    osds[0]!.report(osds[3]!, 10);
    osds[1]!.report(osds[3]!, 10);
    cluster.run(3);
    osds[1]!.report(osds[3]!, 0, { alive: true });
    cluster.run(60);

    expect(osds[3]!.isUp).toBe(true);
  });

  test('that was wrongly marked down is given more time from then on', () => {
    const { cluster, osds } = withOsds(4);
    osds[0]!.report(osds[3]!, 20);
    osds[1]!.report(osds[3]!, 20);
    cluster.until('it is down', () => !osds[3]!.isUp);
    cluster.run(60);
    osds[3]!.boot();
    cluster.until('it is up', () => osds[3]!.isUp);

    expect(cluster.osdMap.osdXInfo[3]!.laggyProbability).toBeCloseTo(0.3);
    expect(cluster.osdMap.osdXInfo[3]!.laggyInterval).toBeGreaterThan(15);
    osds[0]!.report(osds[3]!, 20);
    osds[1]!.report(osds[3]!, 20);
    cluster.run(3);
    expect(osds[3]!.isUp).toBe(true);
    cluster.until('it is down', () => !osds[3]!.isUp, 15);
    expect(log(cluster)).toContainEqual(expect.stringMatching(/>= grace 2[4-6]\.\d+\)$/));
  });

  test('stays up when too few would be left, and while nodown is set', () => {
    const { cluster, osds } = withOsds(4);
    for (const target of [1, 2, 3]) {
      osds[0]!.report(osds[target]!, 0, { immediate: true });
      cluster.run(3);
    }
    // 3 of 4 may go: the last is marked down at 2/4, and 1/4 is below mon_osd_min_up_ratio.
    expect(osds.map(({ isUp }) => isUp)).toEqual([true, false, false, false]);

    const flagged = withOsds(4);
    flagged.cluster.succeed({ prefix: 'osd set', key: 'nodown' });
    flagged.osds[0]!.report(flagged.osds[1]!, 0, { immediate: true });
    flagged.cluster.run(3);
    expect(flagged.osds[1]!.isUp).toBe(true);
  });

  test('that stops in order is marked down and told so', () => {
    const { cluster, osds } = withOsds(3);
    osds[1]!.say({ type: 'osd_mark_me_down', osd: 1, epoch: cluster.osdMap.epoch, ack: true });
    cluster.until('it is down', () => !osds[1]!.isUp);
    cluster.run(1);

    expect(osds[1]!.place.daemon.heard.some(({ type }) => type === 'osd_mark_me_down')).toBe(true);
    expect(log(cluster)).toContain('osd.1 marked itself down and dead');
  });

  test('that sends no beacon for mon_osd_report_timeout goes down', () => {
    const { cluster, osds } = withOsds(4, { mon_osd_report_timeout: 60 });
    for (let i = 0; i < 3; i++) {
      for (const { id, say } of osds.slice(0, 3).map((osd) => ({ id: osd.id, say: osd.say.bind(osd) }))) {
        say({ type: 'osd_beacon', osd: id, epoch: cluster.osdMap.epoch, pgs: [], minLastEpochClean: 0 });
      }
      cluster.run(30);
    }
    expect(osds.map(({ isUp }) => isUp)).toEqual([true, true, true, false]);
  });
});

describe('an OSD that is down', () => {
  test('goes out after mon_osd_down_out_interval, on a tick, and comes in again with its boot', () => {
    const { cluster, osds } = withOsds(4, { mon_osd_down_out_interval: 20 });
    osds[0]!.report(osds[3]!, 0, { immediate: true });
    cluster.until('it is down', () => !osds[3]!.isUp);

    const waited = cluster.until('it is out', () => !osds[3]!.isIn);
    expect(waited).toBeGreaterThan(20);
    expect(waited).toBeLessThan(32);
    expect(log(cluster)).toContainEqual(
      expect.stringMatching(/^Marking osd\.3 out \(has been down for 2\d seconds\)$/),
    );

    osds[3]!.boot();
    cluster.until('it is in', () => osds[3]!.isUp && osds[3]!.isIn);
  });

  // It boots before, at and after the tick at which it goes out; each is proposed two seconds later.
  test.each(Array.from({ length: 18 }, (_, i) => 8 + i / 2))(
    'is not put out in the map in which it comes up (it boots after %d s)',
    (after) => {
      const { cluster, osds } = withOsds(4, { mon_osd_down_out_interval: 10, paxos_min_wait: 2 });
      const target = osds[3]!;
      osds[0]!.report(target, 0, { immediate: true });
      cluster.until('it is down', () => !target.isUp);
      cluster.run(after);
      target.boot();
      cluster.until('it is up', () => target.isUp);
      cluster.run(6);

      expect(target.isIn).toBe(true);
    },
  );

  test('stays in while noout is set, while its whole rack is down, and when too few would be in', () => {
    const { cluster, osds } = withOsds(4, { mon_osd_down_out_interval: 10 });
    for (const target of [1, 2]) {
      osds[0]!.report(osds[target]!, 0, { immediate: true });
      cluster.run(2);
    }
    cluster.run(40);
    // At 3 of 4 in one more may go; at 2 of 4, below mon_osd_min_in_ratio, none.
    expect(osds.filter(({ isIn }) => isIn)).toHaveLength(2);

    const flagged = withOsds(4, { mon_osd_down_out_interval: 10 });
    flagged.cluster.succeed({ prefix: 'osd set', key: 'noout' });
    flagged.osds[0]!.report(flagged.osds[1]!, 0, { immediate: true });
    flagged.cluster.run(60);
    expect(flagged.osds[1]!.isIn).toBe(true);

    const rack = withOsds(4, { mon_osd_down_out_interval: 10, mon_osd_down_out_subtree_limit: 'host' });
    rack.osds[0]!.report(rack.osds[1]!, 0, { immediate: true });
    rack.cluster.run(60);
    expect(rack.osds[1]!.isIn).toBe(true);
  });

  test('that an administrator put out stays out when it boots', () => {
    const { cluster, osds } = withOsds(4);
    cluster.succeed({ prefix: 'osd out', ids: ['3'] });
    cluster.succeed({ prefix: 'osd down', ids: ['3'] });
    osds[3]!.boot();
    cluster.until('it is up', () => osds[3]!.isUp);

    expect(osds[3]!.isIn).toBe(false);
  });
});

describe('temporary acting sets', () => {
  function pooled() {
    const { cluster, osds } = withOsds(4);
    cluster.succeed({ prefix: 'osd pool create', pool: 'p', pg_num: 8, autoscale_mode: 'off' });
    cluster.run(2);
    return { cluster, osds };
  }
  const pgid = { pool: 1, seed: 3 };
  const ask = ({ cluster, osds }: ReturnType<typeof pooled>, acting: readonly number[]) => {
    const primary = osds[acting[0] ?? 0]!;
    primary.say({ type: 'osd_pgtemp', osd: primary.id, epoch: cluster.osdMap.epoch, pgs: [{ pgid, acting }] });
    cluster.run(2);
  };

  test('are granted together with up_thru, and cleared', () => {
    const at = pooled();
    const { up } = at.cluster.json('pg map', { pgid: '1.3' });
    const acting = [...up].reverse();
    ask(at, acting);

    expect(at.cluster.json('pg map', { pgid: '1.3' }).acting).toEqual(acting);
    expect(at.cluster.osdMap.osdInfo[acting[0]]!.upThru).toBeGreaterThan(0);
    ask(at, []);
    expect(at.cluster.osdMap.pgTemp.size).toBe(0);
  });

  test('that say what CRUSH says by itself make no epoch', () => {
    const at = pooled();
    const { up } = at.cluster.json('pg map', { pgid: '1.3' });
    const { epoch } = at.cluster.osdMap;
    ask(at, up);
    ask(at, up);

    expect(at.cluster.osdMap.epoch).toBe(epoch);
  });

  test('go when their OSDs are down or their pool is gone', () => {
    const at = pooled();
    const { up } = at.cluster.json('pg map', { pgid: '1.3' });
    ask(at, [up[1]]);
    expect(at.cluster.osdMap.pgTemp.size).toBe(1);
    at.cluster.succeed({ prefix: 'osd down', ids: [String(up[1])] });

    expect(at.cluster.osdMap.pgTemp.size).toBe(0);
  });
});

describe('the OSD maps', () => {
  const trimming = { mon_min_osdmap_epochs: 20, paxos_trim_min: 5, paxos_propose_interval: 0.05, paxos_min: 10 };

  function change(cluster: MonCluster, times: number): void {
    for (let i = 0; i < times; i++) cluster.succeed({ prefix: i % 2 ? 'osd unset' : 'osd set', key: 'noin' });
  }

  function beacons(cluster: MonCluster, osds: readonly ToyOsd[], minLastEpochClean: number): void {
    const { pools, epoch } = cluster.osdMap;
    const pgs = [...pools].flatMap(([pool, { pgNum }]) => Array.from({ length: pgNum }, (_, seed) => ({ pool, seed })));
    osds[0]!.say({ type: 'osd_beacon', osd: 0, epoch, pgs, minLastEpochClean });
    cluster.run(6);
  }

  const oldest = (cluster: MonCluster): number => {
    let found = 0;
    cluster.admin.process.call(() => {
      cluster.admin.daemon.mon.getVersion('osdmap', ({ oldest: first }) => {
        found = first;
      });
    });
    cluster.until('it is answered', () => found > 0);
    return found;
  };

  test('are kept until every PG is known to be clean, and mon_min_osdmap_epochs of them beyond', () => {
    const { cluster, osds } = withOsds(3, trimming);
    cluster.succeed({ prefix: 'osd pool create', pool: 'p', pg_num: 4, autoscale_mode: 'off' });
    change(cluster, 60);
    expect(oldest(cluster)).toBe(1);

    beacons(cluster, osds, 30);
    change(cluster, 2);
    expect(oldest(cluster)).toBe(30);

    beacons(cluster, osds, cluster.osdMap.epoch);
    change(cluster, 2);
    expect(oldest(cluster)).toBeGreaterThan(cluster.osdMap.epoch - 30);
    expect(oldest(cluster)).toBeLessThanOrEqual(cluster.osdMap.epoch - 20);
  });

  test('reach a subscriber one after another, whole where it holds too old a one', () => {
    const { cluster, osds } = withOsds(3, trimming);
    const reader = cluster.addTalker({ type: 'client', id: 'reader' });
    reader.process.start();
    const subscribe = (start: number) => reader.process.call(() => reader.daemon.mon.subscribe('osdmap', start));
    subscribe(0);
    cluster.until('it has the newest', () => reader.daemon.map?.epoch === cluster.osdMap.epoch);
    change(cluster, 10);
    cluster.run(1);
    expect(reader.daemon.map!.epoch).toBe(cluster.osdMap.epoch);
    const maps = reader.daemon.heard.filter(
      (message): message is Message & { type: 'osd_map' } => message.type === 'osd_map',
    );
    expect(maps.slice(1).every(({ fulls }) => fulls.size === 0)).toBe(true);

    beacons(cluster, osds, cluster.osdMap.epoch);
    change(cluster, 80);
    beacons(cluster, osds, cluster.osdMap.epoch);
    change(cluster, 2);
    const late = cluster.addTalker({ type: 'client', id: 'late' });
    late.process.start();
    late.process.call(() => late.daemon.mon.subscribe('osdmap', 2));
    cluster.run(3);
    expect(late.daemon.map!.epoch).toBe(cluster.osdMap.epoch);
    const first = late.daemon.heard.find(
      (message): message is Message & { type: 'osd_map' } => message.type === 'osd_map',
    )!;
    expect([...first.fulls.keys()]).toEqual([oldest(cluster)]);
    expect(first.incrementals.size).toBeLessThanOrEqual(40);
  });
});

describe('managers', () => {
  function addMgr(cluster: MonCluster, name: string) {
    const place = cluster.addTalker({ type: 'mgr', id: name });
    place.process.start();
    const beacon = () =>
      place.process.call(() => {
        const { mon, world } = place.daemon;
        mon.send({
          type: 'mgr_beacon',
          name,
          gid: BigInt(name.charCodeAt(0)),
          fsid: Uint8Array.from({ length: 16 }, (_, i) => i + 1),
          addrs: world.net.endpoint('public'),
          available: true,
          commandDescriptions: [{ sig: ['pg', 'stat'], help: '', module: 'pg', perm: 'r', flags: 8 }],
          services: new Map(),
          metadata: new Map([['hostname', 'a']]),
        });
      });
    return { place, beacon };
  }

  test('the first to speak is active, the next stands by and takes over when it falls silent', () => {
    const { cluster } = withOsds(1, { mon_mgr_beacon_grace: 30 });
    const x = addMgr(cluster, 'x');
    const y = addMgr(cluster, 'y');
    for (let i = 0; i < 3; i++) {
      x.beacon();
      cluster.run(1);
      y.beacon();
      cluster.run(1);
    }
    expect(cluster.json('mgr stat')).toMatchObject({ available: true, active_name: 'x', num_standby: 1 });
    expect(cluster.succeed({ prefix: 'get_command_descriptions' }).text).toContain('"pg","stat"');

    const begin = cluster.simulation.now;
    while (cluster.json('mgr stat').active_name === 'x') {
      y.beacon();
      cluster.run(2);
      if (cluster.simulation.now - begin > 60 * SECOND) break;
    }
    expect(cluster.json('mgr stat')).toMatchObject({ active_name: 'y', num_standby: 0 });
    expect((cluster.simulation.now - begin) / SECOND).toBeGreaterThan(28);
  });

  test('mgr fail takes the active one, or the standby it names, by name or gid', () => {
    const { cluster } = withOsds(1);
    const x = addMgr(cluster, 'x');
    const y = addMgr(cluster, 'y');
    const beacons = () => {
      for (const { beacon } of [x, y, x]) {
        beacon();
        cluster.run(2);
      }
    };
    beacons();

    expect(cluster.command({ prefix: 'mgr fail', who: 'nobody' }).status).toBe(
      "Daemon not found 'nobody', already failed?",
    );
    cluster.succeed({ prefix: 'mgr fail', who: String('y'.charCodeAt(0)) });
    expect(cluster.json('mgr stat')).toMatchObject({ active_name: 'x', num_standby: 0 });

    beacons();
    cluster.succeed({ prefix: 'mgr fail', who: 'x' });
    expect(cluster.json('mgr stat')).toMatchObject({ active_name: 'y', num_standby: 0 });
    expect(cluster.json('mgr metadata')).toMatchObject([{ name: 'y' }]);
  });

  test('MGR_DOWN is a warning, and an error after a while, once the cluster is past its beginnings', () => {
    const { cluster } = withOsds(1, { mon_mgr_beacon_grace: 10 });
    const x = addMgr(cluster, 'x');
    x.beacon();
    cluster.run(2);
    expect(cluster.json('health').checks).not.toHaveProperty('MGR_DOWN');

    cluster.run(20);
    expect(cluster.json('health').checks['MGR_DOWN']).toMatchObject({
      severity: 'HEALTH_WARN',
      summary: { message: 'no active mgr', count: 0 },
    });
    cluster.run(70);
    expect(cluster.json('health').checks['MGR_DOWN'].severity).toBe('HEALTH_ERR');
    expect(cluster.succeed({ prefix: 'get_command_descriptions' }).text).not.toContain('"pg","stat"');
  });
});
