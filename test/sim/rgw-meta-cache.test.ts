/**
 * Gateways remember users, and are cut off, and OSDs crash: whoever asks after a change was made never sees what was before it.
 *
 *     SEED=7 npx vitest run test/sim/rgw-meta-cache.test.ts        one seed; SEEDS=100 FROM=1: many
 */
import { Rados, RadosError } from '@spirula/rados';
import { newUserInfo, openZone, UserStore, type Zone } from '@spirula/rgw';
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import { type Clock, SECOND } from '@spirula/world';
import { expect, test, vi } from 'vitest';
import { GatewayPlace } from '../../sim/scenarios/src/gateways/gateway-place.ts';
import { runUntil, settle } from './lab-time.ts';

const { SEED, SEEDS, FROM } = process.env;
const seeds = SEED ? [Number(SEED)] : Array.from({ length: Number(SEEDS ?? 3) }, (_, i) => Number(FROM ?? 1) + i);

const GATEWAYS = 3;
const WORK_SECONDS = 120;
const ALICE = { tenant: '', ns: '', id: 'alice' };

/** One that remembers. */
class Remembering {
  readonly name: string;
  readonly rados: Rados;
  zone!: Zone;
  users!: UserStore;
  clock!: Clock;

  constructor(lab: Lab, name: string) {
    this.name = name;
    this.rados = lab.cluster.addTools(name, (world, monAddrs, auth) => {
      this.clock = world.clock;
      return new Rados(world, { monAddrs, auth, fsid: lab.cluster.fsid });
    });
  }

  async open(lab: Lab): Promise<void> {
    let drawn = lab.simulation.random(this.name).below(1_000_000);
    const entropy = { randomBytes: (count: number) => Uint8Array.from({ length: count }, () => drawn++ & 255) };
    await this.rados.connect();
    this.zone = await openZone(this.rados, entropy, { warn: () => {} });
    this.users = new UserStore(this.zone, entropy);
    this.zone.cache.start(this.clock);
  }
}

function makeLab(seed: number): Lab {
  const spec = checkScenario({
    name: 'gateways',
    cluster: { mons: 1, osds: 4, mgrs: 0, clients: 1, network: { latencyUs: [100, 2000] } },
    pools: [{ name: 'data', pgNum: 4 }],
    workloads: [{ kind: 'objects', objects: 1, pace: { kind: 'closed', workers: 0 } }],
    checkOneIn: 1000,
  });
  return new Lab(spec, seed);
}

test('nobody waits for a gateway that has stopped', async () => {
  const lab = makeLab(1);
  expect(lab.boot()).toBeUndefined();
  const [staying, leaving] = [new GatewayPlace(lab.cluster, 'rgw0'), new GatewayPlace(lab.cluster, 'rgw1')];
  await runUntil(lab, () => Boolean(staying.gateway && leaving.gateway), 120);
  const secondsOf = async (target: string) => {
    const began = lab.simulation.now;
    expect((await settle(lab, staying.ask({ method: 'PUT', target })))?.status).toBe(200);
    return (lab.simulation.now - began) / SECOND;
  };
  await runUntil(lab, () => false, 10);
  expect(await secondsOf('/before')).toBeLessThan(1);
  leaving.process.terminate();
  await runUntil(lab, () => false, 3);
  expect(await secondsOf('/after')).toBeLessThan(1);
});

test.each(seeds)(
  'what was changed is seen by every gateway, whatever it remembers (seed %i)',
  async (seed) => {
    const lab = makeLab(seed);
    expect(lab.boot()).toBeUndefined();
    const { simulation } = lab;
    const random = simulation.random('cache test');
    const gateways = Array.from({ length: GATEWAYS }, (_, i) => new Remembering(lab, `rgw${i}`));
    for (const gateway of gateways) await settle(lab, gateway.open(lab));
    await settle(lab, gateways[0]!.users.create(newUserInfo({ id: ALICE, displayName: '0', accessKeys: new Map() })));

    let made = 0;
    let reads = 0;
    const stale: string[] = [];
    const asked = gateways.map(({ zone }) => vi.spyOn(zone.system('userUid'), 'submit'));
    const end = simulation.now + WORK_SECONDS * SECOND;
    const read = async ({ users, name }: Remembering) => {
      const before = made;
      const seen = Number((await users.load(ALICE))!.info.displayName);
      if (seen < before) stale.push(`${name} says ${seen} at ${simulation.now / SECOND}, ${before} was made`);
      reads += 1;
    };
    const change = async ({ users }: Remembering) => {
      const user = (await users.load(ALICE))!;
      const next = Number(user.info.displayName) + 1;
      try {
        await users.update(user, { ...user.info, displayName: String(next) });
        made = Math.max(made, next);
      } catch (error) {
        // Another was first.
        if (!(error instanceof RadosError)) throw error;
      }
    };
    const keepOn = (work: () => Promise<void>, restUs: readonly [number, number]) => {
      const next = () => {
        if (simulation.now < end) work().then(() => simulation.after(random.between(...restUs), next));
      };
      next();
    };
    for (const gateway of gateways) {
      keepOn(() => read(gateway), [1000, 400_000]);
      keepOn(() => change(gateway), [SECOND / 10, 12 * SECOND]);
    }
    keepOn(async () => {
      const forUs = random.between(SECOND / 2, 25 * SECOND);
      if (random.oneIn(3)) lab.injector.inject({ fault: 'crash', daemons: `osd.${random.below(4)}` }, { forUs });
      else lab.injector.inject({ fault: 'isolate', daemons: `client.rgw${random.below(GATEWAYS)}` }, { forUs });
    }, [SECOND, 20 * SECOND]);
    await runUntil(lab, () => simulation.now >= end, 2 * WORK_SECONDS);
    lab.injector.heal();

    expect(simulation.violations.slice(0, 3)).toEqual([]);
    expect(stale.slice(0, 3)).toEqual([]);
    expect(made).toBeGreaterThan(3);
    const submitted = asked.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    expect(submitted).toBeLessThan(reads / 2);
    if (process.env['SHOW']) console.log(seed, JSON.stringify({ made, reads, submitted }));
  },
  120_000,
);
