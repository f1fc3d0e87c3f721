#!/usr/bin/env node
// Bundles the sources into dist/: main.mjs (the executable), library.mjs (what `import 'spirula'` gives), sim.mjs (what
// scenarios import from 'spirula/sim'), seed-worker.mjs (a thread of the simulator), and with --types the library's
// declarations. Everything outside the workspace stays an ordinary dependency.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const { dependencies, version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));

/** Of all that runs on Node: ES modules, what is outside the workspace stays outside. */
export const bundleOptions = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: Object.keys(dependencies),
  outExtension: { '.js': '.mjs' },
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
};

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
    ...bundleOptions,
    entryPoints: {
      main: 'packages/cli/src/main.ts',
      library: 'packages/cli/src/library.ts',
      sim: 'packages/cli/src/sim/sim-library.ts',
      'seed-worker': 'packages/cli/src/sim/seed-worker.ts',
    },
    outdir,
    plugins,
    splitting: true,
    define: {
      SPIRULA_VERSION: JSON.stringify(version),
      SPIRULA_REPORT_SCRIPT: JSON.stringify(report.script),
      SPIRULA_REPORT_STYLE: JSON.stringify(report.style),
    },
    metafile: true,
  });
  const written = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
  for (const { name } of readdirSync(outdir, { withFileTypes: true }).filter((entry) => entry.isFile())) {
    if (!written.has(name)) rmSync(`${outdir}/${name}`);
  }
  if (!types) return;
  rmSync(`${root}/dist/types`, { recursive: true, force: true });
  for (const config of ['tsconfig.types.json', 'tsconfig.sim-types.json']) declare(config);
  keepReachable();
}

function declare(config) {
  const run = spawnSync(
    process.execPath,
    [`${root}/node_modules/typescript-native/bin/tsc`, '-p', `${root}/packages/cli/${config}`],
    { cwd: root, stdio: 'inherit' },
  );
  if (run.status !== 0) process.exit(run.status ?? 1);
}

/** Of the declarations behind 'spirula/sim', keeps in dist/types/sim what its own reaches: schemas, and no daemon. */
function keepReachable() {
  const all = `${root}/dist/types/all`;
  const left = ['packages/cli/src/sim/sim-library.d.ts'];
  const kept = new Set(left);
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    const toScenarios = `${'../'.repeat(path.split('/').length - 1)}sim/scenarios/src/spec.js`;
    const text = readFileSync(`${all}/${path}`, 'utf8').replaceAll('@spirula/sim-scenarios/spec', toScenarios);
    const target = `${root}/dist/types/sim/${path}`;
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    for (const [, import_] of text.matchAll(/from ["'](\.[^"']*)\.[jt]s["']/g)) {
      const found = join(dirname(path), `${import_}.d.ts`);
      if (!kept.has(found)) left.push(found);
      kept.add(found);
    }
  }
  rmSync(all, { recursive: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildAll({ types: process.argv.includes('--types') });
