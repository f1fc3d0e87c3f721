/**
 * What one monitor has to say in the cluster log (LogClient, common/LogClient.cc): numbered lines, each kept until it stands
 * in the log, so that none is lost with a leader.
 *
 *   say --> waiting --(appended here or sent to the leader, again after an election)--> seen in the committed log: forgotten
 */
import type { UTime } from '@spirula/encoding';
import type { LogEntry } from '@spirula/messages';
import { type LogLevel, priorityOf } from '@spirula/messages';
import type { Membership } from './membership.ts';

/** Lines that may wait; beyond it the oldest are forgotten. */
const MAX_WAITING = 1000;

export type LogChannel = 'cluster' | 'audit';

export class ClusterLog {
  readonly #speaker: Membership;
  readonly #wall: () => UTime;
  #seq = 0;
  #waiting: LogEntry[] = [];

  /** @param wall a stamp for people: nothing is ordered or decided by it */
  constructor(speaker: Membership, wall: () => UTime) {
    this.#speaker = speaker;
    this.#wall = wall;
  }

  /** Lines that are not known to stand in the log, oldest first. */
  get waiting(): readonly LogEntry[] {
    return this.#waiting;
  }

  /** One line, which has its number now. */
  add(level: LogLevel, channel: LogChannel, text: string): LogEntry {
    const { name, rank } = this.#speaker;
    const addrs = this.#speaker.addrsOf(name) ?? [];
    this.#seq += 1;
    const entry: LogEntry = {
      ...{ name: { type: 'mon', id: name }, rank: BigInt(rank), addrs, channel, text },
      stamp: this.#wall(),
      seq: this.#seq,
      priority: priorityOf(level),
    };
    this.#waiting.push(entry);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
    return entry;
  }

  /** These stand in the log now. */
  onCommitted(entries: readonly LogEntry[]): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter((own) => !entries.some((each) => isSameLine(each, own)));
  }
}

/** Whether two are one line that came twice. An earlier run of the speaker counted from 1 as well, at another time. */
export function isSameLine(a: LogEntry, b: LogEntry): boolean {
  return (
    a.seq === b.seq &&
    a.name.type === b.name.type &&
    a.name.id === b.name.id &&
    a.stamp.sec === b.stamp.sec &&
    a.stamp.nsec === b.stamp.nsec
  );
}
