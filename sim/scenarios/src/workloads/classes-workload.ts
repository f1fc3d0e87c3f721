/**
 * Clients that call object classes. On some objects they take a lock (`lock`), count up what they read while they hold it, and give it up:
 * no count may be lost. On the others they add (`numops`) and count versions (`version`) in one request: both agree, and every
 * acknowledged addition is in the sum, once.
 */
import { bytesFromRaw, Errno, type RawString, rawFromBytes } from '@spirula/encoding';
import type { ObjectReply } from '@spirula/objecter';
import type { ObjectOperation } from '@spirula/rados';
import type { Instant } from '@spirula/world';
import {
  addAndCount,
  breakLock,
  ifHeld,
  lock,
  lockers,
  lockersIn,
  sumAndVersion,
  unlock,
  versionIn,
} from './class-calls.ts';
import { type Cookie, HeldLocks } from './held-locks.ts';
import { decodeEntries } from './object-parts.ts';
import { OmapCounter } from './omap-counter.ts';
import { isUnknown } from './recorded-objects.ts';
import type { SharedWork, StoredCopy, Workload, WorkloadHost } from './workload.ts';
import type { ClassesSpec } from './workload-spec.ts';

const KEY = 'count';

/** An addition, or a set under the lock, that is not answered yet. */
interface Increment {
  readonly client: string;
  readonly name: RawString;
  /** The value it is made from; of an addition, a number that no other has: nobody knows from where it adds. */
  readonly from: number;
}

export class ClassesWork implements SharedWork {
  readonly undecided = 0;
  readonly names: readonly RawString[];
  readonly #spec: ClassesSpec;
  readonly #locks: ReadonlyMap<RawString, HeldLocks>;
  readonly #counters: ReadonlyMap<RawString, OmapCounter>;
  readonly #underWay = new Set<Increment>();
  /** Who asked with each cookie that may hold a lock. */
  readonly #owners = new Map<Cookie, { readonly client: string; readonly name: RawString }>();
  #additions = 0;

  constructor(spec: ClassesSpec, prefix: string) {
    this.#spec = spec;
    const locked = Array.from({ length: spec.objects }, (_, i) => `${prefix}-locked-${i}`);
    this.names = [...locked, ...locked.map((_, i) => `${prefix}-sum-${i}`)];
    this.#locks = new Map(locked.map((name) => [name, new HeldLocks()]));
    this.#counters = new Map(this.names.map((name) => [name, new OmapCounter()]));
  }

  join(host: WorkloadHost): Workload {
    return new ClassesWorkload(this.#spec, this, host);
  }

  onClientGone(client: string): void {
    for (const increment of this.#underWay) if (increment.client === client) this.end(increment, 'unknown');
    for (const [cookie, owner] of this.#owners) {
      if (owner.client === client) this.endLock(owner.name, cookie, 'abandoned');
    }
  }

  finish(): string[] {
    return [];
  }

  findLost(copiesOf: (object: RawString) => readonly StoredCopy[]): string[] {
    return [...this.#counters].flatMap(([name, counter]) =>
      copiesOf(name).flatMap(({ osd, content }) => {
        const problem = counter.endRead(counter.beginRead(), numberIn(content?.omap));
        return problem === undefined ? [] : [`osd.${osd}: ${name}: ${problem}`];
      }),
    );
  }

  /** Undefined: the object is one that is added to. */
  locks(name: RawString): HeldLocks | undefined {
    return this.#locks.get(name);
  }

  counter(name: RawString): OmapCounter {
    return this.#counters.get(name)!;
  }

  askLock(name: RawString, client: string, cookie: Cookie): void {
    this.#owners.set(cookie, { client, name });
    this.locks(name)!.ask(cookie);
  }

  endLock(name: RawString, cookie: Cookie, fate: 'releasing' | 'abandoned' | 'over'): void {
    if (fate !== 'releasing') this.#owners.delete(cookie);
    this.locks(name)!.end(cookie, fate);
  }

  /** @param from undefined: it is an addition */
  begin(client: string, name: RawString, from: number | undefined): Increment {
    const increment = { client, name, from: from ?? ++this.#additions };
    this.#underWay.add(increment);
    this.counter(name).begin();
    return increment;
  }

  end(increment: Increment, fate: 'acknowledged' | 'unknown' | 'refused'): string | undefined {
    if (!this.#underWay.delete(increment)) return undefined;
    return this.counter(increment.name).end(increment.client, increment.from, fate);
  }
}

/** What the answer to each part of a locked section comes to. */
type Then = () => void;

class ClassesWorkload implements Workload {
  readonly #spec: ClassesSpec;
  readonly #work: ClassesWork;
  readonly #host: WorkloadHost;

  constructor(spec: ClassesSpec, work: ClassesWork, host: WorkloadHost) {
    this.#spec = spec;
    this.#work = work;
    this.#host = host;
  }

  perform(name: RawString, how: 'reading' | 'writing', then: Then): void {
    if (how === 'reading') this.#read(name, undefined, then);
    else this.#write(name, undefined, then);
  }

  readAll(which: (object: RawString) => boolean): void {
    for (const name of this.#work.names.filter(which)) this.#read(name, undefined, () => {});
  }

  request(_worker: string, then: Then): void {
    const { random } = this.#host;
    const name = random.pick(this.#work.names);
    const timeoutUs = random.oneIn(this.#spec.timeoutOneIn) ? this.#spec.timeoutUs : undefined;
    if (random.oneIn(this.#spec.readOneIn)) this.#read(name, timeoutUs, then);
    else this.#write(name, timeoutUs, then);
  }

  #read(name: RawString, timeoutUs: Instant | undefined, then: Then): void {
    if (this.#work.locks(name)) this.#inspect(name, timeoutUs, then);
    else this.#readSum(name, timeoutUs, then);
  }

  #write(name: RawString, timeoutUs: Instant | undefined, then: Then): void {
    if (this.#work.locks(name)) this.#lock(name, timeoutUs, then);
    else this.#add(name, timeoutUs, then);
  }

  #violate(name: RawString, problem: string | undefined): void {
    if (problem !== undefined) this.#host.violate(`${name}: ${problem}`);
  }

  // Sums.

  #readSum(name: RawString, timeoutUs: Instant | undefined, then: Then): void {
    const counter = this.#work.counter(name);
    const start = counter.beginRead();
    this.#host.submit(name, sumAndVersion(KEY), timeoutUs, (reply) => {
      if (reply.result >= 0) {
        const sum = numberIn(decodeEntries(reply.ops[0]!.output));
        const version = versionIn(reply);
        this.#violate(name, counter.endRead(start, sum));
        // A version begins with 1, and its first increment makes it 2.
        if (version !== sum + 1) this.#violate(name, `its sum is ${sum}, and its version ${version}`);
      } else if (reply.result === Errno.ENOENT) this.#violate(name, counter.endRead(start, 0));
      else if (!isUnknown(reply)) this.#violate(name, `a read was answered with ${reply.result}`);
      then();
    });
  }

  #add(name: RawString, timeoutUs: Instant | undefined, then: Then): void {
    const increment = this.#work.begin(this.#host.client, name, undefined);
    this.#change(name, addAndCount(KEY), timeoutUs, (fate, { result }) => {
      this.#violate(name, this.#work.end(increment, fate));
      if (fate === 'refused') this.#violate(name, `an addition was answered with ${result}`);
      then();
    });
  }

  // The section that a lock protects.

  #lock(name: RawString, timeoutUs: Instant | undefined, then: Then): void {
    const { client } = this.#host;
    const cookie = `${client}.${this.#host.nextNumber()}`;
    this.#work.askLock(name, client, cookie);
    this.#change(name, lock(cookie), timeoutUs, (fate, { result }) => {
      if (fate === 'acknowledged') {
        this.#violate(name, this.#work.locks(name)!.onAcquired(cookie));
        this.#increment(name, cookie, timeoutUs, () => this.#unlock(name, cookie, timeoutUs, then));
        return;
      }
      this.#work.endLock(name, cookie, fate === 'unknown' ? 'abandoned' : 'over');
      if (fate === 'refused' && result !== Errno.EBUSY) this.#violate(name, `a lock was answered with ${result}`);
      // Somebody may have died with it.
      this.#inspect(name, timeoutUs, then);
    });
  }

  #increment(name: RawString, cookie: Cookie, timeoutUs: Instant | undefined, then: Then): void {
    const counter = this.#work.counter(name);
    const start = counter.beginRead();
    this.#host.submit(name, ifHeld(cookie, 'read').omapGetValsByKeys([KEY]), timeoutUs, (reply) => {
      if (isUnknown(reply)) {
        then();
        return;
      }
      if (reply.result < 0) {
        this.#violate(name, `${cookie} holds the lock, and a read under it was answered with ${reply.result}`);
        then();
        return;
      }
      const from = numberIn(decodeEntries(reply.ops[1]!.output));
      this.#violate(name, counter.endRead(start, from));
      const increment = this.#work.begin(this.#host.client, name, from);
      const value = bytesFromRaw(String(from + 1));
      const operation = ifHeld(cookie, 'write').omapSet(new Map([[KEY, value]]));
      this.#change(name, operation, timeoutUs, (fate, { result }) => {
        this.#violate(name, this.#work.end(increment, fate));
        if (fate === 'refused')
          this.#violate(name, `${cookie} holds the lock, and a write was answered with ${result}`);
        then();
      });
    });
  }

  #unlock(name: RawString, cookie: Cookie, timeoutUs: Instant | undefined, then: Then): void {
    this.#work.endLock(name, cookie, 'releasing');
    this.#change(name, unlock(cookie), timeoutUs, (fate, { result }) => {
      this.#work.endLock(name, cookie, fate === 'unknown' ? 'abandoned' : 'over');
      if (fate === 'refused')
        this.#violate(name, `${cookie} holds the lock, and its unlock was answered with ${result}`);
      then();
    });
  }

  /** Looks who holds the lock, and breaks it if nobody will give it up. */
  #inspect(name: RawString, timeoutUs: Instant | undefined, then: Then): void {
    const locks = this.#work.locks(name)!;
    const start = locks.beginInfo();
    this.#host.submit(name, lockers(), timeoutUs, (reply) => {
      if (reply.result < 0 && reply.result !== Errno.ENOENT) {
        if (!isUnknown(reply)) this.#violate(name, `a look at the lock was answered with ${reply.result}`);
        then();
        return;
      }
      const found = reply.result < 0 ? [] : lockersIn(reply);
      const cookies = found.map(({ cookie }) => cookie);
      this.#violate(name, locks.endInfo(start, cookies));
      const [holder] = found;
      if (holder === undefined || locks.fate(holder.cookie) !== 'abandoned') {
        then();
        return;
      }
      this.#change(name, breakLock(holder), timeoutUs, (fate, { result }) => {
        if (fate === 'refused' && result !== Errno.ENOENT) {
          this.#violate(name, `breaking the lock was answered with ${result}`);
        }
        then();
      });
    });
  }

  #change(
    name: RawString,
    operation: ObjectOperation,
    timeoutUs: Instant | undefined,
    then: (fate: 'acknowledged' | 'unknown' | 'refused', reply: ObjectReply) => void,
  ): void {
    this.#host.submit(name, operation, timeoutUs, (reply) => {
      const fate = isUnknown(reply) ? 'unknown' : reply.result < 0 ? 'refused' : 'acknowledged';
      if (fate === 'acknowledged') this.#host.acknowledged(name, 1);
      then(fate, reply);
    });
  }
}

function numberIn(entries: ReadonlyMap<RawString, Uint8Array> | undefined): number {
  const value = entries?.get(KEY);
  return value === undefined ? 0 : Number(rawFromBytes(value));
}
