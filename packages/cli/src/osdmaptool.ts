/** `spirula osdmaptool`: makes, changes, shows and tests OSDMaps, as Ceph's tool of that name (src/tools/osdmaptool.cc). */
import { CEPH_VERSION_TEXT, emptyOsdMap, type OsdMap } from '@spirula/maps';
import {
  adjustCrushWeights,
  clearTemps,
  exportCrush,
  importCrush,
  markOsds,
  type WorkingMap,
} from './osdmaptool/change-map.ts';
import { createMap } from './osdmaptool/create-map.ts';
import { readMap, readRange, refuseExisting, writeMap } from './osdmaptool/map-file.ts';
import { misuse, Refusal } from './osdmaptool/refusal.ts';
import { parseRequest, type Request } from './osdmaptool/request.ts';
import { type GlobalOptions, takeGlobalOptions } from './osdmaptool/settings.ts';
import { showMap } from './osdmaptool/show-map.ts';
import { testMapPgs, withPgNum } from './osdmaptool/test-map-pgs.ts';
import { testCrush, testMapObject, testMapPg } from './osdmaptool/test-mapping.ts';
import type { OsdMapToolIo } from './osdmaptool/tool-io.ts';
import { runUpmap } from './osdmaptool/upmap.ts';
import { USAGE } from './osdmaptool/usage.ts';

export type { ToolIo } from './tool-io.ts';

/** Runs the tool and returns its exit status. What it prints is that of Ceph 16.2.15; see docs/placement-tools.md. */
export async function osdmaptool(argv: readonly string[], io: OsdMapToolIo): Promise<number> {
  try {
    if (argv.length === 0) throw new Refusal('osdmaptool: -h or --help for usage');
    // As there: whoever asks for help has failed.
    if (argv.some((word) => word === '-h' || word === '--help')) {
      io.stdout(USAGE);
      return 1;
    }
    const options = takeGlobalOptions(argv, io);
    if (options.version) io.stdout(`${CEPH_VERSION_TEXT}\n`);
    else await run(parseRequest(options.words), options, io);
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    io.stderr(`${error.message}\n`);
    if (error.showsUsage) io.stdout(USAGE);
    return error.status;
  }
}

async function run(request: Request, options: GlobalOptions, io: OsdMapToolIo): Promise<void> {
  const { path, rangeFirst, rangeLast } = request;
  if (rangeFirst >= 0 && rangeLast >= 0) return readRange(path, rangeFirst, rangeLast, io);
  io.stderr(`osdmaptool: osdmap file '${path}'\n`);
  const working = changeMap(openMap(request, options, io), request, io);
  if (request.exportCrush !== '') exportCrush(working.map, request.exportCrush, request, io);
  const map = await testMap(working.map, request, io);
  if (!hasAction(request, working)) throw misuse('no action specified?');
  const last = working.isModified ? { ...map, epoch: map.epoch + 1 } : map;
  showMap(last, request, options.setting, io);
  if (working.isModified) writeMap(last, path, io);
}

function openMap(request: Request, { conf, setting }: GlobalOptions, io: OsdMapToolIo): WorkingMap {
  const { path, clobber } = request;
  const isNew = request.createSimple || request.createFromConf;
  if (!isNew && !clobber) return { map: readMap(path, io), isModified: false };
  if (!clobber) refuseExisting(path, io);
  const map = isNew ? createMap(request, conf, setting, io) : emptyOsdMap(new Uint8Array(16));
  return { map, isModified: isNew };
}

/** In the order in which Ceph's tool takes the options up. */
function changeMap(opened: WorkingMap, request: Request, io: OsdMapToolIo): WorkingMap {
  let working: WorkingMap = { ...opened, map: markOsds(opened.map, request, io) };
  working = adjustCrushWeights(working, request, io);
  working = { ...working, map: clearTemps(working.map, request, io) };
  if (request.upmapCleanup) working = runUpmap(working, request, io);
  return request.importCrush === '' ? working : importCrush(working, request.importCrush, io);
}

async function testMap(map: OsdMap, request: Request, io: OsdMapToolIo): Promise<OsdMap> {
  let tested = map;
  if (request.testMapObject !== '') testMapObject(map, request.testMapObject, request.pool, io);
  if (request.testMapPg !== '') testMapPg(map, request.testMapPg, io);
  if (request.testMapPgs || request.testMapPgsDump || request.testMapPgsDumpAll) {
    tested = withPgNum(map, request);
    testMapPgs(tested, request, io);
  }
  if (request.testCrush) await testCrush(tested, io);
  return tested;
}

function hasAction(request: Request, { isModified }: WorkingMap): boolean {
  const { exportCrush: exported, importCrush: imported, testMapPg: pg, testMapObject: object } = request;
  return (
    isModified ||
    [request.print, request.health, request.tree, request.upmap, request.upmapCleanup].includes(true) ||
    [request.testMapPgs, request.testMapPgsDump, request.testMapPgsDumpAll].includes(true) ||
    [exported, imported, pg, object].some((text) => text !== '')
  );
}
