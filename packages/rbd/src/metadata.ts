/**
 * Pairs that programs keep with an image, in its header, or with a pool, in `rbd_info` (librbd/operation/MetadataSetRequest.cc,
 * MetadataRemoveRequest.cc, api/PoolMetadata.cc). Those whose names begin with `conf_` are options for who uses it.
 */
import { type Bytes, Errno, type RawString, type UTime } from '@spirula/encoding';
import { type IoCtx, type Rados, RadosError } from '@spirula/rados';
import { askIfThere, change, classCall } from './class-calls.ts';
import { headerObject, POOL_INFO } from './names.ts';
import { readPages } from './pages.ts';
import type { SnapshotScene } from './snapshot-changes.ts';

/** Of names of options. */
const OPTION_PREFIX = 'conf_';

/** One that is open to be changed. */
export interface ChangedImage {
  changeHeader(work: (scene: SnapshotScene) => Promise<void>): Promise<void>;
}

/** Of what librbd notes of one image, at one site. */
const INTERNAL_PREFIX = '.rbd';

export type Metadata = ReadonlyMap<RawString, Bytes>;

/** What goes with an image wherever it is copied. */
export function ownMetadata(metadata: Metadata): Metadata {
  return new Map([...metadata].filter(([name]) => !name.startsWith(INTERNAL_PREFIX)));
}

/** By name. @throws RadosError */
export async function imageMetadata(io: IoCtx, id: RawString): Promise<Metadata> {
  return await readMetadata(io, headerObject(id));
}

/** By name. @throws RadosError */
export async function poolMetadata(io: IoCtx): Promise<Metadata> {
  return await readMetadata(io, POOL_INFO);
}

/** @throws RadosError */
export async function setImageMetadata(image: ChangedImage, name: RawString, value: Bytes): Promise<void> {
  await image.changeHeader(({ io, header }) => setMetadata(io, headerObject(header.id), new Map([[name, value]])));
}

/** @throws RadosError ENOENT: there is none of this name */
export async function removeImageMetadata(image: ChangedImage, name: RawString): Promise<void> {
  await image.changeHeader(({ io, header }) => removeMetadata(io, headerObject(header.id), name));
}

/** @throws RadosError */
export async function setPoolMetadata(
  rados: Rados,
  io: IoCtx,
  name: RawString,
  value: Bytes,
  now: UTime,
): Promise<void> {
  await setMetadata(io, POOL_INFO, new Map([[name, value]]));
  await tellOfOption(rados, name, now);
}

/** @throws RadosError ENOENT: there is none of this name */
export async function removePoolMetadata(rados: Rados, io: IoCtx, name: RawString, now: UTime): Promise<void> {
  await removeMetadata(io, POOL_INFO, name);
  await tellOfOption(rados, name, now);
}

/** All clients of the cluster are told that some pool's options are others now: they read them anew. */
async function tellOfOption(rados: Rados, name: RawString, { sec }: UTime): Promise<void> {
  if (!name.startsWith(OPTION_PREFIX)) return;
  await rados.monCommand({
    prefix: 'config set',
    who: 'global',
    name: 'rbd_config_pool_override_update_timestamp',
    value: String(sec),
  });
}

async function readMetadata(io: IoCtx, oid: RawString): Promise<Metadata> {
  const pairs = await readPages<readonly [RawString, Bytes]>(io, oid, (after, max) =>
    classCall(
      'metadata_list',
      (from) => from.list('metadata', 8, () => [from.rawString('name'), from.blob('value')] as const),
      (to) => {
        to.rawString(after?.[0] ?? '');
        to.u64(max);
      },
    ),
  );
  return new Map(pairs);
}

/** An image that is made has what the one that it is made from has. @throws RadosError */
export async function inheritMetadata(from: IoCtx, fromId: RawString, io: IoCtx, id: RawString): Promise<void> {
  const metadata = ownMetadata(await imageMetadata(from, fromId));
  if (metadata.size > 0) await setMetadata(io, headerObject(id), metadata);
}

async function setMetadata(io: IoCtx, oid: RawString, pairs: Metadata): Promise<void> {
  const set = change('metadata_set', (to) =>
    to.map(
      pairs,
      (key) => to.rawString(key),
      (bytes) => to.blob(bytes),
    ),
  );
  await io.operate(oid, set);
}

async function removeMetadata(io: IoCtx, oid: RawString, name: RawString): Promise<void> {
  const get = classCall(
    'metadata_get',
    (from) => from.blob('value'),
    (to) => to.rawString(name),
  );
  if ((await askIfThere(io, oid, get)) === undefined) throw new RadosError(Errno.ENOENT, `metadata ${name}`);
  await io.operate(
    oid,
    change('metadata_remove', (to) => to.rawString(name)),
  );
}
