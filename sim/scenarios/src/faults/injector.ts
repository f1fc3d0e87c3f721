/**
 * Does to a cluster what the vocabulary of faults says, keeps a record of it that can be played again, and puts everything
 * right at the end. Nothing here draws: who, what and how long is decided by those who call.
 */
import type { SimProcess, Simulation } from '@spirula/sim-world';
import type { Instant } from '@spirula/world';
import type { SimCluster } from '../cluster.ts';
import { sendCommand } from '../operator.ts';
import { formatSpan, inSeconds } from '../span.ts';
import { APPLY } from './apply.ts';
import type { Fault } from './fault.ts';
import { describeFault } from './fault-text.ts';
import type { FaultPlan } from './plan.ts';
import { findTargets } from './targets.ts';

export interface Injection {
  /** It ends by itself after so long; without it, with `heal` or `end`. */
  readonly forUs?: Instant;
  /** For people. */
  readonly why?: string;
  readonly name?: string;
  /** Who counts as suffering from it, where that is not simply its target. */
  readonly afflicts?: readonly SimProcess[];
  /** Called when it ends. */
  readonly onEnd?: () => void;
}

/** Knows what must survive. */
export interface Guard {
  /** Why a fault must not strike these processes now; undefined when it may. */
  refusal(fault: Fault, processes: readonly SimProcess[]): string | undefined;
}

/** A fault that lasts. */
export interface ActiveFault {
  readonly fault: Fault;
  readonly processes: readonly SimProcess[];
  end(): void;
}

export class Injector {
  readonly #cluster: SimCluster;
  readonly #simulation: Simulation;
  readonly #guard: Guard | undefined;
  readonly #active = new Set<ActiveFault>();
  /** What takes operators' commands back, as JSON. */
  readonly #undos = new Set<string>();
  #began: Instant = 0;
  #open = true;
  /** How often everything was healed: what was to happen before does not happen after. */
  #era = 0;
  /** What was done, in words. */
  readonly history: string[] = [];
  /** What was done, to be played again: each entry says when and to whom. */
  readonly script: FaultPlan[] = [];
  /** Faults that were held back, since they might have destroyed what must survive. */
  withheld = 0;
  /** Called with each fault as it strikes. */
  onInjected: (fault: Fault, name: string | undefined) => void = () => {};
  /** Called when a fault that has a name ends. */
  onEnded: (name: string) => void = () => {};

  /** @param guard holds back what the cluster need not survive; without one everything goes */
  constructor(cluster: SimCluster, guard: Guard | undefined) {
    this.#cluster = cluster;
    this.#simulation = cluster.simulation;
    this.#guard = guard;
  }

  /** Times in the script count from now. */
  begin(): void {
    this.#began = this.#simulation.now;
  }

  /** Faults that last now. */
  get active(): readonly ActiveFault[] {
    return [...this.#active];
  }

  /**
   * Lets a fault strike, not within a daemon's turn.
   *
   * @returns undefined when the guard holds it back, or everything is healed already
   * @throws UnknownTarget when it is for nobody
   */
  inject(fault: Fault, { forUs, why, name, afflicts, onEnd }: Injection = {}): ActiveFault | undefined {
    if (!this.#open) return undefined;
    const processes =
      'daemons' in fault && fault.daemons !== undefined ? findTargets(this.#cluster, fault.daemons) : [];
    const refusal = this.#guard?.refusal(fault, processes);
    if (refusal !== undefined) {
      this.withheld += 1;
      this.#note(`withheld: ${describeFault(fault)}: ${refusal}`);
      return undefined;
    }
    this.#record(fault, processes, forUs);
    if (fault.fault === 'command' && fault.undo !== undefined) this.#undos.add(JSON.stringify(fault.undo));
    const text =
      describeFault(fault) + (forUs === undefined ? '' : ` for ${formatSpan(forUs)}`) + (why ? `: ${why}` : '');
    this.#note(text);
    const daemons = this.#strikes(fault, afflicts ?? processes).map((each) => each.name);
    const number = this.#simulation.noteFault(text, { daemons });
    this.onInjected(fault, name);
    const undo = (APPLY[fault.fault] as (typeof APPLY)['crash'])(
      {
        cluster: this.#cluster,
        processes,
        later: (delay, run) => this.later(delay, run),
        mend: () => this.#mend(),
      },
      fault as never,
    );
    const active: ActiveFault = {
      fault,
      processes: afflicts ?? processes,
      end: () => {
        if (!this.#active.delete(active)) return;
        undo?.();
        if (undo !== undefined) this.#simulation.noteHealed(number);
        if (name !== undefined) this.onEnded(name);
        onEnd?.();
      },
    };
    // What there is nothing to put right of does not last.
    if (undo !== undefined || onEnd !== undefined) this.#active.add(active);
    if (forUs !== undefined) this.later(forUs, () => active.end());
    return active;
  }

  /** Runs `run` after a while, unless everything is healed by then. */
  later(delay: Instant, run: () => void): void {
    const era = this.#era;
    this.#simulation.after(delay, () => {
      if (this.#open && this.#era === era) run();
    });
  }

  /** No more faults; all that is wrong and can be put right is. */
  heal(): void {
    this.#note('heal');
    this.#mend();
    this.#open = false;
    this.#era += 1;
  }

  /**
   * Operators see to it that nothing is left of what they took back: a command that was sent again, to a monitor that was cut off
   * then, may be carried out once more.
   */
  takeBackAgain(): void {
    for (const undo of this.#undos) sendCommand(this.#cluster, JSON.parse(undo) as Readonly<Record<string, unknown>>);
  }

  #mend(): void {
    for (const active of [...this.#active]) active.end();
    this.#simulation.network.paths.mendAll();
    this.#simulation.network.endRefusals();
    for (const process of this.#cluster.daemons) {
      process.disk.faults.heal();
      process.cpu.mend();
      process.mendClock();
      this.#cluster.recover(process);
    }
  }

  /** Faults may strike again, after `heal`: for those who go on by hand. */
  reopen(): void {
    this.#open = true;
  }

  /** For traces: a partition has two groups instead of `daemons`. */
  #strikes(fault: Fault, processes: readonly SimProcess[]): readonly SimProcess[] {
    if (fault.fault !== 'partition') return processes;
    return fault.groups.flatMap((group) => (group === 'rest' ? [] : findTargets(this.#cluster, group)));
  }

  #record(fault: Fault, processes: readonly SimProcess[], forUs: Instant | undefined): void {
    const at = formatSpan(this.#simulation.now - this.#began);
    const concrete = processes.length > 0 ? { ...fault, daemons: processes.map(({ name }) => name) } : fault;
    this.script.push({ at, ...(forUs !== undefined && { for: formatSpan(forUs) }), ...concrete } as FaultPlan);
  }

  #note(what: string): void {
    this.history.push(`${inSeconds(this.#simulation.now)} ${what}`);
  }
}
