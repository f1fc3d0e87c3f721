/** How mirrored images fare, here and at the peers (cls/rbd/cls_rbd.cc, mirror_image_status_*, mirror_image_instance_*). */
import { type Bytes, type Decoder, Encoder, Errno, type RawString, toHex } from '@spirula/encoding';
import type { EntityInst } from '../entity-inst.ts';
import type { MethodContext } from '../method-context.ts';
import { ClassError, type ClassMethod, decodeStored, MethodFlag, method } from '../object-class.ts';
import { encodeWith, entriesFrom, firstOf, readKey, writeKey } from '../stored-key.ts';
import { found, removeKeys } from './header-keys.ts';
import {
  decodeMirrorImage,
  decodeMirrorPeers,
  decodeSiteStatus,
  decodeStatusOrigin,
  decodeToldStatus,
  encodeImageStatus,
  encodeMirrorImage,
  encodeOrigin,
  encodeToldStatus,
  type MirrorImage,
  MirrorImageState,
  type MirrorPeer,
  PeerDirection,
  type SiteStatus,
  StatusState,
} from './mirror-codec.ts';
import { IMAGE_PREFIX, readImageId, readMirrorImage } from './mirror-keys.ts';

const READ = MethodFlag.read;
const READ_WRITE = MethodFlag.read | MethodFlag.write;
const STATUS_PREFIX = 'status_global_';
const REMOTE_PREFIX = 'remote_status_global_';

function remotePrefix(globalId: RawString): RawString {
  return `${REMOTE_PREFIX}${globalId}_`;
}

function statusKey(globalId: RawString, mirrorUuid: RawString): RawString {
  return mirrorUuid === '' ? STATUS_PREFIX + globalId : remotePrefix(globalId) + mirrorUuid;
}

/** Whoever watches the object is up. */
type Watching = (origin: EntityInst) => boolean;

function watching(object: MethodContext): Watching {
  const text = (origin: EntityInst) => {
    const encoder = new Encoder(64);
    encodeOrigin(encoder, origin);
    return toHex(encoder.finish());
  };
  const origins = new Set(object.watchers().map(text));
  return (origin) => origins.has(text(origin));
}

/** What is told of an image that is not, or not yet, mirrored, is ignored. */
function setStatus(object: MethodContext, { globalId, status }: { globalId: RawString; status: SiteStatus }): void {
  const imageId = readImageId(object, globalId);
  const image = imageId === undefined ? undefined : readMirrorImage(object, imageId);
  if (image?.state !== MirrorImageState.enabled) return;
  const told = { origin: object.origin, status: { ...status, isUp: false, lastUpdate: object.now() } };
  writeKey(object, statusKey(globalId, status.mirrorUuid), (encoder) => encodeToldStatus(encoder, told));
}

export function removeStatuses(object: MethodContext, globalId: RawString): void {
  const remote = Array.from(entriesFrom(object, remotePrefix(globalId)), ([key]) => key);
  removeKeys(object, statusKey(globalId, ''), ...remote);
}

/** Here first, then at the peers, in the order of their uuids. */
function statusesOf(object: MethodContext, globalId: RawString, isUp: Watching): SiteStatus[] {
  const statusOf = (value: Bytes, mirrorUuid: RawString): SiteStatus => {
    const { origin, status } = decodeStored(value, decodeToldStatus);
    return { ...status, mirrorUuid, isUp: isUp(origin) };
  };
  const local = object.omapGet(statusKey(globalId, ''));
  const prefix = remotePrefix(globalId);
  const remote = Array.from(entriesFrom(object, prefix), ([key, value]) => statusOf(value, key.slice(prefix.length)));
  return local ? [statusOf(local, ''), ...remote] : remote;
}

function getStatus(object: MethodContext, globalId: RawString): Bytes {
  const statuses = statusesOf(object, globalId, watching(object));
  if (statuses.length === 0) throw new ClassError(Errno.ENOENT);
  return encodeWith((encoder) => encodeImageStatus(encoder, statuses));
}

interface Page {
  readonly after: RawString;
  readonly max: bigint;
}

function* imagesOf(object: MethodContext, after: RawString): Generator<readonly [id: RawString, image: MirrorImage]> {
  for (const [key, value] of entriesFrom(object, IMAGE_PREFIX, IMAGE_PREFIX + after)) {
    yield [key.slice(IMAGE_PREFIX.length), decodeStored(value, decodeMirrorImage)];
  }
}

function listStatuses(object: MethodContext, { after, max }: Page): Bytes {
  const isUp = watching(object);
  const images = [...firstOf(imagesOf(object, after), max)];
  const statuses = images
    .map(([id, { globalId }]) => [id, statusesIfWhole(object, globalId, isUp)] as const)
    .filter(([, list]) => list.length > 0);
  return encodeWith((encoder) => {
    encoder.list(images, ([id, image]) => {
      encoder.rawString(id);
      encodeMirrorImage(encoder, image);
    });
    encoder.list(statuses, ([id, list]) => {
      encoder.rawString(id);
      encodeImageStatus(encoder, list);
    });
  });
}

/** None where one does not parse. */
function statusesIfWhole(object: MethodContext, globalId: RawString, isUp: Watching): SiteStatus[] {
  try {
    return statusesOf(object, globalId, isUp);
  } catch (error) {
    if (error instanceof ClassError) return [];
    throw error;
  }
}

/** How many images fare how, as far as the peers' directions say whose word counts. */
function getSummary(object: MethodContext, peers: readonly MirrorPeer[]): Bytes {
  const isUp = watching(object);
  const direction = directionOf(peers);
  const receivers = peers.filter((peer) => peer.direction !== PeerDirection.rx).map(({ mirrorUuid }) => mirrorUuid);
  const counts = new Map<number, number>();
  for (const [, { globalId }] of imagesOf(object, '')) {
    const state = summaryState(direction, new Set(receivers), statusesOf(object, globalId, isUp));
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([a], [b]) => a - b);
  return encodeWith((encoder) =>
    encoder.list(sorted, ([state, count]) => {
      encoder.u8(state);
      encoder.u32(count);
    }),
  );
}

/** That of all peers together. */
function directionOf(peers: readonly MirrorPeer[]): number {
  const [first] = peers;
  if (first === undefined) return PeerDirection.rx;
  const differs = peers.some(({ direction }) => direction !== PeerDirection.rx && direction !== first.direction);
  return differs ? PeerDirection.rxTx : first.direction;
}

/** compute_image_status_summary_state: the worst, or unknown where somebody has not said. */
function summaryState(direction: number, receivers: ReadonlySet<RawString>, statuses: readonly SiteStatus[]): number {
  let state: number | undefined;
  const local = statuses.find(({ mirrorUuid }) => mirrorUuid === '');
  if (direction !== PeerDirection.tx && local?.isUp) state = local.state;
  if (direction !== PeerDirection.rxTx && direction !== PeerDirection.tx) return state ?? StatusState.unknown;
  let silent = receivers.size;
  for (const remote of statuses) {
    if (remote.mirrorUuid === '') continue;
    if (silent > 0 && receivers.has(remote.mirrorUuid)) silent -= 1;
    const told = remote.isUp ? remote.state : StatusState.unknown;
    if (remote.state === StatusState.error) state = StatusState.error;
    else if (state === undefined) state = told;
    else if (state !== StatusState.error) state = Math.min(state, told);
  }
  return silent > 0 ? StatusState.unknown : (state ?? StatusState.unknown);
}

/** Forgets what was told by who is no longer there. */
function removeDown(object: MethodContext): void {
  const isUp = watching(object);
  for (const prefix of [STATUS_PREFIX, REMOTE_PREFIX]) {
    for (const [key, value] of entriesFrom(object, prefix)) {
      if (!isUp(decodeStored(value, decodeStatusOrigin))) object.omapRemove([key]);
    }
  }
}

/** Who told of an image here. @throws ClassError ENOENT: nobody; ESTALE: somebody who is no longer there */
function instanceOf(object: MethodContext, globalId: RawString, isUp: Watching): EntityInst {
  const { origin } = found(readKey(object, statusKey(globalId, ''), decodeToldStatus));
  if (!isUp(origin)) throw new ClassError(Errno.ESTALE);
  return origin;
}

function listInstances(object: MethodContext, { after, max }: Page): Bytes {
  const isUp = watching(object);
  const instances = firstOf(instancesOf(object, after, isUp), max);
  return encodeWith((encoder) =>
    encoder.list(instances, ([id, origin]) => {
      encoder.rawString(id);
      encodeOrigin(encoder, origin);
    }),
  );
}

function* instancesOf(object: MethodContext, after: RawString, isUp: Watching): Generator<[RawString, EntityInst]> {
  for (const [id, { globalId }] of imagesOf(object, after)) {
    try {
      yield [id, instanceOf(object, globalId, isUp)];
    } catch (error) {
      if (!(error instanceof ClassError)) throw error;
    }
  }
}

const globalIdInput = (input: Decoder) => input.rawString('global image id');
const pageInput = (input: Decoder): Page => ({ after: input.rawString('start after'), max: input.u64big('max') });

export const mirrorStatusMethods: Readonly<Record<string, ClassMethod>> = {
  mirror_image_status_set: method(
    READ_WRITE | MethodFlag.promote,
    (input) => ({ globalId: globalIdInput(input), status: decodeSiteStatus(input) }),
    setStatus,
  ),
  mirror_image_status_remove: method(READ_WRITE, globalIdInput, removeStatuses),
  mirror_image_status_get: method(READ, globalIdInput, getStatus),
  mirror_image_status_list: method(READ, pageInput, listStatuses),
  mirror_image_status_get_summary: method(
    READ,
    (input) => (input.remaining === 0 ? [] : decodeMirrorPeers(input)),
    getSummary,
  ),
  mirror_image_status_remove_down: method(READ_WRITE, () => undefined, removeDown),
  mirror_image_instance_get: method(READ, globalIdInput, (object, globalId) => {
    const origin = instanceOf(object, globalId, watching(object));
    return encodeWith((encoder) => encodeOrigin(encoder, origin));
  }),
  mirror_image_instance_list: method(READ, pageInput, listInstances),
};
