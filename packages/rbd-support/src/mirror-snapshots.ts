/** Snapshots of mirrored images for the mirrors to copy, at set times (rbd_support/mirror_snapshot_schedule.py). */
import { type PoolId, type RawString, rawFromText, textFromRaw } from '@spirula/encoding';
import type { IoCtx } from '@spirula/rados';
import {
  Image,
  type ImageWorld,
  listImages,
  listMirrorImages,
  listNamespaces,
  MirrorImageMode,
  MirrorMode,
  mirrorInfo,
  mirrorModeOf,
  snapshotForMirrors,
} from '@spirula/rbd';
import { minuteText } from './clock-text.ts';
import type { ImagePools } from './image-pools.ts';
import { formatImageSpec } from './image-spec.ts';
import { levelOfNamespace, levelOfPool } from './level-spec.ts';
import { ifThere, invalid } from './refusal.ts';
import type { ScheduledWork } from './schedule-handler.ts';
import type { Scheduled } from './schedule-queue.ts';

interface ScheduledImage extends Scheduled {
  readonly imageId: string;
}

export function mirrorSnapshots(pools: ImagePools, images: ImageWorld): ScheduledWork<ScheduledImage> {
  const { rados } = pools;
  return {
    oid: 'rbd_mirror_snapshot_schedule',
    option: 'mgr/rbd_support/mirror_snapshot_schedule',
    checks: {
      hasImages: true,
      async namespace(io) {
        if ((await mirrorModeOf(io)) === MirrorMode.image) return;
        throw invalid(`namespace ${textFromRaw(io.nspace)} is not in mirror image mode`);
      },
      async image(io, { header }, name) {
        if ((await mirrorInfo(io, header))?.mode === MirrorImageMode.snapshot) return;
        throw invalid(`image ${name} is not in snapshot mirror mode`);
      },
    },
    words: 'rbd mirror snapshot schedule',
    what: 'take snapshots of mirrored images',
    async targets(mayConcern) {
      const all: ScheduledImage[] = [];
      for (const { id, name } of pools.list()) {
        if (!mayConcern(levelOfPool(id, name))) continue;
        const pool = await pools.openId(id);
        for (const nspace of ['', ...(await listNamespaces(pool))]) {
          const place = { pool: id, poolName: name, namespace: textFromRaw(nspace) };
          if (!mayConcern(levelOfNamespace(place.pool, name, place.namespace))) continue;
          all.push(...(await mirroredImages(pools, pool.with({ nspace }), place)));
        }
      }
      return all;
    },
    async run({ pool, namespace, imageId }) {
      const io = await pools.openId(pool, namespace);
      await snapshotForMirrors({ rados, io, world: images }, rawFromText(imageId));
    },
    status: (due) => ({
      scheduled_images: due.map(({ at, target: { name } }) => ({ schedule_time: minuteText(at), image: name })),
    }),
  };
}

interface Place {
  readonly pool: PoolId;
  readonly poolName: string;
  readonly namespace: string;
}

/** Those that are mirrored by snapshots, and are written here. */
async function mirroredImages(
  { rados }: ImagePools,
  io: IoCtx,
  { pool, poolName, namespace }: Place,
): Promise<readonly ScheduledImage[]> {
  const ids = await listMirrorImages(io);
  const names = ids.length === 0 ? new Map<RawString, RawString>() : await imageNames(io);
  const found: ScheduledImage[] = [];
  for (const id of ids) {
    const name = names.get(id);
    const image = name === undefined ? undefined : await ifThere(Image.openId(rados, io, id));
    if (name === undefined || !image) continue;
    const info = await mirrorInfo(io, image.header);
    if (info?.mode !== MirrorImageMode.snapshot || info.promotion !== 'primary') continue;
    const shown = formatImageSpec({ pool: poolName, namespace, image: textFromRaw(name) });
    found.push({ pool, namespace, imageId: textFromRaw(id), name: shown });
  }
  return found;
}

async function imageNames(io: IoCtx): Promise<ReadonlyMap<RawString, RawString>> {
  return new Map((await listImages(io)).map(({ id, name }) => [id, name]));
}
