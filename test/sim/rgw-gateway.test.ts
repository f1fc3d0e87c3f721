/**
 * Clients share objects through two gateways, while OSDs and gateways crash. No half object is ever seen, nothing acknowledged
 * is lost; at rest listings and heads agree, and the data pool has the bytes of what is there, and no others but those of
 * requests that a gateway did not live to finish.
 *
 *     SEED=7 npx vitest run test/sim/rgw-gateway.test.ts        one seed; SEEDS=100 FROM=1: many
 */

import type { IoCtx } from '@spirula/rados';
import type { Gateway } from '@spirula/rgw';
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { stripesOf } from '../../packages/rgw/src/formats/manifest-stripes.ts';
import { radosNameOf } from '../../packages/rgw/src/store/layout.ts';
import type { FoundObject } from '../../packages/rgw/src/store/stripes.ts';
import { BUCKET, GatewayClients, KEYS, markOf } from './gateway-clients.ts';
import { GatewayPlace, runUntil, settle } from './gateway-places.ts';

const { SEED, SEEDS, FROM } = process.env;
const seeds = SEED ? [Number(SEED)] : Array.from({ length: Number(SEEDS ?? 2) }, (_, i) => Number(FROM ?? 1) + i);

const WORK_SECONDS = 40;
/** Locks of gateways that crashed are gone by then. */
const LOCK_SECONDS = 610;

test.each(seeds)(
  'gateways that crash lose nothing, and leave nothing of what they finished (seed %i)',
  async (seed) => {
    const lab = new Lab(
      checkScenario({
        name: 'gateways',
        cluster: { mons: 1, osds: 4, mgrs: 0, clients: 1, network: { latencyUs: [100, 2000] } },
        pools: [{ name: 'data', pgNum: 4 }],
        workloads: [{ kind: 'objects', objects: 1, pace: { kind: 'closed', workers: 0 } }],
        checkOneIn: 1000,
      }),
      seed,
    );
    expect(lab.boot()).toBeUndefined();
    const { simulation } = lab;
    const random = simulation.random('gateway test');
    const places = [new GatewayPlace(lab, 'rgw0'), new GatewayPlace(lab, 'rgw1')];
    expect(await runUntil(lab, () => places.every(({ gateway }) => gateway), 120)).toBe(true);
    const made = await settle(lab, places[0]!.ask({ method: 'PUT', target: `/${BUCKET}` }));
    expect(made?.status).toBe(200);

    const clients = new GatewayClients(lab, places);
    clients.begin(4);
    const gatewaysCrash = !random.oneIn(3);
    const end = simulation.now + WORK_SECONDS * SECOND;
    const strike = () => {
      if (simulation.now >= end) return;
      const downUs = random.between(SECOND / 10, 5 * SECOND);
      if (gatewaysCrash && random.oneIn(2)) random.pick(places).crash(downUs);
      else {
        const daemons = `osd.${random.below(4)}`;
        const fault = random.pick(['crash', 'power-loss', 'hang', 'reset'] as const);
        lab.injector.inject({ fault, daemons }, fault === 'reset' ? {} : { forUs: 3 * downUs });
      }
      simulation.after(random.between(SECOND / 2, 6 * SECOND), strike);
    };
    simulation.after(SECOND, strike);
    await runUntil(lab, () => simulation.now >= end, 2 * WORK_SECONDS);
    lab.injector.heal();
    clients.stop();
    expect(await runUntil(lab, () => clients.working === 0, 300), problems(lab)).toBe(true);

    if (clients.interrupted.size > 0) await runUntil(lab, () => false, LOCK_SECONDS);
    const place = places[random.below(2)]!;
    await endUploads(lab, clients, place, () => random.oneIn(2));
    const { orphans, unexplained, missing, listed } = await takeStock(lab, clients, place);
    clients.finish();

    expect(problems(lab)).toBe('');
    expect(clients.stats.answered).toBeGreaterThan(0);
    expect({ unexplained, missing }).toEqual({ unexplained: [], missing: [] });
    if (!gatewaysCrash) expect({ orphans, crashed: clients.collectorCrashed }).toEqual({ orphans: 0, crashed: false });
    if (process.env['SHOW'])
      console.log(
        seed,
        JSON.stringify({
          ...clients.stats,
          gatewaysCrash,
          orphans,
          listed,
          at: simulation.now / SECOND,
          events: simulation.events,
        }),
      );
  },
  300_000,
);

function problems(lab: Lab): string {
  return lab.simulation.violations.slice(0, 3).join('\n');
}

/** Some become objects now, the others are given up. */
async function endUploads(
  lab: Lab,
  clients: GatewayClients,
  place: GatewayPlace,
  chooses: () => boolean,
): Promise<void> {
  for (const upload of clients.uploads) {
    if (upload.parts.size > 0 && chooses()) await settle(lab, clients.complete(place, upload));
    const aborted = await settle(lab, clients.abort(place, upload));
    expect([204, 404]).toContain(aborted?.status);
  }
}

interface Stock {
  /** RADOS objects that no head refers to. */
  readonly orphans: number;
  /** Those of requests that ended well. */
  readonly unexplained: readonly string[];
  /** Stripes that a head refers to and that are not there. */
  readonly missing: readonly string[];
  readonly listed: number;
}

async function takeStock(lab: Lab, clients: GatewayClients, place: GatewayPlace): Promise<Stock> {
  const gateway = place.gateway!;
  const listed = await listAll(lab, place);
  await settle(lab, gateway.store.garbage.process(true));
  const readable: [string, string, number][] = [];
  for (const key of KEYS) {
    const answer = await settle(lab, clients.read(place, key));
    if (answer?.status === 200) readable.push([key, answer.etag, answer.body.length]);
  }
  // What the index says, and what is there.
  expect(listed, problems(lab)).toEqual(readable);
  // A listing mends what it finds: another needs no heads, and says the same.
  expect(await listAll(lab, place)).toEqual(readable);

  const { store } = gateway;
  const { info } = (await settle(lab, store.buckets.load('', BUCKET)))!;
  const stats = await settle(lab, store.bucketStats((await settle(lab, store.buckets.load('', BUCKET)))!));
  const counted = {
    objects: BigInt(readable.length),
    bytes: BigInt(readable.reduce((sum, [, , size]) => sum + size, 0)),
  };
  // Parts of which a gateway did not live to tell that they are none any more stay counted.
  if (clients.interrupted.size === 0) expect(stats).toEqual(counted);
  const zone = store.zone.placement(info.placement);
  if (clients.interrupted.size === 0) expect(await oidsOf(lab, zone.dataExtra), 'uploads that go on').toEqual([]);
  const data = store.zone.data(info.placement);
  const present = await oidsOf(lab, data);
  const needed = new Set<string>();
  for (const key of KEYS) {
    const found = await settle(lab, store.objects.find(info, { name: key, instance: '', ns: '' }));
    for (const oid of found ? oidsOfObject(found) : []) needed.add(oid);
  }
  const waiting = await garbageOf(lab, gateway);
  // Of a shard that a gateway which crashed has locked, for an hour.
  if (!clients.collectorCrashed) expect(waiting).toEqual(new Set());
  const orphans = present.filter((oid) => !needed.has(oid) && !waiting.has(oid));
  const unexplained: string[] = [];
  for (const oid of orphans) {
    const mark = markOf(await settle(lab, data.read(oid, 0, 16)));
    const { key = '', upload = '' } = clients.marks.get(mark) ?? {};
    if (!clients.interrupted.has(key) && !clients.interrupted.has(upload)) unexplained.push(`${oid} of ${mark}`);
  }
  return {
    orphans: orphans.length,
    unexplained,
    missing: [...needed].filter((oid) => !present.includes(oid)),
    listed: listed.length,
  };
}

async function garbageOf(lab: Lab, { store }: Gateway): Promise<ReadonlySet<string>> {
  const oids = new Set<string>();
  const collect = async () => {
    for await (const { chain } of store.garbage.list(false)) for (const { key } of chain) oids.add(key.name);
  };
  await settle(lab, collect());
  return oids;
}

function oidsOfObject({ object, head }: FoundObject): string[] {
  const stripes = head.manifest ? [...stripesOf(head.manifest)] : [];
  return [radosNameOf(object).oid, ...stripes.map((stripe) => radosNameOf(stripe.object).oid)];
}

/** Page by page: names, ETags, sizes. */
async function listAll(lab: Lab, place: GatewayPlace): Promise<[string, string, number][]> {
  const all: [string, string, number][] = [];
  for (let marker = ''; ; ) {
    const target = `/${BUCKET}?max-keys=3&marker=${encodeURIComponent(marker)}`;
    const { body } = (await settle(lab, place.ask({ method: 'GET', target })))!;
    const page = Buffer.from(body).toString();
    for (const [, contents] of page.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
      const field = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(contents!)![1]!;
      marker = field('Key');
      all.push([marker, field('ETag').replaceAll('&quot;', ''), Number(field('Size'))]);
    }
    if (!page.includes('<IsTruncated>true')) return all;
  }
}

async function oidsOf(lab: Lab, io: IoCtx): Promise<string[]> {
  const oids: string[] = [];
  const collect = async () => {
    for await (const { oid } of io.listObjects()) oids.push(oid);
  };
  await settle(lab, collect());
  return oids.sort();
}
