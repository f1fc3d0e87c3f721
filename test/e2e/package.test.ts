/** `npm pack` gives one tarball that another project can use, types included. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'spirula-package-'));

afterAll(() => rmSync(dir, { recursive: true, force: true }));

const userTest = `import { expect, test } from 'vitest';
import { startCluster } from 'spirula';

test('what is written survives an OSD', async () => {
  const cluster = await startCluster({ osds: 3, store: 'memory' });
  const client = await cluster.connect();
  const pool = await client.pool(cluster.pool);
  await pool.writeFull('greeting', new TextEncoder().encode('hello'));
  await cluster.kill('osd.1');
  expect(new TextDecoder().decode(await pool.read('greeting'))).toBe('hello');
  await cluster.stop();
}, 60_000);
`;

/** Fails when something keeps the process alive after \`stop\`: plain Node waits for every handle. */
const plainScript = `import { startCluster } from 'spirula';
const cluster = await startCluster({ osds: 1, mons: 1, store: 'memory' });
await cluster.stop();
`;

const userScenario = `import { defineScenario } from 'spirula/sim';

export default defineScenario((random) => ({
  name: 'mine',
  cluster: { osds: random.between(3, 4) },
  duration: '3s',
  faults: [{ fault: 'crash', daemons: 'mgr.x', at: '1s', for: '1s' }],
}));

// @ts-expect-error there is no such fault
defineScenario({ name: 'wrong', faults: [{ fault: 'crush', daemons: 'osd.1', at: '1s' }] });
`;

const typeCheck = {
  compilerOptions: { strict: true, module: 'nodenext', target: 'es2022', noEmit: true, skipLibCheck: true, types: [] },
  include: ['user.test.ts', 'mine.ts'],
};

test('an empty folder installs the tarball; tests and scenarios with types start clusters, kill daemons, stop', () => {
  execFileSync('npm', ['pack', '--pack-destination', dir], { cwd: root, stdio: 'pipe' });
  const tarball = readdirSync(dir).find((name) => name.endsWith('.tgz'))!;
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
  execFileSync('npm', ['install', '--no-audit', '--no-fund', join(dir, tarball)], { cwd: dir, stdio: 'pipe' });
  for (const tool of ['vitest', 'typescript'])
    symlinkSync(join(root, 'node_modules', tool), join(dir, 'node_modules', tool));
  writeFileSync(join(dir, 'user.test.ts'), userTest);
  writeFileSync(join(dir, 'plain.mjs'), plainScript);
  writeFileSync(join(dir, 'mine.ts'), userScenario);
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(typeCheck));

  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], { cwd: dir, stdio: 'pipe' });
  const output = execFileSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', 'user.test.ts'], {
    cwd: dir,
    encoding: 'utf8',
    env: { ...process.env, VITEST: undefined, VITEST_WORKER_ID: undefined, NODE_ENV: undefined },
  });
  execFileSync(process.execPath, ['plain.mjs'], { cwd: dir, stdio: 'pipe', timeout: 30_000 });

  const report = execFileSync('npx', ['spirula', 'sim', 'run', 'mine.ts', '--seed', '4'], {
    cwd: dir,
    encoding: 'utf8',
  });

  expect(output).toContain('1 passed');
  expect(report).toMatch(/^mine, seed 4: clean, digest [0-9a-f]{16}\n/);
}, 240_000);
