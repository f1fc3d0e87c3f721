/** Which bytes are a CRUSH map: ours beside the real crushtool. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeCrushMap, encodeCrushMap } from '@spirula/crush';
import { MalformedInput } from '@spirula/encoding';
import { afterAll, describe, expect, test } from 'vitest';
import { goldenBytes } from '../golden-data.ts';
import { missingTools } from '../interop/real-ceph.ts';

const missing = missingTools(['crushtool']);
const folder = mkdtempSync(join(tmpdir(), 'spirula-decode-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The map as text, as crushtool reads it; undefined when it refuses, which it often does by crashing. */
function decompile(name: string, bytes: Uint8Array): Promise<string | undefined> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return new Promise((resolve) => {
    execFile('crushtool', ['-d', path], (error, stdout) => resolve(error === null ? stdout : undefined));
  });
}

function isMap(bytes: Uint8Array): boolean {
  try {
    decodeCrushMap(bytes);
    return true;
  } catch (error) {
    if (error instanceof MalformedInput) return false;
    throw error;
  }
}

/** Every length of the last `whole` bytes, where older releases ended; one in `stride` before. */
const cuts = [
  { path: 'samples/crushmap.handmade.3host.bin', whole: 50, stride: 23 },
  { path: 'crush/named/empty-root/map.bin', whole: 50, stride: 23 },
  { path: 'samples/crushmap.rich.bin', whole: 10, stride: 19 },
];

describe.skipIf(missing.length > 0)('beside the real crushtool', () => {
  test.each(cuts)('$path, cut short, is a map where crushtool says so', async ({ path, whole, stride }) => {
    const bytes = goldenBytes(path);
    const disagreements: number[] = [];

    for (let length = 0; length <= bytes.length; length += length < bytes.length - whole ? stride : 1) {
      const cut = bytes.subarray(0, length);
      const accepted = (await decompile('cut', cut)) !== undefined;
      if (accepted !== isMap(cut)) disagreements.push(length);
    }

    expect(disagreements).toEqual([]);
  });

  test('what is missing at the end of an old map is written as crushtool understood it', async () => {
    const bytes = goldenBytes('samples/crushmap.handmade.3host.bin');

    for (let length = bytes.length - 50; length <= bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      if (!isMap(cut)) continue;
      const rewritten = encodeCrushMap(decodeCrushMap(cut));

      expect(await decompile('rewritten', rewritten)).toBe(await decompile('cut', cut));
    }
  });
});
