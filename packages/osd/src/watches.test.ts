import { AddrType, EMPTY, Errno, utf8 } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import { decodeNotifyOutcome, NOSNAP, type WatchItem, type WatchNotify } from '@spirula/messages';
import { type Instant, seconds } from '@spirula/world';
import { expect, test } from 'vitest';
import type { WatchEffect } from './ops/watch-effect.ts';
import { Watches } from './watches.ts';

const oid: HObject = { pool: 1, nspace: '', key: '', name: 'obj', snap: NOSNAP, hash: 7, max: false };
const addr = { type: AddrType.any, nonce: 1, family: 2, ip: '10.0.0.1', port: 0 } as const;

function item(gid: bigint, cookie: bigint, timeoutSeconds = 30): WatchItem {
  return { entityType: 8, entityNum: gid, cookie, timeoutSeconds, addr };
}

/** The watches of a PG; client n has session n. */
class Bench {
  now: Instant = 0;
  canDrop = true;
  readonly blocklisted = new Set<bigint>();
  readonly told: (readonly [session: number, message: WatchNotify])[] = [];
  readonly dropped: bigint[] = [];
  readonly watches: Watches;
  #wake: Instant | undefined;

  constructor(maxReplyBytes = 1000) {
    const bench = this;
    this.watches = new Watches({
      get now() {
        return bench.now;
      },
      maxReplyBytes,
      send: (session, message) => this.told.push([session, message]),
      wakeAt: (at) => {
        this.#wake = Math.min(this.#wake ?? at, at);
      },
      isBlocklisted: ({ entityNum }) => this.blocklisted.has(entityNum),
      dropWatcher: (_, { cookie }) => {
        if (this.canDrop) this.dropped.push(cookie);
        return this.canDrop;
      },
    });
  }

  do(client: number, ...effects: WatchEffect[]): void {
    const entityNum = BigInt(client);
    this.watches.apply(oid, effects, { session: client, entityType: 8, entityNum, addr, features: 0n }, 5);
  }

  watch(client: number, cookie: bigint, pings = true): void {
    this.do(client, { kind: 'connect', item: item(BigInt(client), cookie), pings });
  }

  notify(client: number, id: bigint, timeoutSeconds = 10): void {
    this.do(client, { kind: 'notify', id, cookie: 99n, timeoutSeconds, payload: utf8('hello') });
  }

  ack(client: number, notifyId: bigint, cookie: bigint, reply = ''): void {
    this.do(client, { kind: 'ack', ack: { notifyId, cookie, reply: utf8(reply) } });
  }

  /** Time passes; what was asked to be woken for is. */
  pass(secondsPassed: number): void {
    const until = this.now + seconds(secondsPassed);
    while (this.#wake !== undefined && this.#wake <= until) {
      this.now = Math.max(this.now, this.#wake);
      this.#wake = undefined;
      this.watches.onTimer();
    }
    this.now = until;
  }

  /** Who was told of notifies, by session. */
  get asked(): number[] {
    return this.told.filter(([, { event }]) => event === 'notify').map(([session]) => session);
  }

  get complete(): { session: number; result: number; acks: string[]; timedOut: bigint[] }[] {
    return this.told
      .filter(([, { event }]) => event === 'notifyComplete')
      .map(([session, { result, data }]) => {
        const { acks, timedOut } = decodeNotifyOutcome(data);
        const shown = acks.map(({ gid, cookie, reply }) => `${gid}/${cookie} ${new TextDecoder().decode(reply)}`);
        return { session, result, acks: shown, timedOut: timedOut.map(({ cookie }) => cookie) };
      });
  }
}

test('a notify is complete when all who watch have acknowledged it', () => {
  const bench = new Bench();
  bench.watch(1, 11n);
  bench.watch(2, 22n);
  bench.notify(3, 7n);
  bench.ack(2, 7n, 22n, 'two');
  expect(bench.complete).toEqual([]);
  bench.ack(1, 7n, 11n, 'one');

  expect(bench.asked).toEqual([1, 2]);
  expect(bench.complete).toEqual([{ session: 3, result: 0, acks: ['1/11 one', '2/22 two'], timedOut: [] }]);
});

test('a notify with nobody there is complete at once', () => {
  const bench = new Bench();
  bench.notify(3, 7n);

  expect(bench.complete).toEqual([{ session: 3, result: 0, acks: [], timedOut: [] }]);
});

test('what is acknowledged twice, by others or for another notify does not count', () => {
  const bench = new Bench();
  bench.watch(1, 11n);
  bench.watch(2, 22n);
  bench.notify(3, 7n);
  bench.ack(1, 7n, 11n);
  bench.ack(1, 7n, 11n);
  bench.ack(1, 7n, 22n);
  bench.ack(2, 8n, 22n);

  expect(bench.complete).toEqual([]);
});

test('an acknowledgement without a cookie is of all watches of its client', () => {
  const bench = new Bench();
  bench.watch(1, 11n);
  bench.watch(1, 12n);
  bench.notify(3, 7n);
  bench.ack(1, 7n, 0n);

  expect(bench.complete).toMatchObject([{ result: 0, acks: ['1/11 ', '1/12 '] }]);
});

test('who does not answer in time is named, and is asked no more', () => {
  const bench = new Bench();
  bench.watch(1, 11n);
  bench.watch(2, 22n);
  bench.notify(3, 7n, 10);
  bench.ack(1, 7n, 11n, 'one');
  bench.pass(9);
  expect(bench.complete).toEqual([]);
  bench.pass(1);
  bench.ack(2, 7n, 22n);

  expect(bench.complete).toEqual([{ session: 3, result: Errno.ETIMEDOUT, acks: ['1/11 one'], timedOut: [22n] }]);
});

test('a watcher that leaves is not waited for any longer', () => {
  const bench = new Bench();
  bench.watch(1, 11n);
  bench.notify(3, 7n);
  bench.do(1, { kind: 'disconnect', watcher: item(1n, 11n), tell: false });

  expect(bench.complete).toEqual([{ session: 3, result: 0, acks: [], timedOut: [] }]);
  expect(bench.told.map(([, { event }]) => event)).toEqual(['notify', 'notifyComplete']);
});

test('a watcher whose object goes is told', () => {
  const bench = new Bench();
  bench.watch(1, 11n);
  bench.do(2, { kind: 'disconnect', watcher: item(1n, 11n), tell: true });

  expect(bench.told).toMatchObject([[1, { event: 'disconnect', cookie: 11n, payload: EMPTY }]]);
});

test('a watcher without a session hears of a notify when it is back', () => {
  const bench = new Bench();
  bench.watches.load(oid, [item(1n, 11n)]);
  bench.notify(3, 7n);
  expect(bench.asked).toEqual([]);
  bench.watch(1, 11n);
  bench.ack(1, 7n, 11n, 'late');

  expect(bench.complete).toMatchObject([{ acks: ['1/11 late'] }]);
});

test('one that connects where it is connected is not told again', () => {
  const bench = new Bench();
  bench.watch(1, 11n);
  bench.notify(3, 7n);
  bench.watch(1, 11n);

  expect(bench.asked).toEqual([1]);
});

test('a watcher leaves when it has not pinged for its timeout', () => {
  const bench = new Bench();
  bench.watch(1, 11n);
  bench.pass(29);
  bench.do(1, { kind: 'ping', watcher: item(1n, 11n) });
  bench.pass(29);
  expect(bench.dropped).toEqual([]);
  bench.pass(1);

  expect(bench.dropped).toEqual([11n]);
});

test('a ping of a watcher without a session gives it no time', () => {
  const bench = new Bench();
  bench.watch(1, 11n);
  bench.watches.onSessionClosed(1);
  bench.pass(29);
  bench.do(1, { kind: 'ping', watcher: item(1n, 11n) });
  bench.pass(1);

  expect(bench.dropped).toEqual([11n]);
});

test('one of the older kind lives as long as its session, and its timeout longer', () => {
  const bench = new Bench();
  bench.watch(1, 11n, false);
  bench.pass(1000);
  expect(bench.dropped).toEqual([]);
  bench.watches.onSessionClosed(1);
  bench.pass(29);
  expect(bench.dropped).toEqual([]);
  bench.pass(1);

  expect(bench.dropped).toEqual([11n]);
});

test('those read from an object have their timeout to come back', () => {
  const bench = new Bench();
  bench.watches.load(oid, [item(1n, 11n, 5), item(2n, 22n, 5)]);
  bench.pass(3);
  bench.watches.load(oid, [item(1n, 11n, 5), item(2n, 22n, 5)]);
  bench.watch(1, 11n);
  bench.pass(2);

  expect(bench.dropped).toEqual([22n]);
  expect(bench.watches.isConnected(oid, item(1n, 11n))).toBe(true);
});

test('what cannot be taken from its object now is tried again', () => {
  const bench = new Bench();
  bench.watch(1, 11n);
  bench.canDrop = false;
  bench.pass(35);
  expect(bench.dropped).toEqual([]);
  bench.canDrop = true;
  bench.pass(1);

  expect(bench.dropped).toEqual([11n]);
});

test('watchers of blocklisted clients leave at once', () => {
  const bench = new Bench();
  bench.watch(1, 11n);
  bench.watch(2, 22n);
  bench.blocklisted.add(1n);
  bench.watches.dropBlocklisted();
  bench.blocklisted.add(3n);
  bench.watches.load({ ...oid, name: 'other' }, [item(3n, 33n)]);

  expect(bench.dropped).toEqual([11n, 33n]);
});

test('a reply that there is no room for counts as none', () => {
  const bench = new Bench(4);
  bench.watch(1, 11n);
  bench.watch(2, 22n);
  bench.notify(3, 7n);
  bench.ack(1, 7n, 11n, 'abc');
  bench.ack(2, 7n, 22n, 'de');
  bench.pass(10);

  expect(bench.complete).toMatchObject([{ acks: ['1/11 abc'], timedOut: [22n] }]);
});

test('notifies of an interval that is over are complete to nobody', () => {
  const bench = new Bench();
  bench.watch(1, 11n);
  bench.notify(3, 7n);
  bench.watches.onReset();
  bench.ack(1, 7n, 11n);
  bench.pass(100);

  expect(bench.complete).toEqual([]);
  expect(bench.dropped).toEqual([]);
});
