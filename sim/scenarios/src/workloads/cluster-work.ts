/** All that the clients of a cluster do, and what they have in common. */
import type { PoolId, RawString } from '@spirula/encoding';
import { unreachable } from '@spirula/world';
import { AppendLogWork } from './append-log-workload.ts';
import { ClassesWork } from './classes-workload.ts';
import { ConditionalWorkload } from './conditional-workload.ts';
import { MixedSizesWorkload } from './mixed-sizes-workload.ts';
import { ObjectsWorkload } from './objects-workload.ts';
import { OmapCounterWork } from './omap-counter-workload.ts';
import { RecordedObjects } from './recorded-objects.ts';
import { SharedObjectsWork } from './shared-objects-work.ts';
import { SnapshotsWork } from './snapshots-workload.ts';
import { WatchNotifyWork } from './watch-notify-workload.ts';
import type { SharedWork, StoredCopy } from './workload.ts';
import type { Pace, WorkloadSpec } from './workload-spec.ts';

export class ClusterWork {
  readonly shared: readonly SharedWork[];
  /** Of each. */
  readonly paces: readonly Pace[];
  /** The pool that clients work in; set when they begin. */
  pool: PoolId = 0;
  /** A client that starts meanwhile works too. */
  isGoingOn = false;
  readonly #numbers = new Map<string, number>();
  #requests = 0;

  /** @param now virtual time, for people */
  constructor(specs: readonly WorkloadSpec[], now: () => string) {
    this.shared = specs.map((spec, i) =>
      share(spec, specs.findIndex(({ kind }) => kind === spec.kind) === i ? '' : String(i), now),
    );
    this.paces = specs.map(({ pace }) => pace);
  }

  /** Every object that clients have used, or may. */
  get names(): readonly RawString[] {
    return this.shared.flatMap(({ names }) => names);
  }

  /** Parts of histories that nobody knows to be right or wrong. */
  get undecided(): number {
    return this.shared.reduce((sum, { undecided }) => sum + undecided, 0);
  }

  onClientGone(client: string): void {
    for (const work of this.shared) work.onClientGone(client);
  }

  /** What is wrong with what clients were told, once all is answered and no more will be asked. */
  finish(): string[] {
    return this.shared.flatMap((work) => work.finish());
  }

  /** What was acknowledged and is not in the stores, or was removed and is, once all is at rest. */
  findLost(copiesOf: (object: RawString, snap?: bigint) => readonly StoredCopy[]): string[] {
    return this.shared.flatMap((work) => work.findLost(copiesOf));
  }

  /** Snapshots that no store may have anything of, once all is at rest. */
  get removedSnaps(): ReadonlySet<bigint> {
    return new Set(this.shared.flatMap(({ removedSnaps = new Set<bigint>() }) => [...removedSnaps]));
  }

  /** Counts the requests of all clients. */
  nextRequest(): number {
    this.#requests += 1;
    return this.#requests;
  }

  /** A number that `client` has not had. */
  nextNumber(client: string): number {
    const number = (this.#numbers.get(client) ?? 0) + 1;
    this.#numbers.set(client, number);
    return number;
  }
}

/** @param suffix tells objects of two workloads of one kind apart */
function share(spec: WorkloadSpec, suffix: string, now: () => string): SharedWork {
  switch (spec.kind) {
    case 'objects': {
      const objects = new RecordedObjects(`object${suffix}`, spec.objects, now);
      return new SharedObjectsWork(objects, (host) => new ObjectsWorkload(spec, objects, host));
    }
    case 'conditional': {
      const objects = new RecordedObjects(`guarded${suffix}`, spec.objects, now);
      return new SharedObjectsWork(objects, (host) => new ConditionalWorkload(spec, objects, host));
    }
    case 'mixed-sizes': {
      const objects = new RecordedObjects(`sized${suffix}`, spec.objects, now);
      return new SharedObjectsWork(objects, (host) => new MixedSizesWorkload(spec, objects, host));
    }
    case 'append-log':
      return new AppendLogWork(spec, `log${suffix}`);
    case 'snapshots':
      return new SnapshotsWork(spec, `snapped${suffix}`);
    case 'omap-counter':
      return new OmapCounterWork(spec, `counter${suffix}`);
    case 'classes':
      return new ClassesWork(spec, `called${suffix}`);
    case 'watch-notify':
      return new WatchNotifyWork(spec, `watched${suffix}`);
    default:
      return unreachable(spec);
  }
}
