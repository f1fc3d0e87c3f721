import { hostname } from 'node:os';
import { Errno } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import { Rados, RadosError } from '@spirula/rados';
import { DaemonHost } from '@spirula/runtime-node';
import { type Log, makeConfig, seconds, type World } from '@spirula/world';
import { UserError } from '../cluster/user-error.ts';
import { type ClusterAddress, findCluster, type ToolEnvironment } from './environment.ts';

/** A client of a cluster, connected. */
export interface ClusterConnection {
  readonly rados: Rados;
  /** Where the client lives. */
  readonly world: World<Message>;
  /** Ends every session, after what was sent has left. */
  close(): Promise<void>;
}

/** The monitors do not take the key. */
export class PermissionDenied extends UserError {}

/** Connects to the cluster that a command line means. */
export type Connect = (
  env: ToolEnvironment,
  options: ReadonlyMap<string, string>,
  timeoutSeconds: number,
) => Promise<ClusterConnection>;

const ENDPOINT = 'public';
const MANAGER_TIMEOUT_SECONDS = 30;
/** What a daemon would log, a client reports as its result. */
const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Connects a client of its own, over TCP.
 *
 * @throws UserError when no monitor answers in time, PermissionDenied when they do not take the key.
 */
export async function connectRados(cluster: ClusterAddress, timeoutSeconds: number): Promise<ClusterConnection> {
  let client: Rados | undefined;
  let home: World<Message> | undefined;
  const { entity, key } = cluster.auth;
  const make = (world: World<Message>) => {
    home = world;
    client = new Rados(world, {
      monAddrs: cluster.monAddrs,
      auth: key && { entity, key },
      endpoint: ENDPOINT,
      hostname: hostname(),
      connectTimeoutUs: seconds(timeoutSeconds),
      mgrTimeoutUs: seconds(MANAGER_TIMEOUT_SECONDS),
      ...(cluster.fsid && { fsid: cluster.fsid }),
    });
    return client;
  };
  const host = await DaemonHost.start(
    {
      entity,
      store: { kind: 'memory' },
      deviceBytes: 0,
      endpoints: { [ENDPOINT]: 'dial' },
      config: makeConfig(),
      log: SILENT,
      // Whatever ends it, nobody is left waiting.
      onExit: () => client?.shutdown(),
    },
    make,
  );
  const rados = client!;
  try {
    await rados.connect();
  } catch (error) {
    await host.terminate();
    if (!(error instanceof RadosError)) throw error;
    if (error.code === Errno.EACCES) {
      throw new PermissionDenied('[errno 13] RADOS permission denied (error connecting to the cluster)');
    }
    throw new UserError(`No monitor answers within ${timeoutSeconds} s. Is the cluster running?`);
  }
  return { rados, world: home!, close: () => host.terminate() };
}

/** To the cluster of a conf, over TCP. @throws UserError */
export const connectByConf: Connect = async (env, options, timeoutSeconds) =>
  connectRados(await findCluster(env, options), timeoutSeconds);
