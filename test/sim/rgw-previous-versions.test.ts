/**
 * Objects of a container that keeps what is overwritten are written through two gateways at once, while these crash. Whatever was
 * acknowledged is there at the end: as the object, or as one of what it was before.
 *
 *     SEED=7 npx vitest run test/sim/rgw-previous-versions.test.ts        one seed; SEEDS=100 FROM=1: many
 */
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import type { GatewayPlace } from '../../sim/scenarios/src/gateways/gateway-place.ts';
import { openGateways } from './gateway-lab.ts';
import { runUntil, settle } from './lab-time.ts';
import { askSwift } from './swift-request.ts';

const { SEED, SEEDS, FROM } = process.env;
const seeds = SEED ? [Number(SEED)] : Array.from({ length: Number(SEEDS ?? 1) }, (_, i) => Number(FROM ?? 1) + i);

const KEYS = ['_a', 'b'];
const CLIENTS = 3;
const WORK_SECONDS = 40;

test.each(seeds)(
  'what was overwritten is kept, whoever crashes (seed %i)',
  async (seed) => {
    const { lab, places } = await openGateways(seed, 'previous-versions', {
      osds: 3,
      // Slow enough that gateways crash in the midst of what they do, and writes meet.
      network: { latencyUs: [1000, 20_000] },
      options: { rgw_swift_versioning_enabled: true },
    });
    const { simulation } = lab;
    const random = simulation.random('previous versions test');
    const ask = async (...[place, asked]: Parameters<typeof askSwift>) => await settle(lab, askSwift(place, asked));
    expect((await ask(places[0]!, { method: 'PUT', target: '/was' }))?.status).toBe(201);
    const headers = { 'x-versions-location': 'was' };
    expect((await ask(places[0]!, { method: 'PUT', target: '/now', headers }))?.status).toBe(201);

    const acknowledged = new Map<string, string[]>(KEYS.map((key) => [key, []]));
    let [writes, unknown, working] = [0, 0, 0];
    const end = simulation.now + WORK_SECONDS * SECOND;
    const write = async (place: GatewayPlace, key: string) => {
      writes += 1;
      const text = `write ${writes} of ${key}`;
      const answer = await askSwift(place, { method: 'PUT', target: `/now/${key}`, body: Buffer.from(text) });
      if (answer?.status === 201) acknowledged.get(key)!.push(text);
      else unknown += 1;
      // 409: others were in its way again and again.
      if (answer && ![201, 409, 503].includes(answer.status)) {
        simulation.addViolation(`${key}: ${answer.status} ${Buffer.from(answer.body).toString()}`);
      }
    };
    const live = () => {
      simulation.after(random.between(1, SECOND), () => {
        if (simulation.now >= end) return;
        const ready = places.filter(({ gateway }) => gateway);
        if (ready.length === 0) return live();
        working += 1;
        const done = (error?: Error) => {
          if (error) simulation.addViolation(`${error.stack}`);
          working -= 1;
          live();
        };
        write(random.pick(ready), random.pick(KEYS)).then(() => done(), done);
      });
    };
    for (let client = 0; client < CLIENTS; client++) live();
    const strike = () => {
      if (simulation.now >= end) return;
      const { process } = random.pick(places);
      if (process.state === 'running') {
        process.crash();
        simulation.after(random.between(SECOND / 10, 3 * SECOND), () => process.start());
      }
      simulation.after(random.between(SECOND / 2, 5 * SECOND), strike);
    };
    simulation.after(SECOND, strike);
    await runUntil(lab, () => simulation.now >= end && working === 0, 3 * WORK_SECONDS);
    await runUntil(lab, () => places.every(({ gateway }) => gateway), 120);
    expect(simulation.violations.slice(0, 3)).toEqual([]);

    const place = places[0]!;
    const textOf = async (target: string) => {
      const answer = await ask(place, { method: 'GET', target });
      return answer?.status === 200 ? Buffer.from(answer.body).toString() : '';
    };
    const names = (await textOf('/was')).split('\n');
    const kept: string[] = [];
    for (const name of names) kept.push(await textOf(`/was/${name}`));
    for (const key of KEYS) {
      const there = new Set([await textOf(`/now/${key}`), ...kept]);
      expect(
        acknowledged.get(key)!.filter((text) => !there.has(text)),
        key,
      ).toEqual([]);
    }
    expect([...acknowledged.values()].flat().length).toBeGreaterThan(20);
    if (process.env['SHOW']) console.log(seed, JSON.stringify({ writes, unknown, kept: kept.length }));
  },
  300_000,
);
