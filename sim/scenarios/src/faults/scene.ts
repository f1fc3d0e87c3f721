/** What a fault is given, and what it gives back. */
import type { SimProcess } from '@spirula/sim-world';
import type { Instant } from '@spirula/world';
import type { SimCluster } from '../cluster.ts';
import type { FaultKind, FaultOf } from './fault.ts';

export interface Scene {
  readonly cluster: SimCluster;
  /** Whom the fault is for. */
  readonly processes: readonly SimProcess[];
  /** As `Injector.later`. */
  later(delay: Instant, run: () => void): void;
  /** Ends all faults that last, and starts what stands still. */
  mend(): void;
}

/** Puts right what a fault did; absent where there is nothing to put right. */
export type Undo = (() => void) | undefined;

export type Apply<K extends FaultKind> = (scene: Scene, fault: FaultOf<K>) => Undo;
