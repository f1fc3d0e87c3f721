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
import { MISTAKES } from './mistakes.ts';
import type { StormConfig, StormKind } from './storm-kinds.ts';
import { UPKEEP } from './upkeep.ts';

const MAX_DELAY: Instant = 2 * SECOND;
const MAX_RESETS = 8;
/** What is more than a command lasts so long at least: sooner nobody would have done anything. */
const OPERATORS_PACE: Instant = 10 * SECOND;

type SpoilKind = Exclude<
  StormKind & Fault['fault'],
  'crash' | 'power-loss' | 'hang' | 'restart' | 'lose-store' | 'isolate' | 'delay' | 'reset'
>;
/** What only OSDs suffer: a monitor or a manager has no block device, and its store is taken to be sound or gone. */
const ON_OSDS: ReadonlySet<StormKind> = new Set<StormKind>([
  'replace',
  'lose-disk',
  'read-error',
  'write-error',
  'bit-rot',
  'torn-write',
  'misdirected-write',
  'lost-write',
]);

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
    const kind = this.#drawKind();
    switch (kind) {
      case undefined:
        return;
      case 'blackout':
        return this.#blackOut();
      case 'subtree':
        return this.#blackOutSubtree();
      case 'split':
        return this.#split();
      case 'cut':
        return this.#cutPair();
      case 'leader':
        return this.#cutOffLeader();
      case 'isolate':
        return this.#isolate();
      case 'delay':
        return this.#delay();
      case 'reset':
        return this.#strike({ fault: 'reset', count: 1 + this.#random.below(MAX_RESETS) });
      case 'gateway':
        return this.#crashGateway();
      case 'ambush':
        return this.#ambush.awaitWrite();
      case 'corner':
        return this.#ambush.corner();
      case 'operator':
        return this.#operate(MISTAKES);
      case 'upkeep':
        return this.#operate(UPKEEP);
      case 'lose-store':
        return this.#afflict(kind, this.#monsInService);
      case 'crash':
      case 'power-loss':
      case 'hang':
      case 'restart':
        return this.#afflict(kind);
      default:
        return this.#spoil(kind);
    }
  }

  #drawKind(): StormKind | undefined {
    const weights = Object.entries(this.#config.weights) as [StormKind, number][];
    const sum = weights.reduce((total, [, weight]) => total + weight, 0);
    if (sum === 0) return undefined;
    let drawn = this.#random.below(sum);
    for (const [kind, weight] of weights) {
      if (drawn < weight) return kind;
      drawn -= weight;
    }
    return undefined;
  }

  #strike(fault: Fault, forUs?: Instant): void {
    this.#injector.inject(fault, forUs === undefined ? {} : { forUs });
  }

  /** Strikes one daemon that runs. */
  #afflict(
    fault: 'crash' | 'power-loss' | 'hang' | 'restart' | 'lose-store',
    among?: readonly { readonly process: SimProcess }[],
  ): void {
    const process = this.#drawVictim(among?.map((place) => place.process));
    if (process === undefined || process.state !== 'running') return;
    this.#strike({ fault, daemons: [process.name] }, this.#drawDuration());
  }

  /** Spoils a disk, a network, a clock or a processor. */
  #spoil(kind: SpoilKind): void {
    const random = this.#random;
    const osds = this.#cluster.osds.map(({ process }) => process);
    const process = this.#drawVictim(ON_OSDS.has(kind) ? osds : undefined);
    if (process === undefined) return;
    const daemons = [process.name];
    const forUs = this.#drawDuration();
    switch (kind) {
      case 'replace':
      case 'lose-disk':
        return this.#strike({ fault: kind, daemons });
      case 'read-error':
      case 'write-error':
      case 'flush-error':
        return this.#strike({ fault: kind, daemons, oneIn: random.pick([1, 3, 20]) }, forUs);
      case 'bit-rot':
      case 'torn-write':
      case 'misdirected-write':
      case 'lost-write':
        return this.#strike({ fault: kind, daemons, count: random.between(1, 5) }, forUs);
      case 'disk-stall':
      case 'disk-full':
      case 'clog':
      case 'refuse':
        return this.#strike({ fault: kind, daemons }, forUs);
      case 'slow-cpu':
      case 'slow-disk':
        return this.#strike({ fault: kind, daemons, factor: random.pick([2, 10, 100]) }, forUs);
      case 'latency-tail': {
        const upTo = random.pick(['200ms', '3s', '10s']);
        return this.#strike({ fault: kind, daemons, oneIn: random.pick([10, 100]), from: '5ms', upTo }, forUs);
      }
      case 'bandwidth':
        return this.#strike({ fault: kind, daemons, bytesPerSecond: random.pick([20_000, 1_000_000]) }, forUs);
      case 'wall-jump':
        return this.#strike({ fault: kind, daemons, by: random.pick(['1s', '-1s', '300s', '-300s', '40d']) }, forUs);
      case 'drift':
        return this.#strike({ fault: kind, daemons, ppm: random.pick([-1000, 1000]) }, forUs);
    }
  }

  #operate(doings: typeof MISTAKES | typeof UPKEEP): void {
    const osd = this.#random.pick(this.#cluster.osds);
    const forUs = this.#drawDuration();
    const doing = this.#random.pick(doings)(this.#cluster, osd, this.#random);
    if (doing === undefined) return;
    if ('fault' in doing) return this.#strike(doing.fault, OPERATORS_PACE + forUs);
    const { before, command, undo } = doing;
    if (before !== undefined) this.#strike({ fault: 'command', command: before });
    if (undo === undefined) this.#strike({ fault: 'command', command });
    else this.#strike({ fault: 'command', command, undo }, forUs);
  }

  #blackOutSubtree(): void {
    const { osdsPerHost, hostsPerRack } = this.#cluster.spec.cluster;
    const osd = this.#random.below(this.#cluster.osds.length);
    const host = Math.floor(osd / osdsPerHost);
    const rack = hostsPerRack !== undefined && this.#random.oneIn(2);
    const isStruck = (id: number) => {
      const itsHost = Math.floor(id / osdsPerHost);
      return rack ? Math.floor(itsHost / hostsPerRack) === Math.floor(host / hostsPerRack) : itsHost === host;
    };
    const struck = this.#cluster.osds.filter(({ id }) => isStruck(id)).map(({ process }) => process);
    this.#strike({ fault: 'power-loss', daemons: namesOf(struck) }, this.#drawDuration());
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

  #crashGateway(): void {
    const up = this.#cluster.gateways.filter(({ state }) => state === 'running');
    if (up.length === 0) return;
    this.#strike({ fault: 'crash', daemons: [this.#random.pick(up).name] }, this.#drawDuration());
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

  #drawVictim(among?: readonly SimProcess[]): SimProcess | undefined {
    const { osds, mgrs } = this.#cluster;
    const all = among ?? [...this.#monsInService, ...osds, ...osds].map((place) => place.process).concat(mgrs);
    const process = this.#random.pick(all);
    const kind = process.spec.entity.type;
    const limit = kind === 'mon' ? this.#config.maxMons : kind === 'osd' ? this.#config.maxOsds : mgrs.length;
    const diskless = osds.filter(({ isDiskless }) => isDiskless).map((place) => place.process);
    const suffering = new Set([...this.#injector.active.flatMap(({ processes }) => processes), ...diskless]);
    const ofKind = [...suffering].filter(({ spec }) => spec.entity.type === kind);
    return suffering.has(process) || ofKind.length >= limit ? undefined : process;
  }

  get #monsInService() {
    return this.#cluster.mons.filter(({ isRetired }) => !isRetired);
  }

  #drawDuration(): Instant {
    // Short ones are as likely as long ones.
    return 1 + this.#random.below(Math.max(1, this.#config.durationUs >> this.#random.below(6)));
  }
}

function namesOf(processes: readonly SimProcess[]): string[] {
  return processes.map(({ name }) => name);
}
