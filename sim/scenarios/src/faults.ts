/** What goes wrong in a run: drawn from the seed, noted for people, and put right again after a while. */
import type { SeededRandom, SimProcess, Simulation } from '@spirula/sim-world';
import { type Instant, SECOND } from '@spirula/world';
import { Ambush, type Blows } from './ambush.ts';
import type { SimCluster } from './cluster.ts';
import { inSeconds } from './scenario.ts';

/** How likely each kind of fault is beside the others; 0: it does not happen. */
export interface FaultWeights {
  readonly crash: number;
  readonly powerLoss: number;
  /** All machines but the clients' at once. */
  readonly blackout: number;
  readonly hang: number;
  /** One machine against all others, both ways or one. */
  readonly isolate: number;
  /** All OSDs of a PG are struck down just when they have made a write durable, or say so. */
  readonly ambush: number;
  /** A client and OSDs it works with reach one another and nobody else. */
  readonly corner: number;
  /** The leading monitor and the other monitors do not hear one another; all others hear all of them. */
  readonly leader: number;
  /** Two groups that do not hear one another. */
  readonly split: number;
  /** Two machines. */
  readonly cut: number;
  readonly delay: number;
  /** Some connections break. */
  readonly reset: number;
}

export interface FaultConfig {
  readonly weights: FaultWeights;
  /** Faults begin at intervals of up to so long. */
  readonly intervalUs: Instant;
  /** And last up to so long. */
  readonly durationUs: Instant;
  /** OSDs that are silent for so long are reported. */
  readonly graceUs: Instant;
  /** Daemons of a kind that may be gone, hung or cut off at a time. */
  readonly maxMons: number;
  readonly maxOsds: number;
}

const MAX_DELAY: Instant = 2 * SECOND;
const MAX_RESETS = 8;
export class FaultInjector {
  readonly #cluster: SimCluster;
  readonly #simulation: Simulation;
  readonly #config: FaultConfig;
  readonly #random: SeededRandom;
  readonly #ambush: Ambush;
  /** Who suffers a fault of its own now. */
  readonly #afflicted = new Set<SimProcess>();
  #active = false;
  /** What was done, in words. */
  readonly history: string[] = [];

  constructor(cluster: SimCluster, config: FaultConfig) {
    this.#cluster = cluster;
    this.#simulation = cluster.simulation;
    this.#config = config;
    this.#random = cluster.simulation.random('faults');
    this.#ambush = new Ambush(cluster, this.#random, config.graceUs, {
      strikeDown: (...blow) => this.#strikeDown(...blow),
      cutOff: (group, durationUs, then) => this.#cutOff(group, durationUs, then),
      later: (delay, run) => this.#later(delay, run),
      recover: (process) => this.#recover(process),
    });
  }

  begin(): void {
    this.#active = true;
    this.#ambush.begin();
    this.#scheduleNext();
  }

  /** No more faults; all that is wrong is put right. */
  heal(): void {
    this.#active = false;
    this.#ambush.end();
    this.#say('heal');
    const { paths } = this.#simulation.network;
    paths.mendAll();
    paths.endDelays();
    for (const process of this.#cluster.daemons) {
      if (process.state === 'hung') process.resume();
      if (process.state === 'stopped') process.start();
    }
    this.#afflicted.clear();
  }

  #scheduleNext(): void {
    this.#simulation.after(1 + this.#random.below(this.#config.intervalUs), () => {
      if (!this.#active) return;
      this.#misbehave();
      this.#scheduleNext();
    });
  }

  #misbehave(): void {
    switch (this.#drawKind()) {
      case 'crash':
        return this.#afflict('crash', (process) => process.crash());
      case 'powerLoss':
        return this.#afflict('power loss', (process) => process.powerLoss());
      case 'blackout':
        return this.#blackOut();
      case 'hang':
        return this.#afflict('hang', (process) => process.hang());
      case 'isolate':
        return this.#isolate();
      case 'ambush':
        return this.#ambush.awaitWrite();
      case 'corner':
        return this.#ambush.corner();
      case 'leader':
        return this.#cutOffLeader();
      case 'split':
        return this.#split();
      case 'cut':
        return this.#cutPair();
      case 'delay':
        return this.#delay();
      case 'reset':
        return this.#reset();
    }
  }

  #drawKind(): keyof FaultWeights {
    const weights = Object.entries(this.#config.weights) as [keyof FaultWeights, number][];
    let drawn = this.#random.below(weights.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [kind, weight] of weights) {
      if (drawn < weight) return kind;
      drawn -= weight;
    }
    return 'reset';
  }

  /** Strikes one daemon, and sets it going again later. */
  #afflict(what: string, strike: (process: SimProcess) => void): void {
    const process = this.#drawVictim();
    if (process === undefined || process.state !== 'running') return;
    const duration = this.#drawDuration();
    const fault = this.#note(`${what} of ${process.name} for ${inSeconds(duration)} s`, process);
    this.#afflicted.add(process);
    strike(process);
    this.#later(duration, () => {
      this.#recover(process);
      this.#simulation.noteHealed(fault);
    });
  }

  #recover(process: SimProcess): void {
    this.#afflicted.delete(process);
    if (process.state === 'hung') {
      this.#say(`${process.name} goes on`);
      process.resume();
    } else if (process.state === 'stopped') {
      this.#say(`${process.name} starts`);
      process.start();
    }
  }

  #blackOut(): void {
    this.#note('blackout');
    for (const process of this.#cluster.daemons) {
      if (process.state === 'stopped') continue;
      process.powerLoss();
      this.#afflicted.add(process);
      this.#later(this.#drawDuration(), () => this.#recover(process));
    }
  }

  #isolate(): void {
    const process = this.#drawVictim();
    if (process === undefined) return;
    const ways = this.#random.pick(['both ways', 'both ways', 'deaf', 'mute'] as const);
    const duration = this.#drawDuration();
    const fault = this.#note(`${process.name} is cut off (${ways}) for ${inSeconds(duration)} s`, process);
    this.#afflicted.add(process);
    const cuts = this.#others(process).flatMap(({ name }): Cut[] => {
      const to: Cut = [process.name, name];
      const from: Cut = [name, process.name];
      return ways === 'both ways' ? [to, from] : ways === 'mute' ? [to] : [from];
    });
    this.#cut(fault, cuts, duration, () => this.#afflicted.delete(process));
  }

  #strikeDown(...[processes, strike, why, leastUs = 0]: Parameters<Blows['strikeDown']>): void {
    this.#note(`${namesOf(processes)} struck down: ${why}`, ...processes);
    for (const process of processes) {
      strike(process);
      this.#afflicted.add(process);
      this.#later(leastUs + this.#drawDuration(), () => this.#recover(process));
    }
  }

  #cutOff(group: readonly SimProcess[], duration: Instant, then: () => void): void {
    const fault = this.#note(`${namesOf(group)} are cut off together for ${inSeconds(duration)} s`, ...group);
    for (const process of group) this.#afflicted.add(process);
    this.#divide(fault, group, duration, () => {
      for (const process of group) this.#afflicted.delete(process);
      then();
    });
  }

  #cutOffLeader(): void {
    const mons = this.#cluster.mons.filter(({ process }) => process.state === 'running');
    const leader = mons.find(({ daemon }) => daemon!.inspect().role === 'leader')?.process;
    if (leader === undefined) return;
    const duration = 1 + this.#random.below(this.#config.durationUs);
    const fault = this.#note(
      `${leader.name}, the leader, and the other monitors are cut off for ${inSeconds(duration)} s`,
      leader,
    );
    const others = this.#cluster.mons.filter(({ process }) => process !== leader);
    this.#cut(
      fault,
      others.flatMap(({ process: { name } }): Cut[] => [
        [leader.name, name],
        [name, leader.name],
      ]),
      duration,
      () => {},
    );
  }

  #split(): void {
    const left = this.#simulation.processes.filter(() => this.#random.oneIn(3));
    const duration = this.#drawDuration();
    const fault = this.#note(`${namesOf(left)} split off for ${inSeconds(duration)} s`, ...left);
    this.#divide(fault, left, duration, () => {});
  }

  #divide(fault: number, group: readonly SimProcess[], duration: Instant, then: () => void): void {
    const rest = this.#simulation.processes.filter((process) => !group.includes(process));
    const ways = group.flatMap((a) => rest.map((b): Cut => [a.name, b.name]));
    this.#cut(fault, [...ways, ...ways.map(([a, b]): Cut => [b, a])], duration, then);
  }

  #cutPair(): void {
    const [a, b] = this.#random.shuffle(this.#simulation.processes);
    const duration = this.#drawDuration();
    const oneWay = this.#random.oneIn(3);
    const fault = this.#note(`${a!.name} ${oneWay ? '->' : '<->'} ${b!.name} cut for ${inSeconds(duration)} s`, a!, b!);
    const cuts: Cut[] = [[a!.name, b!.name]];
    if (!oneWay) cuts.push([b!.name, a!.name]);
    this.#cut(fault, cuts, duration, () => {});
  }

  #cut(fault: number, cuts: readonly Cut[], duration: Instant, then: () => void): void {
    const { paths } = this.#simulation.network;
    for (const [from, to] of cuts) paths.cut(from, to);
    this.#later(duration, () => {
      for (const [from, to] of cuts) paths.mend(from, to);
      this.#simulation.noteHealed(fault);
      then();
    });
  }

  #delay(): void {
    const { paths } = this.#simulation.network;
    const process = this.#random.pick(this.#simulation.processes);
    const extra = 1 + this.#random.below(this.#random.pick([20_000, 200_000, MAX_DELAY]));
    const duration = this.#drawDuration();
    const fault = this.#note(`${process.name} is up to ${extra / 1000} ms away for ${inSeconds(duration)} s`, process);
    const set = (us: Instant) => {
      for (const { name } of this.#others(process)) {
        paths.delay(process.name, name, us);
        paths.delay(name, process.name, us);
      }
    };
    set(extra);
    this.#later(duration, () => {
      set(0);
      this.#simulation.noteHealed(fault);
    });
  }

  #reset(): void {
    const sessions = this.#simulation.processes.flatMap((process) => process.sessions);
    if (sessions.length === 0) return;
    const count = 1 + this.#random.below(MAX_RESETS);
    this.#note(`${count} connections break`);
    for (let i = 0; i < count; i++) this.#random.pick(sessions).breakOff();
  }

  #drawVictim(): SimProcess | undefined {
    const { mons, osds, mgrs } = this.#cluster;
    const process = this.#random.pick([...mons, ...osds, ...osds].map((place) => place.process).concat(mgrs));
    const kind = process.spec.entity.type;
    const limit = kind === 'mon' ? this.#config.maxMons : kind === 'osd' ? this.#config.maxOsds : mgrs.length;
    const suffering = [...this.#afflicted].filter(({ spec }) => spec.entity.type === kind);
    return this.#afflicted.has(process) || suffering.length >= limit ? undefined : process;
  }

  #drawDuration(): Instant {
    // Short ones are as likely as long ones.
    return 1 + this.#random.below(Math.max(1, this.#config.durationUs >> this.#random.below(6)));
  }

  #later(delay: Instant, run: () => void): void {
    this.#simulation.after(delay, () => {
      if (this.#active) run();
    });
  }

  #others(process: SimProcess): SimProcess[] {
    return this.#simulation.processes.filter((other) => other !== process);
  }

  #say(what: string): void {
    this.history.push(`${inSeconds(this.#simulation.now)} ${what}`);
  }

  /** Returns the number under which a trace knows the fault. */
  #note(what: string, ...processes: readonly SimProcess[]): number {
    this.#say(what);
    return this.#simulation.noteFault(what, { daemons: processes.map(({ name }) => name) });
  }
}

function namesOf(processes: readonly SimProcess[]): string {
  return processes.map(({ name }) => name).join(' ');
}

type Cut = readonly [from: string, to: string];
