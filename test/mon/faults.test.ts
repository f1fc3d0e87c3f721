import { EMPTY } from '@spirula/encoding';
import { SeededRandom } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { MonCluster } from './mon-cluster.ts';

const only = process.env['SEED'];
const count = Number(process.env['SEEDS'] ?? 20);
const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)];

/** Few versions are kept, so that a monitor which was away must copy a store; nearly always a round is under way. */
const options = {
  paxos_min: 10,
  paxos_trim_min: 5,
  paxos_trim_max: 20,
  paxos_propose_interval: 0.02,
  paxos_min_wait: 0.005,
};
const disk = { flushUs: [500, 20_000], stallOneIn: 50, stallUs: SECOND } as const;
const COMMANDS = 180;

/** Commands all along while things break; after healing what is wrong. */
function survive(seed: number): string[] {
  const random = new SeededRandom(seed, 'faults');
  const cluster = new MonCluster({ mons: random.oneIn(3) ? 5 : 3, seed, options, disk, buggify: true });
  const { simulation, mons, admin } = cluster;
  const acknowledged = new Map<string, string>();
  const chosen = new Map<number, string>();
  const problems: string[] = [];
  simulation.onEvent(() => {
    for (const { name, process, daemon } of mons) {
      if (process.state === 'stopped') continue;
      const { lastCommitted, value } = daemon.inspect();
      const text = value(lastCommitted)?.join();
      if (text === undefined) continue;
      if ((chosen.get(lastCommitted) ?? text) !== text)
        problems.push(`mon.${name} has another version ${lastCommitted}`);
      chosen.set(lastCommitted, text);
    }
  });
  cluster.start();

  const ask = (number: number) => {
    const command = {
      prefix: 'config set',
      who: 'global',
      name: `option${number}`,
      value: String(number),
      force: true,
    };
    admin.process.call(() => {
      admin.daemon.mon.command(command, EMPTY, ({ code }) => {
        if (code === 0) acknowledged.set(command.name, command.value);
      });
    });
  };
  for (let number = 0; number < COMMANDS; ) {
    const duration = random.oneIn(2) ? random.below(SECOND / 5) : random.below(8 * SECOND);
    for (let i = 0; i < 6 && number < COMMANDS; i++, number++) {
      const next = number;
      simulation.after(random.below(duration + 1), () => ask(next));
    }
    breakSomething(cluster, random);
    cluster.run(duration / SECOND);
  }

  cluster.mend();
  startAll(cluster);
  for (const { process } of mons) process.resume();
  cluster.until('all are in quorum', () => cluster.quorum.length === mons.length, 120);
  cluster.until('all commands are answered', () => acknowledged.size === COMMANDS, 120);
  cluster.run(10);

  const entries: { name: string; value: string }[] = cluster.json('config dump');
  const kept = new Map(entries.map(({ name, value }) => [name, value]));
  for (const [name, value] of acknowledged) if (kept.get(name) !== value) problems.push(`${name} is lost`);
  const states = mons.map(({ daemon }) => `${daemon.inspect().lastCommitted} ${daemon.inspect().storeDigest()}`);
  if (new Set(states).size > 1) problems.push(`they differ: ${states.join(', ')}`);
  return problems;
}

function breakSomething(cluster: MonCluster, random: SeededRandom): void {
  const { mons, simulation } = cluster;
  const mon = mons[random.below(mons.length)]!;
  const { process } = mon;
  switch (random.below(10)) {
    case 0:
    case 1:
      if (process.state === 'running') {
        if (random.oneIn(2)) process.crash();
        else process.powerLoss();
      }
      break;
    case 2:
      process.hang();
      simulation.after(random.below(30) * SECOND, () => process.resume());
      break;
    case 3:
      cluster.cutOff(mons.filter(() => random.oneIn(3)).map((each) => each.process.name));
      break;
    case 4:
      cluster.mend();
      break;
    case 5:
      for (const session of process.sessions) if (random.oneIn(2)) session.breakOff();
      break;
    case 6:
      for (const each of mons) if (each.process.state !== 'stopped') each.process.powerLoss();
      simulation.after(SECOND / 10, () => startAll(cluster));
      break;
    default:
      startAll(cluster);
  }
}

function startAll({ mons }: MonCluster): void {
  for (const { process } of mons) if (process.state === 'stopped') process.start();
}

test.each(seeds)('monitors agree and lose no answered command while things break (seed %i)', (seed) => {
  expect(survive(seed)).toEqual([]);
});
