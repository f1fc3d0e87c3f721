/**
 * Recovery from the log and backfill of objects that take many messages, data, xattrs and omap, ended at any of them by a
 * new interval, a loss of power or a broken connection, and begun again.
 */
import type { Message } from '@spirula/messages';
import { SECOND } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import { Cluster, check, settle } from './toy-cluster.test-support.ts';

const RECOVERY_MESSAGES: ReadonlySet<string> = new Set<Message['type']>([
  'pg_pull',
  'pg_push',
  'pg_push_reply',
  'pg_scan',
  'pg_scan_reply',
  'pg_backfill_remove',
  'pg_backfill_progress',
  'pg_backfill_progress_reply',
]);

const { SEED, SEEDS } = process.env;
const seeds = SEED ? [Number(SEED)] : Array.from({ length: Number(SEEDS ?? 12) }, (_, i) => 5000 + i);

let interrupted = 0;

/** What is done at one message of recovery. */
function interrupt(cluster: Cluster, member: number): void {
  const { network, monitor } = cluster;
  const others = [0, 1, 2].filter((osd) => osd !== member);
  const other = others[network.below(2)]!;
  const restart = (osd: number) => {
    cluster.crash(osd);
    network.at(network.now + network.below(2 * SECOND), () => cluster.boot(osd));
  };
  switch (network.below(7)) {
    case 0:
      cluster.note(`mark osd.${member} down`);
      monitor.markDown(member);
      break;
    case 1:
      cluster.note(`mark osd.${other} down`);
      monitor.markDown(other);
      break;
    case 2:
      restart(member);
      break;
    case 3:
      restart(other);
      break;
    case 4:
      cluster.failPower();
      break;
    case 5:
      cluster.note(`reweight osd.${member}`);
      monitor.setWeight(member, network.below(2) === 0 ? 0 : 0x10000);
      break;
    default:
      cluster.note('break sessions');
      for (let i = 0; i < 4; i++) network.breakOneSession();
  }
}

describe.each(['log', 'backfill'] as const)('recovery by %s', (way) => {
  test.each(seeds)('ends with equal copies, at whatever message it is interrupted (seed %i)', (seed) => {
    const log = way === 'log' ? {} : { osd_max_pg_log_entries: 4, osd_min_pg_log_entries: 2, osd_pg_log_trim_min: 1 };
    const options = { ...log, osd_recovery_max_chunk: 3000 + 100 * (seed % 30), osd_backfill_scan_max: 2 };
    const cluster = new Cluster(seed, { osds: 3, size: 3, minSize: 2, pgNum: 2, clients: 1, objects: 5, options });
    const { network } = cluster;
    const client = cluster.clients[0]!;
    const write = (times: number) => {
      for (let i = 0; i < times; i++) {
        client.writeAll('large');
        // Another primary has to wait for a lease to run out.
        for (let second = 0; second < 30 && client.inflight > 0; second++) network.run(SECOND);
      }
    };
    network.run(3 * SECOND);
    write(2);
    const member = network.below(3);
    cluster.crash(member);
    network.run(SECOND);
    write(3);

    // Each seed begins with another message; then some more follow.
    let messages = 0;
    let next = 1 + ((seed - 5000) % 40);
    let interruptions = 0;
    network.onMessage = (message) => {
      if (!RECOVERY_MESSAGES.has(message.type)) return;
      messages += 1;
      if (messages !== next || interruptions === 5) return;
      interruptions += 1;
      next += 1 + network.below(40);
      cluster.note(`at ${message.type}`);
      // Before the message arrives, or just after.
      if (network.below(2) === 0) interrupt(cluster, member);
      else network.at(network.now, () => interrupt(cluster, member));
    };
    cluster.boot(member);
    for (let i = 0; i < 20; i++) {
      if (network.below(3) === 0) client.writeAll('large');
      network.run(SECOND);
    }
    network.onMessage = () => {};
    cluster.heal();
    settle(cluster, 120);

    interrupted += interruptions;
    expect(messages).toBeGreaterThan(0);
    check(cluster, seed);
  });
});

test.skipIf(SEED !== undefined)('most of these recoveries were interrupted, and more than once', () => {
  expect(interrupted).toBeGreaterThan(2 * seeds.length);
});
