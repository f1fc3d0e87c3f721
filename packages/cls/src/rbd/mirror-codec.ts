/** Mirroring's bookkeeping: peers, images, what becomes of them (cls/rbd/cls_rbd_types.cc). */
import {
  AddrType,
  type Decoder,
  decodeAddr,
  decodeUTime,
  type Encoder,
  encodeAddr,
  encodeUTime,
  type RawString,
  type UTime,
} from '@spirula/encoding';
import { decodeEntityNumber, type EntityInst, encodeEntityNumber } from '../entity-inst.ts';

/** MIRROR_PEER_DIRECTION_*: from the peer, to it, or both. */
export const PeerDirection = { rx: 0, tx: 1, rxTx: 2 } as const;

/** MirrorPeer. */
export interface MirrorPeer {
  readonly uuid: RawString;
  readonly direction: number;
  readonly siteName: RawString;
  /** Who reads from it. */
  readonly clientName: RawString;
  readonly mirrorUuid: RawString;
  readonly lastSeen: UTime;
}

const NEVER: UTime = { sec: 0, nsec: 0 };

export function encodeMirrorPeer(encoder: Encoder, peer: MirrorPeer): void {
  encoder.struct(2, 1, () => {
    encoder.rawString(peer.uuid);
    encoder.rawString(peer.siteName);
    encoder.rawString(peer.clientName);
    // A pool, once.
    encoder.u64big(-1n);
    encoder.u8(peer.direction);
    encoder.rawString(peer.mirrorUuid);
    encodeUTime(encoder, peer.lastSeen);
  });
}

/** @throws MalformedInput */
export function decodeMirrorPeer(decoder: Decoder): MirrorPeer {
  return decoder.struct('mirror peer', 2, (version) => {
    const uuid = decoder.rawString('uuid');
    const siteName = decoder.rawString('site name');
    const clientName = decoder.rawString('client name');
    decoder.u64big('pool');
    const isOld = version < 2;
    return {
      uuid,
      siteName,
      clientName,
      direction: isOld ? PeerDirection.rxTx : decoder.u8('direction'),
      mirrorUuid: isOld ? '' : decoder.rawString('mirror uuid'),
      lastSeen: isOld ? NEVER : decodeUTime(decoder, 'last seen'),
    };
  });
}

/** @throws MalformedInput */
export function decodeMirrorPeers(decoder: Decoder): MirrorPeer[] {
  return decoder.list('peers', 6 + 3 * 4 + 8, () => decodeMirrorPeer(decoder));
}

/** MIRROR_IMAGE_STATE_*. */
export const MirrorImageState = { disabling: 0, enabled: 1 } as const;

/** MirrorImage. */
export interface MirrorImage {
  readonly globalId: RawString;
  readonly state: number;
  /** MIRROR_IMAGE_MODE_*. */
  readonly mode: number;
}

export function encodeMirrorImage(encoder: Encoder, { globalId, state, mode }: MirrorImage): void {
  encoder.struct(2, 1, () => {
    encoder.rawString(globalId);
    encoder.u8(state);
    encoder.u8(mode);
  });
}

/** @throws MalformedInput */
export function decodeMirrorImage(decoder: Decoder): MirrorImage {
  return decoder.struct('mirror image', 2, (version) => ({
    globalId: decoder.rawString('global image id'),
    state: decoder.u8('state'),
    mode: version < 2 ? 0 : decoder.u8('mode'),
  }));
}

/** MIRROR_IMAGE_STATUS_STATE_*: a less one is a worse one. */
export const StatusState = { unknown: 0, error: 1 } as const;

/** How an image fares at one site (MirrorImageSiteStatus). */
export interface SiteStatus {
  /** Of the site; '': this one. */
  readonly mirrorUuid: RawString;
  readonly state: number;
  readonly description: RawString;
  readonly lastUpdate: UTime;
  /** Whether who told it is still there. */
  readonly isUp: boolean;
}

function encodeSiteStatusBody(encoder: Encoder, version: number, status: SiteStatus): void {
  if (version >= 2) encoder.rawString(status.mirrorUuid);
  encoder.u8(status.state);
  encoder.rawString(status.description);
  encodeUTime(encoder, status.lastUpdate);
  encoder.bool(status.isUp);
}

/** @throws MalformedInput */
export function decodeSiteStatus(decoder: Decoder): SiteStatus {
  return decoder.struct('site status', 2, (version) => ({
    mirrorUuid: version < 2 ? '' : decoder.rawString('mirror uuid'),
    state: decoder.u8('state'),
    description: decoder.rawString('description'),
    lastUpdate: decodeUTime(decoder, 'last update'),
    isUp: decoder.bool('up'),
  }));
}

/** A status and who told it (MirrorImageSiteStatusOnDisk). */
export interface ToldStatus {
  readonly origin: EntityInst;
  readonly status: SiteStatus;
}

/** A status is stored with the mirror's uuid in its key alone. */
export function encodeToldStatus(encoder: Encoder, { origin, status }: ToldStatus): void {
  encoder.struct(1, 1, () => encodeOrigin(encoder, origin));
  encoder.struct(1, 1, () => encodeSiteStatusBody(encoder, 1, status));
}

/** @throws MalformedInput */
export function decodeStatusOrigin(decoder: Decoder): EntityInst {
  return decoder.struct('origin', 1, () =>
    anyType({ ...decodeEntityNumber(decoder), addr: decodeAddr(decoder, 'address') }),
  );
}

/** @throws MalformedInput */
export function decodeToldStatus(decoder: Decoder): ToldStatus {
  return { origin: decodeStatusOrigin(decoder), status: decodeSiteStatus(decoder) };
}

/** Whatever protocol it came by (sanitize_entity_inst). */
function anyType(entity: EntityInst): EntityInst {
  return { ...entity, addr: { ...entity.addr, type: AddrType.any } };
}

export function encodeOrigin(encoder: Encoder, origin: EntityInst): void {
  encodeEntityNumber(encoder, origin);
  encodeAddr(encoder, anyType(origin).addr);
}

const UNKNOWN_STATUS: SiteStatus = {
  mirrorUuid: '',
  state: StatusState.unknown,
  description: '',
  lastUpdate: NEVER,
  isUp: false,
};

/** How an image fares everywhere (MirrorImageStatus): here first, then at the others. */
export function encodeImageStatus(encoder: Encoder, statuses: readonly SiteStatus[]): void {
  const local = statuses.find(({ mirrorUuid }) => mirrorUuid === '');
  encoder.struct(2, 1, () => {
    encodeSiteStatusBody(encoder, 1, local ?? UNKNOWN_STATUS);
    encoder.bool(local !== undefined);
    encoder.list(
      statuses.filter(({ mirrorUuid }) => mirrorUuid !== ''),
      (status) => encodeSiteStatusBody(encoder, 2, status),
    );
  });
}

/** Which instance of the daemon an image is given to (MirrorImageMap). */
export interface ImageMapping {
  readonly instanceId: RawString;
  readonly mappedAt: UTime;
  readonly data: Uint8Array;
}

export function encodeImageMapping(encoder: Encoder, { instanceId, mappedAt, data }: ImageMapping): void {
  encoder.struct(1, 1, () => {
    encoder.rawString(instanceId);
    encodeUTime(encoder, mappedAt);
    encoder.blob(data);
  });
}

/** @throws MalformedInput */
export function decodeImageMapping(decoder: Decoder): ImageMapping {
  return decoder.struct('image mapping', 1, () => ({
    instanceId: decoder.rawString('instance id'),
    mappedAt: decodeUTime(decoder, 'mapped time'),
    data: decoder.blob('data'),
  }));
}
