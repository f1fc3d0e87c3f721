/** When the secrets that tickets are sealed with are replaced. */
import type { Bytes } from '@spirula/encoding';
import { makeConfig, SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import type { MonTransaction } from './mon-store.ts';
import type { ServiceContext } from './paxos-service.ts';
import { RotatingSecretsMonitor } from './rotating-secrets.ts';

const TTL = 100;
const DAY = 86_400;

/** A leader whose wall clock can be set. */
class Bench {
  now = 0;
  /** What its wall clock shows at `now` 0, in seconds. */
  wallAtStart = 1_000_000;
  readonly #stored = new Map<string, Bytes>();
  readonly monitor: RotatingSecretsMonitor;
  #drawn = 0;

  constructor() {
    const context = {
      config: makeConfig({ auth_service_ticket_ttl: TTL, auth_mon_ticket_ttl: TTL }),
      crypto: { randomBytes: (count: number) => new Uint8Array(count).fill(++this.#drawn) },
      store: { get: (_prefix: string, key: string) => this.#stored.get(key) },
      now: () => this.now * SECOND,
      wall: () => ({ sec: this.wallAtStart + this.now, nsec: 0 }),
      changed: () => {},
    };
    this.monitor = new RotatingSecretsMonitor(context as unknown as ServiceContext, true);
    this.monitor.onLeading();
    this.#commit();
  }

  #commit(): void {
    if (!this.monitor.dirty) return;
    const put = (_prefix: string, key: string, value: Bytes) => void this.#stored.set(key, value);
    this.monitor.encodePending({ put } as unknown as MonTransaction);
    this.monitor.refresh();
  }

  /** So many seconds, with a tick each. */
  run(seconds: number): void {
    for (const end = this.now + seconds; this.now < end; this.now += 1) {
      this.monitor.tick();
      this.#commit();
    }
  }

  get generations(): readonly bigint[] {
    return [...this.monitor.of('osd')!.secrets.keys()];
  }
}

test('there are three generations, and one goes in the life of a ticket', () => {
  const bench = new Bench();

  expect(bench.generations).toEqual([1n, 2n, 3n]);
  bench.run(10 * TTL);
  const [oldest] = bench.generations;
  expect(oldest).toBeGreaterThanOrEqual(8n);
  expect(oldest).toBeLessThanOrEqual(10n);
});

test.each([40 * DAY, -40 * DAY, DAY])('a wall clock that jumps by %i s costs one generation at the most', (jump) => {
  const [quiet, jumping] = [new Bench(), new Bench()];
  for (const bench of [quiet, jumping]) bench.run(TTL / 4);
  jumping.wallAtStart += jump;
  for (const bench of [quiet, jumping]) bench.run(10);
  jumping.wallAtStart -= jump;
  for (const bench of [quiet, jumping]) bench.run(10);

  expect(jumping.generations[0]! - quiet.generations[0]!).toBeLessThanOrEqual(1n);
  // And they go on being replaced.
  const [before] = jumping.generations;
  jumping.run(10 * TTL);
  expect(jumping.generations[0]! - before!).toBeGreaterThanOrEqual(7n);
});

test('who leads anew does not wait with what is due', () => {
  const bench = new Bench();
  const [, second] = bench.generations;
  bench.now += 2 * TTL;
  bench.monitor.onLeading();
  bench.run(1);

  expect(bench.generations[0]).toBe(second);
});
