/**
 * Images through librbd without its cache (fio's rbd engine, `rbd bench`), on spirula (durable store, one process a daemon) and, where it is
 * installed, on a real Ceph cluster with as many OSDs: interleaved in one run, so that the ratio holds whatever else the machine
 * does. And by NBD, on spirula, beside librbd.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { askCluster, type ProcessStatus } from '@spirula/cli';
import { missingTools, startRealCeph } from '../../test/interop/real-ceph.ts';
import { cpuSeconds } from './process-cpu.ts';
import { printTable } from './table.ts';

const run = promisify(execFile);
const SPIRULA = new URL('../../packages/cli/bin/spirula.mjs', import.meta.url).pathname;
const OUR_PORT_BASE = 28_200;
const CEPH_PORT_BASE = 28_500;
const SECONDS = 6;
const ROUNDS = 2;
/** Runs of a workload on each target before those that count: programs that compile themselves as they run have done so. */
const WARM_UPS = 1;
const POOL = 'images';
const IMAGE = 'bench';
const MIB = 1 << 20;

interface Target {
  readonly name: string;
  readonly confPath: string;
  readonly osdPids: readonly number[];
}

interface Measured {
  readonly perSecond: number;
  readonly osdCpuMsPerOp: number;
}

interface Workload {
  readonly name: string;
  /** Of what is counted in a second, and how many operations one of it is. */
  readonly unit: 'ops' | 'MiB';
  run(target: Target): Promise<{ readonly perSecond: number; readonly operations: number }>;
}

const workloads: readonly Workload[] = [
  fio('librbd: random write 4 KiB, 16 at a time', '--rw=randwrite', '--bs=4k', '--iodepth=16'),
  fio('librbd: random read 4 KiB, 16 at a time', '--rw=randread', '--bs=4k', '--iodepth=16'),
  fio('librbd: write 4 MiB, 8 at a time', '--rw=write', '--bs=4m', '--iodepth=8'),
  fio('librbd: read 4 MiB, 8 at a time', '--rw=read', '--bs=4m', '--iodepth=8'),
  { name: 'rbd bench: random write 4 KiB, 16 at a time', unit: 'ops', run: rbdBench },
];

/** Prints the tables. */
export async function benchRbd(): Promise<void> {
  const missing = missingTools(['rbd', 'fio', 'ceph']);
  if (missing.length > 0) {
    console.log(`rbd: skipped, not installed: ${missing.join(' ')}`);
    return;
  }
  const real = missingTools(['ceph-mon', 'ceph-osd', 'ceph-mgr', 'monmaptool']).length === 0;
  const dir = mkdtempSync(join(tmpdir(), 'spirula-bench-'));
  const options = { osds: 3, portBase: CEPH_PORT_BASE, store: 'bluestore', ownSessions: true } as const;
  const theirs = real ? await startRealCeph(options) : undefined;
  try {
    const flags = ['--rgws', '0', '--processes', '--detach', '--port-base', String(OUR_PORT_BASE)];
    await run(process.execPath, [SPIRULA, 'up', '--dir', dir, ...flags]);
    const ours = await ourTarget(dir);
    const targets = [ours, ...(theirs ? [{ name: 'ceph', confPath: theirs.confPath, osdPids: theirs.osdPids }] : [])];
    for (const target of targets) await prepare(target);
    await compare(targets);
    await compareNbd(ours);
  } finally {
    await theirs?.stop();
    await run(process.execPath, [SPIRULA, 'down', '--dir', dir]).catch(() => undefined);
    rmSync(dir, { recursive: true, force: true });
  }
}

async function ourTarget(dir: string): Promise<Target> {
  const daemons = (await askCluster(dir, { ask: 'status' })) as ProcessStatus[];
  const osdPids = daemons.filter(({ name }) => name.startsWith('osd.')).map(({ pid }) => pid!);
  return { name: 'spirula', confPath: join(dir, 'ceph.conf'), osdPids };
}

/** An image whose bytes are all there. */
async function prepare({ confPath }: Target): Promise<void> {
  await run('ceph', ['-c', confPath, 'config', 'set', 'client', 'rbd_cache', 'false']);
  await run('ceph', ['-c', confPath, 'osd', 'pool', 'create', POOL, '16']);
  await run('rbd', ['-c', confPath, 'pool', 'init', POOL]);
  await run('rbd', ['-c', confPath, 'create', `${POOL}/${IMAGE}`, '--size', '512M']);
  const fill = ['bench', '--io-type', 'write', '--io-size', '4M', '--io-total', '512M', `${POOL}/${IMAGE}`];
  await run('rbd', ['-c', confPath, ...fill], { maxBuffer: 1 << 24 });
}

function fio(name: string, ...flags: readonly string[]): Workload {
  return { name, unit: flags.includes('--bs=4k') ? 'ops' : 'MiB', run: (target) => runFio(target, LIBRBD, flags) };
}

const LIBRBD = ['--ioengine=rbd', '--clientname=admin', `--pool=${POOL}`, `--rbdname=${IMAGE}`];

async function runFio({ confPath }: Target, engine: readonly string[], flags: readonly string[]) {
  const job = ['--name=bench', '--size=512m', '--time_based', `--runtime=${SECONDS}`, '--output-format=json'];
  const env = { ...process.env, CEPH_CONF: confPath };
  const { stdout } = await run('fio', [...job, ...engine, ...flags], { env, maxBuffer: 1 << 24, cwd: tmpdir() });
  const { jobs } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
    jobs: Record<'read' | 'write', { iops: number; bw_bytes: number; total_ios: number }>[];
  };
  const { read, write } = jobs[0]!;
  const done = read.total_ios > 0 ? read : write;
  const perSecond = flags.includes('--bs=4k') ? done.iops : done.bw_bytes / MIB;
  return { perSecond, operations: done.total_ios };
}

async function rbdBench({ confPath }: Target) {
  const how = ['--io-type', 'write', '--io-size', '4096', '--io-pattern', 'rand', '--io-threads', '16'];
  const { stdout } = await run(
    'timeout',
    ['--signal=INT', '60', 'rbd', '-c', confPath, 'bench', ...how, '--io-total', '16M', `${POOL}/${IMAGE}`],
    { maxBuffer: 1 << 24 },
  );
  const [, operations, perSecond] = /ops:\s+(\d+)\s+ops\/sec:\s+([\d.]+)/.exec(stdout) ?? [];
  if (perSecond === undefined) throw new Error(`rbd bench printed no rate:\n${stdout}`);
  return { perSecond: Number(perSecond), operations: Number(operations) };
}

async function compare(targets: readonly Target[]): Promise<void> {
  const rows = [['workload', 'target', 'rate', 'unit', 'OSD CPU ms/op', 'ratio to ceph']];
  for (const workload of workloads) {
    const results = new Map<Target, Measured[]>(targets.map((target) => [target, []]));
    for (let round = -WARM_UPS; round < ROUNDS; round++) {
      for (const target of targets) {
        const measured = await measure(target, () => workload.run(target));
        if (round >= 0) results.get(target)!.push(measured);
      }
    }
    const ceph = targets.find(({ name }) => name === 'ceph');
    for (const target of targets) {
      const rate = mean(results.get(target)!.map(({ perSecond }) => perSecond));
      const cpu = mean(results.get(target)!.map(({ osdCpuMsPerOp }) => osdCpuMsPerOp));
      const ratio = ceph ? rate / mean(results.get(ceph)!.map(({ perSecond }) => perSecond)) : Number.NaN;
      const shown = Number.isNaN(ratio) ? '-' : ratio.toFixed(2);
      rows.push([workload.name, target.name, rate.toFixed(1), `${workload.unit}/s`, cpu.toFixed(2), shown]);
    }
    console.log(`${workload.name}: done`);
  }
  printTable(`Images, 3 OSDs, size 3, ${ROUNDS} rounds of ${SECONDS} s, interleaved`, rows);
}

async function compareNbd(target: Target): Promise<void> {
  const socket = join(mkdtempSync(join(tmpdir(), 'spirula-bench-nbd-')), 'socket');
  const server = spawn(
    process.execPath,
    [SPIRULA, 'nbd', 'serve', '-c', target.confPath, '--socket', socket, `${POOL}/${IMAGE}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    await once(server.stdout, 'data');
    const nbd = ['--ioengine=nbd', `--uri=nbd+unix:///${POOL}/${IMAGE}?socket=${socket}`];
    const rows = [['workload', 'by NBD', 'by librbd', 'unit', 'ratio']];
    for (const [name, ...flags] of NBD_WORKLOADS) {
      const rates: number[][] = [[], []];
      for (let round = -WARM_UPS; round < ROUNDS; round++) {
        for (const [i, engine] of [nbd, LIBRBD].entries()) {
          const { perSecond } = await runFio(target, engine, flags);
          if (round >= 0) rates[i]!.push(perSecond);
        }
      }
      const [ours, theirs] = rates.map(mean);
      const unit = flags.includes('--bs=4k') ? 'ops/s' : 'MiB/s';
      rows.push([name!, ours!.toFixed(1), theirs!.toFixed(1), unit, (ours! / theirs!).toFixed(2)]);
    }
    printTable(`Images of spirula, by fio, ${ROUNDS} rounds of ${SECONDS} s, interleaved`, rows);
  } finally {
    await end(server);
    rmSync(join(socket, '..'), { recursive: true, force: true });
  }
}

const NBD_WORKLOADS = [
  ['random write 4 KiB, 16 at a time', '--rw=randwrite', '--bs=4k', '--iodepth=16'],
  ['random read 4 KiB, 16 at a time', '--rw=randread', '--bs=4k', '--iodepth=16'],
  ['write 4 MiB, 8 at a time', '--rw=write', '--bs=4m', '--iodepth=8'],
  ['read 4 MiB, 8 at a time', '--rw=read', '--bs=4m', '--iodepth=8'],
];

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

async function measure(target: Target, work: () => ReturnType<Workload['run']>): Promise<Measured> {
  const cpu = () => target.osdPids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const before = cpu();
  const { perSecond, operations } = await work();
  return { perSecond, osdCpuMsPerOp: ((cpu() - before) / operations) * 1000 };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
