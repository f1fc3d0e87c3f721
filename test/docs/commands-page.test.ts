import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commandsPage } from './commands-page.ts';

const path = new URL('../../docs/commands.md', import.meta.url);

test('the page about commands says what the command tables say', () => {
  if (process.env['UPDATE_DOCS']) writeFileSync(path, commandsPage());

  expect(readFileSync(path, 'utf8')).toBe(commandsPage());
});
