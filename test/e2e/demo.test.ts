/** The demo on real input: the installed dependencies, while OSD processes are killed. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'spirula-demo-test-'));

afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('every file of the installed dependencies survives two OSD processes killed one after the other', () => {
  const output = execFileSync(process.execPath, [join(root, 'packages/cli/bin/spirula.mjs'), 'demo', '--dir', dir], {
    cwd: root,
    encoding: 'utf8',
  });

  expect(output).toContain('2 OSD processes killed');
  expect(output).toContain('Nothing lost, nothing differs.');
}, 300_000);
