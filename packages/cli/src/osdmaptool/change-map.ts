/** What is done to a map before it is looked at; only some of it is saved. */
import { decodeCrushMap, encodeCrushMap } from '@spirula/crush';
import { formatFloat, MalformedInput } from '@spirula/encoding';
import {
  applyIncremental,
  emptyIncremental,
  markAllUpAndIn,
  markIn,
  markOut,
  markUp,
  type OsdMap,
  type OsdMapIncremental,
  reweightOsds,
} from '@spirula/maps';
import { tryReadFile, tryWriteFile } from './map-file.ts';
import { misuse, Refusal } from './refusal.ts';
import type { Request } from './request.ts';
import type { OsdMapToolIo } from './tool-io.ts';

/** A map, and whether it is to be written. */
export interface WorkingMap {
  readonly map: OsdMap;
  readonly isModified: boolean;
}

/** An incremental that leads from `map` to the next epoch and says nothing yet. */
export function nextIncremental(map: OsdMap): OsdMapIncremental {
  return emptyIncremental(map.fsid, map.epoch + 1);
}

/** `--mark-up-in`, `--mark-out`, `--mark-up`, `--mark-in`. */
export function markOsds(map: OsdMap, request: Request, io: OsdMapToolIo): OsdMap {
  const { markOut: out, markUp: up, markIn: into } = request;
  const exists = (osd: number) => osd >= 0 && osd < map.maxOsd;
  let next = map;
  if (request.markUpIn) {
    io.stdout('marking all OSDs up and in\n');
    next = markAllUpAndIn(next);
  }
  if (exists(out)) {
    io.stdout(`marking OSD@${out} as out\n`);
    next = markOut(markUp(next, out), out);
  }
  if (exists(up)) {
    io.stdout(`marking OSD@${up} as up\n`);
    next = markUp(next, up);
  }
  if (exists(into)) {
    // 16.2.15 marks in the one that it was to mark up; without such, it writes where nothing is.
    io.stdout(exists(up) ? `marking OSD@${up} as up\n` : `marking OSD@${into} as in\n`);
    next = markIn(next, exists(up) ? up : into);
  }
  return next;
}

/** `--adjust-crush-weight 0:1.5,3:2`. Each that is saved makes an epoch. */
export function adjustCrushWeights({ map, isModified }: WorkingMap, request: Request, io: OsdMapToolIo): WorkingMap {
  let next = map;
  const pairs = request.adjustCrushWeight.split(',').filter(Boolean);
  for (const pair of pairs) {
    const at = pair.indexOf(':');
    if (at < 0) throw misuse("use ':' as separator of osd id and its weight");
    const osd = Number.parseInt(pair.slice(0, at), 10);
    const weight = parseFloat32(pair.slice(at + 1));
    if (Number.isNaN(osd) || Number.isNaN(weight)) {
      throw new Refusal(`osdmaptool: --adjust-crush-weight takes <osdid>:<weight>, not '${pair}'`);
    }
    next = reweightOsds(next, new Map([[osd, Math.trunc(Math.fround(weight * 0x10000)) >>> 0]]));
    io.stdout(`Adjusted osd.${osd} CRUSH weight to ${formatFloat(weight)}\n`);
    if (request.save) next = applyIncremental(next, nextIncremental(next));
  }
  return { map: next, isModified: isModified || (request.save && pairs.length > 0) };
}

/** As C's strtof: hexadecimal too, and what follows the number is nobody's. */
function parseFloat32(text: string): number {
  const hexadecimal = /^\s*([+-]?)0x([0-9a-f]+)/i.exec(text);
  if (hexadecimal === null) return Math.fround(Number.parseFloat(text));
  return Math.fround(Number.parseInt(hexadecimal[2]!, 16) * (hexadecimal[1] === '-' ? -1 : 1));
}

/** `--clear-temp`, `--clean-temps`; what the latter finds, 16.2.15 throws away. */
export function clearTemps(map: OsdMap, request: Request, io: OsdMapToolIo): OsdMap {
  if (request.clearTemp) io.stdout('clearing pg/primary temp\n');
  if (request.cleanTemps) io.stdout('cleaning pg temps\n');
  return request.clearTemp ? { ...map, pgTemp: new Map(), primaryTemp: new Map() } : map;
}

/** `--import-crush`. */
export function importCrush(working: WorkingMap, path: string, io: OsdMapToolIo): WorkingMap {
  const { map } = working;
  const bytes = tryReadFile(path, io);
  if ('problem' in bytes) throw new Refusal(`osdmaptool: error reading crush map from ${path}: ${bytes.problem}`);
  const crush = decodeImported(bytes, path);
  if (crush.maxDevices > map.maxOsd) {
    const sizes = `crushmap max_devices ${crush.maxDevices} > osdmap max_osd ${map.maxOsd}`;
    throw new Refusal(`osdmaptool: ${sizes}`);
  }
  const next = applyIncremental(map, { ...nextIncremental(map), crush: encodeCrushMap(crush) });
  io.stdout(`osdmaptool: imported ${bytes.length} byte crush map from ${path}\n`);
  return { map: next, isModified: true };
}

function decodeImported(bytes: Uint8Array, path: string): OsdMap['crush'] {
  try {
    return decodeCrushMap(bytes);
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    throw new Refusal(`osdmaptool: error decoding crush map '${path}': ${error.message}`);
  }
}

/** `--export-crush`. */
export function exportCrush(map: OsdMap, path: string, { importCrush: named }: Request, io: OsdMapToolIo): void {
  if (tryWriteFile(path, encodeCrushMap(map.crush), io) !== undefined) {
    // 16.2.15 names the other file.
    throw new Refusal(`osdmaptool: error writing crush map to ${named}`);
  }
  io.stdout(`osdmaptool: exported crush map to ${path}\n`);
}
