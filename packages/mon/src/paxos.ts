/**
 * Paxos as Ceph's monitors run it (mon/Paxos.cc): one leader, one value at a time, every member of the quorum accepts.
 *
 *   leader   recovering --collect/last--> [updating the value found uncommitted] --> active <--> updating --> (commit)
 *   peon     recovering ----------------- collect, begin, commit, lease ----------> active
 *
 * A value is an encoded `MonTransaction`; committing version v stores the value and applies its changes in one batch.
 * What a peer relies on (a promised proposal number, an accepted value, a commit) is durable before the message that says
 * so leaves: the host holds every message back until all that was submitted before it has committed.
 */
import { type Bytes, MalformedInput } from '@spirula/encoding';
import type { MonPaxos } from '@spirula/messages';
import { invariant } from '@spirula/world';
import { type MonStore, MonTransaction, versionKey } from './mon-store.ts';

const PREFIX = 'paxos';
const VALUE = 'v:';
/** Of the values in one message: a peer that lacks more gets them in several. */
const MAX_VALUES_BYTES = 2 << 20;
/** Of proposal numbers that are believed: far beyond any that is reached, and those that follow are still exact. */
const MAX_PN = 2 ** 52;
/** Between two proposal numbers of one monitor: there are fewer monitors. */
const PN_STEP = 100;

export type PaxosState = 'idle' | 'recovering' | 'active' | 'updating';

/** What Paxos asks of the monitor around it. */
export interface PaxosHost {
  /** Leaves once everything submitted before is durable. */
  send(rank: number, message: MonPaxos): void;
  /** Stores at once for readers. */
  submit(transaction: MonTransaction): void;
  /** Runs `then` once everything submitted before survives a crash. */
  whenDurable(then: () => void): void;
  /** Arms a timer by the option that rules it (mon_lease and its factors). */
  arm(timer: PaxosTimer): void;
  disarm(timer: PaxosTimer): void;
  /** A peon was given a lease. */
  onLeaseGranted(): void;
  /** A leader gave its quorum one. */
  onLeaseSent(lease: number): void;
  /** All of the quorum have acknowledged that one, or a later one. */
  onLeaseHeld(lease: number): void;
  /** A message of `rank` was dropped. */
  refused(rank: number, why: string): void;
  /** Something is wrong with this quorum: probe and elect anew. */
  bootstrap(reason: string): void;
  /** This monitor is behind all that the quorum still has: copy the store of `rank`. */
  sync(rank: number): void;
  /** A version was applied to the store. */
  onCommitted(version: number): void;
  /** The store is as new as that of the quorum. */
  onReadable(): void;
  /** The leader may propose (again). */
  onActive(): void;
}

const TIMERS = ['collect', 'accept', 'leaseRenew', 'leaseAck', 'lease'] as const;
export type PaxosTimer = (typeof TIMERS)[number];

export class Paxos {
  #rank: number;
  readonly #store: MonStore;
  readonly #host: PaxosHost;
  #state: PaxosState = 'idle';
  #epoch = 0;
  #leader = -1;
  #quorum: readonly number[] = [];
  /** Versions first .. last are in the store; last is applied. */
  #firstCommitted: number;
  #lastCommitted: number;
  /** The highest proposal number promised; every message below it is refused. */
  #acceptedPn: number;
  /** Highest last_committed that each peer reported in this round. */
  readonly #peerLast = new Map<number, number>();
  /** Peers heard from in the phase at hand, this monitor included. */
  #heard = new Set<number>();
  #uncommitted: { readonly pn: number; readonly value: Bytes } | undefined;
  #proposing: { readonly value: Bytes; ownDurable: boolean } | undefined;

  constructor(rank: number, store: MonStore, host: PaxosHost) {
    this.#rank = rank;
    this.#store = store;
    this.#host = host;
    this.#firstCommitted = store.getNumber(PREFIX, 'first_committed');
    this.#lastCommitted = store.getNumber(PREFIX, 'last_committed');
    this.#acceptedPn = store.getNumber(PREFIX, 'accepted_pn');
  }

  get state(): PaxosState {
    return this.#state;
  }

  get firstCommitted(): number {
    return this.#firstCommitted;
  }

  get lastCommitted(): number {
    return this.#lastCommitted;
  }

  /** Whether nothing that was agreed on, or accepted to be, is in the store. */
  get isBlank(): boolean {
    return this.#lastCommitted === 0 && this.#storedUncommitted() === undefined;
  }

  /** Whether this quorum has learnt what former ones may have agreed on, and nothing is being decided. */
  get isSettled(): boolean {
    return this.#state === 'active';
  }

  get isLeader(): boolean {
    return this.#state !== 'idle' && this.#leader === this.#rank;
  }

  /** The committed value of a version; undefined when trimmed or not committed. */
  value(version: number): Bytes | undefined {
    return version <= this.#lastCommitted ? this.#store.get(PREFIX, VALUE + versionKey(version)) : undefined;
  }

  /** The store was replaced by a sync: read again what it says. */
  reload(): void {
    this.#firstCommitted = this.#store.getNumber(PREFIX, 'first_committed');
    this.#lastCommitted = this.#store.getNumber(PREFIX, 'last_committed');
  }

  /**
   * The monitors are others, or in another order. Of proposal numbers as high as those under the old map none is believed
   * any more: one of them could be made again, by who has the rank of its maker now.
   */
  reconfigure(rank: number): void {
    this.suspend();
    this.#rank = rank;
    this.#promise(Math.floor(this.#acceptedPn / PN_STEP) * PN_STEP + PN_STEP - 1);
  }

  /** An election began: nothing goes on. */
  suspend(): void {
    this.#state = 'idle';
    this.#proposing = undefined;
    this.#uncommitted = undefined;
    this.#leaseAcks.clear();
    this.#leaseHeld = this.#lease;
    for (const timer of TIMERS) this.#host.disarm(timer);
  }

  lead(epoch: number, quorum: readonly number[]): void {
    this.suspend();
    this.#epoch = epoch;
    this.#leader = this.#rank;
    this.#quorum = quorum;
    this.#peerLast.clear();
    this.#collect(0);
  }

  follow(epoch: number, leader: number, quorum: readonly number[]): void {
    this.suspend();
    this.#epoch = epoch;
    this.#leader = leader;
    this.#quorum = quorum;
    this.#state = 'recovering';
    this.#grantLease();
  }

  #grantLease(): void {
    this.#host.onLeaseGranted();
    this.#host.arm('lease');
  }

  /** Starts agreement on one transaction. Only the leader, only when active. */
  propose(transaction: MonTransaction): void {
    invariant(this.isLeader && this.#state === 'active', 'the leader proposes when active');
    this.#begin(transaction.encode());
  }

  onTimer(timer: PaxosTimer): void {
    switch (timer) {
      case 'collect':
        return this.#host.bootstrap('not all of the quorum answered collect');
      case 'accept':
        return this.#host.bootstrap('not all of the quorum accepted');
      case 'leaseAck':
        return this.#host.bootstrap('not all of the quorum acknowledged the lease');
      case 'lease':
        return this.#host.bootstrap('the lease ran out: the leader is silent');
      case 'leaseRenew':
        return this.#extendLease();
    }
  }

  /** A message of a peer. Whatever it holds, this does not throw. */
  onMessage(from: number, message: MonPaxos): void {
    const { op, epoch, firstCommitted, lastCommitted, pn, uncommittedPn } = message;
    if (this.#state === 'idle' || epoch !== this.#epoch || !this.#quorum.includes(from)) return;
    if (firstCommitted > lastCommitted) {
      return this.#host.refused(from, `${op} of versions ${firstCommitted} to ${lastCommitted}`);
    }
    if (Math.max(pn, uncommittedPn) > MAX_PN) return this.#host.refused(from, `${op} with proposal number ${pn}`);
    if (this.isLeader) {
      switch (op) {
        case 'last':
          return this.#onLast(from, message);
        case 'accept':
          return this.#onAccept(from, message);
        case 'leaseAck':
          return this.#onLeaseAck(from, message.lease);
        default:
          return;
      }
    }
    if (from !== this.#leader) return;
    switch (op) {
      case 'collect':
        return this.#onCollect(from, message);
      case 'begin':
        return this.#onBegin(from, message);
      case 'commit':
        this.#learn(from, message);
        return;
      case 'lease':
        return this.#onLease(from, message);
      default:
        return;
    }
  }

  /** A connection to or from `rank` broke and may be tried again: what it may have missed is said again. */
  onPeerBack(rank: number): void {
    if (!this.isLeader || rank === this.#rank || !this.#quorum.includes(rank)) return;
    if (this.#state === 'recovering') {
      if (!this.#heard.has(rank)) this.#host.send(rank, this.#message('collect'));
      return;
    }
    // It is one commit behind at most: no round ends without it.
    const last = this.value(this.#lastCommitted);
    if (last !== undefined) this.#host.send(rank, this.#message('commit', new Map([[this.#lastCommitted, last]])));
    if (this.#proposing === undefined) this.#host.send(rank, this.#leaseMessage());
    else if (!this.#heard.has(rank)) this.#sendBegin(rank, this.#proposing.value);
  }

  // Leader

  #collect(seenPn: number): void {
    this.#state = 'recovering';
    this.#heard = new Set([this.#rank]);
    this.#uncommitted = this.#storedUncommitted();
    this.#promise(this.#nextPn(Math.max(this.#acceptedPn, seenPn)));
    if (this.#quorum.length === 1) return this.#finishCollect();
    for (const rank of this.#peers()) this.#host.send(rank, this.#message('collect'));
    this.#host.arm('collect');
  }

  /** Proposal numbers of different monitors never meet (Paxos::get_new_proposal_number). */
  #nextPn(above: number): number {
    return (Math.floor(above / PN_STEP) + 1) * PN_STEP + this.#rank;
  }

  #promise(pn: number): void {
    this.#acceptedPn = pn;
    const transaction = new MonTransaction();
    transaction.putNumber(PREFIX, 'accepted_pn', pn);
    this.#host.submit(transaction);
  }

  #onLast(from: number, last: MonPaxos): void {
    if (this.#state !== 'recovering') return;
    if (last.firstCommitted > this.#lastCommitted + 1) return this.#host.sync(from);
    const before = this.#lastCommitted;
    if (!this.#learn(from, last)) return;
    this.#peerLast.set(from, Math.max(last.lastCommitted, this.#peerLast.get(from) ?? 0));
    // A newer leader was promised more than I ask for; or there are more values than one message holds.
    const more = last.lastCommitted > this.#lastCommitted && this.#lastCommitted > before;
    if (last.pn > this.#acceptedPn || more) return this.#collect(last.pn);
    if (last.pn !== this.#acceptedPn || last.lastCommitted > this.#lastCommitted) return;
    // Of several uncommitted values the one accepted under the highest number may have been chosen.
    const version = this.#lastCommitted + 1;
    const value = last.values.get(version);
    if (last.uncommittedPn > 0 && value !== undefined && last.lastCommitted + 1 === version) {
      if (parseValue(value) === undefined) return this.#onMalformed(from, version);
      if (this.#uncommitted === undefined || last.uncommittedPn > this.#uncommitted.pn) {
        this.#uncommitted = { pn: last.uncommittedPn, value };
      }
    }
    this.#heard.add(from);
    if (this.#heard.size === this.#quorum.length) this.#finishCollect();
  }

  #finishCollect(): void {
    this.#host.disarm('collect');
    for (const rank of this.#peers()) {
      for (let theirs = this.#peerLast.get(rank) ?? 0; theirs < this.#lastCommitted; ) {
        const values = this.#valuesAfter(theirs);
        if (values.size === 0) break;
        this.#host.send(rank, this.#message('commit', values));
        theirs = Math.max(...values.keys());
      }
    }
    if (this.#uncommitted !== undefined) {
      const { value } = this.#uncommitted;
      this.#uncommitted = undefined;
      return this.#begin(value);
    }
    this.#becomeActive();
  }

  #becomeActive(): void {
    this.#state = 'active';
    this.#proposing = undefined;
    this.#extendLease();
    this.#host.onReadable();
    this.#host.onActive();
  }

  #begin(value: Bytes): void {
    const version = this.#lastCommitted + 1;
    this.#state = 'updating';
    this.#heard = new Set([this.#rank]);
    const proposing = { value, ownDurable: false };
    this.#proposing = proposing;
    this.#host.submit(this.#pending(version, value));
    this.#host.whenDurable(() => {
      if (this.#proposing !== proposing) return;
      proposing.ownDurable = true;
      this.#commitWhenAccepted();
    });
    for (const rank of this.#peers()) this.#sendBegin(rank, value);
    if (this.#quorum.length > 1) this.#host.arm('accept');
  }

  #sendBegin(rank: number, value: Bytes): void {
    this.#host.send(rank, this.#message('begin', new Map([[this.#lastCommitted + 1, value]])));
  }

  #onAccept(from: number, accept: MonPaxos): void {
    if (this.#state !== 'updating' || accept.pn !== this.#acceptedPn || accept.lastCommitted !== this.#lastCommitted) {
      return;
    }
    this.#heard.add(from);
    this.#commitWhenAccepted();
  }

  #commitWhenAccepted(): void {
    const proposing = this.#proposing;
    if (proposing === undefined || !proposing.ownDurable || !this.#accepted()) return;
    this.#host.disarm('accept');
    const version = this.#lastCommitted + 1;
    this.#proposing = undefined;
    this.#apply(version, proposing.value, MonTransaction.decode(proposing.value));
    const committed = this.#message('commit', new Map([[version, proposing.value]]));
    for (const rank of this.#peers()) this.#host.send(rank, committed);
    this.#becomeActive();
  }

  /** Whether the value proposed has been accepted by all who must. */
  #accepted(): boolean {
    return this.#heard.size === this.#quorum.length;
  }

  /** The newest lease given, and the newest that all of the quorum have acknowledged. */
  #lease = 0;
  #leaseHeld = 0;
  /** By rank: the newest lease it has acknowledged. */
  readonly #leaseAcks = new Map<number, number>();

  #extendLease(): void {
    if (this.#quorum.length === 1) return;
    const isAwaited = this.#leaseHeld < this.#lease;
    this.#lease += 1;
    for (const rank of this.#peers()) this.#host.send(rank, this.#leaseMessage());
    this.#host.onLeaseSent(this.#lease);
    this.#host.arm('leaseRenew');
    if (!isAwaited) this.#host.arm('leaseAck');
  }

  #leaseMessage(): MonPaxos {
    return { ...this.#message('lease'), lease: this.#lease };
  }

  /** A leader that hung finds acknowledgements of old leases: they say nothing of the one it has given since. */
  #onLeaseAck(from: number, lease: number): void {
    if (lease > this.#lease) return this.#host.refused(from, `leaseAck of lease ${lease}, which was not given`);
    this.#leaseAcks.set(from, Math.max(lease, this.#leaseAcks.get(from) ?? 0));
    const held = Math.min(...this.#peers().map((rank) => this.#leaseAcks.get(rank) ?? 0));
    if (held <= this.#leaseHeld) return;
    this.#leaseHeld = held;
    this.#host.onLeaseHeld(held);
    if (held === this.#lease) this.#host.disarm('leaseAck');
    else this.#host.arm('leaseAck');
  }

  // Peon

  #onCollect(from: number, collect: MonPaxos): void {
    this.#state = 'recovering';
    this.#grantLease();
    if (collect.firstCommitted > this.#lastCommitted + 1) return this.#host.sync(from);
    const values = this.#valuesAfter(collect.lastCommitted);
    const pending = this.#storedUncommitted();
    if (collect.pn > this.#acceptedPn) this.#promise(collect.pn);
    if (pending !== undefined) values.set(this.#lastCommitted + 1, pending.value);
    this.#host.send(from, { ...this.#message('last', values), uncommittedPn: pending?.pn ?? 0 });
  }

  #onBegin(from: number, begin: MonPaxos): void {
    const version = this.#lastCommitted + 1;
    const value = begin.values.get(version);
    if (begin.pn !== this.#acceptedPn || begin.lastCommitted !== this.#lastCommitted || value === undefined) return;
    if (parseValue(value) === undefined) return this.#onMalformed(from, version);
    this.#state = 'updating';
    this.#host.submit(this.#pending(version, value));
    this.#host.send(from, this.#message('accept'));
  }

  #onLease(from: number, lease: MonPaxos): void {
    // Commits travel before it on the same session; a gap means that one was lost with an older session.
    if (lease.lastCommitted > this.#lastCommitted) return this.#host.bootstrap('a commit did not arrive');
    this.#state = 'active';
    this.#grantLease();
    this.#host.send(from, { ...this.#message('leaseAck'), lease: lease.lease });
    this.#host.onReadable();
  }

  // Both

  /** Applies committed values in order, as far as they reach without a gap (Paxos::store_state). False for a bad value. */
  #learn(from: number, { values, lastCommitted }: MonPaxos): boolean {
    for (let version = this.#lastCommitted + 1; version <= lastCommitted; version++) {
      const value = values.get(version);
      if (value === undefined) return true;
      const transaction = parseValue(value);
      if (transaction === undefined) {
        this.#onMalformed(from, version);
        return false;
      }
      this.#apply(version, value, transaction);
      this.#uncommitted = undefined;
    }
    return true;
  }

  #onMalformed(from: number, version: number): void {
    this.#host.bootstrap(`the monitor of rank ${from} sent a value for version ${version} that is no transaction`);
  }

  #apply(version: number, value: Bytes, changes: MonTransaction): void {
    invariant(version === this.#lastCommitted + 1, 'versions are applied one after another');
    const transaction = new MonTransaction();
    transaction.put(PREFIX, VALUE + versionKey(version), value);
    transaction.putNumber(PREFIX, 'last_committed', version);
    if (this.#firstCommitted === 0) transaction.putNumber(PREFIX, 'first_committed', version);
    transaction.append(changes);
    this.#host.submit(transaction);
    this.#lastCommitted = version;
    this.#firstCommitted = this.#store.getNumber(PREFIX, 'first_committed');
    this.#host.onCommitted(version);
  }

  /** Values that the trim of old versions removes: for the leader to add to a proposal. */
  trimTo(first: number, transaction: MonTransaction): void {
    for (let version = this.#firstCommitted; version < first; version++) {
      transaction.del(PREFIX, VALUE + versionKey(version));
    }
    transaction.putNumber(PREFIX, 'first_committed', first);
  }

  #pending(version: number, value: Bytes): MonTransaction {
    const transaction = new MonTransaction();
    transaction.put(PREFIX, VALUE + versionKey(version), value);
    transaction.putNumber(PREFIX, 'pending_v', version);
    transaction.putNumber(PREFIX, 'pending_pn', this.#acceptedPn);
    return transaction;
  }

  /** A value accepted for the next version that nobody is known to have committed. */
  #storedUncommitted(): { pn: number; value: Bytes } | undefined {
    const version = this.#lastCommitted + 1;
    if (this.#store.getNumber(PREFIX, 'pending_v') !== version) return undefined;
    const value = this.#store.get(PREFIX, VALUE + versionKey(version));
    return value === undefined ? undefined : { pn: this.#store.getNumber(PREFIX, 'pending_pn'), value };
  }

  /** As many as one message may hold, and at least one if there is one. */
  #valuesAfter(version: number): Map<number, Bytes> {
    const values = new Map<number, Bytes>();
    let bytes = 0;
    for (let v = Math.max(version + 1, this.#firstCommitted); v <= this.#lastCommitted; v++) {
      const value = this.value(v);
      if (value === undefined || (bytes > 0 && bytes + value.length > MAX_VALUES_BYTES)) break;
      values.set(v, value);
      bytes += value.length;
    }
    return values;
  }

  #peers(): number[] {
    return this.#quorum.filter((rank) => rank !== this.#rank);
  }

  #message(op: MonPaxos['op'], values: ReadonlyMap<number, Bytes> = new Map()): MonPaxos {
    return {
      type: 'mon_paxos',
      op,
      epoch: this.#epoch,
      firstCommitted: this.#firstCommitted,
      lastCommitted: this.#lastCommitted,
      pn: this.#acceptedPn,
      uncommittedPn: 0,
      lease: 0,
      values,
    };
  }
}

/** Undefined for what is no encoded transaction. */
function parseValue(value: Bytes): MonTransaction | undefined {
  try {
    return MonTransaction.decode(value);
  } catch (error) {
    if (error instanceof MalformedInput) return undefined;
    throw error;
  }
}
