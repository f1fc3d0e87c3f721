import type { MonSync } from '@spirula/messages';
import { type KeyValue, KvOverlay } from '@spirula/world';
import { expect, test } from 'vitest';
import { encodeEntries, MonStore, MonTransaction, versionKey } from './mon-store.ts';
import { StoreWriter } from './store-writer.ts';
import { StoreSync } from './sync.ts';

const RECEIVER = 0;
const PROVIDER = 1;

class Side {
  readonly kv: KeyValue;
  readonly store: MonStore;
  readonly sync: StoreSync;
  readonly sent: MonSync[] = [];
  readonly warnings: unknown[] = [];
  finished = 0;
  #cookie = 0;

  constructor(small: boolean) {
    const table = new KvOverlay('stands-alone');
    this.kv = {
      get: (key) => {
        const value = table.get(key);
        return value === 'deleted' ? undefined : value;
      },
      range: (range) => table.range(range),
      submit: (batch) => table.apply(batch),
    };
    this.store = new MonStore(this.kv);
    const silent = () => undefined;
    this.sync = new StoreSync(this.store, new StoreWriter(this.kv), {
      log: {
        debug: silent,
        info: silent,
        error: silent,
        warn: (_, facts) => void this.warnings.push(facts?.['reason']),
      },
      send: (_rank, message) => void this.sent.push(message),
      armTimeout: () => {},
      disarmTimeout: () => {},
      lastCommitted: () => this.lastCommitted,
      cookie: () => {
        this.#cookie += 1;
        return this.#cookie;
      },
      inSmallChunks: () => small,
      reload: () => {},
      finished: () => {
        this.finished += 1;
      },
    });
  }

  get lastCommitted(): number {
    return this.store.getNumber('paxos', 'last_committed');
  }

  /** As Paxos commits: the value, and what it says. */
  commit(change: (transaction: MonTransaction) => void): void {
    const value = new MonTransaction();
    change(value);
    const version = this.lastCommitted + 1;
    const commit = new MonTransaction();
    commit.put('paxos', `v:${versionKey(version)}`, value.encode());
    commit.putNumber('paxos', 'last_committed', version);
    commit.append(value);
    this.kv.submit(commit.toBatch(), 0);
  }

  /** Applies all versions that it holds after the one it says it stands at, as a peon learns them. */
  catchUp(from: Side): void {
    for (let version = this.lastCommitted + 1; version <= from.lastCommitted; version++) {
      const value = from.store.get('paxos', `v:${versionKey(version)}`)!;
      this.commit((transaction) => transaction.append(MonTransaction.decode(value)));
    }
  }

  /** All but what says whether it is whole. */
  get contents(): string[] {
    return this.store
      .prefixes()
      .filter((prefix) => prefix !== 'mon_sync')
      .flatMap((prefix) => [...this.store.list(prefix)].map(([key, value]) => `${prefix} ${key} ${value.join()}`));
  }
}

function filled(small: boolean): Side {
  const provider = new Side(small);
  for (let i = 0; i < 60; i++) {
    provider.commit((transaction) => transaction.put('config', `key${i % 40}`, new Uint8Array(200).fill(i)));
  }
  return provider;
}

/** Passes what was sent on until nothing is; `between` runs before each chunk. Returns how many chunks there were. */
function exchange(receiver: Side, provider: Side, between: () => void = () => {}): number {
  let chunks = 0;
  for (;;) {
    const request = receiver.sent.shift();
    if (request === undefined) return chunks;
    provider.sync.onMessage(RECEIVER, request);
    const chunk = provider.sent.shift()!;
    receiver.sync.onMessage(PROVIDER, chunk);
    chunks += 1;
    between();
  }
}

test('a store is copied in bounded chunks, and nothing of the old one stays', () => {
  const provider = filled(true);
  const receiver = new Side(false);
  receiver.commit((transaction) => transaction.put('osdmap', 'old', new Uint8Array(1)));

  receiver.sync.start(PROVIDER, 0);
  const chunks = exchange(receiver, provider);

  expect(chunks).toBeGreaterThan(5);
  expect(receiver.finished).toBe(1);
  expect(receiver.contents).toEqual(provider.contents);
});

test('what is committed while the store is copied shows in the copy once Paxos has caught up', () => {
  const provider = filled(true);
  const receiver = new Side(false);
  let round = 0;

  receiver.sync.start(PROVIDER, 0);
  exchange(receiver, provider, () => {
    round += 1;
    provider.commit((transaction) => {
      transaction.put('config', `key${(round * 7) % 40}`, Uint8Array.of(round));
      transaction.del('config', `key${(round * 11) % 40}`);
      transaction.put('auth', `new${round}`, Uint8Array.of(round));
    });
  });
  receiver.catchUp(provider);

  expect(receiver.contents).toEqual(provider.contents);
});

test('a promise of the provider is not taken over', () => {
  const provider = filled(false);
  const pending = new MonTransaction();
  for (const key of ['accepted_pn', 'pending_pn', 'pending_v']) pending.putNumber('paxos', key, 61);
  provider.kv.submit(pending.toBatch(), 0);
  const receiver = new Side(false);

  receiver.sync.start(PROVIDER, 0);
  exchange(receiver, provider);

  expect([...receiver.store.list('paxos')].map(([key]) => key)).not.toContain('accepted_pn');
  expect(receiver.store.getNumber('paxos', 'pending_v')).toBe(0);
});

/** A receiver some chunks into a copy of `provider`, which is sent in small chunks. */
function halfway(provider: Side, before = 0): Side {
  const receiver = new Side(false);
  for (let i = 0; i < before; i++) receiver.commit((transaction) => transaction.put('osdmap', 'old', Uint8Array.of(i)));
  receiver.sync.start(PROVIDER, 0);
  for (let i = 0; i < 3; i++) {
    provider.sync.onMessage(RECEIVER, receiver.sent.shift()!);
    receiver.sync.onMessage(PROVIDER, provider.sent.shift()!);
  }
  expect(receiver.contents.length).toBeGreaterThan(1);
  return receiver;
}

test('a copy that was cut short is wiped, by a restart as by a provider that is lost, and the store is not whole', () => {
  const provider = filled(true);

  const restarted = halfway(provider);
  restarted.sync.recover();
  const abandoned = halfway(provider);
  abandoned.sync.onPeerLost(PROVIDER);

  for (const receiver of [restarted, abandoned]) {
    expect(receiver.contents).toEqual([]);
    expect(receiver.sync.floor).toBe(1);
  }
  expect(abandoned.finished).toBe(1);
});

test('the floor is where the store stood before the first of several attempts, and goes with the last', () => {
  const provider = filled(true);
  const receiver = halfway(provider, 20);
  receiver.sync.onTimeout();
  receiver.sync.recover();
  expect(receiver.sync.floor).toBe(20);

  receiver.sent.length = 0;
  receiver.sync.start(PROVIDER, 0);
  expect(receiver.sync.floor).toBe(20);
  exchange(receiver, provider);

  expect(receiver.sync.floor).toBeUndefined();
  expect(receiver.contents).toEqual(provider.contents);
});

test('nothing is taken from a provider below the floor, and nothing given while the own store is not whole', () => {
  const provider = filled(false);
  const receiver = new Side(false);
  for (let i = 0; i <= 60; i++) receiver.commit((transaction) => transaction.put('osdmap', 'old', Uint8Array.of(i)));
  receiver.sync.start(PROVIDER, 0);
  provider.sync.onMessage(RECEIVER, receiver.sent.shift()!);
  receiver.sync.onMessage(PROVIDER, provider.sent.shift()!);

  expect(receiver.contents).toEqual([]);
  expect(receiver.warnings).toEqual(['sync.lastCommitted at offset 0: 60 is below the floor 61']);
  receiver.sync.onMessage(2, { ...blankChunk, op: 'get', after: '' });
  expect(receiver.sent).toEqual([]);
});

const blankChunk = {
  ...{ type: 'mon_sync', op: 'chunk', cookie: 1, after: 'ff', done: true, lastCommitted: 3 },
  data: encodeEntries([]),
} as const satisfies MonSync;

test('a chunk of an earlier copy is not taken for one of this', () => {
  const provider = filled(true);
  const receiver = halfway(provider);
  provider.sync.onMessage(RECEIVER, receiver.sent.shift()!);
  const late = provider.sent.shift()!;
  receiver.sync.onPeerLost(PROVIDER);

  receiver.sync.start(PROVIDER, 0);
  receiver.sync.onMessage(PROVIDER, late);
  exchange(receiver, provider);

  expect(receiver.contents).toEqual(provider.contents);
});

test('chunks of a monitor that is not copied from, or that do not parse, do no harm', () => {
  const provider = filled(false);
  const receiver = new Side(false);
  const before = receiver.contents;
  receiver.sync.start(PROVIDER, 0);
  provider.sync.onMessage(RECEIVER, receiver.sent.shift()!);
  const chunk = provider.sent.shift()!;

  receiver.sync.onMessage(2, chunk);
  receiver.sync.onMessage(PROVIDER, { ...chunk, data: chunk.data.subarray(0, 99) });
  provider.sync.onMessage(RECEIVER, { ...chunk, op: 'get', after: 'not hex' });

  expect(receiver.contents).toEqual(before);
  expect(receiver.finished).toBe(1);
  expect(receiver.warnings).toEqual([expect.stringContaining('the checksum is another')]);
  expect(provider.sent).toEqual([]);
});

test.each([
  ['without a prefix', 'key'],
  ["the receiver's own", 'elector\0epoch'],
  ["the receiver's mark", 'mon_sync\0in_sync'],
  ['not text', '\xff\0x'],
  ['too long', `config\0${'x'.repeat(1020)}`],
])('a chunk with a key that is %s is refused', (_, key) => {
  const receiver = new Side(false);
  receiver.sync.start(PROVIDER, 0);
  const data = encodeEntries([[Uint8Array.from(key, (char) => char.charCodeAt(0)), Uint8Array.of(1)]]);
  receiver.sync.onMessage(PROVIDER, { ...blankChunk, data });

  expect(receiver.contents).toEqual([]);
  expect(receiver.finished).toBe(1);
  expect(receiver.sync.floor).toBe(1);
});

test('a provider that does not go on is given up', () => {
  const provider = filled(true);
  const receiver = halfway(provider);
  provider.sync.onMessage(RECEIVER, receiver.sent.shift()!);
  const chunk = provider.sent.shift()!;

  receiver.sync.onMessage(PROVIDER, chunk);
  receiver.sync.onMessage(PROVIDER, chunk);

  expect(receiver.warnings).toEqual(['sync.after at offset 0: goes not on']);
});
