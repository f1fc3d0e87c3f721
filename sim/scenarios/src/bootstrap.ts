/** Brings a cluster up as a real one is: monitors, OSDs that they know of, managers, then a pool. */
import { formatUuid } from '@spirula/encoding';
import type { CommandResult } from '@spirula/mon-client';
import { type Instant, SECOND } from '@spirula/world';
import { findUnclean } from './checkers/unclean-pgs.ts';
import type { SimCluster } from './cluster.ts';
import type { ClusterSpec } from './cluster-spec.ts';
import { sendCommand } from './operator.ts';

type Command = Readonly<Record<string, unknown>>;

/** No step takes longer while nothing is wrong. */
const BOOT_TIME: Instant = 120 * SECOND;
const STEP: Instant = SECOND / 10;

/** A cluster did not come up though nothing was done to it. */
export class BootFailure extends Error {
  override readonly name = 'BootFailure';
}

/**
 * Starts every process and makes a pool; returns when all its PGs are active+clean.
 *
 * @throws BootFailure when that takes longer than it ever may.
 */
export function bootCluster(cluster: SimCluster): void {
  for (const { process } of [...cluster.monMembers, ...cluster.clients]) process.start();
  runCommands(
    cluster,
    cluster.osds.map(({ id }) => ({ prefix: 'osd new', uuid: formatUuid(cluster.uuidOf(id)), id })),
  );
  for (const { process } of cluster.osds) process.start();
  for (const process of cluster.mgrs) process.start();
  waitUntil(cluster, 'all OSDs are up', () => cluster.osds.every(({ daemon }) => daemon?.inspect().boot === 'active'));
  for (const pool of cluster.spec.pools) createPool(cluster, pool);
  const { name: first } = cluster.spec.pools[0]!;
  waitUntil(cluster, 'all PGs are active+clean', () => {
    for (const [id, name] of cluster.osdMap?.poolNames ?? []) if (name === first) cluster.pool = id;
    return cluster.pool > 0 && findUnclean(cluster).length === 0;
  });
}

function createPool(
  cluster: SimCluster,
  { name, size, minSize = size - (size >> 1), pgNum, failureDomain }: ClusterSpec['pools'][number],
): void {
  const rule = failureDomain === 'host' ? {} : { rule: `by-${failureDomain}` };
  if (failureDomain !== 'host') {
    runCommand(cluster, {
      prefix: 'osd crush rule create-replicated',
      name: `by-${failureDomain}`,
      root: 'default',
      type: failureDomain,
    });
  }
  runCommand(cluster, { prefix: 'osd pool create', pool: name, pg_num: pgNum, pgp_num: pgNum, size, ...rule });
  runCommand(cluster, { prefix: 'osd pool set', pool: name, var: 'min_size', val: String(minSize) });
}

function runCommand(cluster: SimCluster, command: Command): void {
  runCommands(cluster, [command]);
}

/**
 * Runs commands on the monitors through the first client, all at a time: those that one proposal takes in make one epoch.
 * A thousand OSDs would otherwise come to a thousand epochs, each to be taken in by all of them.
 */
function runCommands(cluster: SimCluster, commands: readonly Command[]): void {
  const replies = commands.map((command) => {
    const sent: { reply: CommandResult | undefined } = { reply: undefined };
    sendCommand(cluster, command, (reply) => {
      sent.reply = reply;
    });
    return sent;
  });
  waitUntil(cluster, `"${commands[0]!['prefix']}" is answered`, () =>
    replies.every(({ reply }) => reply !== undefined),
  );
  for (const [i, { reply }] of replies.entries()) {
    if (reply!.code < 0) throw new BootFailure(`"${commands[i]!['prefix']}" is refused: ${reply!.status}`);
  }
}

function waitUntil({ simulation }: SimCluster, what: string, holds: () => boolean): void {
  const deadline = simulation.now + BOOT_TIME;
  while (!holds()) {
    if (simulation.violations.length > 0) throw new BootFailure(simulation.violations[0]);
    if (simulation.now >= deadline) throw new BootFailure(`it takes more than ${BOOT_TIME / SECOND} s until ${what}`);
    simulation.runFor(STEP);
  }
}
