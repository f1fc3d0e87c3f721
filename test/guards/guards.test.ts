/** Each guard of `pnpm check` fails when what it guards is violated: a guard that reads nothing also reports success. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

/** Compilers and linters run here, beside all other tests. */
const TOOL_TIMEOUT_MS = 180_000;

const root = fileURLToPath(new URL('../..', import.meta.url));
const made: string[] = [];

afterAll(() => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true });
});

/** A tree with the project's own configuration and the given files. */
function plant(files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), 'spirula-guard-'));
  made.push(dir);
  for (const name of [
    '.dependency-cruiser.cjs',
    'biome.json',
    'ambient-clock.grit',
    'tsconfig.base.json',
    'tsconfig.core.json',
    'tsconfig.json',
  ]) {
    copyFileSync(join(root, name), join(dir, name));
  }
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

function run(dir: string, script: string, ...args: string[]): { status: number | null; output: string } {
  const result = spawnSync(process.execPath, [join(root, 'node_modules', script), ...args], {
    cwd: dir,
    encoding: 'utf8',
  });
  return { status: result.status, output: result.stdout + result.stderr };
}

function layers(dir: string) {
  return run(dir, 'dependency-cruiser/bin/dependency-cruise.mjs', '--config', '.dependency-cruiser.cjs', 'packages');
}

test(
  'an import that goes up the layers is refused; one that goes down is not',
  () => {
    const up = plant({
      'packages/crush/src/a.ts': "export { b } from '../../maps/src/b.ts';\n",
      'packages/maps/src/b.ts': 'export const b = 1;\n',
    });
    const down = plant({
      'packages/maps/src/a.ts': "export { b } from '../../crush/src/b.ts';\n",
      'packages/crush/src/b.ts': 'export const b = 1;\n',
    });

    const refused = layers(up);
    expect(refused.output).toContain('crush-below-maps');
    expect(refused.status).not.toBe(0);
    expect(layers(down).status).toBe(0);
  },
  TOOL_TIMEOUT_MS,
);

test(
  'a daemon that imports another, or a cycle, or Node itself below the edge, is refused',
  () => {
    const dir = plant({
      'packages/mon/src/a.ts': "export { b } from '../../osd/src/b.ts';\n",
      'packages/osd/src/b.ts': "export { c } from './c.ts';\nexport const b = 1;\n",
      'packages/osd/src/c.ts': "export { b as c } from './b.ts';\n",
      'packages/mgr/src/d.ts': "export { readFileSync } from 'node:fs';\n",
    });

    const { output } = layers(dir);

    expect(output).toContain('daemons-never-import-one-another');
    expect(output).toContain('no-cycles');
    expect(output).toContain('core-touches-no-host');
  },
  TOOL_TIMEOUT_MS,
);

test(
  'Date and Math.random are refused in daemon code, and allowed at the edge',
  () => {
    const source = 'export const t = Date.now();\nexport const r = Math.random();\nexport const d = new Date(3);\n';
    const dir = plant({ 'packages/osd/src/a.ts': source, 'packages/cli/src/a.ts': source });

    const core = run(dir, '@biomejs/biome/bin/biome', 'lint', 'packages/osd');
    const edge = run(dir, '@biomejs/biome/bin/biome', 'lint', 'packages/cli');

    expect(core.output.match(/takes time and chance from its World/g)).toHaveLength(3);
    expect(core.status).not.toBe(0);
    expect(edge.status).toBe(0);
  },
  TOOL_TIMEOUT_MS,
);

test(
  'setTimeout, process and Buffer do not even resolve in daemon code',
  () => {
    const dir = plant({
      'packages/osd/src/a.ts': 'setTimeout(() => {}, 1);\nexport const p = process;\nexport const b = Buffer;\n',
    });

    const { status, output } = run(dir, 'typescript-native/bin/tsc', '-p', 'tsconfig.core.json');

    expect(status).not.toBe(0);
    for (const name of ['setTimeout', 'process', 'Buffer']) expect(output).toContain(`Cannot find name '${name}'`);
  },
  TOOL_TIMEOUT_MS,
);
