/**
 * Conditional writes and removals of one key at once, through two gateways, in a bucket with versions: as if one came after the
 * other. And removals that need a code that nobody can give.
 *
 *     SEED=7 npx vitest run test/sim/rgw-conditions.test.ts        one seed; SEEDS=100 FROM=1: many
 */
import { BucketFlag } from '@spirula/rgw';
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import { expect, test } from 'vitest';
import { GatewayPlace } from '../../sim/scenarios/src/gateways/gateway-place.ts';
import { runUntil, settle } from './lab-time.ts';

const { SEED, SEEDS, FROM } = process.env;
const seeds = SEED ? [Number(SEED)] : Array.from({ length: Number(SEEDS ?? 1) }, (_, i) => Number(FROM ?? 1) + i);

const CLIENTS = 6;
const KEYS = 3;
const ENABLED = new TextEncoder().encode('<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>');

async function makeGateways(seed: number) {
  const spec = checkScenario({
    name: 'gateways',
    cluster: { mons: 1, osds: 4, mgrs: 0, clients: 1, network: { latencyUs: [100, 2000] } },
    pools: [{ name: 'data', pgNum: 4 }],
    workloads: [{ kind: 'objects', objects: 1, pace: { kind: 'closed', workers: 0 } }],
    checkOneIn: 1000,
  });
  const lab = new Lab(spec, seed);
  expect(lab.boot()).toBeUndefined();
  const places = [new GatewayPlace(lab.cluster, 'rgw0'), new GatewayPlace(lab.cluster, 'rgw1')];
  expect(await runUntil(lab, () => places.every(({ gateway }) => gateway), 120)).toBe(true);
  const ask = async (client: number, method: string, target: string, headers = {}, body?: Uint8Array) => {
    const place = places[client % places.length]!;
    return (await place.ask({ method, target, headers, ...(body && { body }) }))!;
  };
  expect((await settle(lab, ask(0, 'PUT', '/bucket'))).status).toBe(200);
  expect((await settle(lab, ask(0, 'PUT', '/bucket?versioning', {}, ENABLED))).status).toBe(200);
  return { lab, ask, store: places[0]!.gateway!.store };
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const clients = Array.from({ length: CLIENTS }, (_, i) => i);
const refusals = [409, 412];

test.each(seeds)(
  'of many that make what is not there, one does; of many that replace what they saw, one does (seed %i)',
  async (seed) => {
    const { lab, ask } = await makeGateways(seed);
    for (let k = 0; k < KEYS; k++) {
      const target = `/bucket/k${k}`;
      const bodyOf = (text: string) => new TextEncoder().encode(text);
      const all = (write: (client: number) => ReturnType<typeof ask>) => settle(lab, Promise.all(clients.map(write)));
      const winnerOf = (answers: readonly { readonly status: number }[]) => {
        const won = clients.filter((client) => answers[client]!.status < 300);
        const lost = answers.filter(({ status }) => refusals.includes(status));
        expect([won.length, lost.length], answers.map(({ status }) => status).join(' ')).toEqual([1, CLIENTS - 1]);
        return won[0]!;
      };
      const current = async () => await settle(lab, ask(k, 'GET', target));
      const versions = async () => {
        const { body } = await settle(lab, ask(k, 'GET', `/bucket?versions&prefix=k${k}`));
        return textOf(body).match(/<(Version|DeleteMarker)>/g)?.length ?? 0;
      };

      const made = winnerOf(await all((i) => ask(i, 'PUT', target, { 'if-none-match': '*' }, bodyOf(`made by ${i}`))));
      const first = await current();
      expect([textOf(first.body), await versions()]).toEqual([`made by ${made}`, 1]);

      const match = { 'if-match': `"${first.etag}"` };
      const replaced = winnerOf(await all((i) => ask(i, 'PUT', target, match, bodyOf(`replaced by ${i}`))));
      const second = await current();
      expect([textOf(second.body), await versions()]).toEqual([`replaced by ${replaced}`, 2]);

      const gone = { 'if-match': `"${second.etag}"` };
      winnerOf(await all((i) => ask(i, 'DELETE', target, gone)));
      expect([(await current()).status, await versions()]).toEqual([404, 3]);
    }
  },
  600_000,
);

test('of a bucket with MFA delete, which radosgw can turn on, no version is removed', async () => {
  const { lab, ask, store } = await makeGateways(1);
  const { versionId } = await settle(lab, ask(0, 'PUT', '/bucket/k', {}, new Uint8Array(1)));
  const bucket = (await settle(lab, store.buckets.load('', 'bucket')))!;
  const flags = bucket.info.flags | BucketFlag.mfaEnabled;
  await settle(lab, store.buckets.update(bucket, { ...bucket.info, flags }));
  const statusOf = async (target: string) => (await settle(lab, ask(1, 'DELETE', target))).status;

  expect(textOf((await settle(lab, ask(1, 'GET', '/bucket?versioning'))).body)).toContain('<MfaDelete>Enabled<');
  expect(await statusOf(`/bucket/k?versionId=${versionId}`)).toBe(403);
  expect(await statusOf('/bucket/k')).toBe(204);
  expect((await settle(lab, ask(0, 'GET', `/bucket/k?versionId=${versionId}`))).status).toBe(200);
});
