import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commandsPage } from './commands-page.ts';
import { differencesPage } from './differences-page.ts';
import { radosgwAdminPage } from './radosgw-admin-page.ts';
import { s3Page } from './s3-page.ts';

test.each([
  ['commands.md', commandsPage],
  ['differences.md', differencesPage],
  ['radosgw-admin.md', radosgwAdminPage],
  ['s3.md', s3Page],
])('docs/%s says what the tables say that it is made from', (name, make) => {
  const path = new URL(`../../docs/${name}`, import.meta.url);
  if (process.env['UPDATE_DOCS']) writeFileSync(path, make());

  expect(readFileSync(path, 'utf8')).toBe(make());
});
