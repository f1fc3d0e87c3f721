/**
 * Faults by seed: which, whom, when and how long is drawn, again and again. What it draws are faults of the vocabulary with
 * their targets by name, so that the injector's record of a storm plays it again without the draws.
 */
import type { SeededRandom, SimProcess, Simulation } from '@spirula/sim-world';
import { type Instant, SECOND } from '@spirula/world';
import type { SimCluster } from '../cluster.ts';
import { formatSpan } from '../span.ts';
import { Ambush } from './ambush.ts';
import type { Fault } from './fault.ts';
import type { Injector } from './injector.ts';

/** How likely each kind of misfortune is beside the others; 0: it does not happen. */
export interface StormWeights {
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

export interface StormConfig {
  readonly weights: StormWeights;
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

export class Storm {
  readonly #cluster: SimCluster;
  readonly #simulation: Simulation;
  readonly #config: StormConfig;
  readonly #injector: Injector;
  readonly #random: SeededRandom;
  readonly #ambush: Ambush;
  #active = false;

  constructor(cluster: SimCluster, config: StormConfig, injector: Injector) {
    this.#cluster = cluster;
    this.#simulation = cluster.simulation;
    this.#config = config;
    this.#injector = injector;
    this.#random = cluster.simulation.random('faults');
    this.#ambush = new Ambush(cluster, this.#random, config.graceUs, {
      strikeDown: (processes, how, why, leastUs = 0) => {
        for (const { name } of processes) {
          injector.inject({ fault: how, daemons: [name] }, { forUs: leastUs + this.#drawDuration(), why });
        }
      },
      cutOff: (group, forUs, onEnd) => {
        const daemons = namesOf(group);
        injector.inject({ fault: 'partition', groups: [daemons, 'rest'] }, { forUs, afflicts: group, onEnd });
      },
      later: (delay, run) => injector.later(delay, run),
      recover: ({ name }) => void injector.inject({ fault: 'start', daemons: [name] }, { why: 'it comes back' }),
      focus: ({ name }, object, how, forUs) =>
        injector.inject({ fault: 'focus', client: name, object, how }, { forUs }),
    });
  }

  begin(): void {
    this.#active = true;
    this.#ambush.begin();
    this.#scheduleNext();
  }

  end(): void {
    this.#active = false;
    this.#ambush.end();
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
        return this.#afflict('crash');
      case 'powerLoss':
        return this.#afflict('power-loss');
      case 'blackout':
        return this.#blackOut();
      case 'hang':
        return this.#afflict('hang');
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
        return this.#strike({ fault: 'reset', count: 1 + this.#random.below(MAX_RESETS) });
    }
  }

  #drawKind(): keyof StormWeights {
    const weights = Object.entries(this.#config.weights) as [keyof StormWeights, number][];
    let drawn = this.#random.below(weights.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [kind, weight] of weights) {
      if (drawn < weight) return kind;
      drawn -= weight;
    }
    return 'reset';
  }

  #strike(fault: Fault, forUs?: Instant): void {
    this.#injector.inject(fault, forUs === undefined ? {} : { forUs });
  }

  /** Strikes one daemon that runs. */
  #afflict(fault: 'crash' | 'power-loss' | 'hang'): void {
    const process = this.#drawVictim();
    if (process === undefined || process.state !== 'running') return;
    this.#strike({ fault, daemons: [process.name] }, this.#drawDuration());
  }

  #blackOut(): void {
    for (const process of this.#cluster.daemons) {
      if (process.state === 'stopped') continue;
      const forUs = this.#drawDuration();
      this.#injector.inject({ fault: 'power-loss', daemons: [process.name] }, { forUs, why: 'blackout' });
    }
  }

  #isolate(): void {
    const process = this.#drawVictim();
    if (process === undefined) return;
    const ways = this.#random.pick(['both', 'both', 'deaf', 'mute'] as const);
    this.#strike({ fault: 'isolate', daemons: [process.name], ways }, this.#drawDuration());
  }

  #cutOffLeader(): void {
    const mons = this.#cluster.mons.filter(({ process }) => process.state === 'running');
    const leader = mons.find(({ daemon }) => daemon!.inspect().role === 'leader')?.process;
    if (leader === undefined) return;
    const others = this.#cluster.mons.flatMap(({ process }) => (process === leader ? [] : [process.name]));
    const forUs = 1 + this.#random.below(this.#config.durationUs);
    this.#strike({ fault: 'partition', groups: [[leader.name], others] }, forUs);
  }

  #split(): void {
    const left = this.#simulation.processes.filter(() => this.#random.oneIn(3));
    if (left.length === 0) return;
    this.#strike({ fault: 'partition', groups: [namesOf(left), 'rest'] }, this.#drawDuration());
  }

  #cutPair(): void {
    const [a, b] = this.#random.shuffle(this.#simulation.processes);
    const oneWay = this.#random.oneIn(3);
    this.#strike({ fault: 'partition', groups: [[a!.name], [b!.name]], oneWay }, this.#drawDuration());
  }

  #delay(): void {
    const { name } = this.#random.pick(this.#simulation.processes);
    const upTo = formatSpan(1 + this.#random.below(this.#random.pick([20_000, 200_000, MAX_DELAY])));
    this.#strike({ fault: 'delay', daemons: [name], upTo }, this.#drawDuration());
  }

  #drawVictim(): SimProcess | undefined {
    const { mons, osds, mgrs } = this.#cluster;
    const process = this.#random.pick([...mons, ...osds, ...osds].map((place) => place.process).concat(mgrs));
    const kind = process.spec.entity.type;
    const limit = kind === 'mon' ? this.#config.maxMons : kind === 'osd' ? this.#config.maxOsds : mgrs.length;
    const suffering = new Set(this.#injector.active.flatMap(({ processes }) => processes));
    const ofKind = [...suffering].filter(({ spec }) => spec.entity.type === kind);
    return suffering.has(process) || ofKind.length >= limit ? undefined : process;
  }

  #drawDuration(): Instant {
    // Short ones are as likely as long ones.
    return 1 + this.#random.below(Math.max(1, this.#config.durationUs >> this.#random.below(6)));
  }
}

function namesOf(processes: readonly SimProcess[]): string[] {
  return processes.map(({ name }) => name);
}
