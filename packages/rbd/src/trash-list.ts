/** What is in the trash. */
import { decodeTrashedImage, type TrashedImage } from '@spirula/cls';
import type { RawString } from '@spirula/encoding';
import type { IoCtx } from '@spirula/rados';
import { classCall } from './class-calls.ts';
import { TRASH } from './names.ts';
import { readPages } from './pages.ts';

export interface TrashEntry extends TrashedImage {
  readonly id: RawString;
}

/** By their ids. @throws RadosError */
export async function listTrash(io: IoCtx): Promise<readonly TrashEntry[]> {
  return await readPages<TrashEntry>(io, TRASH, (after, max) =>
    classCall(
      'trash_list',
      (from) => from.list('images', 30, () => ({ id: from.rawString('id'), ...decodeTrashedImage(from) })),
      (to) => {
        to.rawString(after?.id ?? '');
        to.u64(max);
      },
    ),
  );
}
