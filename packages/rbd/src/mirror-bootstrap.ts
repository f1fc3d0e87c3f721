/**
 * How two clusters come to know each other: one makes a token, which says how it is reached, and the other imports it (librbd/api/Mirror.cc,
 * peer_bootstrap_create, peer_bootstrap_import).
 */
import { MirrorPeerDirection } from '@spirula/cls';
import { Errno, formatAddrVec, formatUuid, rawFromText } from '@spirula/encoding';
import { type IoCtx, type Rados, RadosError } from '@spirula/rados';
import type { MirrorScene } from './mirror-images.ts';
import { setMirrorMode } from './mirror-mode.ts';
import {
  addMirrorPeer,
  configKey,
  MirrorMode,
  mirrorModeOf,
  mirrorPeers,
  mirrorSiteName,
  setConfigKey,
  setMirrorPeerName,
  setPeerAttributes,
} from './mirror-pool.ts';
import type { ImageWorld } from './writable-image.ts';

/** How a cluster is reached, and as whom. */
export interface BootstrapToken {
  readonly fsid: string;
  readonly clientId: string;
  readonly key: string;
  readonly monHost: string;
}

const CLIENT_ID = 'rbd/mirror/peer_client_id';
const DEFAULT_CLIENT_ID = 'rbd-mirror-peer';

/** @throws RadosError EACCES; EEXIST: there is such a user, who may do something else */
export async function createBootstrapToken(rados: Rados): Promise<BootstrapToken> {
  let clientId = (await configKey(rados, CLIENT_ID)) ?? '';
  if (clientId === '') {
    clientId = DEFAULT_CLIENT_ID;
    await setConfigKey(rados, CLIENT_ID, clientId);
  }
  const { code, data } = await rados.monCommand({
    prefix: 'auth get-or-create',
    entity: `client.${clientId}`,
    caps: ['mon', 'profile rbd-mirror-peer', 'osd', 'profile rbd'],
    format: 'json',
  });
  if (code === Errno.EINVAL) throw new RadosError(Errno.EEXIST, `client.${clientId}`);
  if (code < 0) throw new RadosError(code, `client.${clientId}`);
  const [user] = JSON.parse(new TextDecoder().decode(data)) as readonly { readonly key: string }[];
  return { fsid: formatUuid(rados.getFsid()), clientId, key: user!.key, monHost: monHostOf(rados) };
}

function monHostOf(rados: Rados): string {
  const mons = [...(rados.monMap?.mons ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  return mons.map(([, { addrs }]) => formatAddrVec(addrs)).join(',');
}

/** As JSON: it is given from one cluster to the other in base64. */
export function formatBootstrapToken({ fsid, clientId, key, monHost }: BootstrapToken): string {
  return `{"fsid":"${fsid}","client_id":"${clientId}","key":"${key}","mon_host":"${monHost}"}`;
}

/** Of JSON. @throws RadosError EINVAL: it is none */
export function parseBootstrapToken(text: string): BootstrapToken {
  try {
    const parts = JSON.parse(text) as Record<string, unknown>;
    const part = (name: string) => {
      const value = parts[name];
      if (typeof value !== 'string') throw new SyntaxError(name);
      return value;
    };
    return { fsid: part('fsid'), clientId: part('client_id'), key: part('key'), monHost: part('mon_host') };
  } catch {
    throw new RadosError(Errno.EINVAL, 'the token is none');
  }
}

/**
 * Each cluster knows the other then; or, where images are only received, this one.
 *
 * @param remote the cluster of the token, where its client is connected
 * @param direction `MirrorPeerDirection`: rx or rxTx
 * @throws RadosError EINVAL: it is this cluster, or another than the token says, or it has another peer already; ENOENT: it has not the
 *   pool; ENOSYS: it does not mirror the pool
 */
export async function importBootstrapToken(
  scene: MirrorScene,
  remote: Rados,
  token: BootstrapToken,
  direction: number,
): Promise<void> {
  const { rados, io, world } = scene;
  const [here, there] = [formatUuid(rados.getFsid()), formatUuid(remote.getFsid())];
  if (here === there || there !== token.fsid) throw new RadosError(Errno.EINVAL, `the token of cluster ${token.fsid}`);
  const site = (await mirrorSiteName(rados)) ?? here;
  const remoteSite = (await mirrorSiteName(remote)) ?? there;
  if (site === remoteSite) throw new RadosError(Errno.EINVAL, `site ${site}`);
  const remoteIo = await remote.ioctx(rados.poolName(io.pool) ?? '');
  const remoteMode = await mirrorModeOf(remoteIo);
  if (remoteMode === MirrorMode.disabled) throw new RadosError(Errno.ENOSYS, 'mirroring at the remote peer');
  if ((await mirrorModeOf(io)) === MirrorMode.disabled) await setMirrorMode(scene, remoteMode);
  if (direction === MirrorPeerDirection.rxTx) {
    await knowPeer(remote, remoteIo, { ...(await createBootstrapToken(rados)), site, direction }, world);
  }
  await knowPeer(rados, io, { ...token, site: remoteSite, direction }, world);
}

interface Peer extends BootstrapToken {
  readonly site: string;
  readonly direction: number;
}

/** One that was known by its fsid gets its name. */
async function knowPeer(
  rados: Rados,
  io: IoCtx,
  { site, direction, fsid, clientId, monHost, key }: Peer,
  world: ImageWorld,
): Promise<void> {
  const [first] = await mirrorPeers(io);
  const siteName = rawFromText(site);
  if (first && first.siteName !== siteName && first.siteName !== rawFromText(fsid)) {
    throw new RadosError(Errno.EINVAL, 'there is another peer');
  }
  if (first && first.siteName !== siteName) await setMirrorPeerName(io, first.uuid, siteName);
  const added = { direction, siteName, clientName: rawFromText(`client.${clientId}`) };
  const uuid = first?.uuid ?? (await addMirrorPeer(io, added, world));
  const attributes = new Map([
    ['mon_host', monHost],
    ['key', key],
  ]);
  await setPeerAttributes(rados, io, uuid, attributes);
}
