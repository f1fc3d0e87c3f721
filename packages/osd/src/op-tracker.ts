/**
 * Clients' requests on their way and shortly after (common/TrackedOp.cc): what is under way, what took longest, what is slow.
 * Kept: osd_op_history_size of the newest for osd_op_history_duration, and as many slow ones as osd_op_history_slow_op_size.
 */
import {
  type EntityAddr,
  EntityType,
  formatAddr,
  formatPgId,
  formatUTime,
  type PoolId,
  type UTime,
} from '@spirula/encoding';
import { OsdFlag, osdOpName } from '@spirula/messages';
import { type Clock, type Config, type Instant, SECOND, seconds } from '@spirula/world';
import type { ClientOp } from './client-op.ts';

interface TrackedEvent {
  readonly event: string;
  readonly at: Instant;
  readonly wall: UTime;
}

/** What is told of a request. Not the request itself: its data would stay in memory as long as it is remembered. */
type OpSummary = Pick<ClientOp, 'reqid' | 'bytes'> &
  Pick<ClientOp['message'], 'pgid' | 'oid' | 'epoch' | 'flags'> & {
    readonly addr: EntityAddr;
    /** Codes. */
    readonly ops: readonly number[];
  };

interface TrackedOp {
  readonly what: OpSummary;
  readonly events: TrackedEvent[];
}

/** How far slow requests have come, and of which pools they are. */
export interface SlowOpCounts {
  readonly count: number;
  readonly byState: ReadonlyMap<string, number>;
  readonly byPool: ReadonlyMap<PoolId, number>;
}

export interface SlowOps {
  readonly count: number;
  /** How long the oldest of them has been under way. */
  readonly oldestSeconds: number;
}

/** What all requests since the start came to. */
export interface OpTotals {
  readonly count: number;
  readonly reads: number;
  readonly writes: number;
  readonly inBytes: number;
  readonly seconds: number;
}

export class OpTracker {
  readonly #clock: Clock;
  readonly #config: Config;
  /** In the order of their arrival. */
  readonly #underWay = new Map<ClientOp, TrackedOp>();
  #history: TrackedOp[] = [];
  #slow: TrackedOp[] = [];
  #totals: OpTotals = { count: 0, reads: 0, writes: 0, inBytes: 0, seconds: 0 };

  constructor(clock: Clock, config: Config) {
    this.#clock = clock;
    this.#config = config;
  }

  get count(): number {
    return this.#underWay.size;
  }

  get totals(): OpTotals {
    return this.#totals;
  }

  begin(op: ClientOp): void {
    if (!this.#config.osd_enable_op_tracker) return;
    this.#underWay.set(op, { what: summaryOf(op), events: [this.#event('initiated')] });
  }

  mark(op: ClientOp, event: string): void {
    this.#underWay.get(op)?.events.push(this.#event(event));
  }

  /** It was answered, or dropped. */
  end(op: ClientOp): void {
    const tracked = this.#underWay.get(op);
    if (!tracked) return;
    this.#underWay.delete(op);
    tracked.events.push(this.#event('done'));
    const took = this.#durationOf(tracked) / SECOND;
    const { count, reads, writes, inBytes, seconds: sum } = this.#totals;
    const writing = (op.message.flags & OsdFlag.write) !== 0 ? 1 : 0;
    this.#totals = {
      count: count + 1,
      reads: reads + 1 - writing,
      writes: writes + writing,
      inBytes: inBytes + op.bytes,
      seconds: sum + took,
    };
    const { osd_op_history_size: size, osd_op_history_slow_op_size: slowSize } = this.#config;
    this.#history = size > 0 ? [...this.#history, tracked].slice(-size) : [];
    if (took < this.#config.osd_op_history_slow_op_threshold) return;
    this.#slow = slowSize > 0 ? [...this.#slow, tracked].slice(-slowSize) : [];
  }

  /** Requests under way for longer than osd_op_complaint_time: what SLOW_OPS is about. */
  slowOps(): SlowOps {
    const blocked = this.#blocked();
    return { count: blocked.length, oldestSeconds: blocked[0] ? this.#durationOf(blocked[0]) / SECOND : 0 };
  }

  countSlow(): SlowOpCounts {
    const [byState, byPool] = [new Map<string, number>(), new Map<PoolId, number>()];
    const blocked = this.#blocked();
    for (const tracked of blocked) {
      const [state, { pool }] = [stateOf(tracked), tracked.what.pgid];
      byState.set(state, (byState.get(state) ?? 0) + 1);
      byPool.set(pool, (byPool.get(pool) ?? 0) + 1);
    }
    return { count: blocked.length, byState, byPool };
  }

  dumpUnderWay() {
    return { ops: this.#dumpAll(this.#underWay.values()), num_ops: this.count };
  }

  dumpBlocked() {
    const ops = this.#dumpAll(this.#blocked());
    return { ops, complaint_time: this.#config.osd_op_complaint_time, num_blocked_ops: ops.length };
  }

  dumpHistory(order: 'arrival' | 'duration') {
    const { osd_op_history_size: size, osd_op_history_duration: duration } = this.#config;
    const oldest = this.#clock.now() - seconds(duration);
    const kept = this.#history.filter(({ events }) => events.at(-1)!.at >= oldest);
    if (order === 'duration') kept.sort((a, b) => this.#durationOf(b) - this.#durationOf(a));
    return { size, duration, ops: this.#dumpAll(kept) };
  }

  dumpSlowHistory() {
    const { osd_op_history_slow_op_size: size, osd_op_history_slow_op_threshold: threshold } = this.#config;
    return { 'num to keep': size, 'threshold to keep': threshold, Ops: this.#dumpAll(this.#slow) };
  }

  #blocked(): TrackedOp[] {
    const limit = seconds(this.#config.osd_op_complaint_time);
    return [...this.#underWay.values()].filter((tracked) => this.#durationOf(tracked) > limit);
  }

  #event(event: string): TrackedEvent {
    return { event, at: this.#clock.now(), wall: this.#clock.wall() };
  }

  /** From its arrival to its end, or to now. */
  #durationOf({ events }: TrackedOp): Instant {
    const last = events.at(-1)!;
    return (last.event === 'done' ? last.at : this.#clock.now()) - events[0]!.at;
  }

  #dumpAll(ops: Iterable<TrackedOp>) {
    return Array.from(ops, (each) => this.#dump(each));
  }

  #dump(tracked: TrackedOp) {
    const { what, events } = tracked;
    const { reqid, pgid, oid, epoch, addr } = what;
    const type = Object.entries(EntityType).find(([, number]) => number === reqid.entityType)?.[0] ?? 'client';
    const name = `${type}.${reqid.entityNum}`;
    const ops = what.ops.map(osdOpName).join(',');
    const [first] = events as [TrackedEvent];
    return {
      description: `osd_op(${name}.${reqid.inc}:${reqid.tid} ${formatPgId(pgid)} ${oid} [${ops}] e${epoch})`,
      initiated_at: formatUTime(first.wall),
      age: (this.#clock.now() - first.at) / SECOND,
      duration: this.#durationOf(tracked) / SECOND,
      type_data: {
        flag_point: stateOf(tracked),
        client_info: { client: name, client_addr: formatAddr(addr), tid: Number(reqid.tid) },
        events: events.map(({ event, at, wall }, i) => ({
          event,
          time: formatUTime(wall),
          duration: (at - events[Math.max(0, i - 1)]!.at) / SECOND,
        })),
      },
    };
  }
}

function stateOf({ events }: TrackedOp): string {
  return events.at(-1)!.event === 'queued_for_pg' ? 'queued for pg' : 'waiting for a newer map';
}

function summaryOf({ reqid, bytes, client, message }: ClientOp): OpSummary {
  const { pgid, oid, epoch, flags, ops } = message;
  return { reqid, bytes, pgid, oid, epoch, flags, addr: client.addr, ops: ops.map(({ code }) => code) };
}
