/** `--test-map-object`, `--test-map-pg` and `--test-crush`: where one thing goes, or whether all things go there again. */
import { CRUSH_ITEM_NONE } from '@spirula/crush';
import { formatPgId, type OsdId, type PgId, rawFromText } from '@spirula/encoding';
import { mapAnyPg, mapPgRaw, type OsdMap, objectToPg } from '@spirula/maps';
import { misuse, Refusal } from './refusal.ts';
import type { OsdMapToolIo } from './tool-io.ts';

const ASSUMED_POOL = 1;
const ATTEMPTS = 100;

/** @param pool -1: 1 */
export function testMapObject(map: OsdMap, name: string, pool: number, io: OsdMapToolIo): void {
  if (pool === -1) io.stdout(`osdmaptool: assuming pool ${ASSUMED_POOL} (use --pool to override)\n`);
  const id = pool === -1 ? ASSUMED_POOL : pool;
  const pg = objectToPg(map, id, { nspace: '', key: '', name: rawFromText(name) });
  if (pg === undefined) throw new Refusal(`There is no pool ${id}`);
  io.stdout(` object '${name}' -> ${formatPgId(pg)} -> [${mapAnyPg(map, pg).acting}]\n`);
}

export function testMapPg(map: OsdMap, text: string, io: OsdMapToolIo): void {
  const pg = parsePg(text);
  // 16.2.15 forgets the second quote.
  if (pg === undefined) throw misuse(`failed to parse pg '${text}`);
  io.stdout(` parsed '${text}' -> ${formatPgId(pg)}\n${describeMapping(map, pg)}\n`);
}

/** As C's sscanf reads `%llu.%x`: what follows is nobody's. */
function parsePg(text: string): PgId | undefined {
  const match = /^\s*(\d+)\.\s*(?:0[xX])?([0-9a-fA-F]{1,8})/.exec(text);
  return match === null ? undefined : { pool: Number(match[1]), seed: Number.parseInt(match[2]!, 16) };
}

/** Every stage of a PG's mapping. */
export function describeMapping(map: OsdMap, pg: PgId): string {
  const raw = mapPgRaw(map, pg);
  const { up, upPrimary, acting, actingPrimary } = mapAnyPg(map, pg);
  const stages = `raw (${set(raw, firstOf(raw))}) up (${set(up, upPrimary)}) acting (${set(acting, actingPrimary)})`;
  return `${formatPgId(pg)} ${stages}`;
}

function set(osds: readonly OsdId[], primary: OsdId): string {
  return `[${osds}], p${primary}`;
}

function firstOf(osds: readonly OsdId[]): OsdId {
  return osds.find((osd) => osd !== CRUSH_ITEM_NONE) ?? -1;
}

/** Maps every PG a hundred times, over and over, until one goes elsewhere than before or somebody ends the tool. */
export async function testCrush(map: OsdMap, io: OsdMapToolIo): Promise<void> {
  for (let pass = 1; ; pass++) {
    io.stdout(`pass ${pass}\n`);
    await io.pause();
    for (const [id, pool] of [...map.pools].sort(([a], [b]) => a - b)) {
      for (let seed = 0; seed < pool.pgNum; seed++) {
        io.stdout(attempts(map, { pool: id, seed }));
        await io.pause();
      }
    }
  }
}

function attempts(map: OsdMap, pg: PgId): string {
  const first = mapAnyPg(map, pg).acting;
  return Array.from({ length: ATTEMPTS }, (_, attempt) => {
    // A map of its own: nothing is remembered of the last time.
    const again = mapAnyPg({ ...map, osdWeight: [...map.osdWeight] }, pg).acting;
    if (`${again}` !== `${first}`) throw new Refusal(`${formatPgId(pg)} had [${first}] now [${again}]`);
    return `${formatPgId(pg)} attempt ${attempt}\n`;
  }).join('');
}
