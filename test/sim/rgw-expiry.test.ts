/**
 * Objects are written with an end, given another, and written anew without one, while gateways crash. None is seen after its end or
 * lost before it; at rest those that are over are gone, with their bytes and the notes about them.
 *
 *     SEED=7 npx vitest run test/sim/rgw-expiry.test.ts        one seed; SEEDS=100 FROM=1: many
 */
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import type { GatewayPlace } from '../../sim/scenarios/src/gateways/gateway-place.ts';
import { openGateways } from './gateway-lab.ts';
import { runUntil, settle } from './lab-time.ts';
import { askSwift } from './swift-request.ts';

const { SEED, SEEDS, FROM } = process.env;
const seeds = SEED ? [Number(SEED)] : Array.from({ length: Number(SEEDS ?? 2) }, (_, i) => Number(FROM ?? 1) + i);

const CONTAINER = 'ending';
const KEYS = ['_a', 'b', 'c', 'd'];
const WORK_SECONDS = 60;
const INTERVAL_SECONDS = 10;
/** Notes stay for a while, and a lock as long as the gateway that crashed would have held it. */
const REST_SECONDS = 120 + 4 * INTERVAL_SECONDS;
/** Clocks are not the same to the last bit, and requests take their time. */
const SLACK = SECOND;

/** What an object may be: of what a gateway did not live to answer, nobody knows. */
interface State {
  /** Undefined: it is not there. */
  readonly bytes?: string;
  /** When it ends; undefined: never. */
  readonly end?: number;
}

test.each(seeds)(
  'an object ends when it is said to, and not otherwise (seed %i)',
  async (seed) => {
    const { lab, places } = await openGateways(seed, 'expiry', {
      osds: 3,
      // Slow enough that gateways crash in the midst of what they do.
      network: { latencyUs: [1000, 20_000] },
      options: { rgw_objexp_gc_interval: INTERVAL_SECONDS, rgw_objexp_hints_num_shards: 3 },
    });
    const { simulation } = lab;
    const random = simulation.random('expiry test');
    expect((await settle(lab, askSwift(places[0]!, { method: 'PUT', target: `/${CONTAINER}` })))?.status).toBe(201);

    const states = new Map<string, readonly State[]>(KEYS.map((key) => [key, [{}]]));
    const stats = { written: 0, unknown: 0, seen: 0, gone: 0 };
    let writes = 0;

    const read = async (place: GatewayPlace, key: string) => {
      const begun = simulation.now;
      // By S3 an object is gone at the same time.
      const bySwift = random.oneIn(2);
      const target = `/${CONTAINER}/${key}`;
      const answer = await (bySwift
        ? askSwift(place, { method: 'GET', target })
        : place.ask({ method: 'GET', target }));
      if (!answer || answer.status === 503) return;
      const possible = states.get(key)!.filter(({ bytes, end }) => {
        if (answer.status === 404) return bytes === undefined || (end !== undefined && end <= simulation.now + SLACK);
        return bytes === Buffer.from(answer.body).toString() && (end === undefined || end >= begun - SLACK);
      });
      if (possible.length === 0) {
        const known = JSON.stringify(states.get(key));
        const told = `${answer.status} ${Buffer.from(answer.body).toString().slice(0, 60)}`;
        simulation.addViolation(`${key} at ${begun / SECOND} s: ${told}, and may be ${known}`);
      }
      stats[answer.status === 404 ? 'gone' : 'seen'] += 1;
    };

    /** What it was, unless its end comes meanwhile. */
    const change = async (
      key: string,
      asked: Promise<{ readonly status: number } | undefined>,
      after: (before: State) => State,
    ) => {
      const before = states.get(key)!;
      states.set(key, [...before, ...before.map(after)]);
      const answer = await asked;
      if (answer?.status === 201 || answer?.status === 202 || answer?.status === 204) {
        states.set(key, uniqueStates(before.map(after)));
        stats.written += 1;
      } else if (answer?.status === 404 || answer?.status === 400) {
        states.set(key, before);
      } else {
        states.set(key, uniqueStates(states.get(key)!));
        stats.unknown += 1;
      }
    };

    const act = async (place: GatewayPlace, key: string) => {
      const target = `/${CONTAINER}/${key}`;
      const drawn = random.below(10);
      if (drawn < 4) return await read(place, key);
      const span = random.between(1, 15);
      const end = simulation.now + span * SECOND;
      if (drawn < 8) {
        const ends = !random.oneIn(3);
        writes += 1;
        const bytes = `write ${writes} of ${key}`.padEnd(random.oneIn(8) ? 4_200_000 : 40, '.');
        const headers: Record<string, string> = ends ? { 'x-delete-after': String(span) } : {};
        const asked = askSwift(place, { method: 'PUT', target, body: Buffer.from(bytes), headers });
        return await change(key, asked, () => ({ bytes, ...(ends && { end }) }));
      }
      if (drawn < 9) {
        const ends = random.oneIn(2);
        const headers: Record<string, string> = ends
          ? { 'x-delete-after': String(span) }
          : { 'x-remove-delete-at': 'x' };
        const asked = askSwift(place, { method: 'POST', target, headers });
        return await change(key, asked, ({ bytes }) => (bytes === undefined ? {} : { bytes, ...(ends && { end }) }));
      }
      return await change(key, askSwift(place, { method: 'DELETE', target }), () => ({}));
    };

    let working = 0;
    const end = simulation.now + WORK_SECONDS * SECOND;
    const live = (key: string) => {
      if (simulation.now >= end) return;
      simulation.after(random.between(SECOND / 20, SECOND), () => {
        const ready = places.filter(({ gateway }) => gateway);
        if (ready.length === 0) return live(key);
        working += 1;
        const done = (error?: Error) => {
          if (error) simulation.addViolation(`${key}: ${error.stack}`);
          working -= 1;
          // What a gateway that crashed has sent arrives.
          simulation.after(SECOND, () => live(key));
        };
        act(random.pick(ready), key).then(() => done(), done);
      });
    };
    for (const key of KEYS) live(key);
    const strike = () => {
      if (simulation.now >= end) return;
      const { process } = random.pick(places);
      if (process.state === 'running') {
        process.crash();
        simulation.after(random.between(SECOND / 10, 5 * SECOND), () => process.start());
      }
      simulation.after(random.between(SECOND / 4, 4 * SECOND), strike);
    };
    simulation.after(SECOND, strike);
    const problems = () => simulation.violations.slice(0, 3).join('\n');
    expect(await runUntil(lab, () => simulation.now >= end && working === 0, 3 * WORK_SECONDS), problems()).toBe(true);
    await runUntil(lab, () => false, REST_SECONDS);

    for (const place of places) for (const key of KEYS) for (let i = 0; i < 4; i++) await settle(lab, read(place, key));
    expect(problems()).toBe('');
    expect(stats.written).toBeGreaterThan(20);
    const { store } = places[0]!.gateway!;
    const stored = await settle(lab, storedKeys(places[0]!));
    const left = [...stored].filter((key) => states.get(key)!.every(({ bytes, end }) => bytes === undefined || end));
    expect({ left, notes: await settle(lab, notesOf(places[0]!)) }).toEqual({ left: [], notes: 0 });
    const lost = KEYS.filter((key) => states.get(key)!.every(({ bytes, end }) => bytes && !end) && !stored.has(key));
    expect(lost).toEqual([]);
    const bucket = (await settle(lab, store.buckets.load('', CONTAINER)))!;
    expect(Number((await settle(lab, store.bucketStats(bucket))).objects)).toBe(stored.size);
    if (process.env['SHOW']) console.log(seed, JSON.stringify({ ...stats, stored: [...stored] }));
  },
  300_000,
);

function uniqueStates(states: readonly State[]): State[] {
  return [...new Map(states.map((state) => [JSON.stringify([state.bytes, state.end]), state])).values()];
}

/** Objects that have a head. */
async function storedKeys({ gateway }: GatewayPlace): Promise<ReadonlySet<string>> {
  const { store } = gateway!;
  const bucket = (await store.buckets.load('', CONTAINER))!;
  const found = new Set<string>();
  for (const key of KEYS) {
    if (await store.objects.peek(bucket.info, { name: key, instance: '', ns: '' })) found.add(key);
  }
  return found;
}

async function notesOf({ gateway }: GatewayPlace): Promise<number> {
  const { expiryHints: hints } = gateway!.store;
  let count = 0;
  for (const shard of hints.shards) {
    for await (const { hints: page } of hints.list(shard, { sec: 4_000_000_000, nsec: 0 })) count += page.length;
  }
  return count;
}
