/** Images of all kinds that librbd has kept busy, in pools of a new cluster, and what works with them there. */
import type { IoCtx } from '@spirula/rados';
import { type ClusterConnection, connectByConf } from '../../../packages/cli/src/ceph/connect.ts';
import { type ImageCluster, makePools, must } from '../rbd-clusters.ts';
import { type RbdPair, rbdPair } from '../rbd-pair.ts';
import { PYTHON, runTool } from '../run-tool.ts';

const BUSY = new URL('busy.py', import.meta.url).pathname;
const CONNECT_SECONDS = 60;

export interface BusyImages {
  readonly cluster: ImageCluster;
  readonly pair: RbdPair;
  readonly connection: ClusterConnection;
  /** Of the pool `images`. */
  readonly io: IoCtx;
  stop(): Promise<void>;
}

/** @param dir of files that the tools are told of */
export async function makeBusyImages(
  start: () => Promise<ImageCluster>,
  dir: string,
  seed: string,
): Promise<BusyImages> {
  const cluster = await start();
  try {
    await makePools(cluster);
    await must(runTool(PYTHON, ['-B', BUSY, cluster.conf, seed], { timeoutSeconds: 60 }), BUSY);
    const env = { dir, stdout: () => {}, stderr: () => {} };
    const connection = await connectByConf(env, new Map([['conf', cluster.conf]]), CONNECT_SECONDS);
    const stop = async () => {
      await connection.close();
      await cluster.stop();
    };
    return { cluster, pair: rbdPair(cluster, dir), connection, io: await connection.rados.ioctx('images'), stop };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
