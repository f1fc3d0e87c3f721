/** Reads, compiles or builds the map that the other stages work on. */
import {
  buildCrushMap,
  CrushBuildError,
  type CrushMap,
  CrushTextError,
  compileCrushMap,
  decodeCrushMap,
  emptyCrushMap,
  withTidyWeightSets,
} from '@spirula/crush';
import { fromUtf8, MalformedInput } from '@spirula/encoding';
import { systemComplaint } from './file-errors.ts';
import type { Request } from './request.ts';
import { type CrushToolIo, Ending } from './tool-io.ts';

const ENOENT = -2;

/** The map, and whether it was made anew. */
export function readInput(request: Request, io: CrushToolIo): { map: CrushMap; made: boolean } {
  let map: CrushMap = { ...emptyCrushMap(), typeNames: new Map() };
  if (request.input !== '') map = readMap(request.input, io);
  if (request.source !== undefined) return { map: compile(request.source, request.verbose, io), made: true };
  if (request.build) return { map: build(request, io), made: true };
  return { map, made: false };
}

/** @throws Ending when there is no such file, or it holds no map. */
export function readMap(path: string, io: CrushToolIo): CrushMap {
  const bytes = path === '-' ? readStdin(io) : readFile(path, io);
  try {
    const map = decodeCrushMap(bytes);
    // Ceph takes such a map, and goes wrong with it.
    const isOrdered = map.buckets.every((bucket, slot) => bucket === undefined || bucket.id === -1 - slot);
    if (isOrdered) return withTidyWeightSets(map);
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
  }
  throw new Ending(`crushtool: unable to decode ${path}\n`);
}

function readStdin(io: CrushToolIo): Uint8Array {
  if (io.stdinIsTerminal) throw new Ending('stdin must not be from a tty\n');
  return io.readStdin();
}

function readFile(path: string, io: CrushToolIo): Uint8Array {
  try {
    return io.readFile(path);
  } catch (error) {
    throw new Ending(`crushtool: error reading '${path}': can't open ${path}: ${systemComplaint(error)}\n`);
  }
}

function compile(path: string, verbose: number, io: CrushToolIo): CrushMap {
  let bytes: Uint8Array;
  try {
    bytes = io.readFile(path);
  } catch {
    throw new Ending(`input file ${path} not found\n`, ENOENT);
  }
  const notes = verbose > 0 ? { notes: (line: string) => io.stderr(line) } : {};
  try {
    return compileCrushMap(fromUtf8(bytes), { file: path, ...notes });
  } catch (error) {
    if (!(error instanceof CrushTextError)) throw error;
    throw new Ending(error.message);
  }
}

function build({ layers, numOsds }: Request, io: CrushToolIo): CrushMap {
  if (layers.length === 0) throw new Ending('crushtool: must specify at least one layer\n');
  try {
    return buildCrushMap(numOsds, layers, (line) => io.stderr(line));
  } catch (error) {
    if (!(error instanceof CrushBuildError)) throw error;
    throw new Ending(error.message);
  }
}
