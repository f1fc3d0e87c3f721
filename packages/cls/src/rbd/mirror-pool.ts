/** How a pool is mirrored, and with whom (cls/rbd/cls_rbd.cc, mirror_uuid_*, mirror_mode_*, mirror_peer_*). */
import { bytesFromRaw, type Decoder, Errno, type RawString, rawFromBytes } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, type ClassMethod, decodeStored, MethodFlag, method } from '../object-class.ts';
import { randomUuid } from '../random-uuid.ts';
import { encodeWith, entriesFrom, readKey, writeKey } from '../stored-key.ts';
import { found, removeKeys } from './header-keys.ts';
import { decodeMirrorPeer, encodeMirrorPeer, type MirrorPeer, PeerDirection } from './mirror-codec.ts';

const READ = MethodFlag.read;
const READ_WRITE = MethodFlag.read | MethodFlag.write;
const UUID = 'mirror_uuid';
const MODE = 'mirror_mode';
const PEER_PREFIX = 'mirror_peer_';
/** MIRROR_MODE_*: images that say so, or all that can be. */
const MirrorMode = { disabled: 0, image: 1, pool: 2 } as const;

function readMode(object: MethodContext): number | undefined {
  return readKey(object, MODE, (decoder) => decoder.u32('mirror mode'));
}

/** Stored without its length. */
function readUuid(object: MethodContext): RawString | undefined {
  const stored = object.omapGet(UUID);
  return stored && rawFromBytes(stored);
}

function readPeers(object: MethodContext): MirrorPeer[] {
  return Array.from(entriesFrom(object, PEER_PREFIX), ([, value]) => decodeStored(value, decodeMirrorPeer));
}

function readPeer(object: MethodContext, uuid: RawString): MirrorPeer {
  return found(readKey(object, PEER_PREFIX + uuid, decodeMirrorPeer));
}

function writePeer(object: MethodContext, peer: MirrorPeer): void {
  writeKey(object, PEER_PREFIX + peer.uuid, (encoder) => encodeMirrorPeer(encoder, peer));
}

function isValid({ uuid, siteName, clientName, direction }: MirrorPeer): boolean {
  const reads = direction === PeerDirection.rx || direction === PeerDirection.rxTx;
  if (!reads && direction !== PeerDirection.tx) return false;
  return uuid !== '' && siteName !== '' && (!reads || clientName !== '');
}

function setUuid(object: MethodContext, uuid: RawString): void {
  if (uuid === '') throw new ClassError(Errno.EINVAL);
  if ((readMode(object) ?? MirrorMode.disabled) !== MirrorMode.disabled) throw new ClassError(Errno.EINVAL);
  object.omapSet(new Map([[UUID, bytesFromRaw(uuid)]]));
}

/** @throws ClassError EBUSY: there are peers still */
function setMode(object: MethodContext, mode: number): void {
  if (mode === MirrorMode.image || mode === MirrorMode.pool) {
    if (readUuid(object) === undefined) throw new ClassError(Errno.EINVAL);
    writeKey(object, MODE, (encoder) => encoder.u32(mode));
    return;
  }
  if (mode !== MirrorMode.disabled) throw new ClassError(Errno.EINVAL);
  if (readPeers(object).length > 0) throw new ClassError(Errno.EBUSY);
  removeKeys(object, MODE);
  removeKeys(object, UUID);
}

function requireMirroring(object: MethodContext): void {
  if ((readMode(object) ?? MirrorMode.disabled) === MirrorMode.disabled) throw new ClassError(Errno.EINVAL);
}

interface Ping {
  readonly siteName: RawString;
  readonly mirrorUuid: RawString;
  readonly direction: number;
}

/** A peer says that it is there: it is known by its uuid or, the first time, by its name, or not yet. */
function ping(object: MethodContext, { siteName, mirrorUuid, direction }: Ping): void {
  if (direction !== PeerDirection.tx) throw new ClassError(Errno.EINVAL);
  requireMirroring(object);
  if (siteName === '' || mirrorUuid === '') throw new ClassError(Errno.EINVAL);
  const peer = { ...pingedPeer(object, siteName, mirrorUuid), lastSeen: object.now() };
  if (!isValid(peer)) throw new ClassError(Errno.EINVAL);
  writePeer(object, peer);
}

function pingedPeer(object: MethodContext, siteName: RawString, mirrorUuid: RawString): MirrorPeer {
  const peers = readPeers(object);
  const byName = peers.find((peer) => peer.siteName === siteName);
  const isOther = byName === undefined || (byName.mirrorUuid !== '' && byName.mirrorUuid !== mirrorUuid);
  const byUuid = isOther ? peers.find((peer) => peer.mirrorUuid === mirrorUuid) : undefined;
  const known = byUuid ?? byName;
  if (known === undefined) {
    return {
      uuid: randomUuid(object),
      direction: PeerDirection.tx,
      siteName,
      clientName: '',
      mirrorUuid,
      lastSeen: object.now(),
    };
  }
  const direction = known.direction === PeerDirection.rx ? PeerDirection.rxTx : known.direction;
  // Where another one has the name, this one keeps its own.
  if (byUuid) return { ...byUuid, direction, siteName: byName ? byUuid.siteName : siteName };
  return { ...known, direction, mirrorUuid };
}

/** @throws ClassError ESTALE: it is there; EEXIST: its name or its mirror is */
function addPeer(object: MethodContext, peer: MirrorPeer): void {
  requireMirroring(object);
  if (!isValid(peer)) throw new ClassError(Errno.EINVAL);
  const ownUuid = found(readUuid(object));
  if (peer.uuid === ownUuid || peer.direction === PeerDirection.tx) throw new ClassError(Errno.EINVAL);
  for (const other of readPeers(object)) {
    if (other.uuid === peer.uuid) throw new ClassError(Errno.ESTALE);
    const isSame = other.siteName === peer.siteName || (peer.mirrorUuid !== '' && other.mirrorUuid === peer.mirrorUuid);
    if (isSame) throw new ClassError(Errno.EEXIST);
  }
  writePeer(object, peer);
}

function setSiteName(object: MethodContext, { uuid, siteName }: { uuid: RawString; siteName: RawString }): void {
  const peers = readPeers(object);
  if (peers.some((peer) => peer.uuid !== uuid && peer.siteName === siteName)) throw new ClassError(Errno.EEXIST);
  writePeer(object, { ...found(peers.find((peer) => peer.uuid === uuid)), siteName });
}

const noInput = () => undefined;
const uuidInput = (input: Decoder) => input.rawString('uuid');

export const mirrorPoolMethods: Readonly<Record<string, ClassMethod>> = {
  mirror_uuid_get: method(READ, noInput, (object) => {
    const uuid = found(readUuid(object));
    return encodeWith((encoder) => encoder.rawString(uuid));
  }),
  mirror_uuid_set: method(READ_WRITE, uuidInput, setUuid),
  mirror_mode_get: method(READ, noInput, (object) => {
    const mode = found(readMode(object));
    return encodeWith((encoder) => encoder.u32(mode));
  }),
  mirror_mode_set: method(READ_WRITE, (input) => input.u32('mirror mode'), setMode),
  mirror_peer_ping: method(
    READ_WRITE,
    (input): Ping => ({
      siteName: input.rawString('site name'),
      mirrorUuid: input.rawString('mirror uuid'),
      direction: input.u8('direction'),
    }),
    ping,
  ),
  mirror_peer_list: method(READ, noInput, (object) => {
    const peers = readPeers(object);
    return encodeWith((encoder) => encoder.list(peers, (peer) => encodeMirrorPeer(encoder, peer)));
  }),
  mirror_peer_add: method(READ_WRITE, decodeMirrorPeer, addPeer),
  mirror_peer_remove: method(READ_WRITE, uuidInput, (object, uuid) => removeKeys(object, PEER_PREFIX + uuid)),
  mirror_peer_set_client: method(
    READ_WRITE,
    (input) => ({ uuid: uuidInput(input), clientName: input.rawString('client name') }),
    (object, { uuid, clientName }) => writePeer(object, { ...readPeer(object, uuid), clientName }),
  ),
  mirror_peer_set_cluster: method(
    READ_WRITE,
    (input) => ({ uuid: uuidInput(input), siteName: input.rawString('site name') }),
    setSiteName,
  ),
  mirror_peer_set_direction: method(
    READ_WRITE,
    (input) => ({ uuid: uuidInput(input), direction: input.u8('direction') }),
    (object, { uuid, direction }) => writePeer(object, { ...readPeer(object, uuid), direction }),
  ),
};
