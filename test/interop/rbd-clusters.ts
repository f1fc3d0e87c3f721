/** The clusters in which images are tried: ours, and a real one. */
import { startCluster } from '@spirula/cli';
import { startRealCeph } from './real-ceph.ts';
import { runTool, type ToolResult } from './run-tool.ts';

export const RBD_TOOLS = ['ceph', 'rbd', 'ceph-mon', 'ceph-osd', 'ceph-mgr'];

export interface ImageCluster {
  readonly conf: string;
  stop(): Promise<void>;
}

export function startOurs(): () => Promise<ImageCluster> {
  return async () => {
    const cluster = await startCluster({ osds: 3, store: 'memory' });
    return { conf: cluster.cephConf, stop: () => cluster.stop() };
  };
}

export function startTheirs(portBase: number): () => Promise<ImageCluster> {
  return async () => {
    const cluster = await startRealCeph({ osds: 3, portBase, store: 'memstore' });
    return { conf: cluster.confPath, stop: () => cluster.stop() };
  };
}

/** Debian's `rbd` on a cluster. */
export function realRbd({ conf }: ImageCluster, ...args: readonly string[]): Promise<ToolResult> {
  return runTool('rbd', ['-c', conf, ...args], { timeoutSeconds: 60 });
}

/** @throws Error unless both are made */
export async function makePools(cluster: ImageCluster): Promise<void> {
  for (const line of ['osd pool create images 8', 'osd pool create far 8', 'osd pool application enable far rbd']) {
    await must(runTool('ceph', ['-c', cluster.conf, ...line.split(' ')]), line);
  }
  await must(realRbd(cluster, 'pool', 'init', 'images'), 'pool init');
}

/** @throws Error with what it said, unless it succeeds */
export async function must(running: Promise<ToolResult>, what: string): Promise<ToolResult> {
  const result = await running;
  if (result.status !== 0) throw new Error(`${what}: ${result.status} ${result.stderr}`);
  return result;
}
