/** Namespaces of a pool that have images of their own (librbd/api/Namespace.cc). */
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import { askOne, change, changeIfThere, classCall } from './class-calls.ts';
import { CHILDREN, DIRECTORY, GROUP_DIRECTORY, MIRRORING, NAMESPACES, POOL_INFO, TASKS, TRASH } from './names.ts';
import { readPages } from './pages.ts';
import { listTrash } from './trash-list.ts';

/** DIRECTORY_STATE_*: whether images may come. */
const DirectoryState = { ready: 0, addDisabled: 1 } as const;

/** Objects that go with a namespace. */
const OF_NAMESPACE = [CHILDREN, GROUP_DIRECTORY, POOL_INFO, MIRRORING, TASKS, TRASH, DIRECTORY];

/** In the order of their names. @throws RadosError */
export async function listNamespaces(pool: IoCtx): Promise<readonly RawString[]> {
  return await readPages<RawString>(pool, NAMESPACES, (after, max) =>
    classCall(
      'namespace_list',
      (from) => from.list('namespaces', 4, () => from.rawString('name')),
      (to) => {
        to.rawString(after ?? '');
        to.u64(max);
      },
    ),
  );
}

/** @param io in the namespace. @throws RadosError */
export async function namespaceExists(io: IoCtx): Promise<boolean> {
  try {
    await askOne(
      io,
      DIRECTORY,
      classCall(
        'dir_state_assert',
        () => true,
        (to) => to.u8(DirectoryState.ready),
      ),
    );
    return true;
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.ENOENT) return false;
    throw error;
  }
}

/** One that was begun and not ended is in the list, and removed as others are. @throws RadosError EEXIST */
export async function createNamespace(pool: IoCtx, name: RawString): Promise<void> {
  await pool.operate(
    NAMESPACES,
    change('namespace_add', (to) => to.rawString(name)),
  );
  await pool.with({ nspace: name }).operate(DIRECTORY, setDirectoryState(DirectoryState.ready));
}

/** @throws RadosError ENOENT; EBUSY: there are images in it, or in its trash */
export async function removeNamespace(pool: IoCtx, name: RawString): Promise<void> {
  const io = pool.with({ nspace: name });
  const { result } = await io.submit(DIRECTORY, setDirectoryState(DirectoryState.addDisabled).remove());
  if (result < 0 && result !== Errno.ENOENT && result !== Errno.EBUSY) throw new RadosError(result, DIRECTORY);
  if (result === Errno.EBUSY || (await listTrash(io)).length > 0) {
    await io.submit(DIRECTORY, setDirectoryState(DirectoryState.ready));
    throw new RadosError(Errno.EBUSY, `namespace ${name}`);
  }
  for (const oid of OF_NAMESPACE) await changeIfThere(io, oid, new ObjectOperation().remove());
  await pool.operate(
    NAMESPACES,
    change('namespace_remove', (to) => to.rawString(name)),
  );
}

function setDirectoryState(state: number): ObjectOperation {
  return change('dir_state_set', (to) => to.u8(state));
}
