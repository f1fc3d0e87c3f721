/** Two gateways count requests into one usage log, while OSDs crash: those that stop in order forget nothing, and count nothing twice. */
import { Rados } from '@spirula/rados';
import { openZone, UsageLog } from '@spirula/rgw';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import type { GatewayPlace } from '../../sim/scenarios/src/gateways/gateway-place.ts';
import { openGateways } from './gateway-lab.ts';
import { runUntil, settle } from './lab-time.ts';

const { SEED } = process.env;
const REQUESTS = 15;

test.each(SEED ? [Number(SEED)] : [1])(
  'what gateways count is what was asked of them (seed %i)',
  async (seed) => {
    const { lab, places } = await openGateways(seed, 'usage', {
      options: { rgw_enable_usage_log: true, rgw_usage_log_tick_interval: 2 },
    });
    const { simulation } = lab;
    const random = simulation.random('usage test');
    expect((await settle(lab, places[0]!.ask({ method: 'PUT', target: '/bucket' })))?.status).toBe(200);
    const asked = { put: 0, get: 0, missing: 0, bytes: 0 };

    const work = async (place: GatewayPlace) => {
      for (let i = 0; i < REQUESTS; i++) {
        const kind = random.pick(['put', 'get', 'missing'] as const);
        const target = kind === 'missing' ? '/bucket/none' : `/bucket/${place.name}`;
        const body = new Uint8Array(random.below(5000));
        const before = asked.put;
        const answer = await place.ask(
          kind === 'put' || before === 0
            ? { method: 'PUT', target: `/bucket/${place.name}`, body }
            : { method: 'GET', target },
        );
        if (kind === 'put' || before === 0) {
          expect(answer?.status).toBe(200);
          asked.put += 1;
          asked.bytes += body.length;
        } else if (answer?.status === 200) asked.get += 1;
        else asked.missing += 1;
      }
    };
    let working = places.length;
    for (const place of places) void work(place).finally(() => working--);
    const strike = () => {
      if (working === 0) return;
      lab.injector.inject(
        { fault: 'crash', daemons: `osd.${random.below(4)}` },
        { forUs: random.between(SECOND, 4 * SECOND) },
      );
      simulation.after(random.between(5 * SECOND, 9 * SECOND), strike);
    };
    simulation.after(SECOND, strike);
    expect(await runUntil(lab, () => working === 0, 600)).toBe(true);
    lab.injector.heal();
    await runUntil(lab, () => false, 5);
    // What was counted since the last tick is written when they stop.
    expect((await settle(lab, places[1]!.ask({ method: 'GET', target: '/' })))?.status).toBe(200);
    for (const { process } of places) process.terminate();
    await runUntil(lab, () => false, 5);

    const rados = lab.cluster.addTools(
      'admin',
      (world, monAddrs, auth) => new Rados(world, { monAddrs, auth, fsid: lab.cluster.fsid }),
    );
    await settle(lab, rados.connect());
    const zone = await settle(lab, openZone(rados, { randomBytes: (count) => new Uint8Array(count) }, console));
    const range = { start: 0n, end: 0xffff_ffff_ffff_ffffn, user: 'alice', bucket: '' };
    const found = await settle(lab, new UsageLog(zone.system('usageLog')).read(range));
    const of = (bucket: string, category: string) =>
      found.find((each) => each.bucket === bucket)?.usage.byCategory.get(category);

    expect(simulation.violations).toEqual([]);
    expect(of('bucket', 'put_obj')).toMatchObject({ ops: BigInt(asked.put), bytesReceived: BigInt(asked.bytes) });
    expect(of('bucket', 'get_obj')?.ops).toBe(BigInt(asked.get));
    expect(of('-', 'get_obj')).toMatchObject({ ops: BigInt(asked.missing), successfulOps: 0n });
    expect(of('', 'list_buckets')?.ops).toBe(1n);
  },
  120_000,
);
