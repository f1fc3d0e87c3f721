/** Maps in files. */
import { type Bytes, MalformedInput } from '@spirula/encoding';
import { decodeOsdMap, encodeOsdMap, type OsdMap } from '@spirula/maps';
import { describeErrno } from '../ceph/errno-text.ts';
import { Refusal } from './refusal.ts';
import type { OsdMapToolIo } from './tool-io.ts';

/** As Ceph's `return -1`. */
const UNREADABLE = 255;
const EISDIR = -21;

/** `(2) No such file or directory`. */
export function systemReason(error: unknown): string {
  return describeErrno((error as { errno?: number }).errno ?? 0);
}

/** What a file holds; else why it cannot be read, in the words of Ceph's bufferlist. */
export function tryReadFile(
  path: string,
  io: OsdMapToolIo,
): Bytes | { readonly problem: string; readonly reason: string } {
  try {
    return io.readFile(path);
  } catch (error) {
    const reason = systemReason(error);
    const isFolder = (error as { errno?: number }).errno === EISDIR;
    const problem = isFolder ? `bufferlist::read_file(${path}): read error:${reason}` : `can't open ${path}: ${reason}`;
    return { problem, reason };
  }
}

/** @throws Refusal */
export function readMap(path: string, io: OsdMapToolIo): OsdMap {
  const bytes = tryReadFile(path, io);
  if ('problem' in bytes) throw new Refusal(`osdmaptool: couldn't open ${path}: ${bytes.problem}`, UNREADABLE);
  try {
    return decodeOsdMap(bytes);
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    throw new Refusal(`osdmaptool: error decoding osdmap '${path}'`, UNREADABLE);
  }
}

/** @throws Refusal unless a map may be made there. */
export function refuseExisting(path: string, io: OsdMapToolIo): void {
  if (io.exists(path)) throw new Refusal(`osdmaptool: ${path} exists, --clobber to overwrite`, UNREADABLE);
}

/** @throws Refusal */
export function writeMap(map: OsdMap, path: string, io: OsdMapToolIo): void {
  io.stdout(`osdmaptool: writing epoch ${map.epoch} to ${path}\n`);
  writeBytes(path, encodeOsdMap(map), `osdmaptool: error writing to '${path}': `, io);
}

/** @throws Refusal in two lines; `says` comes before the reason in the second. */
function writeBytes(path: string, bytes: Bytes, says: string, io: OsdMapToolIo): void {
  const reason = tryWriteFile(path, bytes, io);
  if (reason !== undefined) throw new Refusal(`${says}${reason}`);
}

/** Says why a file cannot be written, as Ceph's bufferlist does, and returns the reason. */
export function tryWriteFile(path: string, bytes: Bytes, io: OsdMapToolIo): string | undefined {
  try {
    io.writeFile(path, bytes);
    return undefined;
  } catch (error) {
    const reason = systemReason(error);
    io.stderr(`bufferlist::write_file(${path}): failed to open file: ${reason}\n`);
    return reason;
  }
}

/** `--range-first` and `--range-last`: reads maps named by their epochs in a folder, and says how long they are. */
export function readRange(folder: string, first: number, last: number, io: OsdMapToolIo): void {
  for (let epoch = first; epoch <= last; epoch++) {
    const path = `${folder}/${epoch}`;
    const bytes = tryReadFile(path, io);
    if ('problem' in bytes) throw new Refusal(`unable to read ${path}: ${bytes.reason}`);
    io.stdout(`${path} got ${bytes.length} bytes\n`);
    try {
      decodeOsdMap(bytes);
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      throw new Refusal(`osdmaptool: error decoding osdmap '${path}'`);
    }
  }
}
