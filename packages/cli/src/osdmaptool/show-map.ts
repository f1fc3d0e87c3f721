/** `--health`, `--print`, `--dump` and `--tree`. */
import { dumpOsdTree, dumpStray, printOsdTree, treeOf } from '@spirula/formatter';
import { checkMap, dumpOsdMapExactly, type OsdMap, printOsdMap } from '@spirula/maps';
import { formatDocument } from './document.ts';
import type { Form, Request } from './request.ts';
import type { Settings } from './settings.ts';
import type { OsdMapToolIo } from './tool-io.ts';

export function showMap(map: OsdMap, request: Request, setting: Settings, io: OsdMapToolIo): void {
  if (request.health) io.stdout(health(map, setting));
  if (request.print) io.stdout(print(map, request.printForm));
  if (request.tree) io.stdout(tree(map, request.treeForm));
}

function print(map: OsdMap, form: Form): string {
  return form === 'plain' ? printOsdMap(map) : formatDocument('osdmap', dumpOsdMapExactly(map), form);
}

function tree(map: OsdMap, form: Form): string {
  const { items, stray } = treeOf(map, false);
  if (form === 'plain') return printOsdTree(map, items, stray);
  return `${formatDocument('tree', { nodes: dumpOsdTree(map, items), stray: dumpStray(map, stray) }, form)}\n`;
}

/** The checks by code, always as indented JSON. */
function health(map: OsdMap, setting: Settings): string {
  const checks = new Map<string, object>();
  const options = {
    osd_failsafe_full_ratio: setting('osd_failsafe_full_ratio', 0.97),
    mon_warn_on_pool_no_redundancy: setting('mon_warn_on_pool_no_redundancy', true),
    mon_warn_on_legacy_crush_tunables: setting('mon_warn_on_legacy_crush_tunables', true),
    mon_crush_min_required_version: setting('mon_crush_min_required_version', 'hammer'),
    mon_warn_on_crush_straw_calc_version_zero: setting('mon_warn_on_crush_straw_calc_version_zero', true),
    mon_warn_on_cache_pools_without_hit_sets: setting('mon_warn_on_cache_pools_without_hit_sets', true),
    mon_warn_on_pool_pg_num_not_power_of_two: setting('mon_warn_on_pool_pg_num_not_power_of_two', true),
  };
  checkMap(map, options, (code, severity, summary, count, detail = []) => {
    checks.set(code, {
      severity,
      summary: { message: summary, count },
      detail: detail.map((message) => ({ message })),
    });
  });
  return formatDocument('checks', Object.fromEntries([...checks].sort(([a], [b]) => (a < b ? -1 : 1))), 'json-pretty');
}
