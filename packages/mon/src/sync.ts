/**
 * Store sync (mon/Monitor.cc, sync_*): a monitor whose store is older than what the others still have copies one of
 * theirs, chunk after chunk.
 *
 *   wipe, marked as synchronizing --get--> provider --chunk--> store it, get the next ... --last chunk--> probe again
 *
 * A crash or a lost provider on the way leaves the mark: the half copy is wiped before anything else.
 *
 * A monitor that wiped its store may vote. It only wipes when a peer's first version lies beyond what it has itself, so it
 * was in no majority that accepted the versions from there on; every majority that it may help to form now holds another
 * monitor that was, and learns them from that one (Ceph keeps a floor below which it does not sync, because its operators may
 * force a sync; here nobody can).
 */
import { type Bytes, Decoder, Encoder, fromHex, MalformedInput, toHex } from '@spirula/encoding';
import type { MonSync } from '@spirula/messages';
import type { KvOp } from '@spirula/world';
import { type MonStore, MonTransaction, prefixOf, prefixRange } from './mon-store.ts';
import type { StoreWriter } from './store-writer.ts';

const CHUNK_BYTES = 1 << 20;
const SMALL_CHUNK_BYTES = 1 << 11;
/** Survives a wipe. */
const OWN_PREFIXES = ['elector', 'monmap'];
const LOCAL = 'local';
const MARK = 'synchronizing';
const NOTHING = new Uint8Array(0);

export interface SyncHost {
  /** Leaves once everything submitted before is durable. */
  send(rank: number, message: MonSync): void;
  armTimeout(): void;
  disarmTimeout(): void;
  lastCommitted(): number;
  /** Whether to send much less at a time than usual. */
  inSmallChunks(): boolean;
  /** The store holds something else now. */
  reload(): void;
  /** The copy is complete, or given up: start anew. */
  finished(): void;
}

export class StoreSync {
  readonly #store: MonStore;
  readonly #writer: StoreWriter;
  readonly #host: SyncHost;
  /** While copying: from whom, and the provider's version when it began. */
  #copying: { readonly provider: number; from: number | undefined; after: string } | undefined;

  constructor(store: MonStore, writer: StoreWriter, host: SyncHost) {
    this.#store = store;
    this.#writer = writer;
    this.#host = host;
  }

  /** Removes a copy that was not finished before a crash. */
  recover(): void {
    if (this.#store.getNumber(LOCAL, MARK) > 0) this.#wipe(false);
  }

  start(provider: number): void {
    this.#copying = { provider, from: undefined, after: '' };
    this.#wipe(true);
    this.#host.reload();
    this.#ask();
  }

  /** The provider is gone or silent: nothing of the half copy may be used. */
  onTimeout(): void {
    if (this.#copying === undefined) return;
    this.#copying = undefined;
    this.#host.disarmTimeout();
    this.#wipe(false);
    this.#host.reload();
    this.#host.finished();
  }

  onPeerLost(rank: number): void {
    if (this.#copying?.provider === rank) this.onTimeout();
  }

  /** A message of a peer. Whatever it holds, this does not throw. `serving`: this monitor's own store is whole. */
  onMessage(from: number, message: MonSync, serving: boolean): void {
    if (message.op === 'get') {
      if (serving) this.#sendChunk(from, message.after);
      return;
    }
    if (this.#copying?.provider !== from || message.after < this.#copying.after) return;
    try {
      this.#storeChunk(message);
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      this.onTimeout();
    }
  }

  #wipe(copying: boolean): void {
    const ops: KvOp[] = this.#store
      .prefixes()
      .filter((prefix) => !OWN_PREFIXES.includes(prefix))
      .map((prefix) => ({ op: 'delRange', ...prefixRange(prefix) }));
    const mark = new MonTransaction();
    if (copying) mark.putNumber(LOCAL, MARK, 1);
    this.#writer.submit([...ops, ...mark.toBatch()]);
  }

  #ask(): void {
    const { provider, after } = this.#copying!;
    this.#host.send(provider, { type: 'mon_sync', op: 'get', after, done: false, lastCommitted: 0, data: NOTHING });
    this.#host.armTimeout();
  }

  #sendChunk(to: number, after: string): void {
    const start = keyOf(after);
    if (start === undefined) return;
    const bytes = this.#host.inSmallChunks() ? SMALL_CHUNK_BYTES : CHUNK_BYTES;
    const { entries, done } = this.#store.chunk(start, bytes, isOwn);
    const data = new Encoder(4096);
    data.list(entries, ([key, value]) => {
      data.blob(key);
      data.blob(value);
    });
    const last = entries.at(-1)?.[0];
    this.#host.send(to, {
      type: 'mon_sync',
      op: 'chunk',
      after: last === undefined ? after : toHex(last),
      done,
      lastCommitted: this.#host.lastCommitted(),
      data: data.finish(),
    });
  }

  /**
   * The copy is not of one moment: values committed meanwhile may or may not show in it. Taking Paxos to stand where it
   * stood at the first chunk, so that all later values are applied again, makes it exact, for each says what keys become.
   */
  #storeChunk(chunk: MonSync): void {
    const copying = this.#copying!;
    const from = new Decoder(chunk.data);
    const entries = from.list('sync', 8, () => [from.blob('sync.key'), from.blob('sync.value')] as const);
    from.finish('sync');
    for (const [key] of entries) {
      const prefix = prefixOf(key);
      if (prefix === undefined || isOwn(prefix)) throw new MalformedInput('sync.key', 0, 'not a key to be copied');
    }
    copying.from ??= chunk.lastCommitted;
    copying.after = chunk.after;
    // Copied: what was decoded is a view of the whole message.
    const ops: KvOp[] = entries.map(([key, value]) => ({ op: 'put', key: key.slice(), value: value.slice() }));
    if (!chunk.done) {
      this.#writer.submit(ops);
      return this.#ask();
    }
    const end = new MonTransaction();
    end.putNumber('paxos', 'last_committed', copying.from);
    // Promises are this monitor's own, not the provider's; those made before the copy ended with their election.
    for (const key of ['accepted_pn', 'pending_pn', 'pending_v']) end.del('paxos', key);
    end.del(LOCAL, MARK);
    this.#writer.submit([...ops, ...end.toBatch()]);
    this.#copying = undefined;
    this.#host.disarmTimeout();
    this.#host.reload();
    this.#host.finished();
  }
}

/** What belongs to one monitor alone and is neither given nor taken. */
function isOwn(prefix: string): boolean {
  return prefix === LOCAL || OWN_PREFIXES.includes(prefix);
}

function keyOf(hex: string): Bytes | undefined {
  return /^([0-9a-f]{2})*$/.test(hex) ? fromHex(hex) : undefined;
}
