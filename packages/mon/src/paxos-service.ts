import type { UTime } from '@spirula/encoding';
import type { LogLevel } from '@spirula/messages';
import type { Config, Crypto, Instant, Log, Random } from '@spirula/world';
import type { MonStore, MonTransaction } from './mon-store.ts';

/** What the services see of the monitor they live in. */
export interface ServiceContext {
  readonly config: Config;
  readonly log: Log;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly store: MonStore;
  now(): Instant;
  wall(): UTime;
  /** The service has changes to propose. */
  changed(): void;
  /** The leader's: a line for people in the cluster log. */
  clusterLog(level: LogLevel, text: string): void;
}

/**
 * One kind of cluster state under Paxos (mon/PaxosService.h). The leader collects changes as pending; a proposal turns
 * the pending changes of all services into one transaction; after the commit every monitor refreshes from its store.
 */
export interface PaxosService {
  /** Reads the committed state anew. */
  refresh(): void;
  /** Leader of a new quorum: drop what was pending; make the first state when there is none. */
  onLeading(): void;
  /** Whether there is something to propose. */
  readonly dirty: boolean;
  /** Adds the pending changes; they count as proposed from then on. */
  encodePending(transaction: MonTransaction): void;
}
