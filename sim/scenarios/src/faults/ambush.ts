/**
 * Faults that know the cluster and wait for the worst moment:
 *
 *   a write   its PG's OSDs are all struck down when a client has just been told of it, or they one another
 *   corner    a client and a primary are cut off together; the client goes on reading what another client goes on writing
 *             on the other side; or, once a member is gone, a client and all who are left, just when they begin to peer,
 *             and the member that is gone comes back on the other side
 */
import type { PgId, RawString } from '@spirula/encoding';
import type { SeededRandom, SimProcess } from '@spirula/sim-world';
import type { Instant } from '@spirula/world';
import type { ClientPlace, SimCluster } from '../cluster.ts';

/** What is done to processes. */
export interface Blows {
  /** They are started again after a while, each in its time; not before `leastUs`, where that is given. */
  strikeDown(processes: readonly SimProcess[], how: 'crash' | 'power-loss', why: string, leastUs?: Instant): void;
  /** Those of the group reach one another and nobody else. */
  cutOff(group: readonly SimProcess[], durationUs: Instant, then: () => void): void;
  later(delay: Instant, run: () => void): void;
  /** Sets one going that is hung or stopped. */
  recover(process: SimProcess): void;
  /** The client does this above all for so long. */
  focus(client: SimProcess, object: RawString, how: 'reading' | 'writing', durationUs: Instant): void;
}

/** The members of an object's PG that are to be cornered once one of them is gone. */
interface Quarry {
  readonly client: ClientPlace;
  readonly object: RawString;
  readonly acting: readonly SimProcess[];
}

/** Bytes of one write that an object store does not take through its journal. */
const LARGE_WRITE = 80_000;
/** So long after a new interval is known its members are cut off: others have heard of it meanwhile, or not. */
const CORNER_DELAYS: readonly Instant[] = [1, 1000, 50_000];

export class Ambush {
  readonly #cluster: SimCluster;
  readonly #random: SeededRandom;
  readonly #graceUs: Instant;
  readonly #blows: Blows;
  #active = false;
  /** What it is that the OSDs of a PG will be struck down at. */
  #awaited: 'acknowledgement' | 'large acknowledgement' | 'reply' | undefined;
  #quarry: Quarry | undefined;
  /** Some are cut off together now: one such group at a time. */
  #cornered = false;

  /** @param graceUs OSDs that are silent for so long are reported: whoever is to be taken for dead is cut off for longer */
  constructor(cluster: SimCluster, random: SeededRandom, graceUs: Instant, blows: Blows) {
    this.#cluster = cluster;
    this.#random = random;
    this.#graceUs = graceUs;
    this.#blows = blows;
    cluster.onAcknowledged = (object, bytes) => this.#onAcknowledged(object, bytes);
    cluster.simulation.onEvent((process, event) => {
      if (event.kind !== 'message') return;
      if (event.message.type === 'osd_map') this.#onMap(process);
      else if (event.message.type === 'osd_repop_reply') this.#onReply(process, event.message.pgid);
    });
  }

  begin(): void {
    this.#active = true;
  }

  end(): void {
    this.#active = false;
  }

  // A write

  awaitWrite(): void {
    this.#awaited = this.#random.pick(['acknowledgement', 'large acknowledgement', 'reply'] as const);
  }

  #onAcknowledged(object: RawString, bytes: number): void {
    const isAwaited =
      this.#awaited === 'acknowledgement' || (this.#awaited === 'large acknowledgement' && bytes >= LARGE_WRITE);
    if (!isAwaited || !this.#active) return;
    this.#awaited = undefined;
    const acting = processesOf(this.#cluster.actingFor(object));
    const why = `a write of ${bytes} bytes to ${object} was just acknowledged`;
    this.#strikeDown(acting, 'power-loss', why);
  }

  /** A primary has heard from another member that it has a write. */
  #onReply(primary: SimProcess, pgid: PgId): void {
    if (this.#awaited !== 'reply' || !this.#active) return;
    const acting = processesOf(this.#cluster.actingOf(pgid));
    if (acting[0] !== primary) return;
    this.#awaited = undefined;
    this.#strikeDown(acting, 'crash', 'a write was just replicated');
  }

  #strikeDown(acting: readonly SimProcess[], how: 'crash' | 'power-loss', why: string): void {
    const [primary, ...others] = acting;
    // Not in a daemon's turn.
    this.#blows.later(0, () => {
      if (primary === undefined || this.#random.oneIn(2)) {
        this.#blows.strikeDown(acting, how, why);
        return;
      }
      // The others go on without it, if they may.
      this.#blows.strikeDown([primary], how, why, 2 * this.#graceUs);
      this.#blows.strikeDown(others, how, why);
    });
  }

  // Corner

  corner(): void {
    if (this.#quarry === undefined) this.#layInWait();
    else if (!this.#cornered) this.#cornerReader();
  }

  /** The OSD may not know for long that it is no longer what the client takes it for. */
  #cornerReader(): void {
    const [reader, writer] = this.#random.shuffle(this.#cluster.clients);
    const object = this.#random.pick(this.#cluster.work.names);
    const [primary] = processesOf(this.#cluster.actingFor(object));
    if (primary === undefined || writer === undefined) return;
    const duration = this.#cutOff([primary, reader!.process]);
    this.#blows.focus(reader!.process, object, 'reading', duration);
    this.#blows.focus(writer.process, object, 'writing', duration);
  }

  #layInWait(): void {
    const client = this.#random.pick(this.#cluster.clients);
    const object = this.#random.pick(this.#cluster.work.names);
    this.#quarry = { client, object, acting: processesOf(this.#cluster.actingFor(object)) };
  }

  /** A daemon has taken a map. What it makes of it is still on its way. */
  #onMap(process: SimProcess): void {
    const quarry = this.#quarry;
    if (quarry === undefined || this.#cornered || !this.#active) return;
    const acting = processesOf(this.#cluster.actingFor(quarry.object));
    const { client, object, acting: before } = quarry;
    const gone = before.filter((member) => !acting.includes(member));
    if (gone.length === 0) {
      this.#quarry = { client, object, acting };
      return;
    }
    if (acting[0] !== process) return;
    this.#quarry = undefined;
    this.#blows.later(this.#random.below(this.#random.pick(CORNER_DELAYS)), () => {
      const duration = this.#cutOff([...acting, client.process]);
      this.#blows.focus(client.process, object, 'writing', duration);
      for (const member of gone) this.#blows.later(this.#random.below(duration), () => this.#blows.recover(member));
    });
  }

  /** Returns for how long. */
  #cutOff(group: readonly SimProcess[]): Instant {
    const duration = this.#graceUs + this.#random.below(3 * this.#graceUs);
    this.#cornered = true;
    this.#blows.cutOff(group, duration, () => {
      this.#cornered = false;
    });
    return duration;
  }
}

function processesOf(places: readonly { readonly process: SimProcess }[]): SimProcess[] {
  return places.map(({ process }) => process);
}
