import type { LogEntry } from '@spirula/messages';
import { describe, expect, test } from 'vitest';
import { MonCluster, type TalkerPlace } from './mon-cluster.ts';

/** Lines of a channel, oldest first, without their stamps: `mon.a INF text`. */
function lines(cluster: MonCluster, channel = 'cluster', level = 'info'): string[] {
  cluster.run(3);
  return cluster
    .json('log last', { num: 1000, level, channel })
    .map(({ name, priority, message }: Record<string, string>) => `${name} ${priority} ${message}`);
}

/** What a subscriber has heard. */
function heardBy({ daemon }: TalkerPlace): LogEntry[] {
  return daemon.heard.flatMap((message) => (message.type === 'log' ? message.entries : []));
}

describe('the cluster log', () => {
  test('begins with the cluster, and tells of elections at every monitor', () => {
    const cluster = new MonCluster().start();
    cluster.mons[0]!.process.crash();
    cluster.until('b leads', () => cluster.leader?.name === 'b', 20);

    const all = lines(cluster, '*');

    expect(all[0]).toMatch(/^mon\.a \[INF\] mkfs [-0-9a-f]{36}$/);
    expect(all).toContain('mon.a [INF] mon.a is new leader, mons a,b,c in quorum (ranks 0,1,2)');
    expect(all).toContain('mon.c [INF] mon.c calling monitor election');
    expect(all.filter((line) => line.endsWith('mon.b calling monitor election')).length).toBeGreaterThan(0);
    expect(all).toContain('mon.b [INF] mon.b is new leader, mons b,c in quorum (ranks 1,2)');
    expect(all).toContain('mon.b [WRN] Health check failed: 1/3 mons down, quorum b,c (MON_DOWN)');
  });

  test('tells when health changes, once, whoever leads', () => {
    const cluster = new MonCluster({ options: { mon_mgr_mkfs_grace: 4_000_000_000 } }).start();
    cluster.addOsds(3);
    cluster.succeed({ prefix: 'osd set', key: 'noout' });
    cluster.run(10);
    cluster.succeed({ prefix: 'osd set', key: 'noin' });
    cluster.run(2);
    cluster.mons[0]!.process.crash();
    cluster.until('b leads', () => cluster.leader?.name === 'b', 20);
    cluster.succeed({ prefix: 'osd unset', key: 'noin' });
    cluster.succeed({ prefix: 'osd unset', key: 'noout' });
    cluster.run(2);
    cluster.mons[0]!.process.start();
    cluster.until('a leads', () => cluster.leader?.name === 'a', 20);
    cluster.run(5);

    const said = lines(cluster).filter((line) => /Health check|healthy/.test(line));

    const flags = said.filter((line) => line.includes('OSDMAP_FLAGS'));
    expect(flags[0]).toBe('mon.a [WRN] Health check failed: noout flag(s) set (OSDMAP_FLAGS)');
    expect(flags.filter((line) => line.includes('failed'))).toHaveLength(1);
    expect(flags).toContain('mon.a [WRN] Health check update: noout,noin flag(s) set (OSDMAP_FLAGS)');
    expect(flags.at(-1)).toMatch(/^mon\.b \[INF\] Health check cleared: OSDMAP_FLAGS \(was: /);
    expect(said.at(-1)).toBe('mon.a [INF] Cluster is now healthy');
  });

  test('gives an overview with every detail when health has changed', () => {
    const cluster = new MonCluster({ options: { mon_mgr_mkfs_grace: 4_000_000_000 } }).start();
    cluster.addOsds(3);
    cluster.succeed({ prefix: 'osd down', ids: ['2'] });
    cluster.run(70);

    const said = lines(cluster);

    expect(said).toContain('mon.a [WRN] [WRN] OSD_DOWN: 1 osds down');
    expect(said).toContain('mon.a [WRN]     osd.2 (root=default,host=host2) is down');
  });

  test('takes lines of operators, and shows who wrote them', () => {
    const cluster = new MonCluster().start();
    cluster.succeed({ prefix: 'log', logtext: ['hello', 'two words'] });

    expect(cluster.json('log last', { num: 1 }).at(-1)).toMatchObject({
      name: 'client.admin',
      rank: 'client.?',
      seq: 0,
      channel: 'cluster',
      priority: '[INF]',
      message: 'hello two words',
    });
  });

  // `ceph log last 3` of 16.2.15 shows four lines where the fourth is of the level, and three where it is not.
  test('shows one line more than asked for where the one before them is of the level', () => {
    const cluster = new MonCluster({ mons: 1 }).start();
    cluster.run(70);
    for (const word of ['one', 'two', 'three']) cluster.succeed({ prefix: 'log', logtext: [word] });
    const shown = (num: number) => cluster.json('log last', { num }).map((line: { message: string }) => line.message);
    expect(shown(1)).toEqual(['two', 'three']);
    expect(shown(2)).toEqual(['one', 'two', 'three']);

    // The line before is about a map, for debugging.
    cluster.succeed({ prefix: 'osd set', key: 'noout' });
    cluster.succeed({ prefix: 'osd unset', key: 'noout' });
    cluster.run(2);
    cluster.succeed({ prefix: 'osd set-nearfull-ratio', ratio: 0.8 });
    cluster.run(2);
    cluster.succeed({ prefix: 'log', logtext: ['last'] });
    expect(shown(1)).toEqual(['last']);
  });

  test('keeps the newest lines of each channel, also where a monitor copies the store or starts anew', () => {
    const options = { mon_log_max_summary: 30, mon_max_log_epochs: 3 };
    const cluster = new MonCluster({ options }).start();
    cluster.mons[2]!.process.crash();
    for (let i = 0; i < 40; i++) cluster.succeed({ prefix: 'log', logtext: [`line ${i}`] });
    const shown = () => lines(cluster, '*').filter((line) => /client\.admin|mkfs/.test(line) && !line.includes('cmd'));
    const before = shown();
    expect(before.filter((line) => line.includes('line 39'))).toHaveLength(1);
    expect(before[0]).toContain('mkfs');

    for (const each of [0, 1]) cluster.mons[each]!.process.crash();
    for (const { process } of cluster.mons) process.start();
    cluster.until('all are in quorum', () => cluster.quorum.length === 3, 60);
    expect(shown()).toContain('client.admin [INF] line 39');
    cluster.mons[0]!.process.crash();
    cluster.until('b leads', () => cluster.leader?.name === 'b', 20);

    expect(shown()[0]).toContain('mkfs');
    expect(lines(cluster).length).toBeLessThanOrEqual(30);
    expect(lines(cluster, 'audit', 'debug').length).toBeLessThanOrEqual(30);
  });

  test('gives the monitors the same store, line for line', () => {
    const cluster = new MonCluster({ options: { mon_max_log_epochs: 2, mon_log_max_summary: 3 } }).start();
    for (let i = 0; i < 8; i++) cluster.succeed({ prefix: 'log', logtext: [`line ${i}`] });
    cluster.run(5);

    const digests = cluster.mons.map(({ daemon }) => daemon.inspect().storeDigest());
    expect(new Set(digests).size).toBe(1);
  });
});

describe('the audit channel', () => {
  test('tells of a command when it comes and when it is done, with who sent it', () => {
    const cluster = new MonCluster({ mons: 1 }).start();
    cluster.succeed({ prefix: 'osd set', key: 'noout' });
    cluster.succeed({ prefix: 'osd stat' });

    const said = lines(cluster, 'audit', 'debug');

    const from = /^mon\.a \[INF\] from='client\.\? \S+:0\/\d+' entity='client\.admin' /;
    expect(said.find((line) => line.endsWith(`cmd=[{"prefix":"osd set","key":"noout"}]: dispatch`))).toMatch(from);
    expect(said.find((line) => line.endsWith(`cmd='[{"prefix":"osd set","key":"noout"}]': finished`))).toMatch(from);
    expect(said.filter((line) => line.includes('osd stat'))).toEqual([
      expect.stringMatching(/^mon\.a \[DBG\] .* cmd=\[\{"prefix":"osd stat"\}\]: dispatch$/),
    ]);
    expect(lines(cluster, 'audit').some((line) => line.includes('[DBG]'))).toBe(false);
  });

  test('tells nothing of values of options, and of a refused change only that it came', () => {
    const cluster = new MonCluster({ mons: 1 }).start();
    cluster.succeed({ prefix: 'config set', who: 'global', name: 'mon_lease', value: '7' });
    cluster.command({ prefix: 'osd set', key: 'nonsense' });

    const said = lines(cluster, 'audit', 'debug');

    expect(said.join('\n')).not.toContain('mon_lease');
    expect(said.filter((line) => line.includes('nonsense'))).toHaveLength(1);
  });

  test('shows a change asked of a peon twice, what only reads once', () => {
    const cluster = new MonCluster().start();
    const clients = Array.from({ length: 6 }, (_, i) => cluster.addTalker({ type: 'client', id: `c${i}` }));
    for (const client of clients) client.process.start();
    cluster.until('all are connected', () => clients.every(({ daemon }) => daemon.mon.connected));
    const peons = cluster.mons.slice(1).map(({ process }) => process.addrs('public')[0]!.ip);
    const client = clients.find(({ daemon }) => peons.includes(daemon.mon.currentMon![0]!.ip))!;
    const { id } = client.process.spec.entity;
    cluster.command({ prefix: 'osd set', key: 'noout' }, client);
    cluster.command({ prefix: 'osd stat' }, client);

    const said = lines(cluster, 'audit', 'debug').filter((line) => line.includes(`entity='client.${id}'`));

    const shown = said.map((line) => line.replace(/'client\.\? \S+'/, "'client.? ADDR'").replace(/mon\.[bc]/, 'PEON'));
    const set = '{"prefix":"osd set","key":"noout"}';
    expect([...shown].sort()).toEqual(
      [
        `PEON [INF] from='client.? ADDR' entity='client.${id}' cmd=[${set}]: dispatch`,
        `mon.a [INF] from='client.? ' entity='client.${id}' cmd=[${set}]: dispatch`,
        `mon.a [INF] from='client.? ' entity='client.${id}' cmd='[${set}]': finished`,
        `PEON [DBG] from='client.? ADDR' entity='client.${id}' cmd=[{"prefix":"osd stat"}]: dispatch`,
      ].sort(),
    );
  });
});

describe('a subscriber', () => {
  test.each(['debug', 'info', 'warn'] as const)('at level %s hears the newest line, then all that come', (level) => {
    const cluster = new MonCluster({ options: { mon_mgr_mkfs_grace: 4_000_000_000 } }).start();
    cluster.addOsds(3);
    cluster.run(5);
    const client = cluster.addTalker({ type: 'client', id: 'watcher' });
    client.process.start();
    client.process.call(() => client.daemon.mon.subscribe(`log-${level}`, 0));
    cluster.run(5);
    const least = ['debug', 'info', 'sec', 'warn'].indexOf(level);
    expect(heardBy(client).length).toBeLessThanOrEqual(1);
    cluster.succeed({ prefix: 'osd set', key: 'noout' });
    cluster.succeed({ prefix: 'log', logtext: ['hello'] });
    cluster.run(5);

    const heard = heardBy(client);

    expect(heard.every(({ priority }) => priority >= least)).toBe(true);
    expect(heard.some(({ text }) => text === 'hello')).toBe(level !== 'warn');
    expect(heard.filter(({ text }) => text.startsWith('Health check failed: noout'))).toHaveLength(1);
    const versions = client.daemon.heard.flatMap((message) => (message.type === 'log' ? [message.version] : []));
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  });

  test('that was away for long is told what it missed', () => {
    const cluster = new MonCluster({ mons: 1, options: { mon_max_log_epochs: 2 } }).start();
    for (let i = 0; i < 6; i++) cluster.succeed({ prefix: 'log', logtext: [`line ${i}`] });
    const client = cluster.addTalker({ type: 'client', id: 'watcher' });
    client.process.start();
    client.process.call(() => client.daemon.mon.subscribe('log-info', 1));
    cluster.run(5);

    expect(heardBy(client)[0]!.text).toMatch(/^skipped log messages from 1 to \d+$/);
  });
});
