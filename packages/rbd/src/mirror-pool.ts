/**
 * How a pool or namespace is mirrored, and with which other clusters (librbd/api/Mirror.cc). Daemons do the mirroring: here is only what
 * they go by.
 */
import { decodeMirrorPeers, encodeMirrorPeer, type MirrorPeer, MirrorPeerDirection } from '@spirula/cls';
import { Encoder, Errno, type RawString, rawFromText } from '@spirula/encoding';
import { type IoCtx, type Rados, RadosError } from '@spirula/rados';
import { askIfThere, change, changeIfThere, classCall } from './class-calls.ts';
import { MIRRORING } from './names.ts';
import type { ImageWorld } from './writable-image.ts';

/** MIRROR_MODE_*: images that say so, or all that keep journals. */
export const MirrorMode = { disabled: 0, image: 1, pool: 2 } as const;

/** `MirrorMode` @throws RadosError */
export async function mirrorModeOf(io: IoCtx): Promise<number> {
  const get = classCall('mirror_mode_get', (from) => from.u32('mode'));
  return (await askIfThere(io, MIRRORING, get)) ?? MirrorMode.disabled;
}

/** Whose copies of images are: '' where nothing is mirrored. @throws RadosError */
export async function mirrorUuidOf(io: IoCtx): Promise<RawString> {
  const get = classCall('mirror_uuid_get', (from) => from.rawString('uuid'));
  return (await askIfThere(io, MIRRORING, get)) ?? '';
}

/** Nothing is mirrored until images are. @throws RadosError */
export async function beginMirroring(io: IoCtx, world: Pick<ImageWorld, 'randomBytes'>): Promise<void> {
  await io.operate(
    MIRRORING,
    change('mirror_uuid_set', (to) => to.rawString(randomUuid(world))),
  );
}

/** @param mode `MirrorMode` @throws RadosError EBUSY: there are peers, and it is to be disabled */
export async function noteMirrorMode(io: IoCtx, mode: number): Promise<void> {
  await io.operate(
    MIRRORING,
    change('mirror_mode_set', (to) => to.u32(mode)),
  );
  await tellOfMirroring(io, (to) => {
    to.u32(Notice.modeUpdated);
    to.u32(mode);
  });
}

/** By their uuids. @throws RadosError */
export async function mirrorPeers(io: IoCtx): Promise<readonly MirrorPeer[]> {
  return (await askIfThere(io, MIRRORING, classCall('mirror_peer_list', decodeMirrorPeers))) ?? [];
}

/** Those that have copies of what is here. */
export async function receivers(io: IoCtx): Promise<readonly RawString[]> {
  const peers = await mirrorPeers(io.with({ nspace: '' }));
  return peers
    .filter(({ direction }) => direction !== MirrorPeerDirection.rx)
    .map(({ uuid }) => uuid)
    .sort();
}

export type NewMirrorPeer = Pick<MirrorPeer, 'direction' | 'siteName' | 'clientName'>;

/** @returns its uuid. @throws RadosError EEXIST: there is one of this name; EINVAL: nothing is mirrored, or it lacks a name */
export async function addMirrorPeer(
  io: IoCtx,
  peer: NewMirrorPeer,
  world: Pick<ImageWorld, 'randomBytes'>,
): Promise<RawString> {
  for (;;) {
    const uuid = randomUuid(world);
    const add = change('mirror_peer_add', (to) =>
      encodeMirrorPeer(to, { ...peer, uuid, mirrorUuid: '', lastSeen: { sec: 0, nsec: 0 } }),
    );
    const { result } = await io.submit(MIRRORING, add);
    if (result >= 0) return uuid;
    if (result !== Errno.ESTALE) throw new RadosError(result, `peer ${peer.siteName}`);
  }
}

/** What is written for it in images stays: see `removeMirrorPeer`. @throws RadosError */
export async function forgetMirrorPeer(io: IoCtx, uuid: RawString): Promise<void> {
  await changeIfThere(
    io,
    MIRRORING,
    change('mirror_peer_remove', (to) => to.rawString(uuid)),
  );
}

/** @throws RadosError ENOENT */
export async function setMirrorPeerClient(io: IoCtx, uuid: RawString, clientName: RawString): Promise<void> {
  await setOfPeer(io, 'mirror_peer_set_client', uuid, (to) => to.rawString(clientName));
}

/** @throws RadosError ENOENT; EEXIST: another one has the name */
export async function setMirrorPeerName(io: IoCtx, uuid: RawString, siteName: RawString): Promise<void> {
  await setOfPeer(io, 'mirror_peer_set_cluster', uuid, (to) => to.rawString(siteName));
}

/** @param direction `MirrorPeerDirection` @throws RadosError ENOENT */
export async function setMirrorPeerDirection(io: IoCtx, uuid: RawString, direction: number): Promise<void> {
  await setOfPeer(io, 'mirror_peer_set_direction', uuid, (to) => to.u8(direction));
}

async function setOfPeer(io: IoCtx, method: string, uuid: RawString, encode: (to: Encoder) => void): Promise<void> {
  const set = change(method, (to) => {
    to.rawString(uuid);
    encode(to);
  });
  await io.operate(MIRRORING, set);
}

/** How many images fare how: MIRROR_IMAGE_STATUS_STATE_* @throws RadosError */
export async function mirrorSummary(io: IoCtx): Promise<ReadonlyMap<number, number>> {
  const peers = await mirrorPeers(io.with({ nspace: '' }));
  const get = classCall(
    'mirror_image_status_get_summary',
    (from) =>
      from.map(
        'states',
        5,
        () => from.u8('state'),
        () => from.i32('count'),
      ),
    (to) => to.list(peers, (peer) => encodeMirrorPeer(to, peer)),
  );
  return (await askIfThere(io, MIRRORING, get)) ?? new Map();
}

const SITE_NAME = 'rbd/mirror/site_name';

/** What this cluster is called by others; undefined: nothing, they know it by its fsid. @throws RadosError */
export async function mirrorSiteName(rados: Rados): Promise<string | undefined> {
  return (await configKey(rados, SITE_NAME)) || undefined;
}

/** @throws RadosError */
export async function setMirrorSiteName(rados: Rados, name: string): Promise<void> {
  await setConfigKey(rados, SITE_NAME, name);
}

/** How a peer is reached: `mon_host` and `key`. */
export type PeerAttributes = ReadonlyMap<string, string>;

function peerKey(io: IoCtx, uuid: RawString): string {
  return `rbd/mirror/peer/${io.pool}/${uuid}`;
}

/** Undefined: nothing is known. @throws RadosError EPERM; EINVAL: what is known is none */
export async function peerAttributes(rados: Rados, io: IoCtx, uuid: RawString): Promise<PeerAttributes | undefined> {
  const text = await configKey(rados, peerKey(io, uuid));
  if (text === undefined || text === '') return undefined;
  try {
    return new Map(Object.entries(JSON.parse(text) as Record<string, string>).sort(([a], [b]) => (a < b ? -1 : 1)));
  } catch {
    throw new RadosError(Errno.EINVAL, `attributes of peer ${uuid}`);
  }
}

/** @throws RadosError ENOENT: there is no such peer; EPERM */
export async function setPeerAttributes(
  rados: Rados,
  io: IoCtx,
  uuid: RawString,
  attributes: PeerAttributes,
): Promise<void> {
  if (!(await mirrorPeers(io)).some((peer) => peer.uuid === uuid)) throw new RadosError(Errno.ENOENT, `peer ${uuid}`);
  const pairs = [...attributes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `"${name}": "${value}"`);
  await setConfigKey(rados, peerKey(io, uuid), `{${pairs.join(', ')}}`);
}

/** @throws RadosError */
export async function forgetPeerAttributes(rados: Rados, io: IoCtx, uuid: RawString): Promise<void> {
  const { code } = await rados.monCommand({ prefix: 'config-key rm', key: peerKey(io, uuid) });
  if (code < 0 && code !== Errno.ENOENT && code !== Errno.EPERM) throw new RadosError(code, `peer ${uuid}`);
}

/** Undefined: there is none. @throws RadosError */
export async function configKey(rados: Rados, key: string): Promise<string | undefined> {
  const { code, data } = await rados.monCommand({ prefix: 'config-key get', key });
  if (code === Errno.ENOENT) return undefined;
  if (code < 0) throw new RadosError(code, key);
  return new TextDecoder().decode(data);
}

/** @param value '': none any more. @throws RadosError */
export async function setConfigKey(rados: Rados, key: string, value: string): Promise<void> {
  const command = value === '' ? { prefix: 'config-key rm', key } : { prefix: 'config-key set', key, val: value };
  const { code } = await rados.monCommand(command);
  if (code < 0 && code !== Errno.ENOENT) throw new RadosError(code, key);
}

/** Of version 4. */
export function randomUuid(world: Pick<ImageWorld, 'randomBytes'>): RawString {
  const bytes = Uint8Array.from(world.randomBytes(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return rawFromText(hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
}

/** NOTIFY_OP_* (librbd/mirroring_watcher/Types.h). */
const Notice = { modeUpdated: 0, imageUpdated: 1 } as const;

/** @param state MIRROR_IMAGE_STATE_* */
export async function tellOfMirrorImage(
  io: IoCtx,
  state: number,
  imageId: RawString,
  globalId: RawString,
): Promise<void> {
  await tellOfMirroring(io, (to) => {
    to.u32(Notice.imageUpdated);
    to.u32(state);
    to.rawString(imageId);
    to.rawString(globalId);
  });
}

/** The daemons listen. */
async function tellOfMirroring(io: IoCtx, encode: (to: Encoder) => void): Promise<void> {
  const encoder = new Encoder(128);
  encoder.struct(1, 1, () => encode(encoder));
  try {
    await io.notify(MIRRORING, encoder.finish());
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
  }
}
