import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { ObjectClass } from '@spirula/cls';
import { AddrType, type AddrVec, parseUuid, type Uuid } from '@spirula/encoding';
import type { MonMap } from '@spirula/maps';
import type { Message } from '@spirula/messages';
import { Mgr } from '@spirula/mgr';
import type { MgrHttp } from '@spirula/mgr-http';
import { Monitor } from '@spirula/mon';
import { createObjectStore } from '@spirula/objectstore';
import { Osd } from '@spirula/osd';
import { RbdSupport } from '@spirula/rbd-support';
import {
  type ArchiveEntry,
  type Archives,
  type Decompression,
  type FaultRule,
  type Gateway,
  RgwDaemon,
} from '@spirula/rgw';
import { DaemonHost, type HostExit, largeMemory, NodeLog, type StoreConfig } from '@spirula/runtime-node';
import { type Daemon, type Log, makeConfig, type World } from '@spirula/world';
import { type ClusterFile, LOOPBACK } from './cluster-file.ts';
import { daemonKey, monKeyring } from './cluster-keys.ts';
import { hostMetadata } from './host-metadata.ts';
import { adminSocketPath, daemonOptions } from './profile.ts';
import { firstUser } from './s3-credentials.ts';
import { UserError } from './user-error.ts';

/** Size of an OSD's device: a sparse file, so that it costs what is stored. */
export const OSD_DEVICE_BYTES = 16 * 1024 ** 3;

/** The manager's HTTP face is loaded so long after it: a quarter of a second of work that no start waits for. */
const HTTP_DELAY_MS = 3000;
/** How long the OSDs may take until a gateway can read and write its pools. */
const READY_TIMEOUT_MS = 60_000;

function monAddrs(cluster: ClusterFile): AddrVec[] {
  const ip = cluster.bind ?? LOOPBACK;
  return cluster.mons.map(({ port }) => [{ type: AddrType.v2, nonce: 0, family: 2, ip, port }]);
}

/** The monitor map that a monitor with an empty store begins with. Only with the first one a cluster is founded. */
function firstMonMap(cluster: ClusterFile, fsid: Uuid): MonMap {
  const now = { sec: Math.floor(Date.now() / 1000), nsec: 0 };
  const addrs = monAddrs(cluster);
  return {
    fsid,
    epoch: cluster.monmapEpoch ?? 1,
    lastChanged: now,
    created: now,
    persistentFeatures: 0xffn,
    optionalFeatures: 0n,
    mons: new Map(
      cluster.mons.map(({ name }, rank) => [
        name,
        { name, addrs: addrs[rank]!, priority: 0, weight: 0, crushLocation: new Map() },
      ]),
    ),
    ranks: cluster.mons.map(({ name }) => name),
    minMonRelease: 16,
    removedRanks: [],
    electionStrategy: 1,
    disallowedLeaders: [],
    stretchMode: false,
    tiebreaker: '',
    stretchMarkedDown: [],
  };
}

/** What the program that starts a cluster gives its daemons. */
export interface DaemonExtras {
  /** Of OSDs, beside the built-in ones. */
  readonly classes?: readonly ObjectClass[];
  /** Of gateways: what requests meet from the start. */
  readonly s3Faults?: readonly FaultRule[];
}

interface Blueprint {
  readonly entity: { readonly type: 'mon' | 'mgr' | 'osd' | 'client'; readonly id: string };
  readonly gid?: bigint;
  readonly deviceBytes: number;
  readonly endpoints: Readonly<Record<string, number | 'dial'>>;
  readonly make: (world: World<Message>) => Daemon<Message>;
}

function blueprint(dir: string, cluster: ClusterFile, name: string, extras: DaemonExtras): Blueprint {
  const { classes = [], s3Faults = [] } = extras;
  const authenticates = cluster.auth === 'cephx';
  const fsid = parseUuid(cluster.fsid)!;
  const host = hostMetadata();
  const [type, id = ''] = name.split('.');
  const mon = cluster.mons.findIndex((each) => type === 'mon' && each.name === id);
  if (mon >= 0) {
    return {
      entity: { type: 'mon', id },
      gid: BigInt(mon),
      deviceBytes: 0,
      endpoints: { public: cluster.mons[mon]!.port },
      make: (world) => {
        const monmap = firstMonMap(cluster, fsid);
        return new Monitor(world, {
          name: id,
          monmap,
          host,
          ...(authenticates && { keyring: monKeyring(dir, cluster) }),
        });
      },
    };
  }
  const keyOf = () => (authenticates ? daemonKey(dir, name) : undefined);
  const mgr = cluster.mgrs.find((each) => type === 'mgr' && each.name === id);
  if (mgr !== undefined) {
    return {
      entity: { type: 'mgr', id },
      deviceBytes: 0,
      endpoints: { public: mgr.port },
      make: (world) => {
        const key = keyOf();
        const common = { fsid, monAddrs: monAddrs(cluster) };
        const auth = key && { entity: { type: 'mgr', id } as const, key };
        const images = new RbdSupport(world, { rados: { ...common, auth, hostname: hostname() } });
        return new Mgr(world, { ...common, name: id, key, host, modules: [images] });
      },
    };
  }
  const rgw = cluster.rgws?.find((each) => type === 'rgw' && each.name === id);
  if (rgw !== undefined) {
    const entity = { type: 'client', id: name } as const;
    return {
      entity,
      deviceBytes: 0,
      endpoints: { public: 'dial' },
      make: (world) =>
        new RgwDaemon(world, {
          rados: {
            fsid,
            monAddrs: monAddrs(cluster),
            hostname: hostname(),
            ...(authenticates && { auth: { entity, key: daemonKey(dir, `client.${name}`) } }),
          },
          user: firstUser(dir),
          archives: { expand: expandArchive },
          decompression: { inflate },
          faults: s3Faults,
        }),
    };
  }
  const osd = cluster.osds.find((each) => type === 'osd' && String(each.id) === id);
  if (osd === undefined) throw new UserError(`There is no ${name} in this cluster.`);
  const [client = 0, back = 0, hbFront = 0, hbBack = 0] = osd.ports;
  return {
    entity: { type: 'osd', id },
    gid: BigInt(osd.id),
    deviceBytes: OSD_DEVICE_BYTES,
    endpoints: { public: client, cluster: back, hb_front: hbFront, hb_back: hbBack },
    make: (world) =>
      new Osd(world, {
        id: osd.id,
        uuid: parseUuid(osd.uuid)!,
        fsid,
        monAddrs: monAddrs(cluster),
        key: keyOf(),
        host,
        crushLocation: new Map([
          ['root', 'default'],
          ['host', `host${osd.id}`],
        ]),
        store: createObjectStore(world),
        classes,
      }),
  };
}

/**
 * Starts one daemon of a cluster in this process.
 *
 * @throws StorageProblem, or an Error in one line when a port is not free.
 */
export async function startDaemon(
  dir: string,
  cluster: ClusterFile,
  name: string,
  store: StoreConfig,
  onExit: (exit: HostExit) => void,
  extras: DaemonExtras = {},
): Promise<DaemonHost> {
  const { entity, gid, deviceBytes, endpoints, make } = blueprint(dir, cluster, name, extras);
  mkdirSync(join(dir, 'log'), { recursive: true });
  const log = new NodeLog({ name, level: 'info', path: join(dir, 'log', `${name}.log`) });
  const face = new HttpFace();
  let daemon: Daemon<Message> | undefined;
  const host = await DaemonHost.start(
    {
      entity,
      ...(gid === undefined ? {} : { gid }),
      store,
      deviceBytes,
      endpoints,
      ...(cluster.bind !== undefined && { bind: cluster.bind }),
      config: makeConfig(daemonOptions(resolve(dir), cluster)),
      adminSocket: adminSocketPath(resolve(dir), name),
      log,
      onExit: (exit) => {
        log.close();
        void face.close().then(() => onExit(exit));
      },
    },
    (world) => {
      daemon = make(world);
      return daemon;
    },
  );
  if (daemon instanceof Mgr) face.openSoon(daemon, log);
  if (daemon instanceof RgwDaemon) await serveGateway(daemon, host, face, cluster, name);
  return host;
}

/** Returns when requests are answered. A gateway that cannot reach its cluster, or has no port, does not stay. */
async function serveGateway(
  daemon: RgwDaemon,
  host: DaemonHost,
  face: HttpFace,
  cluster: ClusterFile,
  name: string,
): Promise<void> {
  const { port } = cluster.rgws!.find((each) => `rgw.${each.name}` === name)!;
  try {
    const gateway = await readyInTime(daemon, name);
    const { serveRgwHttp } = await import('@spirula/rgw-http');
    const options = { port, memory: largeMemory, ...(cluster.bind !== undefined && { host: cluster.bind }) };
    face.take(await serveRgwHttp(gateway, options));
  } catch (error) {
    await host.kill();
    throw error;
  }
}

/** @throws UserError when the cluster does not answer: too few OSDs are up. */
async function readyInTime(daemon: RgwDaemon, name: string): Promise<Gateway> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const problem = `${name}: its pools do not answer within ${READY_TIMEOUT_MS / 1000} s. Are enough OSDs up?`;
    timer = setTimeout(() => reject(new UserError(problem)), READY_TIMEOUT_MS);
  });
  try {
    return await Promise.race([daemon.ready, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a daemon serves over HTTP: `/metrics` of a manager, where `ceph mgr services` says; S3 of a gateway. */
class HttpFace {
  #timer: NodeJS.Timeout | undefined;
  #opening: Promise<{ close(): Promise<void> } | undefined> = Promise.resolve(undefined);

  openSoon(mgr: Mgr, log: Log): void {
    this.#timer = setTimeout(() => {
      this.#opening = this.#open(mgr).catch((error: Error) => {
        log.error('the HTTP face does not open', { error: error.message });
        return undefined;
      });
    }, HTTP_DELAY_MS);
  }

  take(open: { close(): Promise<void> }): void {
    this.#opening = Promise.resolve(open);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await (await this.#opening)?.close();
  }

  async #open(mgr: Mgr): Promise<MgrHttp> {
    const { serveMgrHttp } = await import('@spirula/mgr-http');
    return await serveMgrHttp(mgr);
  }
}

/** Only a gateway that reads what radosgw has compressed needs it. */
const inflate: Decompression['inflate'] = async (...given) => {
  const { decompression } = await import('@spirula/rgw-http');
  return await decompression.inflate(...given);
};

/** Only a gateway that is sent an archive needs what takes it apart. */
async function* expandArchive(...given: Parameters<Archives['expand']>): AsyncGenerator<ArchiveEntry> {
  const { archives } = await import('@spirula/rgw-http');
  yield* archives.expand(...given);
}
