/** Clients that increment counters: read, then set to one more, guarded by what was read. */
import { bytesFromRaw, Errno, type RawString, rawFromBytes } from '@spirula/encoding';
import type { ObjectReply } from '@spirula/objecter';
import { ObjectOperation } from '@spirula/rados';
import type { Instant } from '@spirula/world';
import type { Part } from '../object-model.ts';
import { decodeEntries, operationOf } from './object-parts.ts';
import { OmapCounter } from './omap-counter.ts';
import { isUnknown } from './recorded-objects.ts';
import type { SharedWork, StoredCopy, Workload, WorkloadHost } from './workload.ts';
import type { OmapCounterSpec } from './workload-spec.ts';

const KEY = 'count';

interface Increment {
  readonly client: string;
  readonly name: RawString;
  readonly from: number;
}

export class OmapCounterWork implements SharedWork {
  readonly undecided = 0;
  readonly names: readonly RawString[];
  readonly #spec: OmapCounterSpec;
  readonly #counters: ReadonlyMap<RawString, OmapCounter>;
  readonly #underWay = new Set<Increment>();

  constructor(spec: OmapCounterSpec, prefix: string) {
    this.#spec = spec;
    this.names = Array.from({ length: spec.counters }, (_, i) => `${prefix}-${i}`);
    this.#counters = new Map(this.names.map((name) => [name, new OmapCounter()]));
  }

  join(host: WorkloadHost): Workload {
    return new OmapCounterWorkload(this.#spec, this, host);
  }

  onClientGone(client: string): void {
    for (const increment of this.#underWay) if (increment.client === client) this.end(increment, 'unknown');
  }

  finish(): string[] {
    return [];
  }

  findLost(copiesOf: (object: RawString) => readonly StoredCopy[]): string[] {
    return [...this.#counters].flatMap(([name, counter]) =>
      copiesOf(name).flatMap(({ osd, content }) => {
        const value = content?.omap.get(KEY);
        const problem = counter.endRead(counter.beginRead(), value === undefined ? 0 : Number(rawFromBytes(value)));
        return problem === undefined ? [] : [`osd.${osd}: ${name}: ${problem}`];
      }),
    );
  }

  counter(name: RawString): OmapCounter {
    return this.#counters.get(name)!;
  }

  begin(increment: Increment): void {
    this.#underWay.add(increment);
    this.counter(increment.name).begin();
  }

  end(increment: Increment, fate: 'acknowledged' | 'unknown' | 'refused'): string | undefined {
    this.#underWay.delete(increment);
    return this.counter(increment.name).end(increment.client, increment.from, fate);
  }
}

class OmapCounterWorkload implements Workload {
  readonly #spec: OmapCounterSpec;
  readonly #work: OmapCounterWork;
  readonly #host: WorkloadHost;

  constructor(spec: OmapCounterSpec, work: OmapCounterWork, host: WorkloadHost) {
    this.#spec = spec;
    this.#work = work;
    this.#host = host;
  }

  perform(name: RawString, how: 'reading' | 'writing', then: () => void): void {
    this.#read(name, undefined, (value) => {
      if (how === 'reading' || value === undefined) then();
      else this.#increment(name, value, undefined, then);
    });
  }

  readAll(which: (object: RawString) => boolean): void {
    for (const name of this.#work.names.filter(which)) this.#read(name, undefined, () => {});
  }

  request(_worker: string, then: () => void): void {
    const { random } = this.#host;
    const name = random.pick(this.#work.names);
    const timeoutUs = random.oneIn(this.#spec.timeoutOneIn) ? this.#spec.timeoutUs : undefined;
    const onlyReads = random.oneIn(this.#spec.readOneIn);
    this.#read(name, timeoutUs, (value) => {
      if (onlyReads || value === undefined) then();
      else this.#increment(name, value, timeoutUs, then);
    });
  }

  #read(name: RawString, timeoutUs: Instant | undefined, then: (value: number | undefined) => void): void {
    const counter = this.#work.counter(name);
    const start = counter.beginRead();
    this.#host.submit(name, new ObjectOperation().omapGetValsByKeys([KEY]), timeoutUs, (reply) => {
      if (isUnknown(reply)) {
        then(undefined);
        return;
      }
      const value = countIn(reply);
      const problem = value === undefined ? `a read was answered with ${reply.result}` : counter.endRead(start, value);
      if (problem !== undefined) this.#host.violate(`${name}: ${problem}`);
      then(value);
    });
  }

  #increment(name: RawString, from: number, timeoutUs: Instant | undefined, then: () => void): void {
    const increment: Increment = { client: this.#host.client, name, from };
    this.#work.begin(increment);
    const guard: Part =
      from === 0 ? { kind: 'createExclusive' } : { kind: 'compareOmap', key: KEY, value: bytesFromRaw(String(from)) };
    const value = bytesFromRaw(String(from + 1));
    const operation = operationOf([guard, { kind: 'omapSet', key: KEY, value }]);
    this.#host.submit(name, operation, timeoutUs, (reply) => {
      const isRefused = reply.result === (from === 0 ? Errno.EEXIST : Errno.ECANCELED);
      const fate = isUnknown(reply) ? 'unknown' : isRefused ? 'refused' : 'acknowledged';
      const problem =
        fate === 'acknowledged' && reply.result < 0
          ? `an increment was answered with ${reply.result}`
          : this.#work.end(increment, fate);
      if (problem !== undefined) this.#host.violate(`${name}: ${problem}`);
      if (reply.result >= 0) this.#host.acknowledged(name, value.length);
      then();
    });
  }
}

/** Undefined for a reply that is none. */
function countIn({ result, ops }: ObjectReply): number | undefined {
  if (result === Errno.ENOENT) return 0;
  if (result < 0) return undefined;
  const value = decodeEntries(ops[0]!.output).get(KEY);
  return value === undefined ? 0 : Number(rawFromBytes(value));
}
