import { AddrType, type AddrVec, utf8 } from '@spirula/encoding';
import type { MonMap } from '@spirula/maps';
import type { Message } from '@spirula/messages';
import {
  type Batch,
  type Config,
  type Crypto,
  type Instant,
  KvOverlay,
  makeConfig,
  type Peer,
  SECOND,
  type SessionId,
  type Token,
  type World,
  type WorldEvent,
} from '@spirula/world';
import { expect } from 'vitest';
import { Monitor, type MonitorOptions } from './monitor.ts';

export const NAMES = ['a', 'b', 'c'];
/** Where monitors may be: those of the first map, and those that are added. */
const PLACES = [...NAMES, 'd', 'e'];
const FIRST_PORT = 6800;
export const FSID = new Uint8Array(16).fill(7);
const KEPT: Partial<Config> = { paxos_min: 5, paxos_trim_min: 5, paxos_propose_interval: 0.1 };
export const LATENCY: Instant = SECOND / 1000;

function addrsOf(name: string): AddrVec {
  return [{ type: AddrType.v2, nonce: 0, family: 2, ip: '127.0.0.1', port: FIRST_PORT + PLACES.indexOf(name) }];
}

export function monMap(names: readonly string[] = NAMES): MonMap {
  const stamp = { sec: 1_000_000, nsec: 0 };
  const info = (name: string) => ({
    ...{ name, addrs: addrsOf(name), priority: 0, weight: 0 },
    crushLocation: new Map<string, string>(),
  });
  return {
    ...{ fsid: FSID, epoch: 1, lastChanged: stamp, created: stamp, persistentFeatures: 0n, optionalFeatures: 0n },
    ...{ mons: new Map(names.map((name) => [name, info(name)])), ranks: names, minMonRelease: 16, removedRanks: [] },
    ...{ electionStrategy: 1, disallowedLeaders: [], stretchMode: false, tiebreaker: '', stretchMarkedDown: [] },
  };
}

interface Running {
  readonly monitor: Monitor;
  readonly timers: Map<string, number>;
  /** Own session to the other side's. */
  readonly sessions: Map<SessionId, { readonly to: string; readonly id: SessionId }>;
}

/** Three monitors, and those that are added, in virtual time whose network and disks do not fail; whole monitors stop and start. */
export class ThreeMonitors {
  now: Instant = SECOND;
  readonly running = new Map<string, Running>();
  /** What becomes of a message on its way: undefined when the receiver cannot read it, and the session ends. */
  onTheWay: (message: Message) => Message | undefined = (message) => message;
  /** Session -> what was said to who had connected by `hear`. */
  readonly said = new Map<SessionId, Message[]>();
  readonly disks = new Map(PLACES.map((name) => [name, new KvOverlay('stands-alone')]));
  #queue: { readonly at: Instant; readonly order: number; readonly run: () => void }[] = [];
  #lastId = 0;
  readonly #options: Pick<MonitorOptions, 'keyring'>;
  readonly #held = new Map<string, Token[]>();

  constructor(options: Pick<MonitorOptions, 'keyring'> = {}) {
    this.#options = options;
  }

  /** Why monitors ended themselves. */
  readonly ended = new Map<string, string>();

  start(name: string, monmap = monMap()): void {
    const timers = new Map<string, number>();
    const monitor = new Monitor(this.#world(name, timers), { name, monmap, ...this.#options });
    this.running.set(name, { monitor, timers, sessions: new Map() });
    monitor.start();
  }

  stop(name: string): void {
    const { sessions } = this.running.get(name) ?? { sessions: new Map<SessionId, never>() };
    this.running.delete(name);
    for (const { to, id } of sessions.values())
      this.#deliver(to, { kind: 'reset', session: id, reason: 'closed', detail: '' });
  }

  /** What it writes does not become durable until it is released. */
  holdDisk(name: string): void {
    this.#held.set(name, []);
  }

  releaseDisk(name: string): void {
    const held = this.#held.get(name) ?? [];
    this.#held.delete(name);
    for (const token of held) this.#deliver(name, { kind: 'committed', token });
  }

  wipe(name: string): void {
    this.disks.set(name, new KvOverlay('stands-alone'));
  }

  /** What is on a disk; to be put back by `restore`. */
  backUp(name: string): Batch {
    const all = { start: Uint8Array.of(0), end: Uint8Array.of(0xff) };
    return [...this.disks.get(name)!.range(all)].map(([key, value]) => ({ op: 'put', key, value }));
  }

  restore(name: string, backup: Batch): void {
    this.wipe(name);
    this.disks.get(name)!.apply(backup);
  }

  run(duration: Instant): void {
    const end = this.now + duration;
    for (;;) {
      this.#queue.sort((one, other) => one.at - other.at || one.order - other.order);
      if (this.#queue.length === 0 || this.#queue[0]!.at > end) break;
      const next = this.#queue.shift()!;
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }

  inspect(name: string) {
    return this.running.get(name)!.monitor.inspect();
  }

  /** A client's command to whoever is asked. */
  command(name: string, cmd: Record<string, unknown>): SessionId {
    const peer: Peer = { entity: { type: 'client', id: 'admin' }, addrs: [], globalId: 4n };
    const message = { type: 'mon_command', tid: 1n, fsid: FSID, cmd: [JSON.stringify(cmd)], data: utf8('') } as const;
    return this.hear(name, peer, message);
  }

  /** A message of somebody who connects to say it. What the monitor says on the session is in `said` of what this gives. */
  hear(name: string, peer: Peer, message: Message): SessionId {
    this.#lastId += 1;
    const session = this.#lastId;
    this.said.set(session, []);
    this.#deliver(name, { kind: 'accepted', session, endpoint: 'public', peer });
    this.#deliver(name, { kind: 'message', session, message });
    return session;
  }

  /** As if monitor `from` had said it, on a session of its own. */
  say(from: string, to: string, message: Message): void {
    this.#lastId += 1;
    const session = this.#lastId;
    const peer: Peer = { entity: { type: 'mon', id: from }, addrs: addrsOf(from), globalId: 0n };
    this.#deliver(to, { kind: 'accepted', session, endpoint: 'public', peer });
    this.#deliver(to, { kind: 'message', session, message });
    this.#deliver(to, { kind: 'reset', session, reason: 'closed', detail: '' });
  }

  /** So many changes, each a version of its own. */
  change(name: string, count: number): void {
    for (let i = 0; i < count; i++) {
      this.command(name, { prefix: i % 2 === 0 ? 'osd set' : 'osd unset', key: 'noout' });
      this.run(SECOND / 2);
    }
  }

  #at(at: Instant, run: () => void): void {
    this.#lastId += 1;
    this.#queue.push({ at, order: this.#lastId, run });
  }

  #deliver(name: string, event: WorldEvent<Message>): void {
    const target = this.running.get(name);
    this.#at(this.now + LATENCY, () => {
      if (target !== undefined && this.running.get(name) === target) target.monitor.handle(event);
    });
  }

  #open(from: string, addrs: AddrVec): SessionId {
    this.#lastId += 2;
    const own = this.#lastId;
    const theirs = own - 1;
    const to = PLACES[addrs[0]!.port - FIRST_PORT]!;
    const target = this.running.get(to);
    if (target === undefined) {
      this.#deliver(from, { kind: 'reset', session: own, reason: 'refused', detail: '' });
      return own;
    }
    this.running.get(from)!.sessions.set(own, { to, id: theirs });
    target.sessions.set(theirs, { to: from, id: own });
    const peer = (name: string): Peer => ({ entity: { type: 'mon', id: name }, addrs: addrsOf(name), globalId: 0n });
    this.#deliver(to, { kind: 'accepted', session: theirs, endpoint: 'public', peer: peer(from) });
    this.#deliver(from, { kind: 'opened', session: own, peer: peer(to) });
    return own;
  }

  #send(from: string, session: SessionId, message: Message): void {
    const end = this.running.get(from)?.sessions.get(session);
    if (end === undefined) return void this.said.get(session)?.push(message);
    const arrives = this.onTheWay(message);
    if (arrives !== undefined) return this.#deliver(end.to, { kind: 'message', session: end.id, message: arrives });
    this.running.get(from)!.sessions.delete(session);
    this.running.get(end.to)?.sessions.delete(end.id);
    this.#deliver(end.to, { kind: 'reset', session: end.id, reason: 'malformed', detail: '' });
    this.#deliver(from, { kind: 'reset', session, reason: 'closed', detail: '' });
  }

  #world(name: string, timers: Map<string, number>): World<Message> {
    const disk = this.disks.get(name)!;
    const silent = () => undefined;
    return {
      config: makeConfig(KEPT),
      clock: {
        now: () => this.now,
        wall: () => ({ sec: 1_000_000 + Math.floor(this.now / SECOND), nsec: 0 }),
        arm: (timer, at) => {
          this.#lastId += 1;
          const armed = this.#lastId;
          timers.set(timer, armed);
          this.#at(Math.max(at, this.now), () => {
            const { monitor } = this.running.get(name) ?? {};
            if (timers.get(timer) !== armed || this.running.get(name)?.timers !== timers) return;
            timers.delete(timer);
            monitor?.handle({ kind: 'timer', name: timer });
          });
        },
        disarm: (timer) => void timers.delete(timer),
      },
      random: { u32: () => 4, below: () => 0, float: () => 0.5 },
      crypto: { randomBytes: (count: number) => new Uint8Array(count).fill(3) } as Crypto,
      net: {
        endpoint: () => addrsOf(name),
        open: (_, { addrs }) => this.#open(name, addrs),
        send: (session, message) => {
          this.#send(name, session, message);
          return 0;
        },
        close: silent,
        highWater: 1 << 20,
      },
      kv: {
        get: (key) => {
          const value = disk.get(key);
          return value === 'deleted' ? undefined : value;
        },
        range: (range) => disk.range(range),
        submit: (batch, token) => {
          disk.apply(batch);
          const held = this.#held.get(name);
          if (held === undefined) this.#deliver(name, { kind: 'committed', token });
          else held.push(token);
        },
      },
      block: undefined as never,
      http: undefined as never,
      log: { debug: silent, info: silent, warn: silent, error: silent },
      lifecycle: {
        stop: (reason) => {
          this.ended.set(name, reason);
          this.#at(this.now, () => this.stop(name));
        },
      },
      buggify: () => false,
    };
  }
}

export function quorum(): ThreeMonitors {
  const mons = new ThreeMonitors();
  for (const name of NAMES) mons.start(name);
  mons.run(10 * SECOND);
  return mons;
}

/** One quorum of all, with one history. */
export function expectAlike(mons: ThreeMonitors, names: readonly string[] = NAMES): void {
  const leader = mons.inspect(names[0]!);
  const all = names.map((_, rank) => rank);
  for (const name of names) {
    const { quorum: ranks, lastCommitted, firstCommitted, osdMap, storeDigest } = mons.inspect(name);
    expect({ ranks, lastCommitted, firstCommitted, epoch: osdMap.epoch, digest: storeDigest() }).toEqual({
      ...{ ranks: all, lastCommitted: leader.lastCommitted, digest: leader.storeDigest() },
      ...{ firstCommitted: leader.firstCommitted, epoch: leader.osdMap.epoch },
    });
  }
}
