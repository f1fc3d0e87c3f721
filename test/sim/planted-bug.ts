import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as Scenarios from '@spirula/sim-scenarios';
import { build, type Plugin } from 'esbuild';

/** A mistake that somebody could make, as a change of one source file. */
export interface PlantedBug {
  /** What the program does with it. */
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Occurs once in the file; when it does not any more, the bug is to be planted anew. */
  readonly snippet: string;
  readonly replacement: string;
  /** What a run that is caught for the right reason says first. */
  readonly verdict: RegExp;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The scenarios and all that runs in them, with a bug or, as a control, without. The bug is in the bundle only.
 *
 * @throws Error when the snippet does not occur exactly once.
 */
export async function bundleScenarios(bug?: PlantedBug): Promise<typeof Scenarios> {
  const dir = mkdtempSync(join(tmpdir(), 'spirula-planted-'));
  try {
    const outfile = join(dir, 'scenarios.cjs');
    await build({
      absWorkingDir: ROOT,
      entryPoints: ['sim/scenarios/src/index.ts'],
      outfile,
      bundle: true,
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      logLevel: 'silent',
      plugins: bug === undefined ? [] : [plant(bug)],
    });
    return createRequire(import.meta.url)(outfile) as typeof Scenarios;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function plant({ name, file, snippet, replacement }: PlantedBug): Plugin {
  const path = join(ROOT, file);
  return {
    name: 'planted-bug',
    setup({ onLoad, onEnd }) {
      let planted = false;
      onLoad({ filter: /\.ts$/ }, (loading) => {
        if (loading.path !== path) return undefined;
        const parts = readFileSync(path, 'utf8').split(snippet);
        if (parts.length !== 2) {
          return { errors: [{ text: `"${name}": its snippet is ${parts.length - 1} times in ${file}` }] };
        }
        planted = true;
        return { contents: parts.join(replacement), loader: 'ts' };
      });
      onEnd(() => (planted ? {} : { errors: [{ text: `"${name}": ${file} is not part of the scenarios` }] }));
    },
  };
}
