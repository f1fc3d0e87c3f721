/** What may be wrong with a map that can be read (CrushTester::check_name_maps, check_overlapped_rules). */
import type { CrushMap } from './crush-map.ts';
import { treeRows } from './tree-rows.ts';

const MOST_REPLICAS = 255;

/** What first lacks a name or a type, or is a device of `maxId` or above (0: any is fine), in Ceph's words. */
export function findNamelessItem(map: CrushMap, maxId: number): string | undefined {
  // Devices that stand nowhere are shown, too, and have a type then.
  const stray = { id: 0 };
  for (const { id } of [...treeRows(map, false), stray]) {
    if (id < 0 && !map.names.has(id)) return `unknown item name: item#${id}`;
    if (id >= 0 && maxId > 0 && id >= maxId) return `item id too large: item#${id}`;
    const type = id < 0 ? map.buckets[-1 - id]?.type : 0;
    if (type === undefined || !map.typeNames.has(type)) return `unknown type name: item#${id}`;
  }
  return undefined;
}

/** Rules of one ruleset and type that are for the same numbers of replicas: names, for each such range. */
export function findOverlappingRules(map: CrushMap): { ruleset: number; names: string[] }[] {
  const groups = new Map<string, { ruleset: number; type: number; rules: [number, number, string][] }>();
  for (const [id, rule] of map.rules.entries()) {
    if (rule === undefined) continue;
    const { ruleset, type, minSize, maxSize } = rule;
    const key = `${ruleset}/${type}`;
    const group = groups.get(key) ?? { ruleset, type, rules: [] };
    group.rules.push([minSize, maxSize, map.ruleNames.get(id) ?? `rule${id}`]);
    groups.set(key, group);
  }
  const sorted = [...groups.values()].sort((a, b) => a.ruleset - b.ruleset || a.type - b.type);
  return sorted.flatMap(({ ruleset, rules }) => overlaps(rules).map((names) => ({ ruleset, names })));
}

function overlaps(rules: readonly (readonly [number, number, string])[]): string[][] {
  const found: string[][] = [];
  let before = '';
  for (let size = 0; size <= MOST_REPLICAS; size++) {
    const names = [...new Set(rules.filter(([min, max]) => min <= size && size <= max).map(([, , name]) => name))];
    names.sort((a, b) => (a < b ? -1 : 1));
    const key = names.join(', ');
    if (key !== before && names.length > 1) found.push(names);
    before = key;
  }
  return found;
}
