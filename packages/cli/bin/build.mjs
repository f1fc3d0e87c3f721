#!/usr/bin/env node
// Bundles the sources into dist/: main.mjs (the executable), library.mjs (what `import 'spirula'` gives), sim.mjs (what
// scenarios import from 'spirula/sim'), seed-worker.mjs (a thread of the simulator), and with --types the library's
// declarations. Everything outside the workspace stays an ordinary dependency.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const { dependencies, version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));

/** The program and style of a trace's report, which runs in a browser: texts for the executable to put into the page. */
async function buildReport() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['packages/cli/src/sim/report/main.ts', 'packages/cli/src/sim/report/style.css'],
    outdir: 'dist',
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    charset: 'utf8',
    logLevel: 'warning',
  });
  const textOf = (ending) => outputFiles.find(({ path }) => path.endsWith(ending)).text;
  return { script: textOf('.js').replaceAll('</script', '<\\/script'), style: textOf('.css') };
}

/**
 * Rewrites a folder, dist/ unless told otherwise, from the sources. `plugins` of esbuild may change these on their way: for the
 * builds that tests look for bugs in.
 */
export async function buildAll({ types = false, outdir = `${root}/dist`, plugins = [] } = {}) {
  const report = await buildReport();
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: {
      main: 'packages/cli/src/main.ts',
      library: 'packages/cli/src/library.ts',
      sim: 'packages/cli/src/sim/sim-library.ts',
      'seed-worker': 'packages/cli/src/sim/seed-worker.ts',
    },
    outdir,
    plugins,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: Object.keys(dependencies),
    define: {
      SPIRULA_VERSION: JSON.stringify(version),
      SPIRULA_REPORT_SCRIPT: JSON.stringify(report.script),
      SPIRULA_REPORT_STYLE: JSON.stringify(report.style),
    },
    metafile: true,
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  });
  const written = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
  for (const { name } of readdirSync(outdir, { withFileTypes: true }).filter((entry) => entry.isFile())) {
    if (!written.has(name)) rmSync(`${outdir}/${name}`);
  }
  if (!types) return;
  rmSync(`${root}/dist/types`, { recursive: true, force: true });
  const run = spawnSync(
    process.execPath,
    [`${root}/node_modules/typescript-native/bin/tsc`, '-p', `${root}/packages/cli/tsconfig.types.json`],
    { cwd: root, stdio: 'inherit' },
  );
  if (run.status !== 0) process.exit(run.status ?? 1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildAll({ types: process.argv.includes('--types') });
