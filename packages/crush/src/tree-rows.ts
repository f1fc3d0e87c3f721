/** The items of a map, top down (CrushTreeDumper): roots by id, what they hold by class and name. */
import type { CrushMap } from './crush-map.ts';
import { deviceClassOf } from './device-class.ts';
import { CrushDraft } from './draft.ts';
import { weightAt } from './hierarchy.ts';

export interface TreeRow {
  readonly id: number;
  /** 0 for roots. */
  readonly parent: number;
  readonly depth: number;
  /** In the bucket that holds it, 16.16; a root's is its own. */
  readonly weight: number;
}

/** With `shadows`, the trees of device classes are among them. Ends where a damaged map runs in a circle. */
export function treeRows(map: CrushMap, shadows: boolean): TreeRow[] {
  const draft = new CrushDraft(map);
  const rows: TreeRow[] = [];
  const visit = (row: TreeRow, above: readonly number[]) => {
    rows.push(row);
    const bucket = draft.bucket(row.id);
    if (bucket === undefined || above.includes(row.id)) return;
    const children = Array.from(bucket.items, (id, place) => ({ id, weight: weightAt(bucket, place) }));
    for (const { id, weight } of byName(map, children)) {
      visit({ id, parent: row.id, depth: row.depth + 1, weight }, [...above, row.id]);
    }
  };
  for (const id of draft.roots()) {
    if (shadows || !draft.isShadow(id)) visit({ id, parent: 0, depth: 0, weight: draft.bucket(id)!.weight }, []);
  }
  return rows;
}

/** Sorted; of several that sort alike, the first. */
function byName<Child extends { readonly id: number }>(map: CrushMap, children: readonly Child[]): Child[] {
  const sorted = new Map<string, Child>();
  for (const child of children.toReversed()) sorted.set(sortKey(map, child.id), child);
  return [...sorted].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, child]) => child);
}

function sortKey(map: CrushMap, id: number): string {
  if (id < 0) return `_${map.names.get(id) ?? ''}`;
  return `${deviceClassOf(map, id) ?? ''}_osd.${String(id).padStart(8, '0')}`;
}
