/** What a workload is: objects that clients share, and in each client what asks for them. */
import type { Bytes, RawString } from '@spirula/encoding';
import type { Message, PoolOpMessage } from '@spirula/messages';
import type { Notification, NotifyDone, ObjectReply, ObjectRequest } from '@spirula/objecter';
import type { ObjectOperation } from '@spirula/rados';
import type { SeededRandom } from '@spirula/sim-world';
import type { Instant } from '@spirula/world';
import type { Content } from '../object-model.ts';

/** Of a client's own watch. */
interface WatchListener {
  readonly timeoutSeconds: number;
  onNotify(notification: Notification): void;
  /** `age`: how long before the OSDs were known to have it. */
  onError(code: number, age: Instant): void;
}

/** What a client process gives each of its workloads. */
export interface WorkloadHost {
  /** As it marks what it writes: `c0`. */
  readonly client: string;
  readonly random: SeededRandom;
  /** `done` is called once, unless the client dies before. */
  submit(
    object: RawString,
    operation: ObjectOperation,
    timeoutUs: Instant | undefined,
    done: (reply: ObjectReply) => void,
    snap?: SnapRequest,
  ): void;
  /** Asks the monitors for an operation on the pool; undefined when they were not asked any more. */
  poolOp(op: Pick<PoolOpMessage, 'op' | 'name' | 'snapid'>, done: (reply: Message | undefined) => void): void;
  /** Of the client's OSDMap. */
  readonly epoch: number;
  /** A pool snapshot of the client's map. */
  snapNamed(name: string): bigint | undefined;
  /** Returns the watch's cookie; `done` as `submit`'s, with an errno or 0. */
  watch(object: RawString, listener: WatchListener, done: (code: number) => void): bigint;
  unwatch(object: RawString, cookie: bigint, done: (code: number) => void): void;
  acknowledge(object: RawString, cookie: bigint, notifyId: bigint, reply: Bytes): void;
  notify(object: RawString, payload: Bytes, timeoutSeconds: number, done: NotifyDone): void;
  /** How long ago the OSDs were known to have a watch, by the client's clock; negative: it is broken. */
  watchAge(cookie: bigint): Instant;
  /** How many times it has connected. */
  connections(cookie: bigint): number;
  /** The client was told what cannot be. */
  violate(problem: string): void;
  /** A write of so many bytes was acknowledged. */
  acknowledged(object: RawString, bytes: number): void;
  /** A number that this client has not had, in this run or one before. */
  nextNumber(): number;
}

/** What a request reads, or what a write knows of snapshots. */
export type SnapRequest = Pick<ObjectRequest, 'snapid' | 'snapSeq' | 'snaps'>;

/** In a client: what it asks for when it is time to. */
export interface Workload {
  /** One request, or what it makes of it, by a worker; `then` when it is over. */
  request(worker: string, then: () => void): void;
  /** One request on this object; `then` when it is over. */
  perform(object: RawString, how: 'reading' | 'writing', then: () => void): void;
  /** Reads those objects once more. */
  readAll(which: (object: RawString) => boolean): void;
}

/** One object as the stores of those have it who serve it. */
export interface StoredCopy {
  readonly osd: number;
  /** Undefined: it is not there. */
  readonly content: Content | undefined;
}

/** What all clients of a workload share: its objects, and what was answered. */
export interface SharedWork {
  /** The objects there are by now. */
  readonly names: readonly RawString[];
  /** Parts of histories that could not be decided. */
  readonly undecided: number;
  /** Begins in a client. */
  join(host: WorkloadHost): Workload;
  /** A client has died: nobody will hear the answers it waited for. */
  onClientGone(client: string): void;
  /** What is wrong, once all is answered and no more will be asked. */
  finish(): string[];
  /** What was acknowledged and is not in the stores, or was removed and is, once all is at rest. */
  findLost(copiesOf: (object: RawString, snap?: bigint) => readonly StoredCopy[]): string[];
  /** Snapshots that no store may have anything of, once all is at rest. */
  readonly removedSnaps?: ReadonlySet<bigint>;
}
