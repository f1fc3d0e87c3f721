import type { RawString } from '@spirula/encoding';
import type { RecordedObjects } from './recorded-objects.ts';
import type { SharedWork, StoredCopy, Workload, WorkloadHost } from './workload.ts';

/** Work on recorded objects: what clients may be told of them is a matter of the objects alone. */
export class SharedObjectsWork implements SharedWork {
  readonly #objects: RecordedObjects;
  readonly #join: (host: WorkloadHost) => Workload;

  constructor(objects: RecordedObjects, join: (host: WorkloadHost) => Workload) {
    this.#objects = objects;
    this.#join = join;
  }

  get names(): readonly RawString[] {
    return this.#objects.names;
  }

  get undecided(): number {
    return this.#objects.undecided;
  }

  join(host: WorkloadHost): Workload {
    return this.#join(host);
  }

  onClientGone(client: string): void {
    this.#objects.onClientGone(client);
  }

  finish(): string[] {
    return this.#objects.finish();
  }

  findLost(copiesOf: (object: RawString) => readonly StoredCopy[]): string[] {
    return this.#objects.findLost(copiesOf);
  }
}
