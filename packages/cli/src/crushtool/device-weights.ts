/** Reweights of devices for a test (CrushTester::test, adjust_weights). */
import type { CrushMap } from '@spirula/crush';
import type { Lrand48 } from './random-placement.ts';
import type { TestRequest } from './request.ts';
import { Ending } from './tool-io.ts';

const IN = 0x10000;
/** More devices than this come from damage. */
export const MOST = 1 << 18;

/** @throws Ending when the map has more devices than can be. */
export function requireFewDevices({ maxDevices }: CrushMap): void {
  if (maxDevices > MOST) throw new Ending(`the map has ${maxDevices} devices; the most is ${MOST}.\n`);
}

/** Devices that occur in the map are in, others out; `--weight` says otherwise. */
export function deviceWeights(map: CrushMap, { weights: given }: TestRequest): Uint32Array {
  requireFewDevices(map);
  const weights = new Uint32Array(Math.max(0, map.maxDevices));
  for (const bucket of map.buckets) {
    for (const item of bucket?.items ?? []) if (item >= 0) weights[item] = IN;
  }
  for (const [osd, weight] of given) if (osd >= 0 && osd < weights.length) weights[osd] = weight;
  return weights;
}

/** Takes out the first devices of some of the buckets that hold devices, drawn at random. */
export function markDown(map: CrushMap, request: TestRequest, weights: Uint32Array, random: Lrand48): void {
  const { downDeviceRatio, downBucketRatio } = request;
  if (!(downDeviceRatio > 0)) return;
  const holders = map.buckets.filter(
    (bucket) => bucket !== undefined && (bucket.weight | 0) > 0 && (bucket.items[0] ?? -1) >= 0,
  );
  permute(holders, holders.length, random);
  for (const bucket of holders.slice(0, Math.trunc(Math.fround(downBucketRatio * holders.length)))) {
    const { items } = bucket!;
    permute([...items], items.length, random);
    const count = Math.trunc(Math.fround(downDeviceRatio * items.length));
    for (const device of items.slice(0, count)) if (device >= 0) weights[device] = 0;
  }
}

/** Swaps each with any but the last. Of one alone, 16.2.15 would divide by zero. */
function permute<T>(all: T[], count: number, random: Lrand48): void {
  for (let i = 0; i < count; i++) {
    if (count === 1) throw new Ending('cannot draw from one item\n');
    const other = random.next() % (count - 1);
    [all[i], all[other]] = [all[other]!, all[i]!];
  }
}
