/**
 * What monitors say of themselves (Monitor::mon_metadata), and who is connected to those in quorum. A peon tells its leader
 * when it joins, and from time to time; what it says of itself is kept under Paxos, so that it is known of monitors that are
 * down.
 */
import type { ConnectedPeers } from '@spirula/messages';
import { decodeMetadata, encodeMetadata } from './daemon-metadata.ts';
import type { MonTransaction } from './mon-store.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';

const PREFIX = 'mon_metadata';
const NOTHING: ReadonlyMap<string, string> = new Map();

export type Metadata = ReadonlyMap<string, string>;

export class MonMetadataService implements PaxosService {
  readonly #context: ServiceContext;
  readonly #heard = new Map<string, Metadata>();
  readonly #connected = new Map<string, readonly ConnectedPeers[]>();
  readonly #pending = new Map<string, Metadata>();
  #isLeading = false;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  get dirty(): boolean {
    return this.#pending.size > 0;
  }

  /** Of a monitor by name; empty when it never was in quorum. */
  of(name: string): Metadata {
    const bytes = this.#context.store.get(PREFIX, name);
    return bytes === undefined ? NOTHING : decodeMetadata(bytes);
  }

  /** Who is connected to this leader's peons, as they last said. */
  get connected(): readonly ConnectedPeers[] {
    return [...this.#connected.values()].flat();
  }

  /** A monitor of the quorum, this one or a peon, says what it is. */
  hear(name: string, metadata: Metadata, connected: readonly ConnectedPeers[]): void {
    this.#heard.set(name, metadata);
    this.#connected.set(name, connected);
    if (this.#isLeading) this.#keep(name, metadata);
  }

  /** The quorum is another: what its members are is yet to be said. */
  forget(): void {
    this.#isLeading = false;
    this.#heard.clear();
    this.#connected.clear();
  }

  refresh(): void {}

  onLeading(): void {
    this.#isLeading = true;
    this.#pending.clear();
    for (const [name, metadata] of this.#heard) this.#keep(name, metadata);
  }

  encodePending(transaction: MonTransaction): void {
    for (const [name, metadata] of this.#pending) transaction.put(PREFIX, name, encodeMetadata(metadata));
    this.#pending.clear();
  }

  #keep(name: string, metadata: Metadata): void {
    if (isSame(metadata, this.#pending.get(name) ?? this.of(name))) return;
    this.#pending.set(name, metadata);
    this.#context.changed();
  }
}

function isSame(a: Metadata, b: Metadata): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
