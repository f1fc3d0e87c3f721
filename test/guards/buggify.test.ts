/** The table of rare branches in the documentation is the list of those in the source. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;

function sourcesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.includes('src/') && path.endsWith('.ts') && !/(^|\/)node_modules\//.test(path))
    .map((path) => join(root, folder, path));
}

test('every rare branch in the source is in the table, once, under its package, and none is that is no more', () => {
  const inSource = sourcesOf('packages').flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/\.buggify\('([^']+)'\)/g)].map(([, name]) => {
      const [, folder] = /packages\/([^/]+)\//.exec(path)!;
      return `${name} | ${folder}`;
    }),
  );
  const table = readFileSync(join(root, 'docs/buggify.md'), 'utf8');
  const rows = [...table.matchAll(/^\| ([^|]+) \| ([^|]+) \| [^|]+ \| [^|]+ \|$/gm)].map(
    ([, name, folder]) => `${name!.trim()} | ${folder!.trim()}`,
  );

  expect(rows.slice(2).sort()).toEqual(inSource.sort());
  expect(inSource.length).toBeGreaterThanOrEqual(15);
});
