/** Where data goes (rgw_placement_rule, rgw_placement_types.h): a placement target, and a storage class within it. */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';

export interface PlacementRule {
  readonly name: RawString;
  /** '' is `STANDARD`. */
  readonly storageClass: RawString;
}

export const STANDARD_STORAGE_CLASS = 'STANDARD';
export const NO_PLACEMENT: PlacementRule = { name: '', storageClass: '' };

/** `name`, or `name/class` where the class is not the standard one. */
export function formatPlacementRule({ name, storageClass }: PlacementRule): RawString {
  return storageClass === '' || storageClass === STANDARD_STORAGE_CLASS ? name : `${name}/${storageClass}`;
}

export function parsePlacementRule(text: RawString): PlacementRule {
  const slash = text.indexOf('/');
  if (slash < 0) return { name: text, storageClass: '' };
  return { name: text.slice(0, slash), storageClass: text.slice(slash + 1) };
}

export function encodePlacementRule(to: Encoder, rule: PlacementRule): void {
  to.rawString(formatPlacementRule(rule));
}

/** @throws MalformedInput */
export function decodePlacementRule(from: Decoder): PlacementRule {
  return parsePlacementRule(from.rawString('placement rule'));
}
