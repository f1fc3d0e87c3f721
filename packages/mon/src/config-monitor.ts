/**
 * Options set centrally (mon/ConfigMonitor.cc). They and their history are keys of the config-key store:
 *
 *   config/osd/class:ssd/osd_max_backfills                     the value
 *   config-history/7/                                          when the seventh change was made, and why
 *   config-history/7/-osd/osd_max_backfills, …/+osd/…          what was there before it, and after
 */
import { type ConfigLocation, ConfigMap, type CrushTypeNumbers, type MaskedOption } from '@spirula/config';
import { deviceClassOf, itemByName, locationOf } from '@spirula/crush';
import {
  Decoder,
  decodeUTime,
  Encoder,
  type EntityName,
  encodeUTime,
  fromUtf8,
  type UTime,
  utf8,
} from '@spirula/encoding';
import type { OsdMap } from '@spirula/maps';
import type { KvMonitor } from './kv-monitor.ts';
import type { MonTransaction } from './mon-store.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';

const PREFIX = 'config';
const VALUES = 'config/';
const HISTORY = 'config-history/';
/** A cluster begins with this version: nothing is set. */
const FIRST_VERSION = 1;

export interface ConfigChangeSet {
  readonly version: number;
  readonly stamp: UTime;
  /** Why, such as `reset to 3`; empty for plain changes. */
  readonly name: string;
  /** By key, such as `osd/debug_ms`, in their order. */
  readonly changes: ReadonlyMap<string, { readonly before?: string; readonly after?: string }>;
}

/** Keys such as `osd/debug_ms` and what they become; undefined: nothing is set any more. */
export type ConfigChanges = ReadonlyMap<string, string | undefined>;

export class ConfigMonitor implements PaxosService {
  readonly #context: ServiceContext;
  readonly #kv: KvMonitor;
  /** The values by key, as they are committed, and as they will be. */
  #committed = new Map<string, string>();
  #draft = new Map<string, string>();
  #map = new ConfigMap([]);
  #version = 0;
  #draftVersion = 0;

  constructor(context: ServiceContext, kv: KvMonitor) {
    this.#context = context;
    this.#kv = kv;
  }

  get dirty(): boolean {
    return this.#draftVersion > this.#version;
  }

  get version(): number {
    return this.#version;
  }

  get map(): ConfigMap {
    return this.#map;
  }

  /** Takes changes; false when all is so already. */
  apply(changes: ConfigChanges, why = ''): boolean {
    const real = [...changes].filter(([key, value]) => this.#draft.get(key) !== value);
    if (real.length === 0) return false;
    this.#draftVersion += 1;
    const history = `${HISTORY}${this.#draftVersion}/`;
    this.#kv.set(history, encodeHistory(this.#context.wall(), why));
    for (const [key, value] of real) {
      const before = this.#draft.get(key);
      if (before !== undefined) this.#kv.set(`${history}-${key}`, utf8(before));
      if (value !== undefined) this.#kv.set(`${history}+${key}`, utf8(value));
      this.#kv.set(VALUES + key, value === undefined ? undefined : utf8(value));
      if (value === undefined) this.#draft.delete(key);
      else this.#draft.set(key, value);
    }
    this.#context.changed();
    return true;
  }

  /** What undoes every change after `version`. */
  changesBackTo(version: number): ConfigChanges {
    const changes = new Map<string, string | undefined>();
    for (let each = this.#version; each > version; each--) {
      for (const [key, { before }] of this.changeSet(each).changes) changes.set(key, before);
    }
    return changes;
  }

  changeSet(version: number): ConfigChangeSet {
    const prefix = `${HISTORY}${version}/`;
    const changes = new Map<string, { before?: string; after?: string }>();
    let about = { stamp: { sec: 0, nsec: 0 }, name: '' };
    for (const [key, value] of this.#kv.list(prefix)) {
      const rest = key.slice(prefix.length);
      if (rest === '') {
        about = decodeHistory(value);
        continue;
      }
      const change = changes.get(rest.slice(1)) ?? {};
      change[rest.startsWith('-') ? 'before' : 'after'] = fromUtf8(value);
      changes.set(rest.slice(1), change);
    }
    return { version, ...about, changes: new Map([...changes].sort(([a], [b]) => (a < b ? -1 : 1))) };
  }

  /** What holds for a daemon or client, by name; `host` is where it says it runs. */
  optionsFor(entity: EntityName, osdmap: OsdMap, host: string): Map<string, MaskedOption> {
    return this.#map.valuesFor(entity, locate(entity, osdmap, host), typeNumbers(osdmap));
  }

  /** The same as plain values, as daemons and clients are told. */
  valuesFor(entity: EntityName, osdmap: OsdMap, host: string): Map<string, string> {
    return new Map([...this.optionsFor(entity, osdmap, host)].map(([name, { value }]) => [name, value]));
  }

  refresh(): void {
    const version = this.#context.store.getNumber(PREFIX, 'last_committed') || FIRST_VERSION;
    if (version === this.#version) return;
    this.#version = version;
    this.#committed = new Map(
      [...this.#kv.list(VALUES)].map(([key, value]) => [key.slice(VALUES.length), fromUtf8(value)]),
    );
    this.#map = new ConfigMap(this.#committed);
    if (this.#draftVersion <= version) this.#dropDraft();
  }

  onLeading(): void {
    this.#dropDraft();
  }

  encodePending(transaction: MonTransaction): void {
    transaction.putNumber(PREFIX, 'last_committed', this.#draftVersion);
  }

  #dropDraft(): void {
    this.#draft = new Map(this.#committed);
    this.#draftVersion = this.#version;
  }
}

/** Where a daemon or client stands, as far as masks ask for it (ConfigMonitor::refresh_config). */
function locate(entity: EntityName, { crush }: OsdMap, host: string): ConfigLocation {
  const osd = entity.type === 'osd' ? Number(entity.id) : undefined;
  const isKnown = osd !== undefined && crush.names.has(osd);
  const machine = host === '' ? undefined : itemByName(crush, host);
  const ofHost = machine === undefined ? [] : [...locationOf(crush, machine), ['host', host] as const];
  return {
    crush: new Map([...ofHost, ...(isKnown ? locationOf(crush, osd) : [])]),
    deviceClass: (isKnown && deviceClassOf(crush, osd)) || '',
  };
}

function typeNumbers({ crush }: OsdMap): CrushTypeNumbers {
  return new Map([...crush.typeNames].map(([number, name]) => [name, number]));
}

function encodeHistory(stamp: UTime, name: string): Uint8Array {
  const to = new Encoder(32);
  encodeUTime(to, stamp);
  to.string(name);
  return to.finish();
}

function decodeHistory(bytes: Uint8Array): { stamp: UTime; name: string } {
  const from = new Decoder(bytes);
  return { stamp: decodeUTime(from, 'history'), name: from.string('history') };
}
