/**
 * What a run can tell of itself, entry by entry, in the order in which it happens. Nothing here changes what happens: a traced
 * run has the same digest. `sim/README.md` explains each entry to those who read a trace.
 */
import type { Instant, Log } from '@spirula/world';

/** What JSON can hold. */
export type TraceValue =
  | null
  | boolean
  | number
  | string
  | readonly TraceValue[]
  | { readonly [name: string]: TraceValue };

export type TraceFacts = { readonly [name: string]: TraceValue };

/** Raised when an entry changes its meaning or loses a field. */
export const TRACE_VERSION = 1;

/** The first entry. */
export interface TraceHeader {
  readonly kind: 'header';
  readonly version: number;
  readonly scenario: string;
  readonly seed: number;
  /** What the seed drew. */
  readonly config: TraceValue;
  /** Every machine's daemon, in the order they were added. */
  readonly daemons: readonly string[];
}

/** When something happened. */
export interface TraceMoment {
  /** Virtual time. */
  readonly at: Instant;
  /** The event being handled, counted over all daemons from 1; between events, the last one. */
  readonly event: number;
}

export interface MessageEntry extends TraceMoment {
  readonly kind: 'message';
  readonly what: 'send' | 'deliver';
  /** Counts messages; both ends of one say the same. */
  readonly id: number;
  readonly from: string;
  readonly to: string;
  /** The connection, as the daemon at this end numbers it. */
  readonly session: number;
  readonly type: string;
  /** What it would roughly take on the wire. */
  readonly bytes: number;
  readonly tid?: string;
  readonly pgid?: string;
  /** Of `send`: what the message says, shortened. */
  readonly payload?: TraceValue;
}

interface TimerEntry extends TraceMoment {
  readonly kind: 'timer';
  readonly daemon: string;
  readonly name: string;
}

/** `submit` and `committed` are of the key-value store, `failed` of the whole disk, the others of the block device. */
export interface DiskEntry extends TraceMoment {
  readonly kind: 'disk';
  readonly daemon: string;
  readonly what: 'submit' | 'committed' | 'write' | 'flush' | 'flushed' | 'read' | 'failed';
  /** Ties `committed` to its `submit` and `flushed` to its `flush`. */
  readonly token?: number;
  /** Of `submit`: operations in the batch. */
  readonly ops?: number;
  readonly offset?: number;
  readonly bytes?: number;
  /** The device's answer, when it failed. */
  readonly error?: string;
}

interface SessionEntry extends TraceMoment {
  readonly kind: 'session';
  readonly daemon: string;
  readonly what: 'opened' | 'accepted' | 'reset' | 'drained';
  readonly session: number;
  /** Of `opened` and `accepted`: who is at the other end, as it says itself. */
  readonly peer?: string;
  readonly reason?: string;
}

interface ProcessEntry extends TraceMoment {
  readonly kind: 'process';
  readonly daemon: string;
  readonly what: 'start' | 'exit' | 'hang' | 'resume' | 'terminate';
  /** Of `exit`: `crash`, `powerLoss`, or what the daemon said. */
  readonly reason?: string;
}

/** A PG has another state on one OSD than after the event before. */
interface PgEntry extends TraceMoment {
  readonly kind: 'pg';
  readonly daemon: string;
  readonly pgid: string;
  /** As `pg dump` shows it; meaningful on the primary. Empty: the PG is gone from this OSD. */
  readonly state: string;
  /** State of the peering machine. */
  readonly peering: string;
  readonly primary: boolean;
  readonly up: readonly number[];
  readonly acting: readonly number[];
}

interface MonEntry extends TraceMoment {
  readonly kind: 'mon';
  readonly daemon: string;
  readonly role: string;
  readonly electionEpoch: number;
  /** Ranks. */
  readonly quorum: readonly number[];
}

interface PaxosEntry extends TraceMoment {
  readonly kind: 'paxos';
  readonly daemon: string;
  readonly firstCommitted: number;
  readonly lastCommitted: number;
}

/** How far an OSD is in becoming a member of the cluster. */
interface BootEntry extends TraceMoment {
  readonly kind: 'boot';
  readonly daemon: string;
  readonly state: string;
}

/** A daemon has a newer OSDMap. */
interface MapEntry extends TraceMoment {
  readonly kind: 'map';
  readonly daemon: string;
  readonly epoch: number;
}

/** The cluster's health as the leader sees it. */
interface HealthEntry extends TraceMoment {
  readonly kind: 'health';
  readonly daemon: string;
  readonly status: string;
  /** Codes of what is wrong. */
  readonly checks: readonly string[];
}

interface FaultEntry extends TraceMoment {
  readonly kind: 'fault';
  readonly what: 'injected' | 'healed';
  /** Counts faults; both entries of one say the same. */
  readonly id: number;
  readonly text?: string;
  readonly facts?: TraceFacts;
}

/** What a workload asks of the cluster, and how it ends. */
interface ClientEntry extends TraceMoment {
  readonly kind: 'client';
  readonly daemon: string;
  readonly what: 'request' | 'answer';
  /** Counts requests; both entries of one say the same. */
  readonly id: number;
  readonly object: string;
  readonly ops?: TraceValue;
  /** Of `answer`: a negative errno, or what the operation says. */
  readonly result?: number;
}

interface LogEntry extends TraceMoment {
  readonly kind: 'log';
  readonly daemon: string;
  readonly level: keyof Log;
  readonly text: string;
  readonly facts?: TraceValue;
}

/** What must never happen and did. */
interface ViolationEntry extends TraceMoment {
  readonly kind: 'violation';
  readonly text: string;
}

/** The last entry of a run that was not cut short. */
interface EndEntry extends TraceMoment {
  readonly kind: 'end';
  readonly digest: string;
  /** What went wrong, a sentence each. */
  readonly problems: readonly string[];
}

export type TraceEntry =
  | TraceHeader
  | MessageEntry
  | TimerEntry
  | DiskEntry
  | SessionEntry
  | ProcessEntry
  | PgEntry
  | MonEntry
  | PaxosEntry
  | BootEntry
  | MapEntry
  | HealthEntry
  | FaultEntry
  | ClientEntry
  | LogEntry
  | ViolationEntry
  | EndEntry;

/** Takes the entries of one run. Keeps none of them longer than it must: a run makes millions. */
export interface TraceSink {
  record(entry: TraceEntry): void;
}
