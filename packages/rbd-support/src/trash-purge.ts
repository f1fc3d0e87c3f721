/** The trash emptied of what may go, at set times (rbd_support/trash_purge_schedule.py). */
import { textFromRaw } from '@spirula/encoding';
import { type ImageWorld, listNamespaces, purgeTrash } from '@spirula/rbd';
import { minuteText } from './clock-text.ts';
import type { ImagePools } from './image-pools.ts';
import { levelOfPool } from './level-spec.ts';
import type { ScheduledWork } from './schedule-handler.ts';
import type { Scheduled } from './schedule-queue.ts';

/** Called by its pool. */
type Namespace = Scheduled;

export function trashPurge(pools: ImagePools, images: ImageWorld): ScheduledWork<Namespace> {
  return {
    oid: 'rbd_trash_purge_schedule',
    option: 'mgr/rbd_support/trash_purge_schedule',
    checks: { hasImages: false },
    words: 'rbd trash purge schedule',
    what: 'empty the trash',
    async targets(mayConcern) {
      const all: Namespace[] = [];
      for (const { id, name } of pools.list()) {
        if (!mayConcern(levelOfPool(id, name))) continue;
        const namespaces = ['', ...(await listNamespaces(await pools.openId(id))).map(textFromRaw)];
        all.push(...namespaces.map((namespace) => ({ pool: id, namespace, imageId: undefined, name })));
      }
      return all;
    },
    async run({ pool, namespace }) {
      const io = await pools.openId(pool, namespace);
      await purgeTrash(pools.rados, io, { expiredBefore: images.wall().sec }, images);
    },
    status: (due) => ({
      scheduled: due.map(({ at, target: { pool, namespace, name } }) => ({
        ...{ schedule_time: minuteText(at), pool_id: String(pool), pool_name: name, namespace },
      })),
    }),
  };
}
