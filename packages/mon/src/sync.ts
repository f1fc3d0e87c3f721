/**
 * Store sync (mon/Monitor.cc, sync_*): a monitor whose store is older than what the others still have copies one of
 * theirs, chunk after chunk.
 *
 *   wipe, marked in_sync --get--> provider --chunk--> store it, get the next ... --last chunk--> unmark, probe again
 *          ^                                              |
 *          +------ crash, provider lost, bad chunk -------+
 *
 * While the mark stands this monitor has no history, so it takes part in no election: it would help to form a quorum that
 * knows less than was committed. And it copies from nobody who has not reached the floor, the version at which its own
 * store stood before it was wiped.
 */
import { type Bytes, fromHex, MalformedInput, toHex } from '@spirula/encoding';
import type { MonSync } from '@spirula/messages';
import type { KvOp, Log } from '@spirula/world';
import { decodeEntries, encodeEntries, isOwnPrefix, type MonStore, MonTransaction, prefixRange } from './mon-store.ts';
import type { StoreWriter } from './store-writer.ts';

const CHUNK_BYTES = 1 << 20;
const SMALL_CHUNK_BYTES = 1 << 11;
/** While a copy is not complete. */
const PREFIX = 'mon_sync';
const IN_SYNC = 'in_sync';
const FLOOR = 'last_committed_floor';
/** The store is to be copied anew at the next start. */
const FORCED = 'force_sync';
const NOTHING = new Uint8Array(0);

export interface SyncHost {
  readonly log: Log;
  /** Leaves once everything submitted before is durable. */
  send(rank: number, message: MonSync): void;
  armTimeout(): void;
  disarmTimeout(): void;
  lastCommitted(): number;
  /** Any u32, another one each time. */
  cookie(): number;
  /** Whether to send much less at a time than usual. */
  inSmallChunks(): boolean;
  /**
   * The store holds something else now.
   *
   * @throws MalformedInput when it cannot be read.
   */
  reload(): void;
  /** The copy is complete, or given up: start anew. */
  finished(): void;
}

interface Copying {
  readonly provider: number;
  readonly cookie: number;
  /** The provider's version when it began. */
  from: number | undefined;
  after: string;
}

export class StoreSync {
  readonly #store: MonStore;
  readonly #writer: StoreWriter;
  readonly #host: SyncHost;
  #copying: Copying | undefined;

  constructor(store: MonStore, writer: StoreWriter, host: SyncHost) {
    this.#store = store;
    this.#writer = writer;
    this.#host = host;
  }

  /**
   * Of a store that was wiped and not yet copied whole: the version that whoever it is copied from must have reached, at
   * least 1. Undefined when the store is whole.
   */
  get floor(): number | undefined {
    if (this.#store.getNumber(PREFIX, IN_SYNC) === 0) return undefined;
    return Math.max(1, this.#store.getNumber(PREFIX, FLOOR));
  }

  /** At the next start this store is wiped and copied anew, whatever it holds (Monitor::sync_force). */
  force(): void {
    const mark = new MonTransaction();
    mark.putNumber(PREFIX, FORCED, 1);
    this.#writer.submit(mark.toBatch());
  }

  /** Removes a copy that was not finished before a crash, and a store that is to be copied anew. */
  recover(): void {
    if (this.#store.getNumber(PREFIX, FORCED) > 0) {
      this.#wipe(Math.max(this.floor ?? 0, this.#store.getNumber('paxos', 'last_committed')));
      const unmark = new MonTransaction();
      unmark.del(PREFIX, FORCED);
      return this.#writer.submit(unmark.toBatch());
    }
    if (this.floor !== undefined) this.#wipe(this.floor);
  }

  /** Copies from `provider`, or whoever else has reached version `floor`. */
  start(provider: number, floor: number): void {
    this.#copying = { provider, cookie: this.#host.cookie(), from: undefined, after: '' };
    this.#wipe(Math.max(this.floor ?? 0, this.#host.lastCommitted(), floor));
    this.#host.reload();
    this.#ask();
  }

  /** The provider is gone or silent. */
  onTimeout(): void {
    this.#giveUp('the provider is gone or silent');
  }

  onPeerLost(rank: number): void {
    if (this.#copying?.provider === rank) this.onTimeout();
  }

  /** A message of a peer. Whatever it holds, this does not throw. */
  onMessage(from: number, message: MonSync): void {
    if (message.op === 'get') {
      if (this.floor === undefined) this.#sendChunk(from, message);
      return;
    }
    const copying = this.#copying;
    if (copying?.provider !== from || message.cookie !== copying.cookie) return;
    try {
      this.#storeChunk(copying, message);
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      this.#giveUp(error.message);
    }
  }

  /** Nothing of a half copy may be used. */
  #giveUp(reason: string): void {
    if (this.#copying === undefined) return;
    this.#host.log.warn('gave up copying a store', { from: this.#copying.provider, reason });
    this.#copying = undefined;
    this.#host.disarmTimeout();
    this.#wipe(this.floor!);
    this.#host.reload();
    this.#host.finished();
  }

  #wipe(floor: number): void {
    const ops: KvOp[] = this.#store
      .prefixes()
      .filter((prefix) => !isOwnPrefix(prefix))
      .map((prefix) => ({ op: 'delRange', ...prefixRange(prefix) }));
    const mark = new MonTransaction();
    mark.putNumber(PREFIX, IN_SYNC, 1);
    mark.putNumber(PREFIX, FLOOR, floor);
    this.#writer.submit([...ops, ...mark.toBatch()]);
  }

  #ask(): void {
    const { provider, cookie, after } = this.#copying!;
    const blank = { done: false, lastCommitted: 0, data: NOTHING } as const;
    this.#host.send(provider, { type: 'mon_sync', op: 'get', cookie, after, ...blank });
    this.#host.armTimeout();
  }

  #sendChunk(to: number, { cookie, after }: MonSync): void {
    const start = keyOf(after);
    if (start === undefined) return;
    const bytes = this.#host.inSmallChunks() ? SMALL_CHUNK_BYTES : CHUNK_BYTES;
    const { entries, done } = this.#store.chunk(start, bytes, isOwnPrefix);
    const last = entries.at(-1)?.[0];
    this.#host.send(to, {
      type: 'mon_sync',
      op: 'chunk',
      cookie,
      after: last === undefined ? after : toHex(last),
      done,
      lastCommitted: this.#host.lastCommitted(),
      data: encodeEntries(entries),
    });
  }

  /**
   * The copy is not of one moment: values committed meanwhile may or may not show in it. Taking Paxos to stand where it
   * stood at the first chunk, so that all later values are applied again, makes it exact, for each says what keys become.
   *
   * @throws MalformedInput for a chunk that may not be used.
   */
  #storeChunk(copying: Copying, chunk: MonSync): void {
    if (chunk.after < copying.after || (chunk.after === copying.after && !chunk.done)) {
      throw new MalformedInput('sync.after', 0, 'goes not on');
    }
    const floor = this.floor!;
    if (chunk.lastCommitted < floor) {
      throw new MalformedInput('sync.lastCommitted', 0, `${chunk.lastCommitted} is below the floor ${floor}`);
    }
    const ops = decodeEntries(chunk.data);
    copying.from ??= chunk.lastCommitted;
    copying.after = chunk.after;
    if (!chunk.done) {
      this.#writer.submit(ops);
      return this.#ask();
    }
    const end = new MonTransaction();
    end.putNumber('paxos', 'last_committed', copying.from);
    // Promises are this monitor's own, not the provider's; those made before the copy ended with their election.
    for (const key of ['accepted_pn', 'pending_pn', 'pending_v']) end.del('paxos', key);
    this.#writer.submit([...ops, ...end.toBatch()]);
    // The mark goes when the copy has been read.
    this.#host.reload();
    const unmark = new MonTransaction();
    unmark.del(PREFIX, IN_SYNC);
    unmark.del(PREFIX, FLOOR);
    this.#writer.submit(unmark.toBatch());
    this.#copying = undefined;
    this.#host.disarmTimeout();
    this.#host.finished();
  }
}

function keyOf(hex: string): Bytes | undefined {
  return /^([0-9a-f]{2})*$/.test(hex) ? fromHex(hex) : undefined;
}
