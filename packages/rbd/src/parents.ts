/**
 * Who is a clone of what (librbd/image/AttachChildRequest.cc, AttachParentRequest.cc, DetachChildRequest.cc). The clone's header names the
 * snapshot. Of a clone of format 2 the parent's header knows; of one of format 1 the object `rbd_children` of the clone's pool, and
 * its snapshot is protected.
 */
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, type Rados, RadosError } from '@spirula/rados';
import { CLASS, classCall } from './class-calls.ts';
import type { ParentLink } from './image-header.ts';
import { CHILDREN, headerObject } from './names.ts';
import { encodeNotice } from './notify-messages.ts';

/** RBD_OPERATION_FEATURE_CLONE_CHILD */
const CLONE_CHILD = 2n;

export interface Clone {
  /** Where the clone's header is. */
  readonly io: IoCtx;
  readonly id: RawString;
}

/** The clone shows so much of the snapshot. @throws RadosError */
export async function attachParent({ io, id }: Clone, parent: ParentLink): Promise<void> {
  const attach = classCall(
    'parent_attach',
    () => undefined,
    (to) => {
      to.struct(1, 1, () => {
        to.u64big(parent.poolId);
        to.rawString(parent.namespace);
        to.rawString(parent.imageId);
        to.u64big(parent.snapId);
      });
      to.u64(parent.overlap);
    },
  );
  await io.operate(headerObject(id), callOf(attach));
}

/** @throws RadosError ENOENT: the snapshot has gone */
export async function attachChild(clone: Clone, parentIo: IoCtx, parent: ParentLink, format: 1 | 2): Promise<void> {
  if (format === 1) {
    await clone.io.operate(CHILDREN, callOf(oldChild('add_child', clone, parent)));
    return;
  }
  await parentIo.operate(headerObject(parent.imageId), callOf(child('child_attach', clone, parent)));
  const set = classCall(
    'op_features_set',
    () => undefined,
    (to) => {
      to.u64big(CLONE_CHILD);
      to.u64big(CLONE_CHILD);
    },
  );
  await clone.io.operate(headerObject(clone.id), callOf(set));
  await tellOf(parentIo, parent);
}

/** Of whichever format it is. @throws RadosError */
export async function detachFromParent(rados: Rados, clone: Clone, parent: ParentLink): Promise<void> {
  const parentIo = (await rados.ioctx(Number(parent.poolId))).with({ nspace: parent.namespace });
  await changeIfThere(parentIo, headerObject(parent.imageId), child('child_detach', clone, parent));
  await tellOf(parentIo, parent);
  await changeIfThere(clone.io, CHILDREN, oldChild('remove_child', clone, parent));
}

async function tellOf(parentIo: IoCtx, { imageId }: ParentLink): Promise<void> {
  await parentIo.notify(headerObject(imageId), encodeNotice({ kind: 'headerUpdate' })).catch(() => undefined);
}

function child(method: string, { io, id }: Clone, { snapId }: ParentLink) {
  return classCall(
    method,
    () => undefined,
    (to) => {
      to.u64big(snapId);
      to.struct(2, 1, () => {
        to.u64(io.pool);
        to.rawString(id);
        to.rawString(io.nspace);
      });
    },
  );
}

function oldChild(method: string, { id }: Clone, { poolId, imageId, snapId }: ParentLink) {
  return classCall(
    method,
    () => undefined,
    (to) => {
      to.u64big(poolId);
      to.rawString(imageId);
      to.u64big(snapId);
      to.rawString(id);
    },
  );
}

async function changeIfThere(io: IoCtx, oid: RawString, call: ReturnType<typeof classCall>): Promise<void> {
  const { result } = await io.submit(oid, callOf(call));
  if (result < 0 && result !== Errno.ENOENT) throw new RadosError(result, oid);
}

function callOf({ method, input }: ReturnType<typeof classCall>): ObjectOperation {
  return new ObjectOperation().exec(CLASS, method, input, 'write');
}
