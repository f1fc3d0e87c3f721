/** Keys and values that anyone may leave with the monitors (mon/KVMonitor.cc): `config-key`. Options and their history are there, too. */
import type { Bytes } from '@spirula/encoding';
import type { MonTransaction } from './mon-store.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';

const PREFIX = 'mon_config_key';

export class KvMonitor implements PaxosService {
  readonly #context: ServiceContext;
  /** Changes in the order they were asked for; undefined removes. */
  #pending = new Map<string, Bytes | undefined>();

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  get dirty(): boolean {
    return this.#pending.size > 0;
  }

  get(key: string): Bytes | undefined {
    return this.#context.store.get(PREFIX, key);
  }

  /** What is committed, in the order of keys: keys that begin with `prefix`. */
  *list(prefix = ''): Iterable<readonly [key: string, value: Bytes]> {
    for (const [key, value] of this.#context.store.list(PREFIX)) if (key.startsWith(prefix)) yield [key, value];
  }

  set(key: string, value: Bytes | undefined): void {
    this.#pending.set(key, value);
    this.#context.changed();
  }

  /** What is committed is read where it is asked for. */
  refresh(): void {}

  onLeading(): void {
    this.#pending.clear();
  }

  encodePending(transaction: MonTransaction): void {
    for (const [key, value] of this.#pending) {
      if (value === undefined) transaction.del(PREFIX, key);
      else transaction.put(PREFIX, key, value);
    }
    this.#pending = new Map();
  }
}
