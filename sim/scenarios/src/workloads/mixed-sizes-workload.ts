/** Objects of all sizes, at the edges of blocks, chunks and messages. */
import type { RawString } from '@spirula/encoding';
import type { Instant } from '@spirula/world';
import type { Change } from '../object-model.ts';
import { newData } from './marked-data.ts';
import type { RecordedObjects } from './recorded-objects.ts';
import type { Workload, WorkloadHost } from './workload.ts';
import type { MixedSizesSpec } from './workload-spec.ts';

export class MixedSizesWorkload implements Workload {
  readonly #spec: MixedSizesSpec;
  readonly #host: WorkloadHost;
  readonly #objects: RecordedObjects;

  constructor(spec: MixedSizesSpec, objects: RecordedObjects, host: WorkloadHost) {
    this.#spec = spec;
    this.#objects = objects;
    this.#host = host;
  }

  perform(name: RawString, how: 'reading' | 'writing', then: () => void): void {
    if (how === 'writing' && this.#objects.mayChange(name)) this.#write(name, undefined, then);
    else this.#objects.readWhole(this.#host, name, undefined, then);
  }

  readAll(which: (object: RawString) => boolean): void {
    for (const name of this.#objects.names.filter(which)) {
      this.#objects.readWhole(this.#host, name, undefined, () => {});
    }
  }

  request(_worker: string, then: () => void): void {
    const { random } = this.#host;
    const name = random.pick(this.#objects.names);
    const timeoutUs = random.oneIn(this.#spec.timeoutOneIn) ? this.#spec.timeoutUs : undefined;
    if (!this.#objects.mayAsk(name)) then();
    else if (random.oneIn(2) && this.#objects.mayChange(name)) this.#write(name, timeoutUs, then);
    else this.#objects.readWhole(this.#host, name, timeoutUs, then);
  }

  #write(name: RawString, timeoutUs: Instant | undefined, then: () => void): void {
    this.#objects.write(this.#host, name, [this.#drawChange()], timeoutUs, then);
  }

  /** Objects stay within about twice the largest size. */
  #drawChange(): Change {
    const { random } = this.#host;
    switch (random.below(8)) {
      case 0:
        return { kind: 'append', data: newData(this.#host, Math.min(...this.#spec.sizes)) };
      case 1:
        return { kind: 'truncate', size: this.#drawSize() };
      case 2:
      case 3:
        return { kind: 'write', offset: this.#drawSize(), data: newData(this.#host, this.#drawSize()) };
      case 4:
        return { kind: 'remove' };
      default:
        return { kind: 'writeFull', data: newData(this.#host, this.#drawSize()) };
    }
  }

  /** One of the sizes, or beside it. */
  #drawSize(): number {
    const { random } = this.#host;
    return Math.max(1, random.pick(this.#spec.sizes) + random.between(-1, 1));
  }
}
