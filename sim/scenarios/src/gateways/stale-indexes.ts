/** At rest there are the indexes of the buckets, and instances of them, and no others but those that are told of as stale. */
import type { IoCtx } from '@spirula/rados';
import { runAdminCommand } from '@spirula/rgw';
import { SimCrypto, type Simulation } from '@spirula/sim-world';
import type { World } from '@spirula/world';
import type { GatewayPlace } from './gateway-place.ts';

const INDEX_PREFIX = '.dir.';
const INSTANCE_PREFIX = '.bucket.meta.';

export async function expectNoStaleIndex(simulation: Simulation, place: GatewayPlace): Promise<void> {
  const { store } = place.gateway!;
  const { zone, buckets } = store;
  const violate = (problem: string) => simulation.addViolation(`indexes at rest: ${problem}`);
  // What somebody closed and did not live to open, whoever works with it next opens.
  for await (const name of buckets.list()) {
    const bucket = await buckets.load('', name);
    if (bucket) await store.setBucketAttr(bucket, 'user.rgw.visited', undefined);
    const key = { name: 'visitor', instance: '', ns: '' };
    if (bucket) await store.objects.remove(bucket.info, key, { id: '', displayName: '' });
  }
  const world = {
    clock: { now: () => simulation.now, wall: () => ({ sec: 1_700_000_000, nsec: 0 }) },
    crypto: new SimCrypto(simulation.random('stale indexes')),
    log: { warn: violate },
    config: place.config,
  } as unknown as World;
  await runAdminCommand({ store, world }, ['reshard', 'stale-instances', 'delete'], new Map());

  const expected: string[] = [];
  let instances = 0;
  let index: IoCtx | undefined;
  for await (const name of buckets.list()) {
    const { info } = (await buckets.load('', name))!;
    const { count } = info.layout.current.shards;
    const oid = `${INDEX_PREFIX}${info.bucket.bucketId}`;
    expected.push(...(count === 0 ? [oid] : Array.from({ length: count }, (_, i) => `${oid}.${i}`)));
    instances += 1;
    index = zone.placement(info.placement).index;
    if (info.reshardStatus !== 0) violate(`${name} is still being resharded`);
  }
  const found = index ? await oidsOf(index, INDEX_PREFIX) : [];
  if (found.join() !== expected.sort().join()) violate(`${found.join()}, not ${expected.join()}`);
  const stored = await oidsOf(zone.system('domainRoot'), INSTANCE_PREFIX);
  if (stored.length !== instances) violate(`${stored.join()}, of ${instances} buckets`);
}

async function oidsOf(io: IoCtx, prefix: string): Promise<readonly string[]> {
  const oids: string[] = [];
  for await (const { oid } of io.listObjects()) if (oid.startsWith(prefix)) oids.push(oid);
  return oids.sort();
}
