/**
 * A few monitors reduced to elector and Paxos, in virtual time, on a network that loses, delays and breaks connections and
 * on disks that keep a prefix of what was written. The checks that must hold at every moment are made as things happen.
 */
import type { Bytes } from '@spirula/encoding';
import { rawFromBytes } from '@spirula/encoding';
import type { MonPaxos } from '@spirula/messages';
import { type Batch, type Instant, type KeyValue, makeConfig, OrderedTable, SECOND, seconds } from '@spirula/world';
import { type Elector, type ElectorEffect, type ElectorEvent, stepElector } from './elector.ts';
import { MonStore, MonTransaction } from './mon-store.ts';
import { Paxos, type PaxosTimer } from './paxos.ts';
import { paxosTimeout } from './timers.ts';

/** Quick to give up, so that much happens in little time. */
const config = makeConfig({ mon_lease: 0.5, mon_election_timeout: 0.5 });
/** Versions kept by the leader's trimming. */
const KEPT = 8;

type Sent =
  | { readonly kind: 'election'; readonly op: 'propose' | 'ack' | 'victory'; epoch: number; quorum: readonly number[] }
  | { readonly kind: 'paxos'; readonly message: MonPaxos };

export interface QuorumSpec {
  readonly monitors: number;
  readonly seed: number;
  /** Fault rates per virtual second, all monitors together. */
  readonly resets?: number;
  readonly crashes?: number;
  readonly partitions?: number;
  /** Of all messages, those that are lost with their connection. */
  readonly loss?: number;
}

/** A disk and the process that uses it. */
class ToyMon {
  readonly rank: number;
  readonly quorum: ToyQuorum;
  readonly #durable = new OrderedTable<Bytes>();
  /** Written, not yet durable. */
  readonly #journal: Batch[] = [];
  #view = new OrderedTable<Bytes>();
  /** Counts starts: what was scheduled by an earlier one is void. */
  run = 0;
  up = false;
  elector!: Elector;
  paxos!: Paxos;
  store!: MonStore;
  #submitted = 0;
  #committed = 0;
  #lastDone: Instant = 0;
  #held: { readonly after: number; readonly then: () => void }[] = [];
  readonly #timers = new Map<string, number>();
  #proposed: number[] = [];

  constructor(quorum: ToyQuorum, rank: number) {
    this.quorum = quorum;
    this.rank = rank;
  }

  start(): void {
    this.run += 1;
    this.up = true;
    this.#view = copyOf(this.#durable);
    this.store = new MonStore(this.#kv());
    const epoch = this.store.getNumber('elector', 'epoch');
    this.elector = { rank: this.rank, size: this.quorum.size, epoch, state: { name: 'idle' } };
    this.paxos = new Paxos(this.rank, this.store, {
      send: (to, message) => this.#sendDurably(to, { kind: 'paxos', message }),
      submit: (transaction) => this.#submit(transaction),
      whenDurable: (then) => this.#whenDurable(then),
      arm: (timer) => this.arm(timer, paxosTimeout(timer, config)),
      disarm: (timer) => this.#timers.delete(timer),
      onLeaseGranted: () => {},
      onLeaseSent: () => {},
      onLeaseHeld: () => {},
      refused: () => {},
      bootstrap: () => this.elect({ kind: 'start' }),
      sync: (from) => this.#copyFrom(from),
      onCommitted: (version) => this.quorum.checkValue(this, version),
      onReadable: () => {},
      onActive: () => this.#onActive(),
    });
    this.elect({ kind: 'start' });
  }

  /** Power fails: some of what was not durable may be there all the same, in order. */
  crash(): void {
    this.up = false;
    this.run += 1;
    const kept = this.#journal.splice(0);
    const survive = this.quorum.below(2) * this.quorum.below(kept.length + 1);
    for (const batch of kept.slice(0, survive)) applyTo(this.#durable, batch);
    this.#submitted = 0;
    this.#committed = 0;
    this.#held = [];
    this.#timers.clear();
    this.#proposed = [];
  }

  /** The disk was replaced by an empty one. */
  wipe(): void {
    this.#durable.clear();
    this.#journal.length = 0;
  }

  elect(event: ElectorEvent): void {
    const [next, effects] = stepElector(this.elector, event);
    this.elector = next;
    for (const effect of effects) this.#carryOut(effect);
  }

  receive(from: number, sent: Sent): void {
    if (sent.kind === 'paxos') this.paxos.onMessage(from, sent.message);
    else this.elect({ kind: sent.op, from, epoch: sent.epoch, quorum: sent.quorum });
  }

  peerBack(rank: number): void {
    this.elect({ kind: 'peerBack', rank });
    this.paxos.onPeerBack(rank);
  }

  arm(timer: string, after: Instant): void {
    const run = this.run;
    const armed = this.quorum.nextId();
    this.#timers.set(timer, armed);
    this.quorum.after(after, () => {
      if (this.run !== run || this.#timers.get(timer) !== armed) return;
      this.#timers.delete(timer);
      this.#onTimer(timer);
    });
  }

  #onTimer(timer: string): void {
    if (timer === 'election') return this.elect({ kind: 'timeout' });
    if (timer !== 'propose') return this.paxos.onTimer(timer as PaxosTimer);
    if (!this.paxos.isLeader || this.paxos.state !== 'active') return;
    const transaction = new MonTransaction();
    for (const value of this.quorum.wanted) {
      transaction.putNumber('test', String(value), value);
      this.#proposed.push(value);
    }
    if (transaction.empty) return;
    if (this.paxos.lastCommitted - this.paxos.firstCommitted > KEPT * 2) {
      this.paxos.trimTo(this.paxos.lastCommitted - KEPT, transaction);
    }
    this.paxos.propose(transaction);
  }

  #onActive(): void {
    this.quorum.onActive(this);
    for (const value of this.#proposed.splice(0)) this.quorum.acknowledge(value);
    this.arm('propose', SECOND / 50);
  }

  #carryOut(effect: ElectorEffect): void {
    switch (effect.kind) {
      case 'store': {
        const transaction = new MonTransaction();
        transaction.putNumber('elector', 'epoch', effect.epoch);
        return this.#submit(transaction);
      }
      case 'send': {
        const { op, quorum, to } = effect;
        return this.#sendDurably(to, { kind: 'election', op, epoch: this.elector.epoch, quorum });
      }
      case 'timer':
        return this.arm('election', seconds(config.mon_election_timeout) * (effect.long ? 2 : 1));
      case 'electing':
        this.#timers.delete('propose');
        this.#proposed = [];
        return this.paxos.suspend();
      case 'won':
        this.#timers.delete('election');
        return this.paxos.lead(this.elector.epoch, effect.quorum);
      case 'lost':
        this.#timers.delete('election');
        this.#follow(this.elector.epoch, effect.leader);
        return this.paxos.follow(this.elector.epoch, effect.leader, effect.quorum);
    }
  }

  /** Until the epoch is durable nothing is said in it, and a crash makes it as if it had never been. */
  #follow(epoch: number, leader: number): void {
    this.#whenDurable(() => this.quorum.onFollow(epoch, this.rank, leader));
  }

  /** A store sync in one step: what the other has, as of now, and nothing of what was promised. */
  #copyFrom(from: number): void {
    const provider = this.quorum.mons[from]!;
    this.paxos.suspend();
    this.elector = { ...this.elector, state: { name: 'idle' } };
    if (provider.up) {
      const copy = new MonTransaction();
      for (const prefix of ['paxos', 'test']) {
        for (const [key] of this.store.list(prefix)) copy.del(prefix, key);
        for (const [key, value] of provider.store.list(prefix)) {
          if (!/pn|pending/.test(key)) copy.put(prefix, key, value);
        }
      }
      this.#submit(copy);
      this.paxos.reload();
      this.quorum.syncs += 1;
    }
    this.elect({ kind: 'start' });
  }

  #sendDurably(to: number, sent: Sent): void {
    this.#whenDurable(() => this.quorum.send(this, to, sent));
  }

  #whenDurable(then: () => void): void {
    if (this.#committed === this.#submitted) then();
    else this.#held.push({ after: this.#submitted, then });
  }

  #submit(transaction: MonTransaction): void {
    this.#kv().submit(transaction.toBatch(), 0);
  }

  #kv(): KeyValue {
    return {
      get: (key) => this.#view.get(rawFromBytes(key)),
      range: ({ start, end }) => {
        const keys = [...this.#view.keys(rawFromBytes(start), rawFromBytes(end))];
        return keys.map((key) => [Uint8Array.from(key, (char) => char.charCodeAt(0)), this.#view.get(key)!] as const);
      },
      submit: (batch) => {
        applyTo(this.#view, batch);
        this.#journal.push(batch);
        this.#submitted += 1;
        const { run } = this;
        this.#lastDone = Math.max(this.#lastDone, this.quorum.now + this.quorum.diskDelay());
        this.quorum.after(this.#lastDone - this.quorum.now, () => {
          if (this.run === run) this.#onDurable();
        });
      },
    };
  }

  #onDurable(): void {
    applyTo(this.#durable, this.#journal.shift()!);
    this.#committed += 1;
    while (this.#held.length > 0 && this.#held[0]!.after <= this.#committed) this.#held.shift()!.then();
  }
}

export class ToyQuorum {
  readonly size: number;
  readonly mons: ToyMon[];
  now: Instant = 0;
  syncs = 0;
  /** What must be committed: proposed by whoever leads, again and again until it was seen committed. */
  readonly wanted = new Set<number>();
  readonly acknowledged = new Set<number>();
  readonly violations: string[] = [];
  readonly #spec: QuorumSpec;
  #faulty = true;
  #random: number;
  #lastId = 0;
  readonly #queue: { readonly at: Instant; readonly id: number; readonly run: () => void }[] = [];
  /** Connection from one to another: counts breaks, and when its newest message arrives. */
  readonly #links = new Map<string, { life: number; lastArrival: Instant; pausedUntil: Instant }>();
  #cut = new Set<number>();
  readonly #chosen = new Map<number, string>();
  readonly #leaders = new Map<number, number>();
  readonly #followed = new Map<string, number>();

  constructor(spec: QuorumSpec) {
    this.#spec = spec;
    this.size = spec.monitors;
    this.#random = (spec.seed * 2654435761) >>> 0;
    this.mons = Array.from({ length: spec.monitors }, (_, rank) => new ToyMon(this, rank));
    for (const mon of this.mons) this.after(this.below(SECOND), () => mon.start());
    for (const fault of ['resets', 'crashes', 'partitions'] as const) this.#plan(fault);
  }

  /** mulberry32 */
  below(bound: number): number {
    this.#random = (this.#random + 0x6d2b79f5) >>> 0;
    let t = this.#random;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  }

  diskDelay(): Instant {
    return this.below(this.#faulty && this.below(8) === 0 ? SECOND / 2 : SECOND / 100);
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  after(delay: Instant, run: () => void): void {
    const at = this.now + Math.round(delay);
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#queue[middle]!.at <= at) low = middle + 1;
      else high = middle;
    }
    this.#queue.splice(low, 0, { at, id: this.nextId(), run });
  }

  run(duration: Instant): void {
    const end = this.now + duration;
    while (this.#queue.length > 0 && this.#queue[0]!.at <= end) {
      const next = this.#queue.shift()!;
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }

  want(value: number): void {
    this.wanted.add(value);
    for (const mon of this.mons) {
      if (mon.up && mon.paxos.isLeader && mon.paxos.state === 'active') mon.arm('propose', SECOND / 50);
    }
  }

  /** No more faults; who is down comes back. */
  heal(): void {
    this.#faulty = false;
    this.#cut.clear();
    for (const mon of this.mons) if (!mon.up) mon.start();
  }

  /** Cuts these monitors off from the others, until `heal` or the next call. */
  cutOff(ranks: readonly number[]): void {
    this.#cut = new Set(ranks);
    for (const mon of this.mons) for (const other of this.mons) if (!this.#joined(mon, other)) this.#break(mon, other);
  }

  send(from: ToyMon, to: number, sent: Sent): void {
    const target = this.mons[to]!;
    const link = this.#link(from.rank, to);
    if (this.now < link.pausedUntil) return;
    if (!target.up || !this.#joined(from, target)) return this.#break(from, target);
    if (this.#faulty && this.below(1000) < 1000 * (this.#spec.loss ?? 0)) return this.#break(from, target);
    const slow = this.#faulty && this.below(10) === 0 ? SECOND / 2 : SECOND / 50;
    link.lastArrival = Math.max(link.lastArrival, this.now + 1 + this.below(slow));
    const { life } = link;
    const { run } = target;
    this.after(link.lastArrival - this.now, () => {
      if (target.run === run && link.life === life) target.receive(from.rank, sent);
    });
  }

  acknowledge(value: number): void {
    this.wanted.delete(value);
    this.acknowledged.add(value);
    // The worst moment for the power to fail.
    if (!this.#faulty || this.#spec.crashes === undefined || this.below(6) > 0) return;
    this.after(0, () => {
      for (const mon of this.mons) if (mon.up) this.#crash(mon);
    });
  }

  /** One value per version, whoever holds it and whenever. */
  checkValue(mon: ToyMon, version: number): void {
    const value = rawFromBytes(mon.paxos.value(version)!);
    const chosen = this.#chosen.get(version);
    if (chosen === undefined) this.#chosen.set(version, value);
    else if (chosen !== value) this.violations.push(`version ${version} has two values, one at mon.${mon.rank}`);
  }

  onActive(mon: ToyMon): void {
    const { epoch } = mon.elector;
    const known = this.#leaders.get(epoch) ?? mon.rank;
    if (known !== mon.rank) this.violations.push(`epoch ${epoch} has the leaders ${known} and ${mon.rank}`);
    this.#leaders.set(epoch, mon.rank);
  }

  onFollow(epoch: number, rank: number, leader: number): void {
    const known = this.#followed.get(`${epoch} ${rank}`) ?? leader;
    if (known !== leader) this.violations.push(`mon.${rank} follows ${known} and ${leader} in epoch ${epoch}`);
    this.#followed.set(`${epoch} ${rank}`, leader);
  }

  /** What is wrong when everything has come to rest. */
  problems(): string[] {
    const problems = [...this.violations];
    const [first] = this.mons;
    for (const mon of this.mons) {
      const { state } = mon.elector;
      if (state.name !== 'quorum') problems.push(`mon.${mon.rank} is ${state.name}`);
      else if (state.leader !== 0) problems.push(`mon.${mon.rank} follows ${state.leader}`);
      if (mon.paxos.lastCommitted !== first!.paxos.lastCommitted) {
        problems.push(`mon.${mon.rank} has ${mon.paxos.lastCommitted}, mon.0 ${first!.paxos.lastCommitted}`);
      }
      for (const value of this.acknowledged) {
        if (mon.store.getNumber('test', String(value)) !== value) problems.push(`mon.${mon.rank} lost ${value}`);
      }
    }
    for (const value of this.wanted) problems.push(`${value} was never committed`);
    return problems;
  }

  #joined(one: ToyMon, other: ToyMon): boolean {
    return this.#cut.has(one.rank) === this.#cut.has(other.rank);
  }

  #link(from: number, to: number) {
    const name = `${from} ${to}`;
    let link = this.#links.get(name);
    if (link === undefined) {
      link = { life: 0, lastArrival: 0, pausedUntil: 0 };
      this.#links.set(name, link);
    }
    return link;
  }

  /** What is in flight one way is lost; the sender tries again a little later, and both may be told. */
  #break(from: ToyMon, to: ToyMon): void {
    const link = this.#link(from.rank, to.rank);
    if (this.now < link.pausedUntil) return;
    link.life += 1;
    link.lastArrival = 0;
    const pause = SECOND / 20 + this.below(SECOND / 5);
    link.pausedUntil = this.now + pause;
    const { run } = from;
    this.after(pause, () => {
      if (from.run === run && from.up) from.peerBack(to.rank);
    });
  }

  #plan(fault: 'resets' | 'crashes' | 'partitions'): void {
    const rate = this.#spec[fault] ?? 0;
    if (rate === 0) return;
    this.after(this.below((2 * SECOND) / rate), () => {
      if (!this.#faulty) return;
      this.#strike(fault);
      this.#plan(fault);
    });
  }

  #strike(fault: 'resets' | 'crashes' | 'partitions'): void {
    const mon = this.mons[this.below(this.size)]!;
    if (fault === 'resets') {
      this.#break(mon, this.mons[this.below(this.size)]!);
    } else if (fault === 'partitions') {
      this.cutOff(this.mons.map(({ rank }) => rank).filter(() => this.below(3) === 0));
    } else {
      // Now and then the power of the whole room fails.
      const struck = this.below(3) === 0 ? this.mons : [mon];
      for (const each of struck) if (each.up) this.#crash(each);
    }
  }

  #crash(mon: ToyMon): void {
    mon.crash();
    this.after(this.below(this.below(2) === 0 ? SECOND : 5 * SECOND), () => {
      if (!mon.up) mon.start();
    });
  }
}

function applyTo(table: OrderedTable<Bytes>, batch: Batch): void {
  for (const op of batch) {
    if (op.op === 'put') table.set(rawFromBytes(op.key), op.value);
    else if (op.op === 'del') table.delete(rawFromBytes(op.key));
    else table.deleteRange(rawFromBytes(op.start), rawFromBytes(op.end));
  }
}

function copyOf(table: OrderedTable<Bytes>): OrderedTable<Bytes> {
  const copy = new OrderedTable<Bytes>();
  for (const key of table.keys('', '\xff')) copy.set(key, table.get(key)!);
  return copy;
}
