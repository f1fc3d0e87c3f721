import { addBucket, addSimpleRule, type CrushMap, DEFAULT_TYPES, emptyCrushMap } from '@spirula/crush';
import type { Config } from '@spirula/world';

const ROOT_TYPE = DEFAULT_TYPES.indexOf('root');

/** A new cluster's CRUSH map: an empty root `default`, and `replicated_rule` over osd_crush_chooseleaf_type. */
export function initialCrush(config: Config): CrushMap {
  const [map, root] = addBucket(emptyCrushMap(), 'default', ROOT_TYPE);
  const domain = DEFAULT_TYPES[config.osd_crush_chooseleaf_type] ?? 'host';
  return addSimpleRule(map, 'replicated_rule', root, domain, 'firstn');
}
