/** Debian's unmodified `ceph` and `rados` against a spirula cluster. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningCluster, startCluster } from '@spirula/cli';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingTools } from './real-ceph.ts';
import { runTool } from './run-tool.ts';

const missing = missingTools(['ceph', 'rados', 'osdmaptool', 'crushtool']);

describe.skipIf(missing.length > 0)(`real clients (skipped when not installed: ${missing.join(' ') || 'none'})`, () => {
  let cluster: RunningCluster;
  let dir: string;

  beforeAll(async () => {
    cluster = await startCluster({ osds: 3, store: 'disk' });
    dir = mkdtempSync(join(tmpdir(), 'spirula-interop-'));
  });
  afterAll(async () => {
    await cluster?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function ceph(...args: string[]): Promise<string> {
    const result = await runTool('ceph', ['-c', cluster.cephConf, ...args]);
    expect(result, args.join(' ')).toMatchObject({ status: 0 });
    return result.stdout;
  }

  async function cephFails(...args: string[]) {
    return await runTool('ceph', ['-c', cluster.cephConf, ...args]);
  }

  async function rados(...args: string[]): Promise<string> {
    const result = await runTool('rados', ['-c', cluster.cephConf, '-p', cluster.pool, ...args]);
    expect(result, args.join(' ')).toMatchObject({ status: 0 });
    return result.stdout;
  }

  async function radosFails(...args: string[]) {
    return await runTool('rados', ['-c', cluster.cephConf, '-p', cluster.pool, ...args]);
  }

  test('shows what the primary knows of a placement group, with the keys of Ceph', async () => {
    const names = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.slice(0, 1).map(names);
      if (typeof value !== 'object' || value === null) return undefined;
      return Object.entries(value).map(([name, inner]) => [name, names(inner)]);
    };
    const recorded = JSON.parse(readFileSync(new URL('../golden/real/pg-query.json', import.meta.url), 'utf8'));
    const asked = JSON.parse(await ceph('pg', '1.7', 'query'));

    expect(names(asked)).toEqual(names(recorded));
    expect(asked).toMatchObject({ state: 'active+clean', info: { pgid: '1.7' }, recovery_state: [{}, {}] });
    expect(JSON.parse(await ceph('tell', '1.7', 'query')).info.pgid).toBe('1.7');
    const benched = JSON.parse(await ceph('tell', 'osd.0', 'bench', '8192', '4096'));
    expect(benched).toMatchObject({ bytes_written: 8192, blocksize: 4096 });
    const seq = Number(await ceph('tell', 'osd.0', 'flush_pg_stats'));
    const lastSeq = async () => Number(await ceph('osd', 'last-stat-seq', '0'));
    expect(seq).toBeGreaterThan(2 ** 32);
    await expect.poll(lastSeq, { timeout: 60_000 }).toBeGreaterThanOrEqual(seq);
    expect(await cephFails('pg', '1.fff', 'query')).toMatchObject({
      status: 2,
      stderr: "Error ENOENT: i don't have pgid 1.fff\n",
    });
    const own = await runTool(process.execPath, [
      'packages/cli/bin/spirula.mjs',
      'ceph',
      '-c',
      cluster.cephConf,
      'pg',
      '1.7',
      'query',
    ]);
    expect(own).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(own.stdout).info.history).toEqual(asked.info.history);
  });

  test('lets in who has the key, and nobody else', async () => {
    const denied = '[errno 13] RADOS permission denied (error connecting to the cluster)\n';
    const wrong = await cephFails('--key', 'AQBApwxrTSoDCBAA432mm1NtyjJnNj0hienv5w==', 'health');
    const withoutProof = await cephFails('--auth_client_required=none', 'health');

    expect(wrong).toMatchObject({ status: 13, stderr: expect.stringContaining(denied) });
    expect(withoutProof).toMatchObject({ status: 13, stderr: expect.stringContaining(denied) });
  });

  test('carries data unharmed in secure mode and in crc mode', async () => {
    const file = join(dir, 'modes');
    writeFileSync(file, Buffer.alloc(3_000_001, 'modes'));
    await rados('--ms_client_mode=secure', '--ms_mon_client_mode=crc', 'put', 'modes', file);
    await rados('--ms_client_mode=crc', '--ms_mon_client_mode=secure', 'get', 'modes', `${file}.out`);
    await rados('--ms_client_mode=secure', 'get', 'modes', `${file}.secure`);

    await rados('rm', 'modes');

    for (const out of ['out', 'secure'])
      expect(readFileSync(`${file}.${out}`).equals(readFileSync(file)), out).toBe(true);
  });

  const readable = [
    'status',
    'health',
    'health detail',
    'mon dump',
    'mon stat',
    'quorum_status',
    'mgr dump',
    'mgr stat',
    'osd tree',
    'osd dump',
    'osd stat',
    'osd map data some-object',
    'osd ls',
    'osd df',
    'osd perf',
    'osd pool ls',
    'osd pool ls detail',
    'osd pool get data size',
    'osd pool get data all',
    'osd pool stats',
    'pg stat',
    'pg dump',
    'pg ls',
    'pg map 1.0',
    'df',
    'df detail',
    'versions',
    'config dump',
    'log last',
  ];

  test.each(readable)('ceph %s answers in text and in JSON', async (command) => {
    const words = command.split(' ');

    const text = await ceph(...words);
    const json = await ceph(...words, '-f', 'json');

    expect(text.length + json.length).toBeGreaterThan(0);
    expect(() => JSON.parse(json)).not.toThrow();
  });

  test('ceph -s shows a healthy cluster with every daemon', async () => {
    const status = JSON.parse(await ceph('-s', '-f', 'json'));

    expect(status.health.status).toBe('HEALTH_OK');
    expect(status.quorum_names).toEqual(['a', 'b', 'c']);
    expect(status.osdmap).toMatchObject({ num_osds: 3, num_up_osds: 3, num_in_osds: 3 });
    expect(status.mgrmap.available).toBe(true);
    expect(status.pgmap.pgs_by_state).toEqual([{ state_name: 'active+clean', count: 32 }]);
  });

  test('an unknown command is refused with words, and a command without its argument too', async () => {
    const unknown = await cephFails('osd', 'frobnicate');
    const incomplete = await cephFails('osd', 'pool', 'create');

    expect(unknown).toMatchObject({ status: 22 });
    expect(incomplete).toMatchObject({ status: 22 });
  });

  test('the maps that clients fetch are read by the real tools', async () => {
    await ceph('osd', 'getmap', '-o', join(dir, 'osdmap'));
    await ceph('osd', 'getcrushmap', '-o', join(dir, 'crush'));

    const printed = await runTool('osdmaptool', [join(dir, 'osdmap'), '--print']);
    const decompiled = await runTool('crushtool', ['-d', join(dir, 'crush')]);

    expect(printed.stdout).toContain("pool 1 'data' replicated size 3 min_size 2");
    expect(decompiled.stdout).toContain('rule replicated_rule');
  });

  test('pools are made, changed and removed', async () => {
    await ceph('osd', 'pool', 'create', 'second', '8');
    await ceph('osd', 'pool', 'set', 'second', 'size', '2');
    await ceph('osd', 'pool', 'application', 'enable', 'second', 'rados');

    expect(JSON.parse(await ceph('osd', 'pool', 'get', 'second', 'size', '-f', 'json'))).toMatchObject({ size: 2 });
    expect(await rados('lspools')).toBe('data\nsecond\n');

    expect((await cephFails('osd', 'pool', 'rm', 'second')).status).toBe(1);
    await ceph('osd', 'pool', 'rm', 'second', 'second', '--yes-i-really-really-mean-it');
    expect(await rados('lspools')).toBe('data\n');
  });

  test('an OSD goes out and in, is reweighted, and the flags are set and unset', async () => {
    await ceph('osd', 'set', 'noout');
    expect(await ceph('health')).toContain('noout flag(s) set');
    await ceph('osd', 'unset', 'noout');

    await ceph('osd', 'reweight', '1', '0.5');
    await ceph('osd', 'out', '1');
    expect(JSON.parse(await ceph('osd', 'dump', '-f', 'json')).osds[1]).toMatchObject({ in: 0 });
    await ceph('osd', 'in', '1');
    await ceph('osd', 'reweight', '1', '1');
    await cluster.waitForHealth();
  });

  test('an object is put, read back, listed, measured and removed', async () => {
    const original = join(dir, 'original');
    const copy = join(dir, 'copy');
    const data = new Uint8Array(100_000).map((_, i) => (i * 31) & 255);
    writeFileSync(original, data);

    await rados('put', 'obj1', original);
    await rados('get', 'obj1', copy);

    expect(new Uint8Array(readFileSync(copy))).toEqual(data);
    expect(await rados('ls')).toBe('obj1\n');
    expect(await rados('stat', 'obj1')).toContain('size 100000');
    await rados('truncate', 'obj1', '10');
    await rados('append', 'obj1', original);
    expect(await rados('stat', 'obj1')).toContain('size 100010');
    await rados('rm', 'obj1');
    expect((await radosFails('stat', 'obj1')).stderr).toContain('(2) No such file or directory');
    expect(await rados('ls')).toBe('');
  });

  test('xattrs and omap are kept', async () => {
    await rados('create', 'meta');
    await rados('setxattr', 'meta', 'colour', 'blue');
    await rados('setomapval', 'meta', 'k1', 'v1');
    await rados('setomapval', 'meta', 'k2', 'v2');

    expect(await rados('getxattr', 'meta', 'colour')).toContain('blue');
    expect(await rados('listxattr', 'meta')).toBe('colour\n');
    expect(await rados('listomapkeys', 'meta')).toBe('k1\nk2\n');
    expect(await rados('getomapval', 'meta', 'k2')).toContain('v2');
    await rados('rmomapkey', 'meta', 'k1');
    expect(await rados('listomapvals', 'meta')).not.toContain('k1');
    await rados('rmxattr', 'meta', 'colour');
    expect((await radosFails('getxattr', 'meta', 'colour')).stderr).toContain('(61) No data available');
    await rados('rm', 'meta');
  });

  test('a namespace is a world of its own', async () => {
    const file = join(dir, 'ns');
    writeFileSync(file, 'inside');

    await rados('-N', 'space', 'put', 'same', file);

    expect(await rados('-N', 'space', 'ls')).toBe('same\n');
    expect(await rados('ls')).toBe('');
    expect((await rados('ls', '--all')).trim().split(/\s+/)).toEqual(['space', 'same']);
    await rados('-N', 'space', 'rm', 'same');
  });

  test('rados bench writes, reads and cleans up', async () => {
    await rados('bench', '1', 'write', '-b', '4096', '-t', '8', '--no-cleanup');
    await rados('bench', '1', 'seq', '-t', '8');
    await rados('bench', '1', 'rand', '-t', '8');
    await rados('cleanup');

    expect(await rados('ls')).toBe('');
    expect(await rados('df')).toContain('data');
  });

  test('an OSD dies and comes back: writes go on, and all heals', async () => {
    const file = join(dir, 'survivor');
    writeFileSync(file, 'before');
    await rados('put', 'before', file);

    await cluster.kill('osd.1');
    writeFileSync(file, 'meanwhile');
    await rados('put', 'meanwhile', file);
    await rados('get', 'before', join(dir, 'before'));
    await cluster.start('osd.1');
    await cluster.waitForHealth(60);

    await rados('get', 'meanwhile', join(dir, 'meanwhile'));
    expect(readFileSync(join(dir, 'before'), 'utf8')).toBe('before');
    expect(readFileSync(join(dir, 'meanwhile'), 'utf8')).toBe('meanwhile');
  }, 90_000);

  test('a monitor dies: the others serve on', async () => {
    await cluster.kill('mon.a');
    const status = JSON.parse(
      (await runTool('ceph', ['-c', cluster.cephConf, '-s', '-f', 'json'], { timeoutSeconds: 60 })).stdout,
    );
    await cluster.start('mon.a');
    await cluster.waitForHealth(60);

    expect(status.quorum_names).toEqual(['b', 'c']);
    expect(status.health.checks).toHaveProperty('MON_DOWN');
  }, 120_000);
});
