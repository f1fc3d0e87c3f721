/** Emptying the trash (librbd/api/Trash.cc, purge). */

import { TrashSource } from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, type Rados, RadosError } from '@spirula/rados';
import { Image } from './image.ts';
import { removeFromTrash } from './trash.ts';
import { listTrash, type TrashEntry } from './trash-list.ts';
import type { ImageWorld } from './writable-image.ts';

/** Those that may go since so many seconds (wall clock), or first those, until a pool is no fuller than this share. */
export type Purge = { readonly expiredBefore: number } | { readonly threshold: number };

/** What keeps an image in the trash: others go nevertheless. */
const STAYS: ReadonlySet<number> = new Set([Errno.ENOTEMPTY, Errno.EBUSY, Errno.EMLINK, Errno.EUCLEAN]);

/**
 * One that is a clone of another may keep it: it is tried again as long as any goes.
 *
 * @param onProgress told after each
 * @throws RadosError with what keeps the first that stays; EINVAL: the share is none
 */
export async function purgeTrash(
  rados: Rados,
  io: IoCtx,
  which: Purge,
  world: ImageWorld,
  onProgress: (done: number, of: number) => void = () => {},
): Promise<void> {
  const entries = (await listTrash(io)).filter(({ source }) => source === TrashSource.user);
  const chosen = new Set<RawString>();
  if ('threshold' in which) {
    const { threshold } = which;
    if (!(threshold >= 0 && threshold <= 1)) throw new RadosError(Errno.EINVAL, `threshold ${threshold}`);
    const freeing = await chooseToFree(rados, io, entries, threshold);
    if (freeing.size === 0) return;
    for (const id of freeing) chosen.add(id);
  }
  const expired = 'threshold' in which ? world.wall().sec : which.expiredBefore;
  for (const { id, deferredUntil } of entries) if (expired >= deferredUntil.sec) chosen.add(id);
  await removeAll(rados, io, [...chosen].sort(), world, onProgress);
}

async function removeAll(
  rados: Rados,
  io: IoCtx,
  ids: readonly RawString[],
  world: ImageWorld,
  onProgress: (done: number, of: number) => void,
): Promise<void> {
  let left = [...ids];
  for (;;) {
    const stays: RawString[] = [];
    let reason: RadosError | undefined;
    for (const id of left) {
      try {
        await removeFromTrash(rados, io, id, { isForced: true }, world);
        onProgress(ids.length - left.length + 1, ids.length);
      } catch (error) {
        if (!(error instanceof RadosError && STAYS.has(error.code))) throw error;
        reason ??= error;
        stays.push(id);
      }
    }
    if (!reason) return;
    if (stays.length === left.length) throw reason;
    left = stays;
  }
}

interface PoolUse {
  readonly name: string;
  readonly stats: { readonly percent_used: number; readonly max_avail: number; readonly bytes_used: number };
}

/** Those first that may go first, as many as free what the pool of their data holds too much. */
async function chooseToFree(
  rados: Rados,
  io: IoCtx,
  entries: readonly TrashEntry[],
  threshold: number,
): Promise<ReadonlySet<RawString>> {
  const { code, data } = await rados.monCommand({ prefix: 'df', format: 'json' });
  if (code < 0) throw new RadosError(code, 'df');
  const { pools } = JSON.parse(new TextDecoder().decode(data)) as { readonly pools: readonly PoolUse[] };
  const chosen = new Set<RawString>();
  const oldestFirst = [...entries].sort((a, b) => a.deferredUntil.sec - b.deferredUntil.sec);
  const images = await openAll(rados, io, oldestFirst);
  for (const { name, stats } of pools) {
    const excess = (stats.max_avail + stats.bytes_used) * (stats.percent_used - threshold);
    if (excess <= 0) continue;
    let freed = 0;
    for (const image of images.filter(({ data: { pool } }) => rados.poolName(pool) === name)) {
      freed += await allocated(image);
      chosen.add(image.header.id);
      if (freed >= excess) break;
    }
  }
  return chosen;
}

async function openAll(rados: Rados, io: IoCtx, entries: readonly TrashEntry[]): Promise<readonly Image[]> {
  const images: Image[] = [];
  for (const { id } of entries) {
    try {
      images.push(await Image.openId(rados, io, id));
    } catch (error) {
      // It goes just now.
      if (!(error instanceof RadosError && error.code === Errno.ENOENT)) throw error;
    }
  }
  return images;
}

/** Bytes of the objects that it has. */
async function allocated(image: Image): Promise<number> {
  let bytes = 0;
  for (let at = 0; at < image.size; ) {
    for (const { length, isHole } of await image.allocation(at, image.size - at)) {
      if (!isHole) bytes += length;
      at += length;
    }
  }
  return bytes;
}
