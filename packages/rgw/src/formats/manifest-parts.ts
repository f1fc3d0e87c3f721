import type { Manifest } from './manifest.ts';

/** A part of an upload, in the object that was made of it. */
export interface UploadedPart {
  readonly number: number;
  readonly offset: number;
  readonly length: number;
}

/** The parts that an object was made of, in order; none when it was written at once, or lists its stripes one by one. */
export function uploadedParts({ rules, objectSize, isExplicit }: Manifest): UploadedPart[] {
  if (isExplicit) return [];
  const parts: UploadedPart[] = [];
  const ordered = [...rules.values()];
  for (const [i, { startPart, startOffset, partSize }] of ordered.entries()) {
    if (startPart === 0) continue;
    const end = ordered[i + 1]?.startOffset ?? objectSize;
    let offset = startOffset;
    let number = startPart;
    do {
      const length = partSize === 0 ? end - offset : Math.min(partSize, end - offset);
      parts.push({ number, offset, length });
      offset += length;
      number += 1;
    } while (offset < end);
  }
  return parts;
}
