import { AddrType } from '@spirula/encoding';
import { SECOND } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import { MonCluster } from './mon-cluster.ts';

describe('a quorum', () => {
  test('stands well under half a second after three monitors start, led by the lowest rank', () => {
    const cluster = new MonCluster().start();

    expect(cluster.simulation.now).toBeLessThan(0.5 * SECOND);
    expect(cluster.leader!.name).toBe('a');
    expect(cluster.mons[1]!.daemon.inspect().epoch % 2).toBe(0);
  });

  test('of one serves alone', () => {
    const cluster = new MonCluster({ mons: 1 }).start();

    expect(cluster.json('quorum_status').quorum).toEqual([0]);
  });

  test('of one answers no sooner than its own disk holds the change, and power loss takes nothing back', () => {
    const disk = { flushUs: [SECOND, SECOND], stallOneIn: 0, stallUs: 0 } as const;
    const cluster = new MonCluster({ mons: 1, disk }).start();
    const [only] = cluster.mons;
    cluster.run(10);

    const before = cluster.simulation.now;
    cluster.succeed({ prefix: 'osd set', key: 'noout' });
    expect(cluster.simulation.now - before).toBeGreaterThan(SECOND);
    only!.process.powerLoss();
    only!.process.start();
    expect(cluster.json('osd dump').flags_set).toContain('noout');
  });

  test('forms without one that is down, after it was given its time', () => {
    const cluster = new MonCluster();
    for (const { process } of cluster.mons.slice(1)) process.start();

    const taken = cluster.until('two are in quorum', () => cluster.quorum.length === 2);

    expect(taken).toBeGreaterThan(5);
    expect(taken).toBeLessThan(7);
    expect(cluster.leader!.name).toBe('b');
  });

  test('loses its leader and has the next within 15 seconds; the one that returns leads again', () => {
    const cluster = new MonCluster().start();
    cluster.mons[0]!.process.crash();

    const taken = cluster.until('b leads', () => cluster.leader?.name === 'b', 20);
    expect(taken).toBeGreaterThan(7);
    expect(taken).toBeLessThan(16);

    cluster.mons[0]!.process.start();
    expect(cluster.until('a leads', () => cluster.leader?.name === 'a', 20)).toBeLessThan(1);
    expect(cluster.quorum).toEqual([0, 1, 2]);
  });

  test('carries on where a connection between its members broke', () => {
    const cluster = new MonCluster().start();
    const { epoch } = cluster.leader!.daemon.inspect();
    for (let round = 0; round < 20; round++) {
      for (const session of cluster.mons[0]!.process.sessions) session.breakOff();
      cluster.succeed({ prefix: 'config set', who: 'global', name: `option${round}`, value: 'x', force: true });
    }
    expect(cluster.leader!.daemon.inspect().epoch).toBe(epoch);
  });
});

describe('a monitor that is alone', () => {
  test('sends its clients away, and they are served elsewhere', () => {
    const cluster = new MonCluster().start();
    const client = cluster.addTalker({ type: 'client', id: 'wanderer' });
    client.process.start();
    cluster.until('it is connected', () => client.daemon.mon.connected);
    const at = cluster.mons.find(
      ({ process }) => process.addrs('public')[0]!.ip === client.daemon.mon.currentMon![0]!.ip,
    )!;
    const others = cluster.mons.filter((mon) => mon !== at).map(({ process }) => process.name);
    cluster.simulation.network.paths.cut(at.process.name, others[0]!);
    cluster.simulation.network.paths.cut(at.process.name, others[1]!);
    cluster.simulation.network.paths.cut(others[0]!, at.process.name);
    cluster.simulation.network.paths.cut(others[1]!, at.process.name);

    cluster.run(60);
    const answer = cluster.command({ prefix: 'fsid' }, client);

    expect(answer.code).toBe(0);
    expect(client.daemon.mon.currentMon![0]!.ip).not.toBe(at.process.addrs('public')[0]!.ip);
  });
});

describe('commands', () => {
  test('are answered by whichever monitor is asked', () => {
    const cluster = new MonCluster().start();
    const answers = cluster.mons.map((_, i) => {
      const client = cluster.addTalker({ type: 'client', id: `c${i}` });
      client.process.start();
      return cluster.command({ prefix: 'fsid' }, client).text;
    });
    expect(new Set(answers)).toEqual(new Set(['01020304-0506-0708-090a-0b0c0d0e0f10\n']));
  });

  test('asked while the leader dies are answered by the next', () => {
    const cluster = new MonCluster().start();
    let code: number | undefined;
    cluster.admin.process.call(() => {
      const command = { prefix: 'config set', who: 'global', name: 'a', value: '1', force: true };
      cluster.admin.daemon.mon.command(command, new Uint8Array(0), (reply) => {
        code = reply.code;
      });
    });
    cluster.simulation.runFor(SECOND / 100);
    cluster.mons[0]!.process.crash();

    cluster.until('it is answered', () => code !== undefined, 60);
    expect(code).toBe(0);
    expect(cluster.json('config dump')).toMatchObject([{ name: 'a', value: '1' }]);
  });

  test('that are not understood are refused, never left without an answer', () => {
    const cluster = new MonCluster({ mons: 1 }).start();
    for (const prefix of ['', 'osd frobnicate', 'osd pool', '__proto__', 'constructor']) {
      expect(cluster.command({ prefix }).code, prefix).toBe(-22);
    }
    expect(cluster.command({ prefix: 'osd pool create' }).code).toBe(-22);
  });

  test('the first change after a pause waits paxos_min_wait, further ones paxos_propose_interval', () => {
    const cluster = new MonCluster().start();
    cluster.run(3);
    const timed = (name: string) => {
      const begin = cluster.simulation.now;
      cluster.succeed({ prefix: 'config set', who: 'global', name, value: '1', force: true });
      return (cluster.simulation.now - begin) / SECOND;
    };

    expect(timed('first')).toBeLessThan(0.1);
    expect(timed('second')).toBeGreaterThan(0.9);
  });
});

describe('a store', () => {
  test('that was wiped is filled again from the others', () => {
    const cluster = new MonCluster().start();
    cluster.succeed({ prefix: 'osd pool create', pool: 'p', pg_num: 8, autoscale_mode: 'off', size: 3 });
    const victim = cluster.mons[2]!;
    victim.process.crash();
    victim.wiped = true;
    victim.process.start();
    cluster.until('all are in quorum again', () => cluster.quorum.length === 3);
    cluster.run(1);

    expect(victim.daemon.inspect().osdMap.poolNames).toEqual(new Map([[1, 'p']]));
    expect(victim.daemon.inspect().lastCommitted).toBe(cluster.leader!.daemon.inspect().lastCommitted);
  });

  const trimming = { paxos_min: 5, paxos_trim_min: 5, paxos_trim_max: 10, paxos_propose_interval: 0.05 };

  function change(cluster: MonCluster, times: number): void {
    for (let i = 0; i < times; i++) cluster.succeed({ prefix: i % 2 ? 'osd unset' : 'osd set', key: 'noout' });
  }

  test('that is older than what the others still have is copied whole', () => {
    const cluster = new MonCluster({ options: trimming }).start();
    const late = cluster.mons[2]!;
    late.process.crash();
    change(cluster, 40);
    expect(cluster.leader!.daemon.inspect().firstCommitted).toBeGreaterThan(10);

    late.process.start();
    cluster.until('all are in quorum again', () => cluster.quorum.length === 3);
    cluster.run(1);

    const { osdMap, lastCommitted, firstCommitted } = late.daemon.inspect();
    expect(osdMap.epoch).toBe(cluster.osdMap.epoch);
    expect(lastCommitted).toBe(cluster.leader!.daemon.inspect().lastCommitted);
    expect(firstCommitted).toBe(cluster.leader!.daemon.inspect().firstCommitted);
  });

  test('is copied afresh when the copying is cut short', () => {
    for (let step = 0; step < 12; step++) {
      const cluster = new MonCluster({ options: trimming, seed: step }).start();
      const late = cluster.mons[2]!;
      late.process.crash();
      change(cluster, 30);
      late.process.start();
      cluster.simulation.runFor((step + 1) * (SECOND / 2000));
      (step % 2 === 0 ? late : cluster.mons[0]!).process.crash();
      cluster.simulation.runFor(SECOND);
      for (const { process } of cluster.mons) if (process.state === 'stopped') process.start();
      cluster.until('all are in quorum again', () => cluster.quorum.length === 3, 90);
      cluster.run(2);

      expect(late.daemon.inspect().osdMap.epoch, `cut short after step ${step}`).toBe(cluster.osdMap.epoch);
      expect(late.daemon.inspect().lastCommitted).toBe(cluster.leader!.daemon.inspect().lastCommitted);
    }
  });
});

describe('ids of clients', () => {
  test('are given once, by whichever monitor and whatever happens to it', () => {
    const cluster = new MonCluster().start();
    const seen = new Set<bigint>();
    let given = 0;
    const take = (place: (typeof cluster.mons)[number]) => {
      for (let i = 0; i < 200; i++) {
        const decision = place.daemon.authorize({
          endpoint: 'public',
          entity: { type: 'client', id: 'x' },
          globalId: 0n,
        });
        if (decision.kind !== 'accept') continue;
        seen.add(decision.globalId);
        given += 1;
      }
    };
    for (const mon of cluster.mons) take(mon);
    cluster.mons[1]!.process.crash();
    cluster.mons[1]!.process.start();
    cluster.mons[2]!.process.crash();
    cluster.mons[2]!.wiped = true;
    cluster.mons[2]!.process.start();
    // The one with an empty store votes only when the others have a quorum and it has copied their store.
    cluster.run(6);
    cluster.until('all are in quorum again', () => cluster.quorum.length === 3);
    cluster.run(5);
    for (const mon of cluster.mons) take(mon);

    expect(seen.size).toBe(given);
    expect(given).toBe(1200);
  });
});

test('what only daemons may say is not believed of clients', () => {
  const cluster = new MonCluster().start();
  cluster.addOsds(3);
  // Until the cluster log has told of them.
  cluster.run(10);
  const { epoch } = cluster.osdMap;
  const { lastCommitted } = cluster.leader!.daemon.inspect();
  const addrs = [{ type: AddrType.v2, nonce: 5, family: 2, ip: '10.9.9.9', port: 1 } as const];
  const { admin } = cluster;
  admin.process.call(() => {
    const { mon } = admin.daemon;
    const targetAddrs = cluster.osdMap.clientAddrs[1]!;
    mon.send({
      type: 'osd_failure',
      reporter: 0,
      target: 1,
      targetAddrs,
      epoch,
      failedFor: 99,
      immediate: true,
      alive: false,
    });
    mon.send({ type: 'osd_mark_me_down', osd: 2, epoch, ack: false });
    mon.send({ type: 'osd_alive', osd: 0, epoch, want: epoch });
    const election = { type: 'mon_election', fsid: new Uint8Array(16), epoch: 9999, mapEpoch: 1, quorum: [] } as const;
    mon.send({ ...election, op: 'propose' });
    mon.send({
      type: 'mon_forward',
      tid: 1n,
      entity: { type: 'osd', id: '1' },
      addrs,
      globalId: 0n,
      socketAddr: undefined,
      caps: undefined,
      request: { type: 'osd_mark_me_down' },
    });
  });
  cluster.run(3);

  expect(cluster.osdMap.epoch).toBe(epoch);
  expect(cluster.leader!.daemon.inspect().lastCommitted).toBe(lastCommitted);
});
