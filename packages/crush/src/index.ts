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
  RuleType,
  removeItem,
  removeRule,
  reweightItem,
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
export { deviceClassOf, removeDeviceClass, setDeviceClass, shadowOf, shadowsOf } from './device-class.ts';
export { hash32, hash32x2, hash32x3, hash32x4, hash32x5 } from './hash.ts';
export {
  ancestorsOf,
  bucketOf,
  type CrushLocation,
  devicesBelow,
  findMisfit,
  fitsLocation,
  isShadow,
  itemByName,
  itemWeight,
  locationOf,
  type Misfit,
  parentOf,
  rootsOf,
  standsAt,
  subtreeOf,
  typeByName,
} from './hierarchy.ts';
export { CrushMapper, findRule } from './mapper.ts';
export {
  COMPAT_WEIGHT_SET,
  createWeightSet,
  hasOtherThanStraw2,
  removeWeightSet,
  reweightInSet,
  weightSetPositions,
} from './weight-sets.ts';
