/** One client process: as real ones, a mon client and an objecter; and the workloads that use them. */
import { CephxCredentials, type CryptoKey } from '@spirula/auth';
import type { PoolId, RawString } from '@spirula/encoding';
import {
  type Message,
  type ObjectLocator,
  OsdFlag,
  type OsdOp,
  OsdOpCode,
  type PoolOpMessage,
} from '@spirula/messages';
import { MonClient, type MonClientOptions } from '@spirula/mon-client';
import { Objecter, type ObjectReply } from '@spirula/objecter';
import type { ObjectOperation } from '@spirula/rados';
import type { SeededRandom } from '@spirula/sim-world';
import { type Daemon, type Instant, invariant, type World, type WorldEvent } from '@spirula/world';
import type { ClusterWork } from './cluster-work.ts';
import { Pacer } from './pacer.ts';
import { isUnknown } from './recorded-objects.ts';
import type { SnapRequest, Workload, WorkloadHost } from './workload.ts';

export interface WorkloadClientOptions {
  readonly name: string;
  /** As an entity. */
  readonly id: string;
  readonly monAddrs: MonClientOptions['monAddrs'];
  /** Its secret key: it authenticates by cephx. */
  readonly key: CryptoKey | undefined;
  readonly fsid: NonNullable<MonClientOptions['fsid']>;
  readonly work: ClusterWork;
  readonly random: SeededRandom;
  onViolation(problem: string): void;
  /** A write of this object, of so many bytes, was acknowledged just now. */
  onAcknowledged(name: RawString, bytes: number): void;
  /** `id` counts the requests of all clients. */
  onRequest(id: number, name: RawString, ops: readonly OsdOp[]): void;
  onAnswer(answer: Answer): void;
}

interface Answer {
  /** Of the request. */
  readonly id: number;
  readonly object: RawString;
  readonly kind: 'write' | 'read';
  readonly result: number;
  /** By the client's clock; undefined when it gave up. */
  readonly tookUs: Instant | undefined;
}

const WORK_TIMER = 'work ';
const FOCUS_TIMER = 'focus';
/** Rest between requests on the object in focus. */
const FOCUS_REST: Instant = 200_000;

/** The object that is used above all others for a while. */
interface Focus {
  readonly name: RawString;
  readonly how: 'reading' | 'writing';
}

export class WorkloadClient implements Daemon<Message> {
  readonly auth: CephxCredentials | undefined;
  readonly mon: MonClient;
  readonly objecter: Objecter;
  readonly #world: World<Message>;
  readonly #options: WorkloadClientOptions;
  readonly #workloads: readonly Workload[];
  readonly #pacers: readonly Pacer[];
  /** Beside the workloads' own requests. */
  #focus: Focus | undefined;
  /** Objects of requests without an answer. */
  readonly #awaited = new Map<number, RawString>();
  /** Requests answered, and those given up. */
  done = 0;
  timedOut = 0;

  constructor(world: World<Message>, options: WorkloadClientOptions) {
    this.#world = world;
    this.#options = options;
    const { monAddrs, fsid, work } = options;
    const entity = { type: 'client', id: options.id } as const;
    this.auth = options.key && new CephxCredentials(world, entity, options.key);
    this.mon = new MonClient({
      world,
      credentials: this.auth,
      endpoint: 'public',
      monAddrs,
      fsid,
      onMessage: (message) => {
        if (message.type === 'osd_map') this.objecter.handleOsdMap(message);
      },
    });
    this.objecter = new Objecter({ world, endpoint: 'public', mon: this.mon });
    const host = this.#makeHost();
    this.#workloads = work.shared.map((shared) => shared.join(host));
    this.#pacers = this.#workloads.map((workload, i) => {
      const arm = (timer: string, after: Instant) =>
        world.clock.arm(`${WORK_TIMER}${i} ${timer}`, world.clock.now() + after);
      return new Pacer({ random: options.random, arm }, work.paces[i]!, workload);
    });
  }

  start(): void {
    this.objecter.start();
    this.mon.start();
    if (this.#options.work.isGoingOn) this.#begin();
  }

  handle(event: WorldEvent<Message>): void {
    if (event.kind === 'timer' && event.name.startsWith(WORK_TIMER)) this.#onWorkTimer(event.name);
    else if (event.kind === 'timer' && event.name === FOCUS_TIMER) this.#goOn();
    else if (!this.mon.handle(event)) this.objecter.handle(event);
  }

  /** Requests without an answer. */
  get underWay(): number {
    return this.#awaited.size;
  }

  /** The object of each request without an answer. */
  get awaited(): readonly RawString[] {
    return [...this.#awaited.values()];
  }

  /** Begins, and so do clients that start later. */
  beginWork(pool: PoolId): void {
    this.#options.work.pool = pool;
    this.#options.work.isGoingOn = true;
    this.#begin();
  }

  stopWork(): void {
    this.#options.work.isGoingOn = false;
    for (const pacer of this.#pacers) pacer.stop();
  }

  /** Reads or writes an object again and again, until `endFocus`. */
  focusOn(name: RawString, how: Focus['how']): void {
    const isIdle = this.#focus === undefined;
    this.#focus = { name, how };
    if (isIdle) this.#goOn();
  }

  endFocus(): void {
    this.#focus = undefined;
  }

  /** Reads those objects whole, once. */
  readAll(which: (object: RawString) => boolean): void {
    for (const workload of this.#workloads) workload.readAll(which);
  }

  #begin(): void {
    for (const pacer of this.#pacers) pacer.begin();
  }

  #goOn(): void {
    const { clock } = this.#world;
    if (this.#focus === undefined) return;
    const { name, how } = this.#focus;
    if (!this.#options.work.isGoingOn) {
      this.#focus = undefined;
      return;
    }
    const workload = this.#workloads[this.#options.work.shared.findIndex(({ names }) => names.includes(name))];
    invariant(workload !== undefined, 'an object in focus is one of a workload');
    workload.perform(name, how, () => clock.arm(FOCUS_TIMER, clock.now() + this.#options.random.below(FOCUS_REST)));
  }

  #onWorkTimer(name: string): void {
    const [, index, timer] = /^work (\d+) (.*)$/.exec(name)!;
    this.#pacers[Number(index)]!.onTimer(timer!);
  }

  #makeHost(): WorkloadHost {
    const { name: client, random, work, onAcknowledged, onViolation } = this.#options;
    const self = this;
    return {
      client,
      random,
      submit: (object, operation, timeoutUs, done, snap) => this.#submit(object, operation, timeoutUs, done, snap),
      poolOp: (op, done) => this.#poolOp(op, done),
      get epoch() {
        return self.objecter.map?.epoch ?? 0;
      },
      snapNamed: (snap) =>
        [...(this.objecter.map?.pools.get(work.pool)?.snaps.values() ?? [])].find((each) => each.name === snap)?.id,
      violate: (problem) => onViolation(`${client}: ${problem}`),
      acknowledged: onAcknowledged,
      nextNumber: () => work.nextNumber(client),
      ...this.#makeWatching(),
    };
  }

  /** `done` comes once the client has the map of the answer. */
  #poolOp(
    { op, name, snapid }: Pick<PoolOpMessage, 'op' | 'name' | 'snapid'>,
    done: (reply: Message | undefined) => void,
  ): void {
    const { pool } = this.#options.work;
    this.mon.request(
      (tid, fsid) => ({ type: 'pool_op', tid, fsid, pool, op, name, snapid, crushRule: 0 }),
      (reply) => {
        const epoch = reply?.type === 'pool_op_reply' ? reply.epoch : 0;
        this.objecter.waitForMap(epoch, () => done(reply));
      },
    );
  }

  #makeWatching(): Pick<WorkloadHost, 'watch' | 'unwatch' | 'acknowledge' | 'notify' | 'watchAge' | 'connections'> {
    const { lingers } = this.objecter;
    const target = (oid: RawString) => ({ oid, locator: this.#locator });
    return {
      watch: (oid, { timeoutSeconds, onNotify, onError }, done) => {
        const answered = this.#await(oid);
        const cookie: bigint = lingers.watch(
          { ...target(oid), timeoutSeconds, onNotify, onError: (code, age) => onError(code, age) },
          (code) => {
            answered();
            done(code);
          },
        );
        return cookie;
      },
      unwatch: (oid, cookie, done) => {
        const answered = this.#await(oid);
        lingers.unwatch(cookie, (code) => {
          answered();
          done(code);
        });
      },
      acknowledge: (oid, cookie, notifyId, reply) =>
        lingers.acknowledge(target(oid), cookie, notifyId, reply, () => {}),
      notify: (oid, payload, timeoutSeconds, done) => {
        const answered = this.#await(oid);
        lingers.notify({ ...target(oid), payload, timeoutSeconds }, (code, outcome) => {
          answered();
          done(code, outcome);
        });
      },
      watchAge: (cookie) => lingers.check(cookie),
      connections: (cookie) => lingers.connections(cookie),
    };
  }

  /** A request on the object is under way until what this returns is called. */
  #await(oid: RawString): () => void {
    const request = this.#options.work.nextRequest();
    this.#awaited.set(request, oid);
    return () => {
      this.#awaited.delete(request);
      this.done += 1;
    };
  }

  get #locator(): ObjectLocator {
    return { pool: this.#options.work.pool, key: '', nspace: '', hash: -1n };
  }

  #submit(
    oid: RawString,
    operation: ObjectOperation,
    timeoutUs: Instant | undefined,
    done: (reply: ObjectReply) => void,
    snap: SnapRequest = {},
  ): void {
    const locator = this.#locator;
    const { ops } = operation;
    // Removals go on in a full pool, as librados has it.
    const isRemoval = ops.every(({ code }) => code === OsdOpCode.delete);
    const flags = operation.flags | (isRemoval ? OsdFlag.fullForce : 0);
    const request = this.#options.work.nextRequest();
    this.#awaited.set(request, oid);
    this.#options.onRequest(request, oid, ops);
    const { clock } = this.#world;
    const sentAt = clock.now();
    const kind = (flags & OsdFlag.write) === 0 ? 'read' : 'write';
    this.objecter.submit(
      { oid, locator, ops, flags, ...(timeoutUs !== undefined && { timeoutUs }), ...snap },
      (reply) => {
        this.#awaited.delete(request);
        if (isUnknown(reply)) this.timedOut += 1;
        else this.done += 1;
        const tookUs = isUnknown(reply) ? undefined : clock.now() - sentAt;
        this.#options.onAnswer({ id: request, object: oid, kind, result: reply.result, tookUs });
        done(reply);
      },
    );
  }
}
