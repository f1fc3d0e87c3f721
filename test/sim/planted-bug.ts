import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as Scenarios from '@spirula/sim-scenarios';
import { build, type Plugin } from 'esbuild';
import type { PlantedBug } from './planted-bugs.ts';

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

/** The source file with the bug in it. @throws Error when the snippet does not occur exactly once */
export function sourceWith({ id, file, snippet, replacement }: PlantedBug): string {
  const parts = readFileSync(join(ROOT, file), 'utf8').split(snippet);
  if (parts.length !== 2) throw new Error(`"${id}": its snippet is ${parts.length - 1} times in ${file}`);
  return parts.join(replacement);
}

/** Changes the source file on its way into a bundle. */
export function plant(bug: PlantedBug): Plugin {
  const path = join(ROOT, bug.file);
  return {
    name: 'planted-bug',
    setup({ onLoad, onEnd }) {
      let planted = false;
      onLoad({ filter: /\.ts$/ }, (loading) => {
        if (loading.path !== path) return undefined;
        planted = true;
        return { contents: sourceWith(bug), loader: 'ts' };
      });
      onEnd(() => (planted ? {} : { errors: [{ text: `"${bug.id}": ${bug.file} is not part of the bundle` }] }));
    },
  };
}
