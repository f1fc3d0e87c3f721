/** Names of the RADOS objects of images (cls/rbd/cls_rbd_types.h, include/rbd_types.h), format 2. */
import type { RawString } from '@spirula/encoding';

/** Names of images and their ids. */
export const DIRECTORY = 'rbd_directory';
/** Names of groups of images and their ids. */
export const GROUP_DIRECTORY = 'rbd_group_directory';
/** Images that were put into the trash. */
export const TRASH = 'rbd_trash';
/** Namespaces of the pool. */
export const NAMESPACES = 'rbd_namespace';
/** Tasks of the manager. */
export const TASKS = 'rbd_task';
/** What is noted of the pool. */
export const POOL_INFO = 'rbd_info';
/** How the pool is mirrored, and which images. */
export const MIRRORING = 'rbd_mirroring';
/** Of clones of format 1: what they are clones of. */
export const CHILDREN = 'rbd_children';
/** Of an image's header: who writes to it. */
export const LOCK = 'rbd_lock';

export function idObject(name: RawString): RawString {
  return `rbd_id.${name}`;
}

export function groupHeaderObject(id: RawString): RawString {
  return `rbd_group_header.${id}`;
}

export function headerObject(id: RawString): RawString {
  return `rbd_header.${id}`;
}

/** @param prefix as the header gives it: `rbd_data.` and the id, and before that the header's pool where the data are in another */
export function dataObject(prefix: RawString, number: number): RawString {
  return `${prefix}.${number.toString(16).padStart(16, '0')}`;
}

/** Which objects exist, of the image or of a snapshot. */
export function objectMapObject(id: RawString, snapId?: bigint): RawString {
  return snapId === undefined
    ? `rbd_object_map.${id}`
    : `rbd_object_map.${id}.${snapId.toString(16).padStart(16, '0')}`;
}
