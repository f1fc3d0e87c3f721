/**
 * Images as librbd keeps them (cls/rbd/cls_rbd.cc): headers, the pool's directories, object maps, the trash, groups, and what
 * mirroring notes. Which object holds what, packages/cls/README.md tells.
 */
import type { ObjectClass } from '../object-class.ts';
import { childMethods } from './children.ts';
import { dataObjectMethods } from './data-object.ts';
import { directoryMethods } from './directory.ts';
import { groupMethods } from './groups.ts';
import { headerMethods } from './header.ts';
import { imageIdMethods } from './image-id.ts';
import { metadataMethods } from './metadata.ts';
import { migrationMethods } from './migration.ts';
import { mirrorImageMethods } from './mirror-images.ts';
import { mirrorPoolMethods } from './mirror-pool.ts';
import { mirrorStatusMethods } from './mirror-status.ts';
import { namespaceMethods } from './namespaces.ts';
import { objectMapMethods } from './object-map.ts';
import { oldFormatMethods } from './old-format.ts';
import { parentMethods } from './parent.ts';
import { snapshotMethods } from './snapshots.ts';
import { trashMethods } from './trash.ts';

export const rbdClass: ObjectClass = {
  name: 'rbd',
  methods: {
    ...headerMethods,
    ...parentMethods,
    ...snapshotMethods,
    ...childMethods,
    ...metadataMethods,
    ...migrationMethods,
    ...imageIdMethods,
    ...directoryMethods,
    ...objectMapMethods,
    ...dataObjectMethods,
    ...oldFormatMethods,
    ...trashMethods,
    ...namespaceMethods,
    ...groupMethods,
    ...mirrorPoolMethods,
    ...mirrorImageMethods,
    ...mirrorStatusMethods,
  },
};
