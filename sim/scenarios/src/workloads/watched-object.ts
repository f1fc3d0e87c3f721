/**
 * Who watches one object, as the clients themselves know it, and what each was told:
 *
 *   a notify that all have acknowledged: by every watch that the OSDs had throughout
 *   one number of a notify:              told a watch once, and again only after it has connected anew
 *   a watch that is broken:              its client was silent for its timeout
 */
import type { RawString } from '@spirula/encoding';
import type { NotifyOutcome } from '@spirula/messages';
import { type Instant, seconds } from '@spirula/world';

/** What of a watch's timeout is certain: clocks differ, and timers are late. */
const CERTAIN_SHARE = 0.9;

/** A watch, as its client sees it. */
export interface ClientWatch {
  readonly client: string;
  readonly cookie: bigint;
  /** How long ago the OSDs were known to have it, by the client's clock; negative when it is broken. */
  age(): Instant;
  /** How many times it has connected. */
  connections(): number;
}

interface Told {
  readonly payload: RawString;
  readonly connection: number;
}

interface Entry {
  readonly watch: ClientWatch;
  readonly told: Map<bigint, Told>;
}

/** Those who watched when a notify began. */
export type NotifyStart = readonly ClientWatch[];

export class WatchedObject {
  readonly name: RawString;
  readonly timeoutSeconds: number;
  readonly #entries = new Map<ClientWatch, Entry>();

  constructor(name: RawString, timeoutSeconds: number) {
    this.name = name;
    this.timeoutSeconds = timeoutSeconds;
  }

  /** An OSD has said that it has the watch. */
  add(watch: ClientWatch): void {
    this.#entries.set(watch, { watch, told: new Map() });
  }

  /** Its client ends it, or has died. */
  remove(watch: ClientWatch): void {
    this.#entries.delete(watch);
  }

  removeAllOf(client: string): void {
    for (const watch of this.#entries.keys()) if (watch.client === client) this.#entries.delete(watch);
  }

  /** Its client was told that it is broken, after it was known to be whole so long ago. Returns what is wrong with that. */
  break(watch: ClientWatch, age: Instant, code: number): string | undefined {
    this.remove(watch);
    if (!this.#isCertain(age)) return undefined;
    return `${nameOf(watch)} is broken with ${code}, and was whole ${age} us before`;
  }

  /** A watch was told of a notify. */
  tell(watch: ClientWatch, notifyId: bigint, payload: RawString): string | undefined {
    const entry = this.#entries.get(watch);
    if (!entry) return undefined;
    const connection = watch.connections();
    const before = entry.told.get(notifyId);
    entry.told.set(notifyId, { payload, connection });
    if (before === undefined || before.connection !== connection) return undefined;
    return `${nameOf(watch)} was told twice of notify ${notifyId}`;
  }

  beginNotify(): NotifyStart {
    return [...this.#entries.keys()];
  }

  /** All who were waited for have acknowledged, as `outcome` says. Returns what is wrong with that. */
  endNotify(start: NotifyStart, payload: RawString, { acks }: NotifyOutcome): string | undefined {
    for (const watch of start) {
      const entry = this.#entries.get(watch);
      const age = watch.age();
      if (!entry || age < 0 || !this.#isCertain(age)) continue;
      const wasTold = [...entry.told.values()].some((told) => told.payload === payload);
      if (!wasTold) return `${nameOf(watch)} was not told of ${payload}, which all have acknowledged`;
      // Two clients may use one cookie.
      if (!acks.some(({ cookie }) => cookie === watch.cookie)) return `${nameOf(watch)} did not acknowledge ${payload}`;
    }
    return undefined;
  }

  #isCertain(age: Instant): boolean {
    return age < CERTAIN_SHARE * seconds(this.timeoutSeconds);
  }
}

function nameOf({ client, cookie }: ClientWatch): string {
  return `watch ${client}/${cookie}`;
}
