import { describe, expect, test } from 'vitest';
import { MonCluster } from './mon-cluster.ts';

function health(cluster: MonCluster): string {
  return cluster.succeed({ prefix: 'health' }).text;
}

function detail(cluster: MonCluster): string {
  return cluster.succeed({ prefix: 'health', detail: 'detail' }).text;
}

/** One cluster of three monitors with four OSDs; nothing is wrong. */
function healthyCluster(): MonCluster {
  const cluster = new MonCluster({ options: { mon_mgr_mkfs_grace: 4_000_000_000 } }).start();
  cluster.addOsds(4);
  expect(health(cluster)).toBe('HEALTH_OK\n');
  return cluster;
}

function setFlag(cluster: MonCluster, key: string): void {
  cluster.succeed({ prefix: 'osd set', key });
}

describe('a mute', () => {
  test('hides an alert in text and JSON, and says so', () => {
    const cluster = healthyCluster();
    setFlag(cluster, 'noout');
    cluster.succeed({ prefix: 'health mute', code: 'OSDMAP_FLAGS', ttl: '2h' });

    expect(health(cluster)).toMatch(/^HEALTH_OK \(muted: OSDMAP_FLAGS\((119|120)m\)\)\n$/);
    expect(detail(cluster)).toMatch(/\n\(MUTED ttl (119|120)m\) \[WRN\] OSDMAP_FLAGS: noout flag\(s\) set\n$/);
    expect(cluster.json('health')).toMatchObject({
      status: 'HEALTH_OK',
      checks: { OSDMAP_FLAGS: { severity: 'HEALTH_WARN', muted: true } },
      mutes: [{ code: 'OSDMAP_FLAGS', sticky: false, summary: 'noout flag(s) set', count: 5 }],
    });
    expect(cluster.succeed({ prefix: 'status' }).text).toMatch(
      /health: HEALTH_OK\n {12}\(muted: OSDMAP_FLAGS\((119|120)m\)\)\n/,
    );
  });

  test('leaves other alerts', () => {
    const cluster = healthyCluster();
    setFlag(cluster, 'noout');
    cluster.succeed({ prefix: 'health mute', code: 'OTHER', sticky: true });

    expect(health(cluster)).toBe('HEALTH_WARN noout flag(s) set; (muted: OTHER)\n');
    expect(detail(cluster)).toBe(
      'HEALTH_WARN noout flag(s) set; (muted: OTHER)\n[WRN] OSDMAP_FLAGS: noout flag(s) set\n',
    );
  });

  test('of what is not raised must be sticky', () => {
    const cluster = healthyCluster();

    expect(cluster.command({ prefix: 'health mute', code: 'NOPE' })).toMatchObject({
      code: -2,
      status: 'health alert NOPE is not currently raised',
    });
    cluster.succeed({ prefix: 'health mute', code: 'NOPE', sticky: true });
    cluster.run(20);
    expect(health(cluster)).toBe('HEALTH_OK (muted: NOPE)\n');
  });

  test.each([
    ['0', 'timespan = 0'],
    ['', 'timespan = 0'],
    ['1x', "unrecogized unit 'x'"],
    ['1.5h', "unexpected trailing '.5h'"],
  ])('for %j is refused', (ttl, problem) => {
    const cluster = healthyCluster();

    expect(cluster.command({ prefix: 'health mute', code: 'NOPE', ttl, sticky: true })).toMatchObject({
      code: -22,
      status: `invalid duration: ${ttl} (${problem})`,
    });
  });

  test('goes with its alert unless it is sticky', () => {
    const cluster = healthyCluster();
    setFlag(cluster, 'noout');
    cluster.succeed({ prefix: 'health mute', code: 'OSDMAP_FLAGS' });
    cluster.succeed({ prefix: 'osd unset', key: 'noout' });
    cluster.until('it is gone', () => health(cluster) === 'HEALTH_OK\n', 10);
    setFlag(cluster, 'noout');
    expect(health(cluster)).toBe('HEALTH_WARN noout flag(s) set\n');

    cluster.succeed({ prefix: 'health mute', code: 'OSDMAP_FLAGS', sticky: true });
    cluster.succeed({ prefix: 'osd unset', key: 'noout' });
    cluster.run(20);
    setFlag(cluster, 'noout');

    expect(detail(cluster)).toBe(
      'HEALTH_OK (muted: OSDMAP_FLAGS)\n(MUTED, STICKY) [WRN] OSDMAP_FLAGS: noout flag(s) set\n',
    );
  });

  test('goes when its alert gets worse, and holds for less when it gets better', () => {
    const cluster = new MonCluster({ options: { mon_mgr_mkfs_grace: 4_000_000_000, mon_osd_min_up_ratio: 0 } }).start();
    cluster.addOsds(4);
    const down = (...ids: string[]) => cluster.succeed({ prefix: 'osd down', ids });
    down('0', '1');
    cluster.succeed({ prefix: 'health mute', code: 'OSD_DOWN' });
    cluster.run(10);
    expect(health(cluster)).toContain('(muted: OSD_DOWN)');
    expect(health(cluster)).not.toContain('osds down;');
    // Only one is missed now.
    cluster.succeed({ prefix: 'osd out', ids: ['0'] });
    cluster.run(10);
    expect(cluster.json('health').mutes).toMatchObject([{ code: 'OSD_DOWN', count: 1 }]);

    down('2');
    cluster.run(10);

    expect(health(cluster)).toMatch(/^HEALTH_WARN 2 osds down; /);
    expect(health(cluster)).not.toContain('muted');
  });

  test('ends when its time is over, whatever wall clocks say, and outlives its leader', () => {
    const cluster = healthyCluster();
    setFlag(cluster, 'noout');
    cluster.succeed({ prefix: 'health mute', code: 'OSDMAP_FLAGS', ttl: '60' });
    for (const { process } of cluster.mons) process.jumpWall(3600 * 1_000_000);
    cluster.run(20);
    expect(health(cluster)).toMatch(/^HEALTH_OK /);
    cluster.mons[0]!.process.crash();
    cluster.until('b leads', () => cluster.leader?.name === 'b', 20);
    expect(health(cluster)).toContain('(muted: OSDMAP_FLAGS');

    // Of 60 seconds a new leader may give back a sixteenth, and it looks every five.
    const took = cluster.until('it is over', () => !health(cluster).includes('muted'), 60);

    expect(took).toBeGreaterThan(20);
    expect(took).toBeLessThan(52);
  });

  test('is taken back by code, or with all others', () => {
    const cluster = healthyCluster();
    for (const code of ['ONE', 'TWO', 'THREE']) cluster.succeed({ prefix: 'health mute', code, sticky: true });
    cluster.succeed({ prefix: 'health unmute', code: 'TWO' });
    cluster.succeed({ prefix: 'health unmute', code: 'UNKNOWN' });
    expect(health(cluster)).toBe('HEALTH_OK (muted: ONE THREE)\n');

    cluster.succeed({ prefix: 'health unmute' });

    expect(health(cluster)).toBe('HEALTH_OK\n');
  });
});

describe('health checks', () => {
  test('of flags count letters, as 16.2 does', () => {
    const cluster = healthyCluster();
    setFlag(cluster, 'noin');
    setFlag(cluster, 'noout');

    expect(cluster.json('health').checks.OSDMAP_FLAGS.summary).toEqual({
      message: 'noout,noin flag(s) set',
      count: 10,
    });
  });

  test('tell of ratios that are out of order', () => {
    const cluster = healthyCluster();
    cluster.succeed({ prefix: 'osd set-full-ratio', ratio: 0.5 });

    expect(detail(cluster)).toBe(
      'HEALTH_ERR full ratio(s) out of order\n[ERR] OSD_OUT_OF_ORDER_FULL: full ratio(s) out of order\n' +
        '    full_ratio (0.5) < backfillfull_ratio (0.9), increased\n',
    );
  });

  test('tell of monitors that mark no OSD out', () => {
    const cluster = healthyCluster();
    cluster.succeed({ prefix: 'config set', who: 'mon.b', name: 'mon_osd_down_out_interval', value: '0' });

    expect(detail(cluster)).toBe(
      'HEALTH_WARN mon b has mon_osd_down_out_interval set to 0\n' +
        '[WRN] OSD_NO_DOWN_OUT_INTERVAL: mon b has mon_osd_down_out_interval set to 0\n' +
        '    mon.b has mon_osd_down_out_interval set to 0\n',
    );
  });

  test('tell of OSDs that only the CRUSH map knows', () => {
    const cluster = healthyCluster();
    cluster.succeed({ prefix: 'osd down', ids: ['3'] });
    cluster.succeed({ prefix: 'osd out', ids: ['3'] });
    cluster.succeed({ prefix: 'osd rm', ids: ['3'] });

    expect(detail(cluster)).toContain(
      '[WRN] OSD_ORPHAN: 1 osds exist in the crush map but not in the osdmap\n    osd.3 exists in crush map but not in osdmap\n',
    );
  });
});
