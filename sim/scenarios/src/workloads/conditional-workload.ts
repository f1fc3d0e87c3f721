/**
 * Clients that make changes depend on what they have seen: each guards its change with a comparison that was true when it
 * last read, and often is not any more. Whether it is refused, and with what, is as much an answer as what a read brings.
 */
import type { RawString } from '@spirula/encoding';
import type { Instant } from '@spirula/world';
import type { Change, Comparison, Content, Guard } from '../object-model.ts';
import { newData, newMark } from './marked-data.ts';
import { contentOf } from './object-parts.ts';
import type { RecordedObjects } from './recorded-objects.ts';
import type { Workload, WorkloadHost } from './workload.ts';
import type { ConditionalSpec } from './workload-spec.ts';

const MAX_WRITE_BYTES = 300;
const MAX_COMPARED_BYTES = 64;
const NAMES = ['a', 'b'] as const;
const COMPARISONS: readonly Comparison[] = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'];

/** What a client saw of an object when it last read it. */
interface Seen {
  readonly content: Content | undefined;
  readonly version: number;
}

const NEVER_SEEN: Seen = { content: undefined, version: 0 };

export class ConditionalWorkload implements Workload {
  readonly #spec: ConditionalSpec;
  readonly #host: WorkloadHost;
  readonly #objects: RecordedObjects;
  readonly #seen = new Map<RawString, Seen>();

  constructor(spec: ConditionalSpec, objects: RecordedObjects, host: WorkloadHost) {
    this.#spec = spec;
    this.#objects = objects;
    this.#host = host;
  }

  perform(name: RawString, how: 'reading' | 'writing', then: () => void): void {
    if (how === 'writing' && this.#objects.mayChange(name)) this.#write(name, undefined, then);
    else this.#read(name, undefined, then);
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
    else if (!random.oneIn(3) && this.#objects.mayChange(name)) this.#write(name, timeoutUs, then);
    else this.#read(name, timeoutUs, then);
  }

  #read(name: RawString, timeoutUs: Instant | undefined, then: () => void): void {
    this.#objects.readWhole(this.#host, name, timeoutUs, (reply) => {
      if (reply.result >= 0) this.#seen.set(name, { content: contentOf(reply), version: reply.userVersion });
      else this.#seen.delete(name);
      then();
    });
  }

  #write(name: RawString, timeoutUs: Instant | undefined, then: () => void): void {
    const { random } = this.#host;
    const seen = this.#seen.get(name) ?? NEVER_SEEN;
    const parts = [this.#drawGuard(seen), this.#drawChange()];
    while (random.oneIn(4)) parts.push(random.oneIn(2) ? this.#drawGuard(seen) : this.#drawChange());
    this.#objects.write(this.#host, name, parts, timeoutUs, () => then());
  }

  #drawGuard({ content, version }: Seen): Guard {
    const { random } = this.#host;
    const name = random.pick(NAMES);
    switch (random.below(content === undefined ? 2 : 5)) {
      case 0:
        return { kind: 'createExclusive' };
      case 1: {
        const data = content?.data ?? newMark(this.#host);
        const offset = random.below(Math.max(1, data.length));
        // Beyond the object's end at times: there it is zeros.
        const compared = new Uint8Array(1 + random.below(MAX_COMPARED_BYTES));
        compared.set(data.subarray(offset, offset + compared.length));
        return { kind: 'compareData', offset, data: compared };
      }
      case 2:
        return { kind: 'assertVersion', version };
      case 3: {
        const value = content?.xattrs.get(name) ?? newMark(this.#host);
        return { kind: 'compareXattr', name, comparison: random.pick(COMPARISONS), value };
      }
      default:
        return { kind: 'compareOmap', key: name, value: content?.omap.get(name) ?? newMark(this.#host) };
    }
  }

  #drawChange(): Change {
    const { random } = this.#host;
    const name = random.pick(NAMES);
    switch (random.below(7)) {
      case 0:
        return { kind: 'remove' };
      case 1:
      case 2:
        return { kind: 'setXattr', name, value: newMark(this.#host) };
      case 3:
      case 4:
        return { kind: 'omapSet', key: name, value: newMark(this.#host) };
      case 5:
        return { kind: 'write', offset: random.below(MAX_WRITE_BYTES), data: this.#drawData() };
      default:
        return { kind: 'writeFull', data: this.#drawData() };
    }
  }

  #drawData() {
    return newData(this.#host, 1 + this.#host.random.below(MAX_WRITE_BYTES));
  }
}
