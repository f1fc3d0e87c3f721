/** One manager is active, the others stand by: one of them takes over when the active one is failed or dies. */
import { type RunningCluster, startCluster } from '@spirula/cli';
import { afterAll, beforeAll, expect, test } from 'vitest';

const START_TIMEOUT_MS = 120_000;
const PATIENCE_MS = 60_000;
let cluster: RunningCluster;

beforeAll(async () => {
  cluster = await startCluster({ mons: 1, mgrs: 2, osds: 1, store: 'memory', config: { mon_mgr_beacon_grace: 5 } });
}, START_TIMEOUT_MS);

afterAll(() => cluster?.stop());

interface MgrStat {
  readonly available: boolean;
  readonly active_name: string;
  readonly num_standby: number;
}

async function until(name: string, standbys: number): Promise<void> {
  const connection = await cluster.connect();
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const stat = JSON.parse(await connection.command({ prefix: 'mgr stat', format: 'json' })) as MgrStat;
    if (stat.available && stat.active_name === name && stat.num_standby === standbys) break;
    if (Date.now() > deadline) throw new Error(`mgr.${name} is not active: ${JSON.stringify(stat)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  // What it serves it serves from what OSDs have told it.
  expect(await connection.command({ prefix: 'status', format: 'json' })).toContain('active+clean');
  await connection.close();
}

test(
  'a standby takes over when the active manager is failed, and when it is killed',
  async () => {
    const connection = await cluster.connect();
    const { active_name } = JSON.parse(await connection.command({ prefix: 'mgr stat', format: 'json' })) as MgrStat;
    const other = active_name === 'x' ? 'y' : 'x';
    await until(active_name, 1);

    await connection.command({ prefix: 'mgr fail' });
    await until(other, 1);

    await cluster.kill(`mgr.${other}`);
    await until(active_name, 0);

    await cluster.start(`mgr.${other}`);
    await until(active_name, 1);
    await connection.close();
  },
  START_TIMEOUT_MS,
);
