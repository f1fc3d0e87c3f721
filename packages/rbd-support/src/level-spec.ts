/** What a schedule is for: all images, those of a pool, of a namespace, or one (rbd_support/schedule.py, LevelSpec). */
import { type PoolId, type RawString, rawFromText, textFromRaw } from '@spirula/encoding';
import type { IoCtx } from '@spirula/rados';
import { Image, imageNameOf, listNamespaces } from '@spirula/rbd';
import type { ImagePools } from './image-pools.ts';
import { ifThere, invalid, Refusal } from './refusal.ts';

export interface LevelSpec {
  /** As people write it: `POOL/`, `POOL/NAMESPACE/`, `POOL/IMAGE`; '': all. */
  readonly name: string;
  /** As it is stored: `1`, `1/NAMESPACE`, `1//IMAGEID`; '': all. */
  readonly id: string;
  readonly pool: PoolId | undefined;
  readonly namespace: string | undefined;
  readonly imageId: string | undefined;
}

/** What else is asked of a level. They throw a Refusal. */
export interface LevelChecks {
  /** What a schedule is for goes down to images. */
  readonly hasImages: boolean;
  namespace?(io: IoCtx): Promise<void>;
  image?(io: IoCtx, image: Image, name: string): Promise<void>;
}

export const GLOBAL: LevelSpec = { name: '', id: '', pool: undefined, namespace: undefined, imageId: undefined };

/** @throws Refusal */
export async function levelFromName(pools: ImagePools, text: string, checks: LevelChecks): Promise<LevelSpec> {
  const match = /^(?:([^/]+)\/(?:(?:([^/]*)\/|)(?:([^/@]+))?)?)?$/.exec(text);
  if (!match) throw invalid(`failed to parse ${text}`);
  const [, poolName, nsPart, imageName] = match;
  if (imageName !== undefined && !checks.hasImages) throw invalid(`invalid name ${text}: image level is not allowed`);
  if (poolName === undefined) return GLOBAL;
  const pool = poolNamed(pools, poolName);
  if (nsPart === undefined && imageName === undefined) return levelOfPool(pool, poolName);
  const namespace = nsPart ?? '';
  const io = await openNamespace(pools, pool, namespace);
  if (namespace !== '') await checks.namespace?.(io);
  if (imageName === undefined) return { name: text, id: `${pool}/${namespace}`, pool, namespace, imageId: undefined };
  const image = await ifThere(Image.open(pools.rados, io, rawFromText(imageName)));
  if (!image) throw invalid(`image ${imageName} does not exist`);
  const imageId = textFromRaw(image.header.id);
  await checks.image?.(io, image, imageName);
  const name = namespace === '' ? `${poolName}/${imageName}` : text;
  return { name, id: `${pool}/${namespace}/${imageId}`, pool, namespace, imageId };
}

/** Of one that is stored. Undefined: what it is for is no more. */
export async function levelFromId(pools: ImagePools, id: string, checks: LevelChecks): Promise<LevelSpec | undefined> {
  const match = /^(?:(\d+)(?:\/([^/]*)(?:\/([^/@]+))?)?)?$/.exec(id);
  if (!match) return undefined;
  const [, poolText, namespace, imageId] = match;
  if (poolText === undefined) return GLOBAL;
  const pool = Number(poolText);
  const poolName = pools.rados.poolName(pool);
  if (poolName === undefined) return undefined;
  if (namespace === undefined) return { ...levelOfPool(pool, poolName), id };
  const io = await ifRefused(openNamespace(pools, pool, namespace));
  if (!io) return undefined;
  const nsName = namespace === '' && imageId !== undefined ? '' : `${namespace}/`;
  const level = { id, pool, namespace, imageId };
  if (imageId === undefined) return { ...level, name: `${poolName}/${nsName}` };
  const rawId: RawString = rawFromText(imageId);
  const image = await ifThere(Image.openId(pools.rados, io, rawId));
  const imageName = image && (await imageNameOf(io, rawId));
  if (image === undefined || imageName === undefined) return undefined;
  const shown = textFromRaw(imageName);
  if (checks.image && !(await ifRefused(checks.image(io, image, shown).then(() => true)))) return undefined;
  return { ...level, name: `${poolName}/${nsName}${shown}` };
}

async function ifRefused<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

export function levelOfPool(pool: PoolId, poolName: string): LevelSpec {
  return { name: `${poolName}/`, id: `${pool}`, pool, namespace: undefined, imageId: undefined };
}

export function levelOfNamespace(pool: PoolId, poolName: string, namespace: string): LevelSpec {
  return { name: `${poolName}/${namespace}/`, id: `${pool}/${namespace}`, pool, namespace, imageId: undefined };
}

/** @throws Refusal: there is none, or it is not for images */
function poolNamed(pools: ImagePools, name: string): PoolId {
  const { rados } = pools;
  if (!rados.poolList().includes(name)) throw invalid(`pool ${name} does not exist`);
  const found = pools.list().find((pool) => pool.name === name);
  if (!found) throw invalid(`${name} is not an RBD pool`);
  return found.id;
}

/** @throws Refusal */
async function openNamespace(pools: ImagePools, pool: PoolId, namespace: string): Promise<IoCtx> {
  const io = await pools.openId(pool);
  if (namespace === '') return io;
  const nspace = rawFromText(namespace);
  if (!(await listNamespaces(io)).includes(nspace)) throw invalid(`namespace ${namespace} does not exist`);
  return io.with({ nspace });
}

/** Whether `level` is for a part of what `of` is for. */
export function isChildOf(level: LevelSpec, of: LevelSpec): boolean {
  if (of.pool === undefined) return level.pool !== undefined;
  if (of.pool !== level.pool) return false;
  if (of.namespace === undefined) return level.namespace !== undefined;
  if (of.namespace !== level.namespace) return false;
  return of.imageId === undefined && level.imageId !== undefined;
}

/** Whether there may be what both are for. */
export function intersects(a: LevelSpec, b: LevelSpec): boolean {
  if (a.pool === undefined || b.pool === undefined) return true;
  if (a.pool !== b.pool) return false;
  if (a.namespace === undefined || b.namespace === undefined) return true;
  if (a.namespace !== b.namespace) return false;
  return a.imageId === undefined || b.imageId === undefined || a.imageId === b.imageId;
}

/** What is to be done at set times: of a namespace, or of an image. */
export interface ScheduledTarget {
  readonly pool: PoolId;
  readonly namespace: string;
  /** Undefined: the namespace. */
  readonly imageId: string | undefined;
}

export function matches(level: LevelSpec, target: ScheduledTarget): boolean {
  if (level.pool !== undefined && level.pool !== target.pool) return false;
  if (level.namespace && level.namespace !== target.namespace) return false;
  return level.imageId === undefined || level.imageId === target.imageId;
}
