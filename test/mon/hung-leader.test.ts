import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { MonCluster } from './mon-cluster.ts';

test('a leader that hung until others led answers nothing from what it knows, whatever comes to it first', () => {
  for (let seed = 1; seed <= 5; seed++) {
    const cluster = new MonCluster({ seed }).start();
    const old = cluster.leader!;
    const { epoch } = old.daemon.inspect();
    old.process.hang();
    cluster.until('another monitor leads', () => cluster.leader !== undefined && cluster.leader !== old);
    cluster.succeed({ prefix: 'config set', who: 'global', name: 'debug_ms', value: '1' });
    cluster.run(5);
    const readable: boolean[] = [];
    cluster.simulation.onEvent((process) => {
      const now = old.daemon.inspect();
      // It may well win the next election.
      if (process === old.process && now.epoch === epoch) readable.push(now.readable);
    });

    old.process.resume();
    cluster.simulation.runFor(SECOND / 10);

    expect(readable.length).toBeGreaterThan(0);
    expect(readable).not.toContain(true);
  }
});
