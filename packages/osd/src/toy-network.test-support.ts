/** A network of a few daemons in virtual time, for the tests of what OSDs say to one another. Sessions break by the seed. */
import { AddrType, type AddrVec, type EntityName } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import {
  type Config,
  type Instant,
  invariant,
  makeConfig,
  type Peer,
  type ResetReason,
  type SessionId,
  type World,
  type WorldEvent,
} from '@spirula/world';

interface End {
  readonly node: ToyNode;
  readonly id: SessionId;
  other: End | undefined;
  readonly waiting: Message[];
  gone: boolean;
  /** Nothing overtakes on one session. */
  lastArrival: Instant;
}

export class ToyNetwork {
  readonly #queue: { readonly at: Instant; readonly run: () => void }[] = [];
  readonly nodes = new Set<ToyNode>();
  readonly #ends = new Map<SessionId, End>();
  #state: number;
  #lastSession = 0;
  now: Instant = 1_000_000;
  latency: Instant = 500;
  /** Called before a message is delivered. */
  onMessage: (message: Message) => void = () => {};

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** mulberry32 */
  u32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  below(bound: number): number {
    return this.u32() % bound;
  }

  at(at: Instant, run: () => void): void {
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#queue[middle]!.at <= at) low = middle + 1;
      else high = middle;
    }
    this.#queue.splice(low, 0, { at, run });
  }

  /** Lets virtual time pass. */
  run(duration: Instant): void {
    const end = this.now + duration;
    while (this.#queue.length > 0 && this.#queue[0]!.at <= end) {
      const next = this.#queue.shift()!;
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }

  addNode(
    entity: EntityName,
    nonce: number,
    overrides: Partial<Config> = {},
    ports: (node: ToyNode) => Partial<World<Message>> = () => ({}),
  ): ToyNode {
    const node = new ToyNode(this, entity, nonce, overrides, ports);
    this.nodes.add(node);
    return node;
  }

  /** Breaks one of the sessions that are open, both sides told. */
  breakOneSession(): void {
    const open = [...this.#ends.values()].filter((end) => end.other);
    if (open.length > 0) this.#reset(open[this.below(open.length)]!, 'closed');
  }

  /** Memory gone, sessions reset, nobody listens. */
  kill(node: ToyNode): void {
    this.nodes.delete(node);
    node.dead = true;
    for (const end of [...this.#ends.values()]) {
      if (end.node !== node) continue;
      this.#drop(end);
      if (end.other) this.#reset(end.other, 'closed');
    }
  }

  open(node: ToyNode, endpoint: string, addrs: AddrVec): SessionId {
    const end: End = this.#newEnd(node);
    this.#tryConnect(end, endpoint, addrs);
    return end.id;
  }

  #tryConnect(end: End, from: string, addrs: AddrVec): void {
    this.at(this.now + this.#delay(), () => {
      if (end.gone) return;
      const target = [...this.nodes].find((other) => other.listensAt(addrs) !== undefined);
      if (!target) this.#reset(end, 'refused');
      // Nobody answers there for now.
      else if (target.hung || end.node.hung) this.#tryConnect(end, from, addrs);
      else this.#connect(end, target, from, target.listensAt(addrs)!);
    });
  }

  send(node: ToyNode, session: SessionId, message: Message): number {
    const end = this.#find(node, session);
    if (!end) return 0;
    if (end.other) this.#deliver(end, message);
    else end.waiting.push(message);
    return 1;
  }

  close(node: ToyNode, session: SessionId): void {
    const end = this.#find(node, session);
    if (!end) return;
    this.#drop(end);
    const { other } = end;
    if (other) this.at(Math.max(end.lastArrival, this.now + this.#delay()), () => this.#reset(other, 'closed'));
  }

  #newEnd(node: ToyNode): End {
    const end = { node, id: ++this.#lastSession, other: undefined, waiting: [], gone: false, lastArrival: 0 };
    this.#ends.set(end.id, end);
    return end;
  }

  #find(node: ToyNode, session: SessionId): End | undefined {
    const end = this.#ends.get(session);
    return end?.node === node ? end : undefined;
  }

  #delay(): Instant {
    return this.latency + this.below(this.latency);
  }

  #connect(end: End, target: ToyNode, from: string, endpoint: string): void {
    const other = this.#newEnd(target);
    end.other = other;
    other.other = end;
    target.deliver({ kind: 'accepted', session: other.id, endpoint, peer: end.node.peer(from) });
    if (end.gone) return;
    end.node.deliver({ kind: 'opened', session: end.id, peer: target.peer(endpoint) });
    for (const message of end.waiting.splice(0)) this.#deliver(end, message);
  }

  #deliver(from: End, message: Message): void {
    from.lastArrival = Math.max(from.lastArrival, this.now + this.#delay());
    this.at(from.lastArrival, () => {
      const to = from.other!;
      if (!to.gone) this.onMessage(message);
      if (!to.gone) to.node.deliver({ kind: 'message', session: to.id, message });
    });
  }

  #drop(end: End): void {
    end.gone = true;
    this.#ends.delete(end.id);
  }

  #reset(end: End, reason: ResetReason): void {
    if (end.gone) return;
    this.#drop(end);
    end.node.deliver({ kind: 'reset', session: end.id, reason, detail: '' });
    if (end.other) this.#reset(end.other, reason);
  }
}

const TYPES: Readonly<Record<string, number>> = { mon: 1, osd: 4, client: 8 };
const PORTS = { public: 1, cluster: 2, hb_front: 3, hb_back: 4 } as const;

/** A daemon's place in the network. It hears of events through `onEvent`. */
export class ToyNode {
  readonly entity: EntityName;
  readonly nonce: number;
  readonly world: World<Message>;
  readonly #network: ToyNetwork;
  readonly #timers = new Map<string, number>();
  #held: WorldEvent<Message>[] = [];
  #timerCount = 0;
  #hung = false;
  dead = false;
  onEvent: (event: WorldEvent<Message>) => void = () => {};

  /** @param ports what the node has besides clock, chance and network: its disk */
  constructor(
    network: ToyNetwork,
    entity: EntityName,
    nonce: number,
    overrides: Partial<Config>,
    ports: (node: ToyNode) => Partial<World<Message>>,
  ) {
    this.#network = network;
    this.entity = entity;
    this.nonce = nonce;
    const silent = () => {};
    this.world = {
      config: makeConfig(overrides),
      clock: {
        now: () => network.now,
        wall: () => ({ sec: Math.floor(network.now / 1e6), nsec: (network.now % 1e6) * 1000 }),
        arm: (timer: string, at: Instant) => this.#arm(timer, at),
        disarm: (timer: string) => this.#timers.delete(timer),
      },
      random: {
        u32: () => network.u32(),
        below: (n: number) => network.below(n),
        float: () => network.u32() / 2 ** 32,
      },
      net: {
        endpoint: (name: string) => this.addrs(name),
        open: (from: string, to: { readonly addrs: AddrVec }) => network.open(this, from, to.addrs),
        send: (session: SessionId, message: Message) => network.send(this, session, message),
        close: (session: SessionId) => network.close(this, session),
        highWater: 1 << 20,
      },
      log: { debug: silent, info: silent, warn: silent, error: silent },
      buggify: () => false,
      ...ports(this),
    } as unknown as World<Message>;
  }

  addrs(endpoint: string): AddrVec {
    const port = PORTS[endpoint as keyof typeof PORTS];
    invariant(port !== undefined, 'the endpoint is one of an OSD');
    return [
      {
        type: AddrType.v2,
        nonce: this.nonce,
        family: 2,
        ip: `10.0.${TYPES[this.entity.type]}.${Number.parseInt(this.entity.id, 36)}`,
        port,
      },
    ];
  }

  /** Which endpoint has these addresses. */
  listensAt(addrs: AddrVec): string | undefined {
    const [addr] = addrs;
    return Object.keys(PORTS).find((name) => {
      const own = this.addrs(name)[0]!;
      return addr?.ip === own.ip && addr.port === own.port && addr.nonce === own.nonce;
    });
  }

  peer(endpoint: string): Peer {
    return {
      entity: this.entity,
      addrs: this.addrs(endpoint),
      globalId: this.entity.type === 'client' ? BigInt(this.nonce) : 0n,
    };
  }

  /**
   * While true nothing is heard, said or done; what came in meanwhile is heard afterwards. Timers that are overdue come
   * first, as in a process that was stopped.
   */
  set hung(hung: boolean) {
    this.#hung = hung;
    if (hung) return;
    const held = this.#held.splice(0);
    for (const event of held) if (event.kind === 'timer') this.deliver(event);
    for (const event of held) if (event.kind !== 'timer') this.deliver(event);
  }

  get hung(): boolean {
    return this.#hung;
  }

  deliver(event: WorldEvent<Message>): void {
    if (this.dead) return;
    if (this.#hung) this.#held.push(event);
    else this.onEvent(event);
  }

  #arm(timer: string, at: Instant): void {
    const count = ++this.#timerCount;
    this.#timers.set(timer, count);
    this.#network.at(Math.max(at, this.#network.now), () => {
      if (this.#timers.get(timer) !== count) return;
      this.#timers.delete(timer);
      this.deliver({ kind: 'timer', name: timer });
    });
  }
}
