import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OptionValue } from '@spirula/config';
import { version } from '../version.ts';
import { explainSystemError, UserError } from './user-error.ts';

/** What `cluster.json` says of a cluster: everything a daemon needs to start that the maps do not tell. */
export interface ClusterFile {
  /** Layout of the folder; another number is refused. */
  readonly format: number;
  /** The release that made it. */
  readonly version: string;
  readonly fsid: string;
  readonly store: 'disk' | 'memory';
  /** Left out by releases that knew no other: none. */
  readonly auth?: 'cephx' | 'none';
  /** The address that daemons listen on; 127.0.0.1 when left out. */
  readonly bind?: string;
  /** Options that were chosen with `--set`, by Ceph's names. */
  readonly options?: Readonly<Record<string, OptionValue>>;
  /** As the monitor map has them, as far as is known here. */
  readonly mons: readonly { readonly name: string; readonly port: number }[];
  /** Epoch of that map; the first when left out. */
  readonly monmapEpoch?: number;
  readonly mgrs: readonly { readonly name: string; readonly port: number }[];
  readonly osds: readonly { readonly id: number; readonly uuid: string; readonly ports: readonly number[] }[];
  /** Object gateways, and where they serve HTTP; none when left out. */
  readonly rgws?: readonly { readonly name: string; readonly port: number }[];
}

export const LOOPBACK = '127.0.0.1';
const FORMAT = 1;
const PORTS_PER_OSD = 4;
const FIRST_MGR = 'x'.charCodeAt(0);
/** Where radosgw serves, for a cluster on the usual ports. */
const USUAL_PORT_BASE = 23300;
const USUAL_RGW_PORT = 7480;
const RGW_PORT_OFFSET = 40;

/** How many daemons of each kind, and where the ports of a new cluster begin (0: any free ones). */
export interface ClusterShape {
  readonly mons: number;
  /** 1 .. 3: one is active, the others stand by. */
  readonly mgrs: number;
  readonly osds: number;
  readonly rgws: number;
  readonly store: 'disk' | 'memory';
  readonly auth: 'cephx' | 'none';
  readonly bind: string;
  readonly portBase: number;
  /** Free ports for the monitors, when `portBase` is 0. */
  readonly monPorts: readonly number[];
  /** Free ports for the gateways, likewise. */
  readonly rgwPorts: readonly number[];
}

/** A new cluster: monitors a, b, c …, managers x, y, z, OSDs 0 … */
export function newClusterFile(shape: ClusterShape): ClusterFile {
  const at = (offset: number) => (shape.portBase === 0 ? 0 : shape.portBase + offset);
  return {
    format: FORMAT,
    version,
    fsid: randomUUID(),
    store: shape.store,
    auth: shape.auth,
    ...(shape.bind === LOOPBACK ? {} : { bind: shape.bind }),
    mons: Array.from({ length: shape.mons }, (_, i) => ({
      name: String.fromCharCode(97 + i),
      port: shape.monPorts[i] ?? at(i),
    })),
    mgrs: Array.from({ length: shape.mgrs }, (_, i) => ({
      name: String.fromCharCode(FIRST_MGR + i),
      port: at(20 + i),
    })),
    osds: Array.from({ length: shape.osds }, (_, id) => newOsd(id, shape.portBase)),
    ...(shape.rgws > 0 && {
      rgws: Array.from({ length: shape.rgws }, (_, i) => ({
        name: String.fromCharCode(97 + i),
        port: shape.rgwPorts[i] ?? firstRgwPort(shape.portBase) + i,
      })),
    }),
  };
}

/** The gateways' ports of one cluster follow one another. */
function firstRgwPort(portBase: number): number {
  return portBase === USUAL_PORT_BASE ? USUAL_RGW_PORT : portBase + RGW_PORT_OFFSET;
}

function newOsd(id: number, portBase: number): ClusterFile['osds'][number] {
  const ports = Array.from({ length: PORTS_PER_OSD }, (_, i) =>
    portBase === 0 ? 0 : portBase + 100 + PORTS_PER_OSD * id + i,
  );
  return { id, uuid: randomUUID(), ports };
}

/**
 * The cluster of a folder, or undefined when it holds none.
 *
 * @throws UserError when the folder was written by another version or is not readable.
 */
export function readClusterFile(dir: string): ClusterFile | undefined {
  const path = join(dir, 'cluster.json');
  if (!existsSync(path)) return undefined;
  let file: Partial<ClusterFile>;
  try {
    file = JSON.parse(readFileSync(path, 'utf8')) as Partial<ClusterFile>;
  } catch (error) {
    throw new UserError(`${path} cannot be read (${(error as Error).message}). Restore it or use another --dir.`);
  }
  if (file.format !== FORMAT) {
    throw new UserError(
      `${dir} was written by spirula ${file.version ?? 'of unknown version'} (format ${file.format}); this one reads format ${FORMAT}. ` +
        'Use that version, or another --dir.',
    );
  }
  return file as ClusterFile;
}

/** Writes `cluster.json`, replacing it whole. */
export function writeClusterFile(dir: string, file: ClusterFile): void {
  try {
    writeFileSync(join(dir, 'cluster.json.new'), `${JSON.stringify(file, null, 2)}\n`);
    renameSync(join(dir, 'cluster.json.new'), join(dir, 'cluster.json'));
  } catch (error) {
    throw explainSystemError(error, dir);
  }
}
