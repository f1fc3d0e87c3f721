/**
 * The OSDMaps an OSD keeps: every epoch from `oldest` to `newest`, in the omap of one object of the store's `meta`
 * collection. Maps arrive whole or as increments and are taken in one epoch after another; where the monitors have trimmed
 * what would come next, a whole map starts anew.
 */
import { Decoder, Encoder, type Epoch, MalformedInput, type PoolId, type RawString } from '@spirula/encoding';
import {
  crcOfFullMap,
  decodeIncremental,
  emptyOsdMap,
  encodingOf,
  followIncremental,
  type OsdMap,
  readOsdMap,
} from '@spirula/maps';
import type { OsdMapMessage } from '@spirula/messages';
import type { ObjectStore, TransactionOp } from '@spirula/objectstore';
import type { Log } from '@spirula/world';
import { META_CID, metaOid } from './osd-superblock.ts';

const MAPS_OID = metaOid('osdmaps');
/** Decoded maps kept at hand. */
const CACHE_SIZE = 50;
/** Epochs in one message to a peer or client (osd_map_message_max). */
const MESSAGE_MAX = 40;

function fullKey(epoch: Epoch): RawString {
  return `full.${epoch.toString().padStart(10, '0')}`;
}

function incKey(epoch: Epoch): RawString {
  return `inc.${epoch.toString().padStart(10, '0')}`;
}

function poolKey(pool: PoolId): RawString {
  return `pool.${pool}`;
}

export class OsdMapStore {
  readonly #store: ObjectStore;
  readonly #log: Log;
  readonly #cache = new Map<Epoch, OsdMap>();
  /** In which epoch each pool came into being, for pools that did under these maps. */
  readonly #poolCreated = new Map<PoolId, Epoch>();
  #oldest: Epoch = 0;
  #newest: Epoch = 0;
  #current: OsdMap | undefined;

  constructor(store: ObjectStore, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  get oldest(): Epoch {
    return this.#oldest;
  }

  get newest(): Epoch {
    return this.#newest;
  }

  get current(): OsdMap | undefined {
    return this.#current;
  }

  /** Since when a pool exists; undefined when that was before the oldest map kept. */
  poolCreated(pool: PoolId): Epoch | undefined {
    const epoch = this.#poolCreated.get(pool);
    return epoch !== undefined && epoch >= this.#oldest ? epoch : undefined;
  }

  load(oldest: Epoch, newest: Epoch): void {
    this.#oldest = oldest;
    this.#newest = newest;
    if (newest === 0) return;
    this.#current = this.at(newest);
    for (const [key, value] of this.#store.omapList(META_CID, MAPS_OID, 'pool.', 100_000)) {
      if (!key.startsWith('pool.')) break;
      this.#poolCreated.set(Number(key.slice(5)), new Decoder(value).u32('epoch'));
    }
  }

  /** The map of an epoch that is kept. */
  at(epoch: Epoch): OsdMap | undefined {
    if (epoch === this.#current?.epoch) return this.#current;
    if (epoch < this.#oldest || epoch > this.#newest) return undefined;
    const cached = this.#cache.get(epoch);
    if (cached) return cached;
    const encoded = this.#store.omapGet(META_CID, MAPS_OID, [fullKey(epoch)]).get(fullKey(epoch));
    if (!encoded) return undefined;
    const map = readOsdMap(encoded);
    this.#remember(map);
    return map;
  }

  #remember(map: OsdMap): void {
    this.#cache.set(map.epoch, map);
    for (const epoch of this.#cache.keys()) {
      if (this.#cache.size <= CACHE_SIZE) break;
      this.#cache.delete(epoch);
    }
  }

  /**
   * Takes in what a message brings beyond the newest map, and adds it to `transaction`.
   *
   * @returns the maps, in order; and whether something is still lacking in between, to be asked for
   */
  take(
    message: OsdMapMessage,
    transaction: TransactionOp[],
  ): { readonly maps: readonly OsdMap[]; readonly lacking: boolean } {
    const maps: OsdMap[] = [];
    const put = new Map<RawString, Uint8Array>();
    for (;;) {
      const epoch = this.#newest + 1;
      const next = this.#next(message, epoch, put);
      if (!next) break;
      this.#notePools(next, put);
      if (next.epoch !== epoch) this.#skipTo(next.epoch, transaction);
      if (this.#oldest === 0) this.#oldest = next.epoch;
      this.#newest = next.epoch;
      this.#current = next;
      this.#remember(next);
      maps.push(next);
    }
    if (put.size > 0) transaction.push({ op: 'omapSet', cid: META_CID, oid: MAPS_OID, entries: put });
    return { maps, lacking: message.newest > this.#newest };
  }

  #next(message: OsdMapMessage, epoch: Epoch, put: Map<RawString, Uint8Array>): OsdMap | undefined {
    const increment = message.incrementals.get(epoch);
    const full = message.fulls.get(epoch) ?? this.#afterGap(message, epoch);
    try {
      if (increment && (this.#current || epoch === 1)) {
        const before = this.#current ?? emptyOsdMap(decodeIncremental(increment).fsid);
        const { map, increment: inc } = followIncremental(before, increment);
        const encoded = encodingOf(map);
        if (inc.fullCrc === 0 || crcOfFullMap(encoded) === inc.fullCrc) {
          put.set(fullKey(map.epoch), encoded).set(incKey(map.epoch), increment);
          return map;
        }
        this.#log.error('an incremental map leads to a full one with another crc', { epoch });
      }
      if (!full) return undefined;
      const map = readOsdMap(full);
      put.set(fullKey(map.epoch), full);
      return map;
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      this.#log.error('an OSDMap does not parse', { epoch, error: error.message });
      return undefined;
    }
  }

  /** The first whole map there is, where nobody has the epochs before it any more; for a fresh OSD, wherever it begins. */
  #afterGap(message: OsdMapMessage, epoch: Epoch): Uint8Array | undefined {
    if (this.#newest > 0 && message.oldest <= epoch) return undefined;
    const later = [...message.fulls.keys()].filter((each) => each > epoch).sort((a, b) => a - b);
    return later.length > 0 ? message.fulls.get(later[0]!) : undefined;
  }

  #skipTo(epoch: Epoch, transaction: TransactionOp[]): void {
    if (this.#newest > 0)
      this.#log.warn('maps are gone that were not seen here', { from: this.#newest + 1, to: epoch });
    this.#trimTo(epoch, transaction);
    this.#poolCreated.clear();
  }

  #notePools(next: OsdMap, put: Map<RawString, Uint8Array>): void {
    const before = this.#current;
    const follows = before ? next.epoch === before.epoch + 1 : next.epoch === 1;
    for (const pool of [...this.#poolCreated.keys()]) if (!next.pools.has(pool)) this.#poolCreated.delete(pool);
    if (!follows) return;
    for (const pool of next.pools.keys()) {
      if (before?.pools.has(pool)) continue;
      this.#poolCreated.set(pool, next.epoch);
      const encoder = new Encoder(4);
      encoder.u32(next.epoch);
      put.set(poolKey(pool), encoder.finish());
    }
  }

  /** Forgets maps before `epoch`. */
  trim(epoch: Epoch, transaction: TransactionOp[]): void {
    this.#trimTo(Math.min(epoch, this.#newest), transaction);
  }

  #trimTo(epoch: Epoch, transaction: TransactionOp[]): void {
    if (epoch <= this.#oldest || this.#oldest === 0) return;
    const range = (first: RawString, last: RawString): TransactionOp => ({
      op: 'omapRmRange',
      cid: META_CID,
      oid: MAPS_OID,
      first,
      last,
    });
    transaction.push(range(fullKey(this.#oldest), fullKey(epoch)), range(incKey(this.#oldest), incKey(epoch)));
    for (const each of [...this.#cache.keys()]) if (each < epoch) this.#cache.delete(each);
    this.#oldest = epoch;
  }

  /** What somebody who has `since` lacks: at most so many epochs, from the first that can be had. */
  messageSince(since: Epoch): OsdMapMessage | undefined {
    if (!this.#current || since >= this.#newest) return undefined;
    const incrementals = new Map<Epoch, Uint8Array>();
    const fulls = new Map<Epoch, Uint8Array>();
    const first = Math.max(since + 1, this.#oldest);
    const last = Math.min(this.#newest, first + MESSAGE_MAX - 1);
    const keys: RawString[] = [];
    for (let epoch = first; epoch <= last; epoch++) keys.push(incKey(epoch));
    const found = this.#store.omapGet(META_CID, MAPS_OID, keys);
    for (let epoch = first; epoch <= last; epoch++) {
      const increment = found.get(incKey(epoch));
      // The first whole, where the receiver lacks what it follows from.
      if (increment && (epoch > first || since + 1 >= this.#oldest)) incrementals.set(epoch, increment);
      else {
        const full = this.#store.omapGet(META_CID, MAPS_OID, [fullKey(epoch)]).get(fullKey(epoch));
        if (full) fulls.set(epoch, full);
      }
    }
    return {
      type: 'osd_map',
      fsid: this.#current.fsid,
      incrementals,
      fulls,
      oldest: this.#oldest,
      newest: this.#newest,
      gapRemovedSnaps: new Map(),
    };
  }
}
