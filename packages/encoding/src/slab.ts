/** Small arrays share memory: an ArrayBuffer of its own for each costs more than what most of them are made for. */
const SLAB_BYTES = 32 << 10;
/** More than this is not taken from what others use. */
const SHARE_BYTES = SLAB_BYTES / 8;

/** Memory of which all below `used` is taken. */
export interface Slab {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  used: number;
}

function newSlab(bytes: number): Slab {
  const buffer = new ArrayBuffer(bytes);
  return { bytes: new Uint8Array(buffer), view: new DataView(buffer), used: 0 };
}

let shared = newSlab(SLAB_BYTES);

/** A slab with room for `count` bytes from `used` on: for the caller to take. */
export function slabFor(count: number): Slab {
  if (count > SHARE_BYTES) return newSlab(count);
  if (shared.used + count > SLAB_BYTES) shared = newSlab(SLAB_BYTES);
  return shared;
}
