/** How much a pool's images are, as far as their headers tell (librbd/api/Pool.cc, get_stats). */
import { NOSNAP } from '@spirula/cls';
import type { RawString } from '@spirula/encoding';
import type { IoCtx } from '@spirula/rados';
import { ask, classCall } from './class-calls.ts';
import { listImages } from './images.ts';
import { headerObject } from './names.ts';
import { listTrash } from './trash-list.ts';

export interface ImageTotals {
  readonly count: number;
  /** Bytes; of each image as many as it, or the largest of its snapshots, has. */
  readonly provisioned: bigint;
  readonly snapshots: number;
}

/** @throws RadosError */
export async function imageTotals(io: IoCtx): Promise<{ readonly images: ImageTotals; readonly trash: ImageTotals }> {
  const total = async (entries: readonly { readonly id: RawString }[]) =>
    sum(
      io,
      entries.map(({ id }) => id),
    );
  return { images: await total(await listImages(io)), trash: await total(await listTrash(io)) };
}

async function sum(io: IoCtx, ids: readonly RawString[]): Promise<ImageTotals> {
  let provisioned = 0n;
  let snapshots = 0;
  for (const id of ids) {
    const [size, snaps] = await ask(io, headerObject(id), [sizeOf(NOSNAP), SNAPSHOT_IDS]);
    const sizes = snaps.length === 0 ? [] : await ask(io, headerObject(id), snaps.map(sizeOf));
    provisioned += [size, ...sizes].reduce((largest, each) => (each > largest ? each : largest), 0n);
    snapshots += snaps.length;
  }
  return { count: ids.length, provisioned, snapshots };
}

const SNAPSHOT_IDS = classCall('get_snapcontext', (from) => {
  from.u64big('seq');
  return from.list('snaps', 8, () => from.u64big('snap'));
});

function sizeOf(snapId: bigint) {
  return classCall(
    'get_size',
    (from) => {
      from.u8('order');
      return from.u64big('size');
    },
    (to) => to.u64big(snapId),
  );
}
