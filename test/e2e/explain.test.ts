import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { goldenPath } from '../golden-data.ts';

const run = promisify(execFile);
const SPIRULA = new URL('../../packages/cli/bin/spirula.mjs', import.meta.url).pathname;
const MAP = goldenPath('osdmap/base/osdmap.bin');
const dir = mkdtempSync(join(tmpdir(), 'spirula-explain-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function explain(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  try {
    return { status: 0, ...(await run(process.execPath, [SPIRULA, 'explain', ...args])) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}

test('of an object it is said where it is, and every draw on the way', async () => {
  const { status, stdout } = await explain('--osdmap', MAP, '--pool', 'rep3', '--object', 'foo');

  expect(status).toBe(0);
  expect(stdout).toContain(
    "object   'foo' of pool 'rep3' (1)\nhash     0x7fc1f406 (rjenkins); of 32 PGs that is 1.6\n",
  );
  expect(stdout).toContain('* rack1  hash 33219  ln  -17244512836072  weight 26.38596  straw -9972365\n');
  expect(stdout).toContain('      x  host2 rejected: it is chosen already\n');
  expect(stdout).toMatch(/^acting {3}\[7,5,\d+\], primary osd\.7$/m);
});

test('the same for programs, and as a page that needs nothing else', async () => {
  const asked = ['--osdmap', MAP, '--pg', '1.6'];
  const { stdout } = await explain(...asked, '-f', 'json');
  const { acting, steps, pg } = JSON.parse(stdout) as { acting: number[]; steps: { step: string }[]; pg: string };
  expect([pg, acting.slice(0, 2)]).toEqual(['1.6', [7, 5]]);
  expect(steps.map(({ step }) => step)).toEqual(['take default', 'chooseleaf firstn 0 type host', 'emit']);

  const out = join(dir, 'page.html');
  expect((await explain(...asked, '-f', 'html', '--out', out)).status).toBe(0);
  const page = readFileSync(out, 'utf8');
  expect(page).toContain('<h1>Where PG 1.6 is, and why</h1>');
  expect(page).not.toMatch(/(?:src|href)="(?!data:)/);
});

test.each([
  [['--osdmap', '/nowhere', '--pg', '1.6'], '/nowhere cannot be read'],
  [['--osdmap', SPIRULA, '--pg', '1.6'], 'is no OSDMap'],
  [['--osdmap', MAP, '--pg', '1.zz'], "'1.zz' is no PG"],
  [['--osdmap', MAP, '--pg', '1.20'], 'There is no PG 1.20'],
  [['--osdmap', MAP, '--pool', 'none', '--object', 'foo'], "There is no pool 'none' in the map. There are: rep3"],
  [['--osdmap', MAP, '--object', 'foo'], 'Say what to explain'],
])('%j is refused: %s', async (args, message) => {
  const { status, stderr } = await explain(...args);
  expect(status).toBe(1);
  expect(stderr).toContain(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});
