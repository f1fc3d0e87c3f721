/** Clients that do anything to objects they share. */
import type { Bytes, RawString } from '@spirula/encoding';
import type { Change } from '../object-model.ts';
import { newData, newMark } from './marked-data.ts';
import type { RecordedObjects } from './recorded-objects.ts';
import type { Workload, WorkloadHost } from './workload.ts';
import type { ObjectsSpec } from './workload-spec.ts';

const MAX_OBJECT_BYTES = 256 << 10;
const OMAP_KEYS = 6;
const XATTRS = 3;

/** What a worker is at. */
interface Stay {
  readonly name: RawString;
  readonly onlyReads: boolean;
  readonly requestsLeft: number;
}

export class ObjectsWorkload implements Workload {
  readonly #spec: ObjectsSpec;
  readonly #host: WorkloadHost;
  readonly #objects: RecordedObjects;
  /** By worker. */
  readonly #stays = new Map<string, Stay>();

  constructor(spec: ObjectsSpec, objects: RecordedObjects, host: WorkloadHost) {
    this.#spec = spec;
    this.#objects = objects;
    this.#host = host;
  }

  perform(name: RawString, how: 'reading' | 'writing', then: () => void): void {
    if (how === 'writing' && this.#objects.mayChange(name)) {
      this.#objects.write(this.#host, name, this.#drawChanges(), undefined, then);
    } else this.#objects.readWhole(this.#host, name, undefined, then);
  }

  readAll(which: (object: RawString) => boolean): void {
    for (const name of this.#objects.names.filter(which)) {
      this.#objects.readWhole(this.#host, name, undefined, () => {});
    }
  }

  request(worker: string, then: () => void): void {
    const { random } = this.#host;
    const { name, onlyReads } = this.#drawStay(worker);
    if (!this.#objects.mayAsk(name)) {
      then();
      return;
    }
    const timeoutUs = random.oneIn(this.#spec.timeoutOneIn) ? this.#spec.timeoutUs : undefined;
    if (!onlyReads && this.#objects.mayChange(name) && random.below(10) < 6) {
      this.#objects.write(this.#host, name, this.#drawChanges(), timeoutUs, then);
    } else if (random.oneIn(3)) this.#readPart(name, timeoutUs, then);
    else this.#objects.readWhole(this.#host, name, timeoutUs, then);
  }

  #drawStay(worker: string): Stay {
    const { random } = this.#host;
    let stay = this.#stays.get(worker);
    if (stay === undefined || stay.requestsLeft === 0) {
      const onlyReads = random.oneIn(this.#spec.onlyReadsOneIn);
      stay = { name: random.pick(this.#objects.names), onlyReads, requestsLeft: random.between(1, this.#spec.stay) };
    }
    this.#stays.set(worker, { ...stay, requestsLeft: stay.requestsLeft - 1 });
    return stay;
  }

  #readPart(name: RawString, timeoutUs: number | undefined, then: () => void): void {
    const { random } = this.#host;
    const offset = random.below(random.pick([1, 5000, MAX_OBJECT_BYTES]));
    const length = 1 + random.below(random.pick([100, 9000, MAX_OBJECT_BYTES]));
    this.#objects.readPart(this.#host, name, offset, length, timeoutUs, then);
  }

  #drawChanges(): Change[] {
    const { random } = this.#host;
    if (random.oneIn(5)) return [{ kind: 'remove' }];
    const changes = [this.#drawChange()];
    while (random.oneIn(3)) changes.push(this.#drawChange());
    return changes;
  }

  #drawChange(): Change {
    const { random } = this.#host;
    switch (random.below(9)) {
      case 0:
      case 1:
        return { kind: 'append', data: this.#drawData() };
      case 2:
      case 3:
        return { kind: 'writeFull', data: this.#drawData() };
      case 4:
        return { kind: 'truncate', size: random.below(random.pick([100, 10_000, MAX_OBJECT_BYTES])) };
      case 5:
        return { kind: 'setXattr', name: `x${random.below(XATTRS)}`, value: newMark(this.#host) };
      case 6:
        return { kind: 'omapSet', key: `k${random.below(OMAP_KEYS)}`, value: newMark(this.#host) };
      case 7:
        return { kind: 'omapRm', key: `k${random.below(OMAP_KEYS)}` };
      default: {
        const offset = random.below(random.pick([1, 1000, 20_000, MAX_OBJECT_BYTES]));
        return { kind: 'write', offset, data: this.#drawData() };
      }
    }
  }

  #drawData(): Bytes {
    const { largeOneIn, largeWriteBytes, writeBytes } = this.#spec;
    const { random } = this.#host;
    return newData(this.#host, 1 + random.below(random.oneIn(largeOneIn) ? largeWriteBytes : writeBytes));
  }
}
