/** What an image can do, as bits (include/rbd/features.h). */

export const Feature = {
  layering: 1n << 0n,
  stripingV2: 1n << 1n,
  exclusiveLock: 1n << 2n,
  objectMap: 1n << 3n,
  fastDiff: 1n << 4n,
  deepFlatten: 1n << 5n,
  journaling: 1n << 6n,
  dataPool: 1n << 7n,
  operations: 1n << 8n,
  migrating: 1n << 9n,
  nonPrimary: 1n << 10n,
  dirtyCache: 1n << 11n,
} as const;

/** Who does not know one that the image has may not write it (RBD_FEATURES_ALL, RBD_FEATURES_RW_INCOMPATIBLE). */
export const ALL_FEATURES = (1n << 12n) - 1n;
/** Who does not know one of these that the image has may not read it. */
export const INCOMPATIBLE_FEATURES = Feature.layering | Feature.stripingV2 | Feature.dataPool | Feature.dirtyCache;
/** May be turned on and off. */
export const MUTABLE_FEATURES =
  Feature.exclusiveLock |
  Feature.objectMap |
  Feature.fastDiff |
  Feature.journaling |
  Feature.nonPrimary |
  Feature.dirtyCache;
/** May be turned off only. */
export const DISABLE_ONLY_FEATURES = Feature.deepFlatten;
/** Come and go with what they stand for. */
export const INTERNAL_FEATURES = Feature.operations | Feature.migrating;

/** What the feature `operations` stands for. */
export const OperationFeature = {
  cloneParent: 1n << 0n,
  cloneChild: 1n << 1n,
  group: 1n << 2n,
  snapTrash: 1n << 3n,
} as const;

export const ALL_OPERATION_FEATURES = (1n << 4n) - 1n;
