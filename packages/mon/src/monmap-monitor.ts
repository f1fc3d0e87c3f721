/**
 * The monitor map under Paxos (mon/MonmapMonitor.cc): one epoch a change, and all epochs stay. A change is proposed by
 * itself: while one is pending or being decided there is no other, so that any two maps that follow one another have
 * majorities which meet.
 */
import type { UTime } from '@spirula/encoding';
import { decodeMonMap, encodeMonMap, type MonMap, nextMonMap } from '@spirula/maps';
import type { KeyValue } from '@spirula/world';
import type { Membership } from './membership.ts';
import { MonStore, type MonTransaction, versionKey } from './mon-store.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';

const PREFIX = 'monmap';
const LAST = 'last_committed';
const FULL = 'full:';
/** What belongs to this monitor alone: the map in force here, which also outlives a store that is being copied. */
const OWN_PREFIX = 'mkfs';

export class MonmapMonitor implements PaxosService {
  readonly #context: ServiceContext;
  readonly #membership: Membership;
  #map: MonMap | undefined;
  #pending: MonMap | undefined;

  constructor(context: ServiceContext, membership: Membership) {
    this.#context = context;
    this.#membership = membership;
  }

  get dirty(): boolean {
    return this.#pending !== undefined;
  }

  /** The newest map that is agreed on; undefined until there is one. */
  get map(): MonMap | undefined {
    return this.#map;
  }

  /** Of an epoch; undefined when there is none such. */
  at(epoch: number): MonMap | undefined {
    const bytes = this.#context.store.get(PREFIX, FULL + versionKey(epoch));
    return bytes === undefined ? undefined : decodeMonMap(bytes);
  }

  /** What a change starts from; undefined while another is pending. */
  get changeable(): MonMap | undefined {
    return this.#pending === undefined ? this.#map : undefined;
  }

  /** The leader's: `change` makes the next map from this one. Only where {@link changeable} is there. */
  change(change: (map: MonMap) => MonMap, now: UTime): void {
    this.#pending = change(nextMonMap(this.#map!, now));
    this.#context.changed();
  }

  refresh(): void {
    const epoch = this.#context.store.getNumber(PREFIX, LAST);
    if (epoch !== (this.#map?.epoch ?? 0)) this.#map = this.at(epoch);
  }

  onLeading(): void {
    this.#pending = undefined;
    if (this.#map !== undefined) return;
    this.#pending = { ...this.#membership.monmap, epoch: Math.max(1, this.#membership.monmap.epoch) };
    this.#context.changed();
  }

  encodePending(transaction: MonTransaction): void {
    const map = this.#pending!;
    transaction.put(PREFIX, FULL + versionKey(map.epoch), encodeMonMap(map));
    transaction.putNumber(PREFIX, LAST, map.epoch);
    this.#pending = undefined;
  }
}

/** The map that was in force here last, or a newer one that was agreed on since; undefined in a store without any. */
export function storedMonMap(store: MonStore): MonMap | undefined {
  const own = store.get(OWN_PREFIX, PREFIX);
  const epoch = store.getNumber(PREFIX, LAST);
  const agreed = epoch === 0 ? undefined : store.get(PREFIX, FULL + versionKey(epoch));
  const maps = [agreed, own].flatMap((bytes) => (bytes === undefined ? [] : [decodeMonMap(bytes)]));
  return maps.length === 2 && maps[1]!.epoch > maps[0]!.epoch ? maps[1] : maps[0];
}

/** The same, of a monitor that does not run. */
export function readMonMap(kv: KeyValue): MonMap | undefined {
  return storedMonMap(new MonStore(kv));
}

/** Notes that a map is in force here. */
export function keepMonMap(transaction: MonTransaction, map: MonMap): void {
  transaction.put(OWN_PREFIX, PREFIX, encodeMonMap(map));
}
