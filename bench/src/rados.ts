/**
 * Real `rados bench` against spirula (durable store, one process a daemon) and, where it is installed, against a real
 * Ceph cluster with as many OSDs: interleaved in one run, so that the ratio holds whatever else the machine does.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { askCluster, FIRST_POOL, type ProcessStatus } from '@spirula/cli';
import { missingTools, startRealCeph } from '../../test/interop/real-ceph.ts';
import { cpuSeconds } from './process-cpu.ts';
import { printTable } from './table.ts';

const run = promisify(execFile);
const SECONDS = 6;
const ROUNDS = 2;
const SPIRULA = new URL('../../packages/cli/bin/spirula.mjs', import.meta.url).pathname;

interface Target {
  readonly name: string;
  readonly confPath: string;
  readonly pool: string;
  readonly osdPids: readonly number[];
}

interface Workload {
  readonly name: string;
  readonly args: readonly string[];
}

const workloads: readonly Workload[] = [
  { name: 'write 4 KiB t16', args: ['write', '-b', '4096', '-t', '16', '--no-cleanup'] },
  { name: 'rand read 4 KiB t16', args: ['rand', '-t', '16'] },
  { name: 'write 4 KiB t1', args: ['write', '-b', '4096', '-t', '1', '--no-cleanup'] },
  { name: 'write 4 MiB t16', args: ['write', '-b', '4194304', '-t', '16', '--no-cleanup'] },
  { name: 'seq read 4 MiB t16', args: ['seq', '-t', '16'] },
];

interface Measured {
  readonly iops: number;
  readonly latencyMs: number;
  readonly osdCpuUsPerOp: number;
}

/** Prints the table. */
export async function benchRados(): Promise<void> {
  const missing = missingTools(['rados', 'ceph']);
  if (missing.length > 0) {
    console.log(`rados: skipped, not installed: ${missing.join(' ')}`);
    return;
  }
  const real = missingTools(['ceph-mon', 'ceph-osd', 'ceph-mgr', 'monmaptool']).length === 0;
  const dir = mkdtempSync(join(tmpdir(), 'spirula-bench-'));
  const options = { osds: 3, portBase: 26400, store: 'bluestore', ownSessions: true } as const;
  const theirs = real ? await startRealCeph(options) : undefined;
  try {
    await run(process.execPath, [SPIRULA, 'up', '--dir', dir, '--processes', '--detach', '--port-base', '26800']);
    const targets: Target[] = [await spirulaTarget(dir)];
    if (theirs) {
      const ceph = (...args: string[]) => run('ceph', ['-c', theirs.confPath, ...args]);
      await ceph('osd', 'pool', 'create', 'data', '32');
      targets.push({ name: 'ceph', confPath: theirs.confPath, pool: 'data', osdPids: theirs.osdPids });
    }
    await compare(targets);
  } finally {
    await theirs?.stop();
    await run(process.execPath, [SPIRULA, 'down', '--dir', dir]).catch(() => undefined);
    rmSync(dir, { recursive: true, force: true });
  }
}

async function spirulaTarget(dir: string): Promise<Target> {
  const daemons = (await askCluster(dir, { ask: 'status' })) as ProcessStatus[];
  const osdPids = daemons.filter((each) => each.name.startsWith('osd.')).map((each) => each.pid!);
  return { name: 'spirula', confPath: join(dir, 'ceph.conf'), pool: FIRST_POOL, osdPids };
}

async function compare(targets: readonly Target[]): Promise<void> {
  const rows = [['workload', 'target', 'IOPS', 'mean latency ms', 'OSD CPU us/op', 'IOPS ratio to ceph']];
  for (const workload of workloads) {
    const results = new Map<Target, Measured[]>(targets.map((target) => [target, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const target of targets) results.get(target)!.push(await measure(target, workload));
    }
    const ceph = targets.find((target) => target.name === 'ceph');
    const theirIops = ceph ? mean(results.get(ceph)!.map((each) => each.iops)) : Number.NaN;
    for (const target of targets) {
      const each = results.get(target)!;
      const iops = mean(each.map((one) => one.iops));
      rows.push([
        workload.name,
        target.name,
        iops.toFixed(0),
        mean(each.map((one) => one.latencyMs)).toFixed(2),
        mean(each.map((one) => one.osdCpuUsPerOp)).toFixed(0),
        Number.isNaN(theirIops) ? '-' : (iops / theirIops).toFixed(2),
      ]);
    }
  }
  printTable(`rados bench, 3 OSDs, size 3, ${ROUNDS} rounds of ${SECONDS} s, interleaved`, rows);
}

async function measure(target: Target, workload: Workload): Promise<Measured> {
  const cpu = () => target.osdPids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const before = cpu();
  const [verb, ...flags] = workload.args;
  const args = ['-c', target.confPath, '-p', target.pool, 'bench', String(SECONDS), verb!, ...flags];
  const { stdout } = await run('rados', args, { maxBuffer: 1 << 24 });
  const used = cpu() - before;
  const figure = (label: RegExp): number => {
    const match = label.exec(stdout);
    if (!match) throw new Error(`rados bench printed no ${label.source}:\n${stdout}`);
    return Number(match[1]);
  };
  const operations = figure(/Total (?:writes|reads) made:\s+(\d+)/);
  return {
    iops: figure(/Average IOPS:\s+([\d.]+)/),
    latencyMs: figure(/Average Latency\(s\):\s+([\d.e-]+)/) * 1000,
    osdCpuUsPerOp: (used / operations) * 1e6,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
