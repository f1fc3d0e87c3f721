/**
 * S3 through spirula's gateway (durable store, one process a daemon) and, where it is installed, through radosgw on a real Ceph
 * cluster with as many OSDs: interleaved, A-B-A-B, in one run, so that the ratio holds whatever else the machine does.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { askCluster, type ProcessStatus } from '@spirula/cli';
import { missingTools, startRealCeph } from '../../test/interop/real-ceph.ts';
import { cpuSeconds, peakMemoryBytes } from './process-cpu.ts';
import { S3Client, type S3Target } from './s3-client.ts';
import { printTable } from './table.ts';

const run = promisify(execFile);
const SPIRULA = new URL('../../packages/cli/bin/spirula.mjs', import.meta.url).pathname;
const OUR_PORT_BASE = 27600;
const CEPH_PORT_BASE = 27200;
const CEPH_S3_PORT = 27480;
/** Without authentication there is no secure mode. */
const AS_GATEWAY = ['--no-mon-config', '--ms_mon_client_mode', 'crc', '-n', 'client.rgw.a'];
const SECONDS = 5;
const ROUNDS = 2;
/** Runs of a workload on each target before those that count: programs that compile themselves as they run have done so. */
const WARM_UPS = 1;
const KIB = 1024;
const MIB = 1024 ** 2;
/** How many keys are listed, and how large the upload in parts is: `KEYS=100000 GIB=1` for figures to keep. */
const KEYS = Number(process.env['KEYS'] ?? 10_000);
const UPLOAD_BYTES = Number(process.env['GIB'] ?? 0.25) * 1024 * MIB;
const PART_BYTES = 16 * MIB;
const PAGE = 1000;

interface Target extends S3Target {
  readonly name: string;
  readonly gatewayPid: number;
  /** Of the gateway and the OSDs. */
  readonly pids: readonly number[];
}

interface Measured {
  readonly operations: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

interface Workload {
  readonly name: string;
  /** What `operations` counts. */
  readonly unit: string;
  run(target: Target): Promise<number>;
}

const small = new Uint8Array(4 * KIB).fill(7);
const large = new Uint8Array(8 * MIB).fill(7);

const workloads: readonly Workload[] = [
  ...[8, 64].flatMap((concurrency) => [puts('4 KiB', small, concurrency), gets('4 KiB', concurrency)]),
  puts('8 MiB', large, 8),
  gets('8 MiB', 8),
  { name: `list of ${KEYS} keys, pages of ${PAGE}`, unit: 'keys/s', run: list },
  { name: `upload of ${UPLOAD_BYTES / MIB} MiB in parts`, unit: 'MiB/s', run: upload },
];

/** Prints the table. */
export async function benchS3(): Promise<void> {
  const real =
    missingTools(['ceph-mon', 'ceph-osd', 'ceph-mgr', 'monmaptool', 'radosgw', 'radosgw-admin']).length === 0;
  const dir = mkdtempSync(join(tmpdir(), 'spirula-bench-'));
  const options = { osds: 3, portBase: CEPH_PORT_BASE, store: 'bluestore', ownSessions: true } as const;
  const theirs = real ? await startRealCeph(options) : undefined;
  let radosgw: ChildProcess | undefined;
  try {
    const flags = ['--processes', '--detach', '--port-base', String(OUR_PORT_BASE)];
    await run(process.execPath, [SPIRULA, 'up', '--dir', dir, ...flags]);
    const targets = [await ourTarget(dir)];
    if (theirs) {
      radosgw = startRadosgw(theirs.confPath, dir);
      targets.push(await theirTarget(theirs.confPath, radosgw.pid!, theirs.osdPids));
    }
    await compare(targets);
  } finally {
    radosgw?.kill('SIGKILL');
    await theirs?.stop();
    await run(process.execPath, [SPIRULA, 'down', '--dir', dir]).catch(() => undefined);
    rmSync(dir, { recursive: true, force: true });
  }
}

async function ourTarget(dir: string): Promise<Target> {
  const daemons = (await askCluster(dir, { ask: 'status' })) as ProcessStatus[];
  const pidsOf = (type: string) => daemons.filter(({ name }) => name.startsWith(type)).map(({ pid }) => pid!);
  const credentials = readFileSync(join(dir, 'aws-credentials'), 'utf8');
  const read = (name: string) => new RegExp(`${name}\\s*=\\s*(\\S+)`).exec(credentials)![1]!;
  const [gatewayPid] = pidsOf('rgw.');
  return {
    name: 'spirula',
    port: OUR_PORT_BASE + 40,
    accessKey: read('aws_access_key_id'),
    secretKey: read('aws_secret_access_key'),
    gatewayPid: gatewayPid!,
    pids: [gatewayPid!, ...pidsOf('osd.')],
  };
}

function startRadosgw(confPath: string, dir: string): ChildProcess {
  const frontend = `beast endpoint=127.0.0.1:${CEPH_S3_PORT}`;
  return spawn('radosgw', ['-c', confPath, ...AS_GATEWAY, '--rgw-frontends', frontend, '--rgw-data', dir, '-f'], {
    stdio: 'ignore',
    detached: true,
  });
}

async function theirTarget(confPath: string, gatewayPid: number, osdPids: readonly number[]): Promise<Target> {
  const keys = { accessKey: 'access', secretKey: 'secret' };
  const user = [
    '--uid',
    'ada',
    '--display-name',
    'Ada',
    '--access-key',
    keys.accessKey,
    '--secret-key',
    keys.secretKey,
  ];
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      await fetch(`http://127.0.0.1:${CEPH_S3_PORT}/`);
      break;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
  await run('radosgw-admin', ['-c', confPath, ...AS_GATEWAY, 'user', 'create', ...user]);
  return { name: 'ceph', port: CEPH_S3_PORT, ...keys, gatewayPid, pids: [gatewayPid, ...osdPids] };
}

async function compare(targets: readonly Target[]): Promise<void> {
  for (const target of targets) await withClient(target, 1, (client) => client.send('PUT', '/bench'));
  for (const target of targets) await fillForList(target);
  const rows = [['workload', 'target', 'rate', 'unit', 'CPU ms/op', 'ratio to ceph']];
  for (const workload of workloads) {
    const results = new Map<Target, Measured[]>(targets.map((target) => [target, []]));
    for (let round = -WARM_UPS; round < ROUNDS; round++) {
      for (const target of targets) {
        const measured = await measure(target, workload);
        if (round >= 0) results.get(target)!.push(measured);
      }
    }
    const rateOf = (target: Target) => ratio(results.get(target)!, 'operations', 'seconds');
    const ceph = targets.find(({ name }) => name === 'ceph');
    for (const target of targets) {
      const cpuMs = ratio(results.get(target)!, 'cpuSeconds', 'operations') * 1000;
      const compared = ceph ? (rateOf(target) / rateOf(ceph)).toFixed(2) : '-';
      rows.push([workload.name, target.name, rateOf(target).toFixed(1), workload.unit, cpuMs.toFixed(2), compared]);
    }
    console.log(`${workload.name}: done`);
  }
  for (const { name, gatewayPid } of targets) {
    rows.push(['most memory of the gateway', name, (peakMemoryBytes(gatewayPid) / MIB).toFixed(0), 'MiB', '-', '-']);
  }
  printTable(`S3, 3 OSDs, size 3, ${ROUNDS} rounds, interleaved`, rows);
}

async function measure(target: Target, workload: Workload): Promise<Measured> {
  const cpu = () => target.pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const [before, began] = [cpu(), performance.now()];
  const operations = await workload.run(target);
  return { operations, seconds: (performance.now() - began) / 1000, cpuSeconds: cpu() - before };
}

async function withClient<T>(target: Target, concurrency: number, work: (client: S3Client) => Promise<T>): Promise<T> {
  const client = new S3Client(target, concurrency);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** Sends one request after another on so many connections, for a while. Returns how many. */
function keepSending(target: Target, concurrency: number, send: (client: S3Client, n: number) => Promise<unknown>) {
  return withClient(target, concurrency, async (client) => {
    const end = performance.now() + SECONDS * 1000;
    let count = 0;
    const worker = async () => {
      while (performance.now() < end) await send(client, count++);
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    return count;
  });
}

/** Names for gets to find: puts come before them. */
const KEPT = 64;

function puts(size: string, body: Uint8Array, concurrency: number): Workload {
  const send = (client: S3Client, n: number) => client.send('PUT', `/bench/${size.replace(' ', '')}/${n % KEPT}`, body);
  return {
    name: `PUT ${size}, ${concurrency} at a time`,
    unit: '/s',
    run: (target) => keepSending(target, concurrency, send),
  };
}

function gets(size: string, concurrency: number): Workload {
  const send = (client: S3Client, n: number) =>
    client.send('GET', `/bench/${size.replace(' ', '')}/${n % Math.min(KEPT, concurrency)}`);
  return {
    name: `GET ${size}, ${concurrency} at a time`,
    unit: '/s',
    run: (target) => keepSending(target, concurrency, send),
  };
}

async function fillForList(target: Target): Promise<void> {
  const concurrency = 32;
  const empty = new Uint8Array(0);
  let next = 0;
  await withClient(target, concurrency, async (client) => {
    await client.send('PUT', '/listed');
    const worker = async () => {
      while (next < KEYS) await client.send('PUT', `/listed/${String(next++).padStart(8, '0')}`, empty);
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
  });
  console.log(`${target.name}: ${KEYS} keys to list are there`);
}

function list(target: Target): Promise<number> {
  return withClient(target, 1, async (client) => {
    let count = 0;
    for (let marker = ''; ; ) {
      const { text } = await client.send('GET', `/listed?max-keys=${PAGE}&marker=${marker}`);
      const keys = [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key!);
      count += keys.length;
      if (!text.includes('<IsTruncated>true</IsTruncated>')) return count;
      marker = keys.at(-1)!;
    }
  });
}

function upload(target: Target): Promise<number> {
  const part = new Uint8Array(PART_BYTES).fill(7);
  const count = Math.ceil(UPLOAD_BYTES / PART_BYTES);
  return withClient(target, 4, async (client) => {
    const { text } = await client.send('POST', '/bench/upload?uploads');
    const id = /<UploadId>([^<]*)</.exec(text)![1]!;
    const etags: string[] = [];
    let next = 0;
    const worker = async () => {
      while (next < count) {
        const n = next++;
        etags[n] = (await client.send('PUT', `/bench/upload?partNumber=${n + 1}&uploadId=${id}`, part)).etag;
      }
    };
    await Promise.all(Array.from({ length: 4 }, worker));
    const parts = etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
    const document = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
    await client.send('POST', `/bench/upload?uploadId=${id}`, Buffer.from(document));
    return UPLOAD_BYTES / MIB;
  });
}

function ratio(measured: readonly Measured[], over: keyof Measured, under: keyof Measured): number {
  const sum = (name: keyof Measured) => measured.reduce((total, each) => total + each[name], 0);
  return sum(over) / sum(under);
}
