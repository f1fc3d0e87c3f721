#!/usr/bin/env node
// Brings a checkout to where `spirula` runs: installs the dependencies with the pinned pnpm and bundles the sources.
// Each half is skipped while a stamp of what it reads (lockfile and manifests; sources) is unchanged.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pnpm } from './pnpm.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const major = Number(process.versions.node.split('.')[0]);
if (major < 20) {
  console.error(
    `spirula needs Node 20 or newer; this is ${process.version}. Install Node 20 and run the command again.`,
  );
  process.exit(1);
}

const workspaces = ['packages', 'sim'].flatMap((folder) =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name)),
);

function* sourceFiles(folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    if (entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sourceFiles(path);
    else yield path;
  }
}

function digest(files) {
  const hash = createHash('sha256').update(process.version);
  for (const file of files) {
    if (!existsSync(join(root, file))) continue;
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

function unchanged(stamp, now) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === now;
}

const installStamp = join(root, 'node_modules/.spirula-install');
const installNow = digest([
  'pnpm-lock.yaml',
  'pnpm-workspace.yaml',
  'package.json',
  ...[...workspaces, 'bench', 'test'].map((folder) => join(folder, 'package.json')),
]);
if (!unchanged(installStamp, installNow) || !existsSync(join(root, 'node_modules/.modules.yaml'))) {
  console.log('Installing dependencies …');
  const status = pnpm(['install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=warn'], {
    env: { CI: 'true' },
  });
  if (status !== 0) {
    console.error('The installation failed; see above. Is the npm registry reachable?');
    process.exit(status);
  }
  writeFileSync(installStamp, installNow);
}

const buildStamp = join(root, 'dist/.spirula-build');
const buildNow = digest([
  'package.json',
  'packages/cli/bin/build.mjs',
  ...workspaces.flatMap((folder) => [...sourceFiles(join(folder, 'src'))]),
]);
if (!unchanged(buildStamp, buildNow)) {
  console.log('Building …');
  const { buildAll } = await import('./build.mjs');
  await buildAll();
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(buildStamp, buildNow);
}

// `npx spirula` finds the executable here.
const link = join(root, 'node_modules/.bin/spirula');
if (!existsSync(link)) {
  rmSync(link, { force: true });
  symlinkSync('../../packages/cli/bin/spirula.mjs', link);
}
