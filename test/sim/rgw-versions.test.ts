/**
 * Versions are written, read, hidden and removed through two gateways, while OSDs and gateways crash. What is told of an object and
 * its versions fits one order of all changes; at rest lists, reads and the objects in the data pool agree.
 *
 *     SEED=7 npx vitest run test/sim/rgw-versions.test.ts        one seed; SEEDS=100 FROM=1: many
 */
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { GatewayPlace, md5, runUntil, settle } from './gateway-places.ts';
import { BUCKET, KEYS, type Status, VersionClients } from './version-clients.ts';

const { SEED, SEEDS, FROM } = process.env;
const seeds = SEED ? [Number(SEED)] : Array.from({ length: Number(SEEDS ?? 3) }, (_, i) => Number(FROM ?? 1) + i);

const PERIODS = 3;
const PERIOD_SECONDS = 7;

const WHAT = 'gateways that crash show no half of a version, and lose none';

test.each(seeds)(`${WHAT} (seed %i)`, checkSeed, 300_000);

async function checkSeed(seed: number): Promise<void> {
  const lab = new Lab(
    checkScenario({
      name: 'versions',
      cluster: { mons: 1, osds: 4, mgrs: 0, clients: 1, network: { latencyUs: [100, 2000] } },
      pools: [{ name: 'data', pgNum: 4 }],
      workloads: [{ kind: 'objects', objects: 1, pace: { kind: 'closed', workers: 0 } }],
      checkOneIn: 1000,
    }),
    seed,
  );
  expect(lab.boot()).toBeUndefined();
  const { simulation } = lab;
  const random = simulation.random('versions test');
  const places = [new GatewayPlace(lab, 'rgw0'), new GatewayPlace(lab, 'rgw1')];
  expect(await runUntil(lab, () => places.every(({ gateway }) => gateway), 120)).toBe(true);
  expect((await settle(lab, places[0]!.ask({ method: 'PUT', target: `/${BUCKET}` })))?.status).toBe(200);

  const clients = new VersionClients(lab, places);
  const gatewaysCrash = !random.oneIn(4);
  clients.crashes = gatewaysCrash;
  const suspends = !random.oneIn(3);
  let strikes = true;
  const strike = () => {
    if (!strikes) return;
    const downUs = random.between(SECOND / 10, 5 * SECOND);
    if (gatewaysCrash && random.oneIn(2)) random.pick(places).crash(downUs);
    else {
      const daemons = `osd.${random.below(4)}`;
      const fault = random.pick(['crash', 'power-loss', 'hang', 'reset'] as const);
      lab.injector.inject({ fault, daemons }, fault === 'reset' ? {} : { forUs: 3 * downUs });
    }
    simulation.after(random.between(SECOND / 2, 6 * SECOND), strike);
  };
  for (let period = 0; period < PERIODS; period++) {
    const status = suspends && period % 2 === 1 ? 'Suspended' : 'Enabled';
    await setVersioning(lab, places, status);
    clients.status = status;
    strikes = true;
    clients.begin(3);
    simulation.after(SECOND, strike);
    const end = simulation.now + PERIOD_SECONDS * SECOND;
    await runUntil(lab, () => simulation.now >= end, 2 * PERIOD_SECONDS);
    strikes = false;
    clients.pause();
    lab.injector.heal();
    expect(await runUntil(lab, () => clients.working === 0, 300), problems(lab)).toBe(true);
    // Strikes that are still to come are over by then.
    await runUntil(lab, () => places.every(({ gateway }) => gateway), 120);
  }

  const listed = await takeStock(lab, clients, places);
  clients.finish();

  expect(problems(lab)).toBe('');
  expect(clients.stats.answered).toBeGreaterThan(50);
  if (process.env['SHOW']) console.log(seed, JSON.stringify({ ...clients.stats, gatewaysCrash, suspends, listed }));
}

function problems(lab: Lab): string {
  return lab.simulation.violations.slice(0, 3).join('\n');
}

async function setVersioning(lab: Lab, places: readonly GatewayPlace[], status: Status): Promise<void> {
  const body = Buffer.from(`<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`);
  for (let tries = 0; tries < 60; tries++) {
    const place = places.find(({ gateway }) => gateway);
    const asked = place?.ask({ method: 'PUT', target: `/${BUCKET}?versioning`, body });
    if (asked && (await settle(lab, asked))?.status === 200) return;
    await runUntil(lab, () => false, 1);
  }
  throw new Error(`versioning cannot be set; ${problems(lab)}`);
}

/** What is listed is what can be read, through each gateway; the number of versions. */
async function takeStock(lab: Lab, clients: VersionClients, places: readonly GatewayPlace[]): Promise<number> {
  let count = 0;
  for (const key of KEYS) {
    // A read finishes what a gateway did not live to finish: what is listed then stays.
    for (const place of places) {
      await settle(lab, clients.readVersion(place, key, 'null'));
      await settle(lab, clients.read(place, key));
      const versions = (await settle(lab, clients.list(place, key)))!;
      for (const { id, etag } of versions) {
        const answer = (await settle(lab, clients.readVersion(place, key, id, etag)))!;
        expect([id, answer.status], problems(lab)).toEqual([id, etag === undefined ? 404 : 200]);
        if (etag !== undefined) expect(md5(answer.body), `${key} ${id}`).toBe(etag);
      }
      const [newest] = versions;
      const current = (await settle(lab, clients.read(place, key)))!;
      expect(current.status === 200 ? md5(current.body) : undefined).toBe(newest?.etag);
      if (place === places[0]) count += versions.length;
    }
  }
  return count;
}
