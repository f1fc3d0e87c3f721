import type { ClassRegistry } from '@spirula/cls';
import type { Epoch, OsdId, PgId } from '@spirula/encoding';
import type { Message, OsdPeerMessage } from '@spirula/messages';
import type { ObjectStore, Transaction } from '@spirula/objectstore';
import type { SessionId, World } from '@spirula/world';
import type { DynamicPerfStats } from './dynamic-perf-stats.ts';
import type { CopyResult, CopySource } from './object-copier.ts';
import type { Reservations } from './reservations.ts';

/** What a PG needs of the OSD it lives on. */
export interface PgHost {
  readonly whoami: OsdId;
  /** The OSD has no part in what happened up to this epoch, whatever had its number then. */
  readonly admittedIn: Epoch;
  readonly world: World<Message>;
  readonly store: ObjectStore;
  readonly classes: ClassRegistry;
  readonly perf: DynamicPerfStats;
  /** Over osd_failsafe_full_ratio: no write is taken. */
  readonly isFailsafeFull: boolean;
  /** Whether this OSD would be over backfillfull_ratio with so many more bytes. */
  isBackfillFull(moreBytes: number): boolean;
  readonly localReservations: Reservations;
  readonly remoteReservations: Reservations;
  /** Of PGs that trim snapshots (osd_max_trimming_pgs). */
  readonly snapTrimReservations: Reservations;
  /** On the ordered link to a peer; it arrives once, or its receiver ends. */
  send(osd: OsdId, message: OsdPeerMessage): void;
  /** To a client. @param use as of `Net.send` */
  reply(session: SessionId, message: Message, use?: 'last'): void;
  /** Hands a transaction to the store; `onCommit` when it is durable. */
  submit(transaction: Transaction, onCommit?: () => void): void;
  /** Calls back when everything submitted so far is durable: at once, when it is. */
  afterCommit(then: () => void): void;
  /** Asks the monitors for up_thru of at least `epoch`. */
  wantUpThru(epoch: Epoch): void;
  /** Asks the monitors for a temporary acting set; an empty one asks them to clear it, undefined takes the wish back. */
  wantPgTemp(pgid: PgId, acting: readonly OsdId[] | undefined): void;
  /**
   * Bounds the recovery operations under way on this OSD (osd_recovery_max_active). Returns false when there are enough:
   * the PG is kicked when there is room.
   */
  beginRecoveryOp(pgid: PgId): boolean;
  endRecoveryOp(): void;
  /** Calls `onTimer` of the PG at or after now + `delayUs`; one such timer a PG, the earlier wins. */
  wakeAt(pgid: PgId, at: number): void;
  /** What the PG reports of itself has changed. */
  pgChanged(pgid: PgId): void;
  /** Reads an object, of whatever PG; `done` may come at once. Returns what gives it up. */
  copyObject(source: CopySource, done: (result: CopyResult) => void): () => void;
  /** A number that no other notify has. */
  nextNotifyId(): bigint;
  /** A stray copy is to go. */
  removePg(pgid: PgId): void;
}
