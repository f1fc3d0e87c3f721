/**
 * Who is a clone of what (librbd/image/AttachChildRequest.cc, AttachParentRequest.cc). The clone's header names the
 * snapshot. Of a clone of format 2 the parent's header knows; of one of format 1 the object `rbd_children` of the clone's pool, and
 * its snapshot is protected.
 */
import { RbdOperationFeature } from '@spirula/cls';
import type { RawString } from '@spirula/encoding';
import type { IoCtx, ObjectOperation } from '@spirula/rados';
import { change } from './class-calls.ts';
import { tellOfHeader } from './header-update.ts';
import type { ParentLink } from './image-header.ts';
import { CHILDREN, headerObject } from './names.ts';

export interface Clone {
  /** Where the clone's header is. */
  readonly io: IoCtx;
  readonly id: RawString;
}

/** The clone shows so much of the snapshot. @throws RadosError */
export async function attachParent({ io, id }: Clone, parent: ParentLink): Promise<void> {
  const attach = change('parent_attach', (to) => {
    to.struct(1, 1, () => {
      to.u64big(parent.poolId);
      to.rawString(parent.namespace);
      to.rawString(parent.imageId);
      to.u64big(parent.snapId);
    });
    to.u64(parent.overlap);
  });
  await io.operate(headerObject(id), attach);
}

/** @throws RadosError ENOENT: the snapshot has gone */
export async function attachChild(clone: Clone, parentIo: IoCtx, parent: ParentLink, format: 1 | 2): Promise<void> {
  if (format === 1) {
    await clone.io.operate(CHILDREN, oldChild('add_child', clone, parent));
    return;
  }
  await parentIo.operate(headerObject(parent.imageId), child('child_attach', clone, parent));
  const set = change('op_features_set', (to) => {
    to.u64big(RbdOperationFeature.cloneChild);
    to.u64big(RbdOperationFeature.cloneChild);
  });
  await clone.io.operate(headerObject(clone.id), set);
  await tellOfHeader(parentIo, parent.imageId);
}

/** In the header of the parent. */
export function child(method: string, { io, id }: Clone, { snapId }: ParentLink): ObjectOperation {
  return change(method, (to) => {
    to.u64big(snapId);
    to.struct(2, 1, () => {
      to.u64(io.pool);
      to.rawString(id);
      to.rawString(io.nspace);
    });
  });
}

/** In `rbd_children` of the pool that has the clone. */
export function oldChild(method: string, { id }: Clone, { poolId, imageId, snapId }: ParentLink): ObjectOperation {
  return change(method, (to) => {
    to.u64big(poolId);
    to.rawString(imageId);
    to.u64big(snapId);
    to.rawString(id);
  });
}
