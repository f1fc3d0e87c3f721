import type { Message } from '@spirula/messages';
import type { AuthDecision, Authentication, AuthRequest, Daemon, HttpReply, World, WorldEvent } from '@spirula/world';

/** What a server outside the cluster makes of a request; `lost`: its connection ends without an answer. */
export type HttpAnswer = ({ readonly status: number } & Partial<HttpReply>) | 'lost' | 'silent';

export type DiskOperation = 'read' | 'write' | 'flush' | 'commit';

/** Of a request that came, beside its body; names of headers in lower case. */
export interface Received {
  readonly method: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Daemons of one case, in worlds that reach one another. The two implementations of `World` each make one. */
export interface ContractFixture {
  /**
   * Starts the OSD `id` in its world: with the disks of the OSD `id` before it in this case, or new ones. It listens on
   * endpoint `public`. `make` is called as a daemon's constructor would be.
   */
  start(id: number, make: (world: World<Message>) => Daemon<Message>): Promise<void>;
  /**
   * A crash of OSD `id`: memory gone, nothing more delivered to it. What was not durable may be lost, as it happens or
   * as the seed draws.
   */
  crash(id: number): Promise<void>;
  /** From now on the disk of OSD `id` answers every operation of this kind with EIO, until it is mended. */
  breakDisk(id: number, operation: DiskOperation): Promise<void>;
  mendDisk(id: number): Promise<void>;
  /** Whether the world has ended OSD `id` by itself, and what it says of that. */
  endOf(id: number): string | undefined;
  /** Starts a server outside the cluster, and keeps the bodies of what is posted to it. */
  receive(
    answer: (request: Received) => HttpAnswer,
  ): Promise<{ readonly origin: string; readonly bodies: readonly Uint8Array[] }>;
  /** Runs `work` in OSD `id`'s turn, as its handler would. */
  act(id: number, work: () => void): Promise<void>;
  /** Lets time pass until `done`; fails in words when that takes more than five seconds of the fixture's time. */
  until(done: () => boolean): Promise<void>;
  /** Lets so much time pass, in microseconds of the fixture's time. */
  wait(microseconds: number): Promise<void>;
  /** Ends all daemons; nothing is left open. */
  cleanup(): Promise<void>;
}

/** One promise of the world, in words, and how to see it kept. */
export interface ContractCase {
  readonly name: string;
  run(fixture: ContractFixture): Promise<void>;
}

type EventOf<K extends WorldEvent['kind']> = Extract<WorldEvent<Message>, { readonly kind: K }>;

/** A daemon that remembers what it is told, and does what a case says. */
export class Recorder implements Daemon<Message> {
  readonly id: number;
  readonly world: World<Message>;
  readonly events: WorldEvent<Message>[] = [];
  onEvent: (event: WorldEvent<Message>) => void = () => {};
  decide: (request: AuthRequest) => AuthDecision = () => ({ kind: 'accept', globalId: 0n });
  /** By auth none unless a case says otherwise. */
  auth: Authentication | undefined;
  #handling = false;
  readonly #fixture: ContractFixture;

  private constructor(id: number, world: World<Message>, fixture: ContractFixture) {
    this.id = id;
    this.world = world;
    this.#fixture = fixture;
  }

  static async start(fixture: ContractFixture, id: number): Promise<Recorder> {
    let recorder: Recorder | undefined;
    await fixture.start(id, (world) => {
      recorder = new Recorder(id, world, fixture);
      return recorder;
    });
    return recorder!;
  }

  start(): void {}

  handle(event: WorldEvent<Message>): void {
    if (this.#handling) throw new Error('an event came while another was handled');
    this.#handling = true;
    this.events.push(event);
    this.onEvent(event);
    this.#handling = false;
  }

  authorize(request: AuthRequest): AuthDecision {
    return this.decide(request);
  }

  /** Runs `work` in this daemon's turn; what it causes must not come before it is done. */
  act(work: (world: World<Message>) => void): Promise<void> {
    return this.#fixture.act(this.id, () => {
      if (this.#handling) throw new Error('acted while an event was handled');
      this.#handling = true;
      work(this.world);
      this.#handling = false;
    });
  }

  of<K extends WorldEvent['kind']>(kind: K): EventOf<K>[] {
    return this.events.filter((event): event is EventOf<K> => event.kind === kind);
  }

  /** The `count`-th event of a kind, once it has come. */
  async event<K extends WorldEvent['kind']>(kind: K, count = 1): Promise<EventOf<K>> {
    await this.#fixture.until(() => this.of(kind).length >= count);
    return this.of(kind)[count - 1]!;
  }
}
