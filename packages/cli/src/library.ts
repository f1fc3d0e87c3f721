/** What `import 'spirula'` gives. Types: library-types.ts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassError, MethodFlag, type ObjectClass as RunnableClass, rawMethod } from '@spirula/cls';
import { EMPTY } from '@spirula/encoding';
import { FIRST_POOL } from './cluster/bootstrap.ts';
import { connectClient } from './cluster/cluster-client.ts';
import { type ClusterFile, LOOPBACK } from './cluster/cluster-file.ts';
import { addMon, removeMon } from './cluster/mon-changes.ts';
import { readS3Credentials } from './cluster/s3-credentials.ts';
import { S3Faults } from './cluster/s3-faults.ts';
import { serveCluster } from './cluster/serve.ts';
import type {
  ClusterConnection,
  ClusterOptions,
  ObjectClass,
  RunningCluster,
  RunningS3Cluster,
  S3,
} from './library-types.ts';

const HEALTH_TIMEOUT_SECONDS = 60;

export { ClassError };

function runnable({ name, methods }: ObjectClass): RunnableClass {
  const made = Object.entries(methods).map(([method, { reads = false, writes = false, run }]) => {
    const flags = (reads ? MethodFlag.read : 0) | (writes ? MethodFlag.write : 0);
    return [method, rawMethod(flags, (object, input) => ({ code: 0, output: run(object, input) ?? EMPTY }))] as const;
  });
  return { name, methods: Object.fromEntries(made) };
}

/** Any is signed for; this one every client knows. */
const REGION = 'us-east-1';

function s3Of(dir: string, { rgws = [] }: ClusterFile): S3 {
  const endpoint = `http://${LOOPBACK}:${rgws[0]!.port}`;
  const faults = new S3Faults(endpoint);
  return {
    endpoint,
    region: REGION,
    ...readS3Credentials(dir),
    faults: {
      add: (rule) => faults.add(rule),
      list: () => faults.list(),
      async clear(id) {
        await faults.clear(id);
      },
    },
  };
}

/** Starts a cluster in this process and resolves when it is HEALTH_OK, all PGs active+clean. */
export async function startCluster(options: ClusterOptions & { readonly rgw: true }): Promise<RunningS3Cluster>;
export async function startCluster(options?: ClusterOptions): Promise<RunningCluster>;
export async function startCluster(options: ClusterOptions = {}): Promise<RunningCluster> {
  const temporary = options.dir === undefined;
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'spirula-'));
  const {
    config,
    mons,
    mgrs,
    osds,
    rgw = false,
    store = rgw && temporary ? 'memory' : undefined,
    auth,
    portBase = 0,
    timeoutSeconds = HEALTH_TIMEOUT_SECONDS,
    classes = [],
  } = options;
  const discard = () => {
    if (temporary) rmSync(dir, { recursive: true, force: true });
  };
  let served: Awaited<ReturnType<typeof serveCluster>>;
  try {
    served = await serveCluster({
      dir,
      portBase,
      processes: false,
      ...(config === undefined
        ? {}
        : { set: Object.fromEntries(Object.entries(config).map(([name, value]) => [name, String(value)])) }),
      classes: classes.map(runnable),
      ...(mons === undefined ? {} : { mons }),
      ...(mgrs === undefined ? {} : { mgrs }),
      ...(osds === undefined ? {} : { osds }),
      ...(rgw && { rgws: 1 }),
      ...(store === undefined ? {} : { store }),
      ...(auth === undefined ? {} : { auth }),
    });
  } catch (error) {
    discard();
    throw error;
  }
  const { supervisor } = served;
  const connections = new Set<ClusterConnection>();
  const stop = async () => {
    await Promise.all([...connections].map((connection) => connection.close()));
    await served.stop();
    discard();
  };
  try {
    await supervisor.waitForHealth(timeoutSeconds);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    dir,
    fsid: supervisor.cluster.fsid,
    cephConf: supervisor.confPath,
    get monAddrs() {
      return supervisor.cluster.mons.map(({ port }) => `127.0.0.1:${port}`);
    },
    pool: FIRST_POOL,
    ...(rgw && { s3: s3Of(dir, supervisor.cluster) }),
    async connect() {
      const connection = await connectClient(supervisor.confPath);
      const tracked: ClusterConnection = {
        ...connection,
        async close() {
          connections.delete(tracked);
          await connection.close();
        },
      };
      connections.add(tracked);
      return tracked;
    },
    async kill(daemon, { hang = false } = {}) {
      if (hang) supervisor.hang(daemon);
      else await supervisor.kill(daemon);
    },
    start: (daemon) => supervisor.start(daemon),
    addMon: (name) => supervisor.inTurn(() => addMon(supervisor, name)),
    removeMon: (name) => supervisor.inTurn(() => removeMon(supervisor, name)),
    status: () => supervisor.status(),
    waitForHealth: (seconds = HEALTH_TIMEOUT_SECONDS) => supervisor.waitForHealth(seconds),
    stop,
  };
}
