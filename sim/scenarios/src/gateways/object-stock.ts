/**
 * What is there at rest of a bucket without versions: listings, heads, counters and the objects of the data pool agree, and
 * nothing is left but of requests that a gateway did not live to finish.
 */
import { fromUtf8 } from '@spirula/encoding';
import type { IoCtx } from '@spirula/rados';
import { type Gateway, oidsOfObject } from '@spirula/rgw';
import type { GatewayPlace } from './gateway-place.ts';
import { markOf, type ObjectClients } from './object-clients.ts';
import { elements } from './s3-request.ts';

type Listed = readonly (readonly [key: string, etag: string, size: number])[];

/** Violates what does not agree. @param gatewaysCrashed then requests may have left objects behind that nobody needs */
export async function takeStock(clients: ObjectClients, place: GatewayPlace, gatewaysCrashed: boolean): Promise<void> {
  const { store } = place.gateway!;
  const listed = await listAll(clients, place);
  await store.garbage.process(true);
  const readable: (readonly [string, string, number])[] = [];
  for (const key of clients.keys) {
    const answer = await clients.read(place, key);
    if (answer?.status === 200) readable.push([key, answer.etag, answer.body.length]);
  }
  const expectSame = (what: string, found: unknown, expected: unknown) => {
    if (show(found) !== show(expected)) clients.violate(`${what}: ${show(found)}, not ${show(expected)}`);
  };
  expectSame('what is listed', listed, readable);
  // A listing mends what it finds: another needs no heads, and says the same.
  expectSame('what is listed again', await listAll(clients, place), readable);

  const bucket = (await store.buckets.load('', clients.bucket))!;
  const { info } = bucket;
  // Parts of which a gateway did not live to tell that they are none any more stay counted.
  if (clients.interrupted.size === 0) {
    const counted = await store.bucketStats(bucket);
    const bytes = readable.reduce((sum, [, , size]) => sum + size, 0);
    expectSame('counters', [counted.objects, counted.bytes], [readable.length, bytes]);
    expectSame('uploads that go on', await oidsOf(store.zone.dataExtra(info.placement)), []);
  }
  const data = store.zone.data(info.placement);
  // Other buckets have theirs beside them.
  const present = (await oidsOf(data)).filter((oid) => oid.startsWith(`${info.bucket.marker}_`));
  const needed = new Set<string>();
  for (const name of clients.keys) {
    const found = await store.objects.find(info, { name, instance: '', ns: '' });
    for (const oid of found ? oidsOfObject(found) : []) needed.add(oid);
  }
  expectSame(
    'stripes that are not there',
    [...needed].filter((oid) => !present.includes(oid)),
    [],
  );
  const waiting = await garbageOf(place.gateway!);
  // Of a shard that a gateway which crashed has locked, for an hour.
  if (!clients.collectorCrashed) expectSame('garbage', [...waiting], []);
  const orphans = present.filter((oid) => !needed.has(oid) && !waiting.has(oid));
  if (!gatewaysCrashed) expectSame('objects that nobody needs', orphans, []);
  for (const oid of orphans) {
    const mark = markOf(await data.read(oid, 0, 16));
    const { key = '', upload = '' } = clients.marks.get(mark) ?? {};
    const isExplained = clients.interrupted.has(key) || clients.interrupted.has(upload);
    if (!isExplained) clients.violate(`${oid} of ${mark} stays behind, of a request that was answered`);
  }
}

/** Some uploads become objects now, the others are given up. */
export async function endUploads(clients: ObjectClients, place: GatewayPlace, chooses: () => boolean): Promise<void> {
  for (const upload of clients.uploads) {
    if (upload.parts.size > 0 && chooses()) await clients.complete(place, upload);
    const aborted = await clients.abort(place, upload);
    if (![204, 404].includes(aborted!.status)) clients.violate(`an upload cannot be given up: ${aborted!.status}`);
  }
}

async function garbageOf({ store }: Gateway): Promise<ReadonlySet<string>> {
  const oids = new Set<string>();
  for await (const { chain } of store.garbage.list(false)) for (const { key } of chain) oids.add(key.name);
  return oids;
}

/** Page by page: names, ETags, sizes. */
async function listAll({ bucket }: ObjectClients, place: GatewayPlace): Promise<Listed> {
  const all: (readonly [string, string, number])[] = [];
  for (let marker = ''; ; ) {
    const target = `/${bucket}?max-keys=3&marker=${encodeURIComponent(marker)}`;
    const page = fromUtf8((await place.ask({ method: 'GET', target }))!.body);
    for (const contents of elements(page, 'Contents')) {
      const field = (name: string) => elements(contents, name)[0]!;
      marker = field('Key');
      all.push([marker, field('ETag').replaceAll('&quot;', ''), Number(field('Size'))]);
    }
    if (!page.includes('<IsTruncated>true')) return all;
  }
}

async function oidsOf(io: IoCtx): Promise<readonly string[]> {
  const oids: string[] = [];
  for await (const { oid } of io.listObjects()) oids.push(oid);
  return oids.sort();
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? Number(each) : each));
}
