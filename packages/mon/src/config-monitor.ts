/** Options set centrally (mon/ConfigMonitor.cc): `config set WHO NAME VALUE`. */
import { fromUtf8, utf8 } from '@spirula/encoding';
import type { MonTransaction } from './mon-store.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';

const PREFIX = 'config';

export interface ConfigEntry {
  /** `global`, a daemon type, or one daemon. */
  readonly section: string;
  readonly name: string;
  readonly value: string;
}

export class ConfigMonitor implements PaxosService {
  readonly #context: ServiceContext;
  readonly #values = new Map<string, string>();
  #pending = new Map<string, string | undefined>();

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  get dirty(): boolean {
    return this.#pending.size > 0;
  }

  get entries(): ConfigEntry[] {
    return [...this.#values].map(([key, value]) => {
      const slash = key.indexOf('/');
      return { section: key.slice(0, slash), name: key.slice(slash + 1), value };
    });
  }

  set(section: string, name: string, value: string | undefined): void {
    this.#pending.set(`${section}/${name}`, value);
    this.#context.changed();
  }

  /** Options that hold for a daemon or client, the most specific section winning. */
  valuesFor(type: string, id: string): Map<string, string> {
    const values = new Map<string, string>();
    for (const section of ['global', type, `${type}.${id}`]) {
      for (const entry of this.entries) if (entry.section === section) values.set(entry.name, entry.value);
    }
    return values;
  }

  refresh(): void {
    this.#values.clear();
    for (const [key, value] of this.#context.store.list(PREFIX)) this.#values.set(key, fromUtf8(value));
  }

  onLeading(): void {
    this.#pending.clear();
  }

  encodePending(transaction: MonTransaction): void {
    for (const [key, value] of this.#pending) {
      if (value === undefined) transaction.del(PREFIX, key);
      else transaction.put(PREFIX, key, utf8(value));
    }
    this.#pending = new Map();
  }
}
