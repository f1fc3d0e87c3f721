/** The cluster log (mon/LogMonitor.cc): lines from all daemons, kept under Paxos, the newest for `log last`. */
import { Decoder, Encoder, EntityType, type EntityTypeName, type UTime } from '@spirula/encoding';
import type { LogEntry } from '@spirula/messages';
import { type MonTransaction, versionKey } from './mon-store.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';

const PREFIX = 'logm';
/** Lines kept. */
const KEEP = 500;
/** Lines that may wait for one proposal; beyond it the oldest are dropped. */
const MAX_PENDING = 1000;
export const LogPriority = { debug: 0, info: 1, sec: 2, warn: 3, error: 4 } as const;

export class LogMonitor implements PaxosService {
  readonly #context: ServiceContext;
  #entries: LogEntry[] = [];
  #last = 0;
  #pending: LogEntry[] = [];

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  get dirty(): boolean {
    return this.#pending.length > 0;
  }

  /** Number of lines ever logged: the version that subscribers count in. */
  get version(): number {
    return this.#last;
  }

  /** The newest `count` lines, oldest first. */
  last(count: number): readonly LogEntry[] {
    return this.#entries.slice(-count);
  }

  /** Lines after version `version`, as far as they are kept. */
  since(version: number): readonly LogEntry[] {
    return this.#entries.slice(Math.max(0, this.#entries.length - (this.#last - version)));
  }

  append(entries: readonly LogEntry[]): void {
    this.#pending.push(...entries);
    if (this.#pending.length > MAX_PENDING) this.#pending.splice(0, this.#pending.length - MAX_PENDING);
    this.#context.changed();
  }

  refresh(): void {
    const { store } = this.#context;
    const last = store.getNumber(PREFIX, 'last');
    if (last < this.#last || this.#entries.length === 0) {
      this.#entries = [...store.list(PREFIX)].filter(([key]) => key !== 'last').map(([, value]) => decodeEntry(value));
    } else {
      for (let version = this.#last + 1; version <= last; version++) {
        const bytes = store.get(PREFIX, versionKey(version));
        if (bytes !== undefined) this.#entries.push(decodeEntry(bytes));
      }
    }
    this.#entries = this.#entries.slice(-KEEP);
    this.#last = last;
  }

  onLeading(): void {
    this.#pending = [];
  }

  encodePending(transaction: MonTransaction): void {
    let version = this.#last;
    for (const entry of this.#pending) {
      version += 1;
      transaction.put(PREFIX, versionKey(version), encodeEntry(entry));
      if (version > KEEP) transaction.del(PREFIX, versionKey(version - KEEP));
    }
    transaction.putNumber(PREFIX, 'last', version);
    this.#pending = [];
  }
}

function encodeEntry(entry: LogEntry): Uint8Array {
  const to = new Encoder(128);
  to.u8(EntityType[entry.name.type]);
  to.string(entry.name.id);
  to.u32(entry.stamp.sec);
  to.u32(entry.stamp.nsec);
  to.u64(entry.seq);
  to.u8(entry.priority);
  to.string(entry.text);
  to.string(entry.channel);
  return to.finish();
}

function decodeEntry(bytes: Uint8Array): LogEntry {
  const from = new Decoder(bytes);
  const number = from.u8('log.type');
  const type = (Object.keys(EntityType) as EntityTypeName[]).find((name) => EntityType[name] === number) ?? 'client';
  const id = from.string('log.id');
  const stamp: UTime = { sec: from.u32('log.stamp'), nsec: from.u32('log.stamp') };
  return {
    name: { type, id },
    stamp,
    seq: from.u64('log.seq'),
    priority: from.u8('log.priority'),
    text: from.string('log.text'),
    channel: from.string('log.channel'),
  };
}
