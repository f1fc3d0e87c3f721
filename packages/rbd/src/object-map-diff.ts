/** Which objects of an image differ between snapshots, as its object maps know (librbd/object_map/DiffRequest.cc). */
import { decodeRbdBitVector, RbdFeature as Feature, NOSNAP, type RbdBitVector } from '@spirula/cls';
import { Decoder, Errno, MalformedInput } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { Flag } from './header-flags.ts';
import type { Image } from './image.ts';
import { objectCount } from './image-layout.ts';
import { objectMapObject } from './names.ts';
import { ObjectState } from './object-map.ts';

/** DIFF_STATE_* */
export const ObjectDiff = { hole: 0, data: 1, holeUpdated: 2, dataUpdated: 3 } as const;

/** Of all the states between two snapshots, a copy needs each; else only what differs in the end counts. */
type Purpose = 'compare' | 'copy';

/**
 * By object: as many as the end may have, and for a copy as the largest between.
 *
 * @param from number of a snapshot; 0: before there was anything
 * @param to number of a snapshot, or `NOSNAP`
 * @returns undefined: the maps cannot tell
 */
export async function diffObjectMaps(
  image: Image,
  from: bigint,
  to: bigint,
  purpose: Purpose,
): Promise<Uint8Array | undefined> {
  if ((image.header.features & Feature.fastDiff) === 0n) return undefined;
  const isEndOnly = purpose === 'compare' && from === 0n;
  const between = image.header.snapshots.map(({ id }) => id).filter((id) => id > from && id < to && !isEndOnly);
  const snapIds = [...(from > 0n ? [from] : []), ...between.reverse(), to];
  let states = new Uint8Array();
  for (const id of snapIds) {
    const map = await loadMap(image, id);
    // A snapshot that went meanwhile: what it knew, the next one knows.
    if (map === 'gone' && id !== from && id !== to) continue;
    if (map === 'gone' || map === 'invalid') return undefined;
    states = advance(states, map, { isFirst: id === from, isHidden: purpose === 'compare' && id !== to, purpose });
  }
  return states;
}

async function loadMap({ header, io }: Image, snapId: bigint): Promise<RbdBitVector | 'gone' | 'invalid'> {
  const snapshot = header.snapshots.find(({ id }) => id === snapId);
  if (!snapshot && snapId !== NOSNAP) return 'gone';
  const { flags, size } = snapshot ? { flags: snapshot.flags, size: Number(snapshot.imageSize) } : header;
  if ((flags & Flag.fastDiffInvalid) !== 0n) return 'invalid';
  const oid = objectMapObject(header.id, snapId === NOSNAP ? undefined : snapId);
  try {
    const map = decodeRbdBitVector(new Decoder(await io.exec(oid, 'rbd', 'object_map_load')));
    const objects = objectCount(header.layout, size);
    return map.size < objects ? 'invalid' : map.resized(objects);
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.ENOENT) return 'gone';
    if (error instanceof RadosError || error instanceof MalformedInput) return 'invalid';
    throw error;
  }
}

interface Step {
  /** It is the map of the snapshot that is compared with. */
  readonly isFirst: boolean;
  /** What comes and may go again before the end does not count. */
  readonly isHidden: boolean;
  readonly purpose: Purpose;
}

/** What the next snapshot's map adds to what is known. */
function advance(before: Uint8Array, map: RbdBitVector, { isFirst, isHidden, purpose }: Step): Uint8Array<ArrayBuffer> {
  const states = new Uint8Array(purpose === 'compare' ? map.size : Math.max(before.length, map.size));
  const appeared = isHidden ? ObjectDiff.hole : ObjectDiff.dataUpdated;
  for (let object = 0; object < states.length; object++) {
    const state = object < map.size ? map.get(object) : ObjectState.nonexistent;
    const known = before[object];
    if (known !== undefined) states[object] = changed(known, state, appeared);
    else if (state === ObjectState.nonexistent) states[object] = ObjectDiff.hole;
    else if (!isFirst) states[object] = appeared;
    else states[object] = state === ObjectState.pending ? ObjectDiff.dataUpdated : ObjectDiff.data;
  }
  return states;
}

function changed(before: number, state: number, appeared: number): number {
  const isThere = state !== ObjectState.nonexistent;
  switch (before) {
    case ObjectDiff.hole:
      return isThere ? appeared : before;
    case ObjectDiff.data:
      if (!isThere) return ObjectDiff.holeUpdated;
      return state === ObjectState.existsClean ? before : ObjectDiff.dataUpdated;
    default:
      return isThere ? ObjectDiff.dataUpdated : ObjectDiff.holeUpdated;
  }
}
