import { readFileSync } from 'node:fs';
import { crc32c as standardCrc32c } from '@node-rs/crc32';
import { type Bytes, fromHex } from '@spirula/encoding';

/** One banner or frame seen on the wire between Ceph 16.2.15 daemons and clients. */
export interface Captured {
  /** `client port>server port`. */
  readonly connection: string;
  readonly from: 'client' | 'server';
  /** `OSD_OP(42) v8/c3 …`, or the tag of another frame. */
  readonly summary: string;
  readonly bytes: Bytes;
  /** False when the capture holds only its beginning. */
  readonly whole: boolean;
}

/** The entries of one file of test/golden/captures. */
export function readCaptures(name: string): Captured[] {
  const text = readFileSync(new URL(`../golden/captures/${name}.txt`, import.meta.url), 'utf8');
  const entries: Captured[] = [];
  for (const block of text.split(/\n\n+/)) {
    const [head = '', ...lines] = block.split('\n').filter((line) => !line.startsWith('#'));
    const match = /^(\d+>\d+) ([CS])>[CS] (?:MSG )?(.*)$/.exec(head);
    if (!match) continue;
    const hex = lines.map((line) => line.trim()).filter((line) => /^[0-9a-f]+$/.test(line));
    entries.push({
      connection: match[1]!,
      from: match[2] === 'C' ? 'client' : 'server',
      summary: match[3]!,
      bytes: fromHex(hex.join('')),
      whole: !lines.some((line) => line.includes('bytes in all')),
    });
  }
  return entries;
}

/** Ceph's crc32c (no inversions) by way of the standard one. */
export function cephCrc32c(bytes: Bytes, seed: number): number {
  return ~standardCrc32c(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), ~seed >>> 0) >>> 0;
}
