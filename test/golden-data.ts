import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const golden = fileURLToPath(new URL('./golden', import.meta.url));

/** Bytes of a golden file, unpacked when its name ends in .gz. */
export function goldenBytes(path: string): Uint8Array {
  const bytes = readFileSync(join(golden, path));
  return new Uint8Array(path.endsWith('.gz') ? gunzipSync(bytes) : bytes);
}

export function goldenText(path: string): string {
  return new TextDecoder().decode(goldenBytes(path));
}

/** The document of a golden JSON file. What it holds is for the test to know. */
export function goldenJson<T>(path: string): T {
  return JSON.parse(goldenText(path)) as T;
}

/** Names in a golden folder, sorted. */
export function goldenNames(folder: string): string[] {
  return readdirSync(join(golden, folder)).sort();
}

export function goldenPath(path: string): string {
  return join(golden, path);
}
