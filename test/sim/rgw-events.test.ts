/**
 * A bucket with a topic that keeps its events, two gateways that crash, OSDs that do, and a server that says no, falls silent or
 * whose answers are lost: of every write that a client was told of, the event comes, sooner or later; of what nobody wrote, none.
 *
 *     SEED=7 npx vitest run test/sim/rgw-events.test.ts        one seed; SEEDS=100 FROM=1: many
 */
import { createHash } from 'node:crypto';
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import type { HttpAnswer } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { GatewayPlace } from '../../sim/scenarios/src/gateways/gateway-place.ts';
import { runUntil, settle } from './lab-time.ts';

const { SEED, SEEDS, FROM } = process.env;
const seeds = SEED ? [Number(SEED)] : Array.from({ length: Number(SEEDS ?? 2) }, (_, i) => Number(FROM ?? 1) + i);

const WORK_SECONDS = 30;
/** A gateway that died keeps its queues for 90 s; others look every 30 s, and push again after 30 s at most. */
const DELIVERY_SECONDS = 600;
const BUCKET = 'noted';
const HOOK = 'http://hook:80';

test.each(seeds)(
  'the event of every acknowledged write is delivered (seed %i)',
  async (seed) => {
    const lab = new Lab(
      checkScenario({
        name: 'events',
        cluster: { mons: 1, osds: 4, mgrs: 0, clients: 1, network: { latencyUs: [100, 2000] } },
        pools: [{ name: 'data', pgNum: 4 }],
        workloads: [{ kind: 'objects', objects: 1, pace: { kind: 'closed', workers: 0 } }],
        checkOneIn: 1000,
      }),
      seed,
    );
    expect(lab.boot()).toBeUndefined();
    const { simulation } = lab;
    const random = simulation.random('events test');
    const received = new Set<string>();
    let pushes = 0;
    let refuses = true;
    simulation.httpServers.serve(HOOK, ({ body }): HttpAnswer => {
      pushes += 1;
      const drawn = random.below(20);
      if (refuses && drawn < 3) return { status: 503 };
      if (refuses && drawn === 3) return 'silent';
      for (const { eventName, s3 } of JSON.parse(Buffer.from(body).toString()).Records) {
        received.add(`${eventName} ${s3.object.key} ${s3.object.eTag}`);
      }
      return refuses && drawn === 4 ? 'lost' : { status: 200 };
    });
    const places = [new GatewayPlace(lab.cluster, 'rgw0'), new GatewayPlace(lab.cluster, 'rgw1')];
    expect(await runUntil(lab, () => places.every(({ gateway }) => gateway), 120)).toBe(true);
    await prepare(lab, places[0]!);

    /** Of requests that were answered well; and of all. */
    const owed = new Set<string>();
    const sent = new Set<string>();
    let working = 0;
    let writes = 0;
    const end = simulation.now + WORK_SECONDS * SECOND;
    const crash = ({ process }: GatewayPlace, downUs: number) => {
      if (process.state !== 'running') return;
      process.crash();
      simulation.after(downUs, () => process.start());
    };
    const write = async (place: GatewayPlace) => {
      const key = `k${random.below(6)}`;
      const bytes = Buffer.from(`write ${++writes}`);
      const event = `ObjectCreated:Put ${key} ${createHash('md5').update(bytes).digest('hex')}`;
      sent.add(event);
      const answer = await place.ask({ method: 'PUT', target: `/${BUCKET}/${key}`, body: bytes });
      if (answer?.status === 200) {
        owed.add(event);
        // Whatever it meant to do after the answer it does not live to do.
        if (random.oneIn(10)) crash(place, random.between(SECOND / 10, SECOND));
      } else if (answer && answer.status !== 503 && answer.status !== 409) {
        simulation.addViolation(`PUT of ${key}: ${answer.status}`);
      }
    };
    const rest = () => {
      simulation.after(random.between(1, SECOND / 2), () => {
        if (simulation.now >= end) return;
        const ready = places.filter(({ gateway }) => gateway !== undefined);
        if (ready.length === 0) return rest();
        working += 1;
        const done = () => {
          working -= 1;
          rest();
        };
        write(random.pick(ready)).then(done, (error: Error) => {
          simulation.addViolation(`a client: ${error.stack}`);
          done();
        });
      });
    };
    for (let i = 0; i < 4; i++) rest();
    const strike = () => {
      if (simulation.now >= end) return;
      const downUs = random.between(SECOND / 10, 5 * SECOND);
      if (random.oneIn(2)) crash(random.pick(places), downUs);
      else {
        const fault = random.pick(['crash', 'power-loss', 'hang', 'reset'] as const);
        lab.injector.inject(
          { fault, daemons: `osd.${random.below(4)}` },
          fault === 'reset' ? {} : { forUs: 3 * downUs },
        );
      }
      simulation.after(random.between(SECOND / 2, 6 * SECOND), strike);
    };
    simulation.after(SECOND, strike);
    await runUntil(lab, () => simulation.now >= end, 2 * WORK_SECONDS);
    lab.injector.heal();
    refuses = false;
    const problems = () => simulation.violations.slice(0, 3).join('\n');
    expect(await runUntil(lab, () => working === 0, 300), problems()).toBe(true);

    const isOwed = () => [...owed].filter((event) => !received.has(event));
    await runUntil(lab, () => isOwed().length === 0, DELIVERY_SECONDS);

    expect(problems()).toBe('');
    expect(owed.size).toBeGreaterThan(0);
    expect(isOwed()).toEqual([]);
    expect([...received].filter((event) => !sent.has(event))).toEqual([]);
    if (process.env['SHOW']) console.log(seed, { sent: sent.size, owed: owed.size, received: received.size, pushes });
  },
  300_000,
);

async function prepare(lab: Lab, place: GatewayPlace): Promise<void> {
  const ask = async (method: string, target: string, text = '') => {
    const answer = await settle(lab, place.ask({ method, target, body: Buffer.from(text) }));
    expect(answer?.status, Buffer.from(answer?.body ?? []).toString()).toBe(200);
  };
  await ask('PUT', `/${BUCKET}`);
  await ask('POST', '/', `Action=CreateTopic&Name=kept&persistent=true&push-endpoint=${HOOK}/events`);
  const topic = '<Id>n</Id><Topic>arn:aws:sns:default::kept</Topic>';
  await ask(
    'PUT',
    `/${BUCKET}?notification`,
    `<NotificationConfiguration><TopicConfiguration>${topic}</TopicConfiguration></NotificationConfiguration>`,
  );
}
