/** The CRUSH hierarchy as commands show it. */
import { itemByName } from '@spirula/crush';
import { Errno } from '@spirula/encoding';
import {
  dumpCrushTree,
  dumpOsdTree,
  dumpStray,
  isDestroyed,
  printCrushTree,
  printOsdTree,
  type TreeItem,
  treeOf,
} from '@spirula/formatter';
import { type OsdMap, osdIn, osdUp } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  invalid,
  output,
  refuse,
  text,
  texts,
} from './command.ts';
import { atEpoch } from './osd-arguments.ts';

/** `osd tree`, and `osd tree-from` with a bucket. */
export function osdTree(args: CommandArgs, context: CommandContext): CommandOutcome {
  return atEpoch(args, context, (map) => {
    const wanted = new Set(texts(args, 'states'));
    const from = text(args, 'bucket');
    const root = from === undefined ? undefined : itemByName(map.crush, from);
    if (from !== undefined && root === undefined) return refuse(Errno.ENOENT, `bucket '${from}' does not exist`);
    if (root !== undefined && root >= 0) return invalid(`"${from}" is not a bucket`);
    const whole = treeOf(map, false, root);
    const { items } = whole;
    const stray = root === undefined ? whole.stray : [];
    const shown = wanted.size === 0 ? items : items.filter((item) => matches(map, items, item, wanted));
    const strays = stray.filter((osd) => wanted.size === 0 || hasState(map, osd, wanted));
    const json = { nodes: dumpOsdTree(map, shown), ...(root === undefined && { stray: dumpStray(map, strays) }) };
    return output(args, json, printOsdTree(map, shown, strays), '\n');
  });
}

/** `osd crush tree`. */
export function crushTree(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const { items } = treeOf(map, text(args, 'shadow') !== undefined);
  return output(args, { nodes: dumpCrushTree(map, items), stray: [] }, printCrushTree(map, items));
}

function hasState(map: OsdMap, osd: number, wanted: ReadonlySet<string>): boolean {
  const up = osdUp(map, osd);
  const isIn = osdIn(map, osd);
  return (
    (wanted.has('up') && up) ||
    (wanted.has('down') && !up) ||
    (wanted.has('in') && isIn) ||
    (wanted.has('out') && !isIn) ||
    (wanted.has('destroyed') && isDestroyed(map, osd))
  );
}

function matches(map: OsdMap, items: readonly TreeItem[], item: TreeItem, wanted: ReadonlySet<string>): boolean {
  if (item.id >= 0) return hasState(map, item.id, wanted);
  return items.some((each) => item.children.includes(each.id) && matches(map, items, each, wanted));
}
