/** Where a new bucket is, and what storage classes its objects may have (RGWSI_Zone::select_new_bucket_location, RGWZoneParams). */
import type { RawString } from '@spirula/encoding';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { type PlacementRule, STANDARD_STORAGE_CLASS } from '../formats/placement-rule.ts';
import type { UserInfo } from '../formats/user-info.ts';
import type { Zone } from './zone.ts';

/** There is no such placement target. */
export class NoSuchPlacement extends Error {
  override readonly name = 'NoSuchPlacement';
}

/** The placement target has no such storage class. */
export class NoSuchStorageClass extends Error {
  override readonly name = 'NoSuchStorageClass';
}

/** The placement target has tags, and the user none of them. */
export class PlacementNotPermitted extends Error {
  override readonly name = 'PlacementNotPermitted';
}

/**
 * What the request says, else the user's own, else the zonegroup's.
 *
 * @param asked a name or a storage class that is '' is not asked for
 * @throws NoSuchPlacement, NoSuchStorageClass, PlacementNotPermitted
 */
export function placementOfNewBucket(zone: Zone, owner: UserInfo, asked: PlacementRule): PlacementRule {
  const { placementTargets, defaultPlacement } = zone.zonegroup;
  const chosen = [asked, owner.defaultPlacement].find(({ name }) => name !== '') ?? defaultPlacement;
  const { name } = chosen;
  const target = placementTargets.get(name);
  if (!target || !zone.params.placements.has(name)) throw new NoSuchPlacement(`There is no placement target ${name}`);
  if (target.tags.size > 0 && !owner.placementTags.some((tag) => target.tags.has(tag))) {
    throw new PlacementNotPermitted(`The user may not use the placement target ${name}`);
  }
  const storageClass = asked.storageClass || chosen.storageClass;
  requireStorageClass(zone, { name, storageClass });
  return { name, storageClass };
}

/** @throws NoSuchStorageClass */
export function requireStorageClass(zone: Zone, { name, storageClass }: PlacementRule): void {
  if (hasStorageClass(zone, { name, storageClass })) return;
  throw new NoSuchStorageClass(`There is no storage class ${storageClass} here`);
}

/** Whether objects may be of a storage class; '' is the bucket's own (RGWZoneParams::valid_placement). */
export function hasStorageClass(zone: Zone, { name, storageClass }: PlacementRule): boolean {
  return storageClass === '' || (zone.params.placements.get(name)?.storageClasses.has(storageClass) ?? false);
}

/** Where the data of an object are that is to be of a storage class; '' is the bucket's own (rgw_placement_rule::inherit_from). */
export function tailPlacementOf({ placement }: BucketInfo, storageClass: RawString = ''): PlacementRule {
  return storageClass === '' ? placement : { ...placement, storageClass };
}

/** The class as it is shown: one that nobody gave a name is the standard one. */
export function canonicalStorageClass(storageClass: RawString): RawString {
  return storageClass === '' ? STANDARD_STORAGE_CLASS : storageClass;
}
