import { type Bytes, bytesFromRaw } from '@spirula/encoding';
import type { WorkloadHost } from './workload.ts';

/** Bytes that nothing else writes: `<c0.17>`. */
export function newMark(host: WorkloadHost): Bytes {
  return bytesFromRaw(`<${host.client}.${host.nextNumber()}>`);
}

/** So many bytes of a new mark, over and over. */
export function newData(host: WorkloadHost, length: number): Bytes {
  const mark = newMark(host);
  const data = new Uint8Array(length);
  data.set(mark.subarray(0, length));
  for (let filled = mark.length; filled < length; filled *= 2) data.copyWithin(filled, 0, filled);
  return data;
}
