/** `--upmap` and `--upmap-cleanup`: commands that balance PGs, and those that take back upmaps that mean nothing any more. */
import { CRUSH_ITEM_NONE } from '@spirula/crush';
import { formatFloat, formatPgId, type OsdId, type PoolId } from '@spirula/encoding';
import {
  addUpmaps,
  applyIncremental,
  balancePgs,
  cleanPgUpmaps,
  mapPg,
  type OsdMap,
  type OsdMapIncremental,
  pgOfKey,
} from '@spirula/maps';
import { nextIncremental, type WorkingMap } from './change-map.ts';
import { logLine } from './log-line.ts';
import { systemReason } from './map-file.ts';
import { Refusal } from './refusal.ts';
import type { Request } from './request.ts';
import type { OsdMapToolIo } from './tool-io.ts';

const STDOUT = '-';

/** Cleans up, and balances when that is asked for too. */
export function runUpmap(working: WorkingMap, request: Request, io: OsdMapToolIo): WorkingMap {
  openFile(request.upmapFile, io);
  io.stdout('checking for upmap cleanups\n');
  const inc = nextIncremental(working.map);
  let { map } = working;
  if (cleanPgUpmaps(map, inc)) {
    writeCommands(inc, request.upmapFile, io);
    map = applyIncremental(map, inc);
  }
  return request.upmap ? balance({ ...working, map }, request, io) : { ...working, map };
}

function openFile(path: string, io: OsdMapToolIo): void {
  if (path === STDOUT) return;
  try {
    io.writeFile(path, '');
  } catch (error) {
    throw new Refusal(`error opening ${path}: ${systemReason(error)}`);
  }
  io.stdout(`writing upmap command output to: ${path}\n`);
}

function balance(working: WorkingMap, request: Request, io: OsdMapToolIo): WorkingMap {
  const { upmapMax, upmapDeviation } = request;
  io.stdout(`upmap, max-count ${upmapMax}, max deviation ${upmapDeviation}\n`);
  const pools = poolsMeant(working.map, request, io);
  if (pools.length === 0) {
    io.stdout('No pools available\n');
    return working;
  }
  const begin = io.seconds();
  let next = working;
  for (let rounds = 0; ; rounds++) {
    const round = balanceOnce(next.map, pools, request, io);
    if (!round.isChanged) {
      if (request.upmapActive) describeEnd(next.map, request, pools, io.seconds() - begin, rounds, io);
      return next;
    }
    if (request.save || request.upmapActive) next = { map: round.map, isModified: next.isModified || request.save };
    if (!request.upmapActive) return next;
  }
}

/** Those named, sorted by name; all when none is. */
function poolsMeant(map: OsdMap, { upmapPools }: Request, io: OsdMapToolIo): PoolId[] {
  const byName = new Map([...map.poolNames].map(([id, name]) => [name, id]));
  const names = [...upmapPools].sort();
  const pools = names.map((name) => {
    const id = byName.get(name);
    if (id === undefined) throw new Refusal(` pool ${name} does not exist`);
    return id;
  });
  if (pools.length === 0) return [...map.pools.keys()].sort((a, b) => a - b);
  io.stdout(` limiting to pools ${names} ([${pools}])\n`);
  return pools;
}

/** One pool after another, as long as changes are left. */
function balanceOnce(
  map: OsdMap,
  pools: readonly PoolId[],
  request: Request,
  io: OsdMapToolIo,
): { readonly map: OsdMap; readonly isChanged: boolean } {
  const begin = io.seconds();
  io.stdout(`pools ${pools.map((id) => `${map.poolNames.get(id) ?? ''} `).join('')}\n`);
  const inc = nextIncremental(map);
  let done = 0;
  for (const pool of pools) {
    const maxChanges = request.upmapMax - done;
    const plan = balancePgs(map, { maxDeviation: request.upmapDeviation, maxChanges, pools: [pool] });
    addUpmaps(plan, inc);
    done += plan.changes.size;
    const problem = plan.isWeightless ? 'osd_weight_total == 0' : maxChanges <= 0 ? 'max <= 0' : undefined;
    if (problem !== undefined) logLine(`calc_pg_upmaps abort due to ${problem}`, io);
    if (request.upmapMax - done <= 0) break;
  }
  io.stdout(`prepared ${done}/${request.upmapMax} changes\n`);
  if (request.upmapActive) io.stdout(`Time elapsed ${formatFloat(io.seconds() - begin)} secs\n`);
  if (done === 0) {
    io.stdout('Unable to find further optimization, or distribution is already perfect\n');
    return { map, isChanged: false };
  }
  writeCommands(inc, request.upmapFile, io);
  return { map: applyIncremental(map, inc), isChanged: true };
}

/** What stands on each OSD at the end of `--upmap-active`. */
function describeEnd(
  map: OsdMap,
  { upmapPools }: Request,
  pools: readonly PoolId[],
  seconds: number,
  rounds: number,
  io: OsdMapToolIo,
): void {
  const meant = upmapPools.size === 0 ? [...map.pools.keys()] : pools;
  const counts = new Map<OsdId, number>();
  for (const pool of meant) {
    for (let seed = 0; seed < map.pools.get(pool)!.pgNum; seed++) {
      for (const osd of mapPg(map, { pool, seed }).up) {
        if (osd !== CRUSH_ITEM_NONE) counts.set(osd, (counts.get(osd) ?? 0) + 1);
      }
    }
  }
  const lines = [...counts].sort(([a], [b]) => a - b).map(([osd, count]) => `osd.${osd} pgs ${count}\n`);
  io.stdout(`${lines.join('')}Total time elapsed ${formatFloat(seconds)} secs, ${rounds} rounds\n`);
}

/** The commands that tell a cluster what an incremental says of upmaps. */
function writeCommands(inc: OsdMapIncremental, path: string, io: OsdMapToolIo): void {
  const sorted = (keys: Iterable<number>) => [...keys].sort((a, b) => a - b);
  const pg = (key: number) => formatPgId(pgOfKey(key));
  const lines = [
    ...sorted(inc.oldPgUpmap).map((key) => `rm-pg-upmap ${pg(key)}`),
    ...sorted(inc.oldPgUpmapItems).map((key) => `rm-pg-upmap-items ${pg(key)}`),
    ...sorted(inc.newPgUpmapItems.keys()).map(
      (key) => `pg-upmap-items ${pg(key)} ${inc.newPgUpmapItems.get(key)!.flat().join(' ')}`,
    ),
  ];
  const text = lines.map((line) => `ceph osd ${line}\n`).join('');
  if (path === STDOUT) io.stdout(text);
  else io.appendFile(path, text);
}
