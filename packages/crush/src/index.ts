export { type BatchMapper, batchMapper, engineMapper, type Mappings, PlainBatchMapper } from './batch-mapper.ts';
export { buildCrushMap, CrushBuildError, type LayerPlan } from './build-layers.ts';
export {
  addBucket,
  addSimpleRule,
  createOrMove,
  DEFAULT_TYPES,
  detach,
  emptyCrushMap,
  insert,
  isTakenByRule,
  moveBucket,
  removeItem,
  removeRule,
  reweightAll,
  reweightItem,
  unlinkItem,
} from './builder.ts';
export { decodeCrushMap, encodeCrushMap, LEGACY_TUNABLES } from './codec.ts';
export {
  BucketAlg,
  CRUSH_ITEM_NONE,
  CRUSH_ITEM_UNDEF,
  type CrushBucket,
  type CrushChooseArg,
  type CrushMap,
  type CrushRule,
  type CrushRuleStep,
  type CrushTunables,
  RuleOp,
} from './crush-map.ts';
export {
  classByName,
  createDeviceClass,
  deviceClassOf,
  dropDeviceClass,
  removeDeviceClass,
  renameDeviceClass,
  rulesOfClass,
  setDeviceClass,
  shadowOf,
  shadowsOf,
} from './device-class.ts';
export { CrushDraft, type EditFailure } from './draft.ts';
export { bucketAlgName, dumpCrushMap, dumpRule, dumpWeightSets } from './dump.ts';
export type { DrawnItem } from './explain-draw.ts';
export {
  type ExplainedDraw,
  type ExplainedMapping,
  type ExplainedStep,
  type ExplainedTry,
  explainMapping,
} from './explain-mapping.ts';
export { hash32, hash32x2, hash32x3, hash32x4, hash32x5 } from './hash.ts';
export {
  ancestorsOf,
  bucketOf,
  bucketsBelow,
  type CrushLocation,
  devicesBelow,
  deviceWeights,
  findMisfit,
  fitsLocation,
  isShadow,
  itemByName,
  itemWeight,
  locationOf,
  type Misfit,
  parentOf,
  parentsOf,
  rootsOf,
  standsAt,
  subtreeOf,
  typeByName,
} from './hierarchy.ts';
export {
  changeItemWeight,
  createOrMoveItem,
  deleteItem,
  fixedPoint,
  insertItem,
  relocateBucket,
  updateItem,
  weightIn,
} from './item-places.ts';
export { adjustItemWeight, reweighAll } from './item-weights.ts';
export { isNested, linkBucket, renameBucket, swapBuckets } from './links.ts';
export { findNamelessItem, findOverlappingRules } from './map-checks.ts';
export { CrushMapper, findRule, type Rejection } from './mapper.ts';
export { type BucketMatch, type Listener, reclassify, setSubtreeClass } from './reclassify.ts';
export { RuleConstraints } from './rule-constraints.ts';
export { rebuildShadowTrees } from './shadow-trees.ts';
export { addRule, RuleType, type SimpleRule, takeRuleAway } from './simple-rule.ts';
export { type CompileOptions, compileCrushMap } from './text/compile.ts';
export { type Decompiled, decompileCrushMap } from './text/decompile.ts';
export { CrushTextError } from './text/text-error.ts';
export { type TreeRow, treeRows } from './tree-rows.ts';
export {
  dumpTunables,
  strawToStraw2,
  TUNABLES_PROFILES,
  withStrawCalcVersion,
  withTunablesProfile,
} from './tunables.ts';
export {
  COMPAT_WEIGHT_SET,
  createWeightSet,
  hasOtherThanStraw2,
  removeWeightSet,
  reweightInSet,
  weightSetPositions,
  withTidyWeightSets,
} from './weight-sets.ts';
export { weightText } from './weight-text.ts';
