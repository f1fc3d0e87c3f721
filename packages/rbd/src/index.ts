export { ahead, allOf, OPERATIONS_AT_ONCE } from './ahead.ts';
export { type ChildQuery, type ImageChild, listChildren } from './children.ts';
export { cloneImage, type NewClone } from './clone-image.ts';
export { type CopyOptions, copyImage } from './copy-image.ts';
export { createImage, DEFAULT_FEATURES, DEFAULT_ORDER, type NewImage } from './create-image.ts';
export { type DeepCopyOptions, deepCopyImage } from './deep-copy.ts';
export { type DiffExtent, type DiffOptions, diffImage } from './diff.ts';
export { disableFeatures, enableFeatures } from './features.ts';
export {
  createGroupSnapshot,
  type GroupScene,
  GroupSnapshotState,
  groupSnapshotNames,
  listGroupSnapshots,
  removeGroupSnapshot,
  removeGroupSnapshots,
  renameGroupSnapshot,
  rollBackGroup,
} from './group-snapshots.ts';
export {
  addToGroup,
  createGroup,
  groupIdOf,
  type ImageInGroup,
  LinkState,
  listGroupImages,
  listGroups,
  removeFromGroup,
  removeGroup,
  removeIdFromGroup,
  renameGroup,
  snapshotsOfGroup,
} from './groups.ts';
export { tellOfHeader } from './header-update.ts';
export { Image } from './image.ts';
export { type HeaderSnapshot, type ImageHeader, isUserSnapshot, type ParentLink } from './image-header.ts';
export { objectCount, stripePeriod } from './image-layout.ts';
export { type ImageTotals, imageTotals } from './image-totals.ts';
export { groupOf, imageNameOf, listImages, lockOf, type NamedImage, snapshotLimitOf } from './images.ts';
export { initPool } from './init-pool.ts';
export {
  imageMetadata,
  type Metadata,
  poolMetadata,
  removeImageMetadata,
  removePoolMetadata,
  setImageMetadata,
  setPoolMetadata,
} from './metadata.ts';
export {
  abortMigration,
  commitMigration,
  executeMigration,
  type PrepareOptions,
  prepareMigration,
  statusToEnd,
} from './migrate-image.ts';
export { type MigrationEnd, type MigrationStatus, migrationStatus } from './migration-status.ts';
export {
  type BootstrapToken,
  createBootstrapToken,
  formatBootstrapToken,
  importBootstrapToken,
  parseBootstrapToken,
} from './mirror-bootstrap.ts';
export {
  demoteImage,
  listMirrorImages,
  MirrorImageMode,
  type MirrorInfo,
  type MirrorScene,
  mirrorImage,
  mirrorInfo,
  promoteImage,
  resyncImage,
  snapshotForMirrors,
  unmirrorImage,
} from './mirror-images.ts';
export { removeMirrorPeer, setMirrorMode } from './mirror-mode.ts';
export {
  addMirrorPeer,
  MirrorMode,
  mirrorModeOf,
  mirrorPeers,
  mirrorSiteName,
  mirrorSummary,
  type PeerAttributes,
  peerAttributes,
  setMirrorPeerClient,
  setMirrorPeerDirection,
  setMirrorPeerName,
  setMirrorSiteName,
  setPeerAttributes,
} from './mirror-pool.ts';
export { mirrorSnapshots } from './mirror-snapshots.ts';
export { HERE, mirrorStateName, mirrorStatuses } from './mirror-status.ts';
export { headerObject, LOCK } from './names.ts';
export { createNamespace, listNamespaces, namespaceExists, removeNamespace } from './namespaces.ts';
export type { Progress } from './object-map-check.ts';
export { type Purge, purgeTrash } from './purge-trash.ts';
export { removeSnapshotById } from './remove-snapshot.ts';
export { renameImage } from './rename-image.ts';
export { NO_SNAPSHOT_LIMIT, Protection } from './snapshot-changes.ts';
export { isZero, type SparsePart, sparseParts } from './sparse-parts.ts';
export {
  moveToTrash,
  removeFromTrash,
  removeImage,
  restoreFromTrash,
} from './trash.ts';
export { listTrash, type TrashEntry } from './trash-list.ts';
export { type ImageWorld, unwritableFeatures, WritableImage } from './writable-image.ts';
