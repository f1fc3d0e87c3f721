/** Makes a pool one for images (librbd/api/Pool.cc, Pool::init; librbd/image/ValidatePoolRequest.cc). */
import { Errno, fromUtf8, utf8 } from '@spirula/encoding';
import { type IoCtx, type Rados, RadosError } from '@spirula/rados';
import { POOL_INFO } from './names.ts';

const BEING_VALIDATED = 'validate';
const VALIDATED = 'overwrite validated';

/**
 * The pool has the application `rbd`, and is known to keep snapshots of images and to let objects be overwritten. A second time it
 * changes nothing.
 *
 * @param isForced also when it is another application's
 * @throws RadosError ENOENT; EPERM: it is another application's; EINVAL: it has snapshots of its own
 */
export async function initPool(rados: Rados, pool: string, isForced = false): Promise<void> {
  const io = await rados.ioctx(pool);
  const force = isForced && { yes_i_really_mean_it: true };
  const command = { prefix: 'osd pool application enable', pool, app: 'rbd', ...force };
  const { code, status } = await rados.monCommand(command);
  if (code < 0) throw new RadosError(code, status);
  await validate(rados, io);
}

async function validate(rados: Rados, io: IoCtx): Promise<void> {
  const info = await readInfo(io);
  if (info === VALIDATED) return;
  if (info !== BEING_VALIDATED) {
    // Whoever has taken one can take snapshots of images.
    const snapshots = rados.snapshots(io.pool);
    const id = await snapshots.createSelfManaged();
    await io.write(POOL_INFO, utf8(BEING_VALIDATED));
    await snapshots.removeSelfManaged(id);
  }
  await io.writeFull(POOL_INFO, utf8(VALIDATED));
}

async function readInfo(io: IoCtx): Promise<string | undefined> {
  try {
    return fromUtf8(await io.read(POOL_INFO));
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.ENOENT) return undefined;
    throw error;
  }
}
