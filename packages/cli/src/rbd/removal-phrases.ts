/** Why an image is not removed (tools/rbd/action/Remove.cc, Trash.cc). */
export const HAS_SNAPSHOTS =
  "rbd: image has snapshots - these must be deleted with 'rbd snap purge' before the image can be removed.";
export const HAS_CLONES =
  'rbd: image has snapshots with linked clones - these must be deleted or flattened before the image can be removed.';
export const WATCHED =
  'rbd: error: image still has watchers\nThis means the image is still open or the client using it crashed. ' +
  'Try again after closing/unmapping it or waiting 30s for the crashed client to timeout.';
