import type { ClusterConnection } from '../library-types.ts';
import { connectClient } from './cluster-client.ts';
import type { ClusterFile } from './cluster-file.ts';
import { UserError } from './user-error.ts';

/** Name of the pool a new cluster has. */
export const FIRST_POOL = 'data';
const FIRST_POOL_PGS = 32;

/** The part of `ceph -s -f json` that tells whether all is well. */
interface StatusJson {
  readonly health: { readonly status: string; readonly checks: Record<string, unknown> };
  readonly pgmap: { readonly num_pgs: number; readonly pgs_by_state: readonly { state_name: string; count: number }[] };
  readonly osdmap: { readonly num_osds: number; readonly num_up_osds: number };
}

/** Runs `work` with a client of the cluster that `confPath` describes. */
export async function withClient<T>(confPath: string, work: (client: ClusterConnection) => Promise<T>): Promise<T> {
  const client = await connectClient(confPath);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Registers every OSD of the cluster that the monitors do not know yet (`osd new`): all with one change of the map. */
export async function bootstrapOsds(client: ClusterConnection, cluster: ClusterFile): Promise<void> {
  const dump = JSON.parse(await client.command({ prefix: 'osd dump', format: 'json' })) as {
    osds: { uuid: string }[];
  };
  const known = new Set(dump.osds.map((osd) => osd.uuid));
  const unknown = cluster.osds.filter((osd) => !known.has(osd.uuid));
  await Promise.all(unknown.map(({ uuid, id }) => client.command({ prefix: 'osd new', uuid, id })));
}

/** Makes the first pool, with an application, unless the cluster has pools already. */
export async function ensurePool(client: ClusterConnection, cluster: ClusterFile): Promise<void> {
  if (cluster.osds.length === 0) return;
  const pools = JSON.parse(await client.command({ prefix: 'osd pool ls', format: 'json' })) as string[];
  if (pools.length > 0) return;
  await client.command({ prefix: 'osd pool create', pool: FIRST_POOL, pg_num: FIRST_POOL_PGS });
  await client.command({ prefix: 'osd pool application enable', pool: FIRST_POOL, app: 'rados' });
}

/** PGs of all pools, by the OSDMap. */
async function countPgs(client: ClusterConnection): Promise<number> {
  const dump = JSON.parse(await client.command({ prefix: 'osd dump', format: 'json' })) as {
    pools: { pg_num: number }[];
  };
  return dump.pools.reduce((sum, pool) => sum + pool.pg_num, 0);
}

/**
 * Resolves when health is HEALTH_OK and every PG is active+clean.
 *
 * @throws UserError after `timeoutSeconds`, saying what is not well.
 */
export async function waitForHealth(confPath: string, timeoutSeconds: number): Promise<void> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  await withClient(confPath, async (client) => {
    for (;;) {
      const status = JSON.parse(await client.command({ prefix: 'status', format: 'json' })) as StatusJson;
      const clean = status.pgmap.pgs_by_state
        .filter((each) => each.state_name === 'active+clean')
        .reduce((sum, each) => sum + each.count, 0);
      const settled = clean === status.pgmap.num_pgs && status.osdmap.num_up_osds === status.osdmap.num_osds;
      // The manager may not have heard of a new pool yet.
      if (status.health.status === 'HEALTH_OK' && settled && status.pgmap.num_pgs === (await countPgs(client))) return;
      if (Date.now() > deadline) {
        const states = status.pgmap.pgs_by_state.map((each) => `${each.count} ${each.state_name}`).join(', ');
        throw new UserError(
          `Not healthy after ${timeoutSeconds} s: ${status.health.status} ${Object.keys(status.health.checks).join(' ')}; ` +
            `PGs: ${states || 'none'}. \`spirula ceph -s\` shows more, \`spirula logs\` why.`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  });
}
