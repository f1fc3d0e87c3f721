import { expect, test } from 'vitest';
import { parseCommandLine } from './command-line.ts';

test.each([
  ['{"prefix": "a"}', { prefix: 'a' }],
  ['{"prefix": "a", "of": {"b": "}"}}"', { prefix: 'a', of: { b: '}' } }],
  ['\n  {"prefix": "a\\"}"}\n}{', { prefix: 'a"}' }],
  ['{"prefix": "a"} x', { prefix: 'a' }],
])('%s is a command', (line, command) => {
  expect(parseCommandLine(line)).toEqual(command);
});

test.each([
  '',
  '{',
  '{}',
  '[1]',
  '"x"',
  'null',
  '{"prefix": "a"',
  'x{"prefix": "a"}',
  '}{"prefix": "a"}',
  '{"b": 1}{"prefix": "a"}',
])('%s is none', (line) => {
  expect(parseCommandLine(line)).toBeUndefined();
});
