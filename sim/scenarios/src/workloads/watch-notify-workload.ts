/** Clients that watch objects, notify of them, and at times leave or say nothing. */
import { bytesFromRaw, EMPTY, Errno, type RawString, rawFromBytes } from '@spirula/encoding';
import type { Notification } from '@spirula/objecter';
import { ObjectOperation } from '@spirula/rados';
import type { Instant } from '@spirula/world';
import { isUnknown } from './recorded-objects.ts';
import { type ClientWatch, WatchedObject } from './watched-object.ts';
import type { SharedWork, Workload, WorkloadHost } from './workload.ts';
import type { WatchNotifySpec } from './workload-spec.ts';

/** At the end watchers that have died are waited for so much longer than they have. */
const LAST_WAIT_SECONDS = 10;

export class WatchNotifyWork implements SharedWork {
  readonly undecided = 0;
  readonly names: readonly RawString[];
  readonly #spec: WatchNotifySpec;
  readonly #objects: ReadonlyMap<RawString, WatchedObject>;

  constructor(spec: WatchNotifySpec, prefix: string) {
    this.#spec = spec;
    this.names = Array.from({ length: spec.objects }, (_, i) => `${prefix}-${i}`);
    this.#objects = new Map(this.names.map((name) => [name, new WatchedObject(name, spec.timeoutSeconds)]));
  }

  join(host: WorkloadHost): Workload {
    return new WatchNotifyWorkload(this.#spec, [...this.#objects.values()], host);
  }

  onClientGone(client: string): void {
    for (const object of this.#objects.values()) object.removeAllOf(client);
  }

  finish(): string[] {
    return [];
  }

  findLost(): string[] {
    return [];
  }
}

/** This client's watch on one object. */
interface OwnWatch extends ClientWatch {
  readonly object: WatchedObject;
}

class WatchNotifyWorkload implements Workload {
  readonly #spec: WatchNotifySpec;
  readonly #objects: readonly WatchedObject[];
  readonly #host: WorkloadHost;
  readonly #watches = new Map<WatchedObject, OwnWatch>();
  /** A watch is being begun or ended. */
  readonly #changing = new Set<WatchedObject>();

  constructor(spec: WatchNotifySpec, objects: readonly WatchedObject[], host: WorkloadHost) {
    this.#spec = spec;
    this.#objects = objects;
    this.#host = host;
  }

  request(_worker: string, then: () => void): void {
    const { random } = this.#host;
    const object = this.#objects[random.below(this.#objects.length)]!;
    const watch = this.#watches.get(object);
    if (this.#changing.has(object) || random.oneIn(2)) this.#notify(object, this.#spec.notifySeconds, then);
    else if (!watch) this.#watch(object, then);
    else if (random.oneIn(this.#spec.unwatchOneIn)) this.#unwatch(object, watch, then);
    else this.#write(object, then);
  }

  perform(name: RawString, how: 'reading' | 'writing', then: () => void): void {
    const object = this.#objects.find((each) => each.name === name)!;
    if (how === 'writing') this.#write(object, then);
    else this.#notify(object, this.#spec.notifySeconds, then);
  }

  /** The last notify of each: all who watch acknowledge it, and who is gone leaves in time. */
  readAll(which: (object: RawString) => boolean): void {
    for (const object of this.#objects.filter(({ name }) => which(name))) {
      this.#notify(object, this.#spec.timeoutSeconds + LAST_WAIT_SECONDS, () => {}, 'last');
    }
  }

  #write(object: WatchedObject, then: () => void): void {
    const operation = new ObjectOperation().writeFull(bytesFromRaw(this.#host.client));
    this.#host.submit(object.name, operation, undefined, (reply) => {
      if (reply.result < 0 && !isUnknown(reply)) this.#violate(object, `a write was answered with ${reply.result}`);
      then();
    });
  }

  #watch(object: WatchedObject, then: () => void): void {
    const host = this.#host;
    this.#changing.add(object);
    const { timeoutSeconds } = this.#spec;
    const cookie = host.watch(
      object.name,
      {
        timeoutSeconds,
        onNotify: (notification) => this.#onNotify(object, notification),
        onError: (code, age) => this.#onError(object, code, age),
      },
      (code) => {
        this.#changing.delete(object);
        if (code === 0) {
          const { client } = host;
          const { age, connections } = {
            age: () => host.watchAge(cookie),
            connections: () => host.connections(cookie),
          };
          const watch: OwnWatch = { client, cookie, object, age, connections };
          this.#watches.set(object, watch);
          object.add(watch);
        } else if (code !== Errno.ENOENT) this.#violate(object, `a watch was answered with ${code}`);
        // Nobody has made it yet.
        if (code === Errno.ENOENT) this.#write(object, then);
        else then();
      },
    );
  }

  #unwatch(object: WatchedObject, { cookie }: OwnWatch, then: () => void): void {
    this.#forget(object);
    this.#changing.add(object);
    this.#host.unwatch(object.name, cookie, (code) => {
      this.#changing.delete(object);
      if (code < 0) this.#violate(object, `an unwatch was answered with ${code}`);
      then();
    });
  }

  #forget(object: WatchedObject): void {
    const watch = this.#watches.get(object);
    if (watch) object.remove(watch);
    this.#watches.delete(object);
  }

  #onNotify(object: WatchedObject, { notifyId, cookie, payload }: Notification): void {
    const watch = this.#watches.get(object);
    if (watch) {
      const problem = object.tell(watch, notifyId, rawFromBytes(payload));
      if (problem !== undefined) this.#violate(object, problem);
    }
    const isLast = rawFromBytes(payload).startsWith('last');
    if (isLast || !this.#host.random.oneIn(this.#spec.silentOneIn)) {
      this.#host.acknowledge(object.name, cookie, notifyId, EMPTY);
    }
  }

  #onError(object: WatchedObject, code: number, age: Instant): void {
    const watch = this.#watches.get(object);
    if (!watch) return;
    this.#watches.delete(object);
    const problem = object.break(watch, age, code);
    if (problem !== undefined) this.#violate(object, problem);
    this.#unwatch(object, watch, () => {});
  }

  #notify(object: WatchedObject, timeoutSeconds: number, then: () => void, kind: 'last' | 'usual' = 'usual'): void {
    const payload = `${kind} ${this.#host.client}.${this.#host.nextNumber()}`;
    const start = object.beginNotify();
    this.#host.notify(object.name, bytesFromRaw(payload), timeoutSeconds, (code, outcome) => {
      const silent = outcome.timedOut.length;
      if (code === 0) {
        const problem = object.endNotify(start, payload, outcome);
        if (problem !== undefined) this.#violate(object, problem);
      } else if (code === Errno.ETIMEDOUT && silent > 0) {
        if (kind === 'last') this.#violate(object, `${silent} who watch it neither answer nor leave`);
      } else if (code !== Errno.ENOENT)
        this.#violate(object, `a notify was answered with ${code}, ${silent} are silent`);
      then();
    });
  }

  #violate({ name }: WatchedObject, problem: string): void {
    this.#host.violate(`${name}: ${problem}`);
  }
}
