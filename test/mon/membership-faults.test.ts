/** Monitors are removed and added while everything breaks: nothing acknowledged is lost, and no two histories come to be. */
import { EMPTY } from '@spirula/encoding';
import type { MonMap } from '@spirula/maps';
import { SeededRandom } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { MonCluster, type MonPlace } from './mon-cluster.ts';

const only = process.env['SEED'];
const count = Number(process.env['SEEDS'] ?? 10);
const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)];

const options = {
  paxos_min: 10,
  paxos_trim_min: 5,
  paxos_trim_max: 20,
  paxos_propose_interval: 0.02,
  paxos_min_wait: 0.005,
};
const disk = { flushUs: [500, 20_000], stallOneIn: 50, stallUs: SECOND } as const;
const STEPS = 60;
const MOST = 5;

/** Who removes and adds monitors, one change after another, as an operator would. */
class Operator {
  readonly #cluster: MonCluster;
  readonly #random: SeededRandom;
  isBusy = false;
  /** Changes that were acknowledged. */
  changes = 0;

  constructor(cluster: MonCluster, random: SeededRandom) {
    this.#cluster = cluster;
    this.#random = random;
  }

  /** The newest map in force anywhere. */
  get map(): MonMap {
    const maps = this.#cluster.mons.flatMap(({ process, daemon }) =>
      process.state === 'stopped' ? [] : [daemon.inspect().monmap],
    );
    return maps.sort((a, b) => b.epoch - a.epoch)[0]!;
  }

  isMember({ name }: MonPlace): boolean {
    return this.map.mons.has(name);
  }

  changeSomething(): void {
    const { mons } = this.#cluster;
    const running = mons.some(({ process }) => process.state !== 'stopped');
    if (this.isBusy || !running) return;
    const members = mons.filter((place) => this.isMember(place));
    const others = mons.filter((place) => !this.isMember(place));
    const removes = others.length === 0 || (members.length > 1 && this.#random.oneIn(2));
    if (this.#random.oneIn(6)) {
      const { name } = members[this.#random.below(members.length)]!;
      return this.#ask({ prefix: 'mon set-rank', name, rank: this.#random.below(members.length) });
    }
    if (removes) return this.#ask({ prefix: 'mon rm', name: members[this.#random.below(members.length)]!.name });
    this.#add(others[this.#random.below(others.length)]!);
  }

  /** On an empty disk, with the map of the cluster. */
  #add(place: MonPlace): void {
    const { process, name } = place;
    if (process.state !== 'stopped') process.crash();
    place.wiped = true;
    const [addr] = process.addrs('public');
    this.#ask({ prefix: 'mon add', name, addr: `${addr!.ip}:${addr!.port}` }, () => {
      place.monmap = this.map;
      if (this.isMember(place) && process.state === 'stopped') process.start();
    });
  }

  #ask(command: Readonly<Record<string, unknown>>, then: () => void = () => {}): void {
    this.isBusy = true;
    const { admin, simulation } = this.#cluster;
    admin.process.call(() => {
      admin.daemon.mon.command(command, EMPTY, ({ code, status }) => {
        // The last one stays; and what was asked again after an election may have been done.
        if (code !== 0 && !/last monitor|does not exist/.test(status))
          throw new Error(`${command['prefix']}: ${status}`);
        simulation.after(SECOND / 10, () => {
          this.isBusy = false;
          this.changes += 1;
          then();
        });
      });
    });
  }
}

function breakSomething(cluster: MonCluster, random: SeededRandom): void {
  const { mons, simulation } = cluster;
  const place = mons[random.below(mons.length)]!;
  const { process } = place;
  switch (random.below(8)) {
    case 0:
    case 1:
      if (process.state !== 'running') return;
      if (random.oneIn(2)) process.crash();
      else process.powerLoss();
      simulation.after(random.below(20) * SECOND, () => {
        // An empty disk is for one that is about to be added.
        if (process.state === 'stopped' && !place.wiped) process.start();
      });
      return;
    case 2:
      process.hang();
      simulation.after(random.below(15) * SECOND, () => process.resume());
      return;
    case 3:
      cluster.cutOff(mons.filter(() => random.oneIn(3)).map((each) => each.process.name));
      return;
    case 4:
    case 5:
      cluster.mend();
      return;
    default:
      for (const session of process.sessions) if (random.oneIn(2)) session.breakOff();
  }
}

function survive(seed: number): { problems: string[]; changes: number } {
  const random = new SeededRandom(seed, 'membership');
  const cluster = new MonCluster({ mons: 3, spares: MOST - 3, seed, options, disk, buggify: true });
  const { simulation, mons, admin } = cluster;
  const acknowledged = new Map<string, string>();
  const chosen = new Map<number, string>();
  const leaders = new Map<number, string>();
  const problems: string[] = [];
  simulation.onEvent(() => {
    for (const { name, process, daemon } of mons) {
      if (process.state === 'stopped') continue;
      const { lastCommitted, value, role, readable, epoch } = daemon.inspect();
      const text = value(lastCommitted)?.join();
      if (text !== undefined) {
        if ((chosen.get(lastCommitted) ?? text) !== text)
          problems.push(`mon.${name} has another version ${lastCommitted}`);
        chosen.set(lastCommitted, text);
      }
      if (role !== 'leader' || !readable) continue;
      if ((leaders.get(epoch) ?? name) !== name) problems.push(`${name} and ${leaders.get(epoch)} lead in ${epoch}`);
      leaders.set(epoch, name);
    }
  });
  cluster.start();
  const operator = new Operator(cluster, random);

  for (let step = 0; step < STEPS; step++) {
    const command = { prefix: 'config set', who: 'global', name: `option${step}`, value: String(step), force: true };
    admin.process.call(() => {
      admin.daemon.mon.command(command, EMPTY, ({ code }) => {
        if (code === 0) acknowledged.set(command.name, command.value);
      });
    });
    if (random.oneIn(2)) operator.changeSomething();
    if (random.oneIn(2)) breakSomething(cluster, random);
    cluster.run(random.oneIn(3) ? random.below(12) : random.below(2 * SECOND) / SECOND);
  }

  cluster.mend();
  for (const place of mons) {
    place.process.resume();
    if (place.process.state === 'stopped' && operator.isMember(place)) place.process.start();
  }
  cluster.until('the operator is done', () => !operator.isBusy, 240);
  cluster.run(1);
  const members = mons.filter((place) => operator.isMember(place));
  for (const { process } of members) if (process.state === 'stopped') process.start();
  cluster.until('all are in quorum', () => cluster.quorum.length === members.length, 240);
  cluster.until('all commands are answered', () => acknowledged.size === STEPS, 120);
  cluster.run(40);

  const entries: { name: string; value: string }[] = cluster.json('config dump');
  const kept = new Map(entries.map(({ name, value }) => [name, value]));
  for (const [name, value] of acknowledged) if (kept.get(name) !== value) problems.push(`${name} is lost`);
  const states = members.map(({ daemon }) => `${daemon.inspect().lastCommitted} ${daemon.inspect().storeDigest()}`);
  if (new Set(states).size > 1) problems.push(`they differ: ${states.join(', ')}`);
  for (const place of mons) {
    if (operator.isMember(place) || place.process.state === 'stopped') continue;
    // One that has never joined waits to be added again.
    if (place.daemon.inspect().lastCommitted > 0) problems.push(`mon.${place.name} goes on`);
  }
  return { problems, changes: operator.changes };
}

test.each(seeds)('seed %i: monitors come and go while things break', { timeout: 120_000 }, (seed) => {
  const { problems, changes } = survive(seed);
  expect(problems.slice(0, 5)).toEqual([]);
  expect(changes).toBeGreaterThan(5);
});
