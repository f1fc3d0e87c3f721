import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectClient } from '../cluster/cluster-client.ts';
import { askCluster } from '../cluster/control.ts';
import type { DaemonStatus } from '../cluster/supervisor.ts';

/** `spirula down`. */
export async function down(dir: string): Promise<void> {
  await askCluster(dir, { ask: 'down' });
  console.log('The cluster is stopped.');
}

/** `spirula kill`. */
export async function kill(dir: string, daemon: string, hang: boolean): Promise<void> {
  await askCluster(dir, { ask: 'kill', daemon, hang });
  console.log(
    hang
      ? `${daemon} hangs. \`spirula start ${daemon}\` resumes it.`
      : `${daemon} is dead. \`spirula start ${daemon}\` starts it.`,
  );
}

/** `spirula start`. */
export async function start(dir: string, daemon: string): Promise<void> {
  await askCluster(dir, { ask: 'start', daemon });
  console.log(`${daemon} runs.`);
}

/** `spirula add-mon`. */
export async function addMon(dir: string, wanted: string | undefined): Promise<void> {
  const name = await askCluster(dir, { ask: 'add-mon', ...(wanted !== undefined && { name: wanted }) });
  console.log(`mon.${name} runs, and is in the quorum.`);
}

/** `spirula rm-mon`. */
export async function removeMon(dir: string, name: string): Promise<void> {
  await askCluster(dir, { ask: 'rm-mon', name });
  console.log(`mon.${name} is no more.`);
}

interface ClusterHealth {
  readonly health: string;
  readonly fsid: string;
}

/** Health as the monitors see it; undefined when no quorum answers within two seconds. */
async function askHealth(confPath: string): Promise<ClusterHealth | undefined> {
  const asking = (async () => {
    const client = await connectClient(confPath);
    try {
      const status = JSON.parse(await client.command({ prefix: 'status', format: 'json' })) as {
        fsid: string;
        health: { status: string };
      };
      return { health: status.health.status, fsid: status.fsid };
    } finally {
      await client.close();
    }
  })().catch(() => undefined);
  const patience = new Promise<undefined>((resolve) => setTimeout(resolve, 2000, undefined).unref());
  return await Promise.race([asking, patience]);
}

/** `spirula status`. */
export async function status(dir: string, format: 'plain' | 'json'): Promise<void> {
  const daemons = (await askCluster(dir, { ask: 'status' })) as DaemonStatus[];
  const confPath = join(dir, 'ceph.conf');
  readFileSync(confPath);
  const health = await askHealth(confPath);
  if (format === 'json') {
    console.log(JSON.stringify({ dir, health: health?.health ?? 'no quorum', daemons }));
    process.exit(0);
  }
  console.log(`${health?.health ?? 'No quorum answers.'}   ${dir}`);
  console.log('daemon    state     pid       loop delay mean / p99 ms   longest handler ms');
  for (const each of daemons) {
    const load =
      each.pid === undefined
        ? (each.reason ?? '')
        : `${String(each.pid).padEnd(10)}${`${show(each.loopDelayMeanMs)} / ${show(each.loopDelayP99Ms)}`.padEnd(27)}${show(each.longestHandlerMs)}`;
    console.log(`${each.name.padEnd(10)}${each.state.padEnd(10)}${load}`);
  }
  process.exit(0);
}

function show(ms: number | undefined): string {
  return ms === undefined || ms === null || Number.isNaN(ms) ? '-' : ms.toFixed(1);
}
