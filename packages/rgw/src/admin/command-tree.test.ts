import { expect, test } from 'vitest';
import { AdminError } from './admin-error.ts';
import { CommandTree } from './command-tree.ts';

const tree = new CommandTree(['user rm', 'user rename', 'role delete', 'metadata get [*]', 'metadata sync status']);

function refusalOf(...words: string[]): string {
  try {
    tree.find(words);
  } catch (error) {
    if (error instanceof AdminError) return error.message;
    throw error;
  }
  return 'found';
}

test('words are found by any of their names, and one more where a command takes it', () => {
  expect(tree.find(['user', 'remove']).name).toBe('user rm');
  expect(tree.find(['user', 'mv']).name).toBe('user rename');
  expect(tree.find(['role', 'del']).name).toBe('role delete');
  expect(tree.find(['metadata', 'get'])).toEqual({ name: 'metadata get [*]', argument: undefined });
  expect(tree.find(['metadata', 'get', 'user:ada']).argument).toBe('user:ada');
  expect(tree.find(['metadata', 'sync', 'status']).name).toBe('metadata sync status');
});

test('what is no command is told with what could stand there', () => {
  expect(refusalOf('frob')).toBe(
    "ERROR: Unrecognized argument: 'frob'\nExpected one of the following:\n  metadata\n  role\n  user\n",
  );
  expect(refusalOf('user')).toBe('ERROR: Unknown command\nExpected one of the following:\n  rename\n  rm\n');
  expect(refusalOf('user', 'del')).toContain("Unrecognized argument: 'del'");
  expect(refusalOf('user', 'rm', 'ada')).toBe('Command not found: user rm ada');
  expect(refusalOf('metadata', 'get', 'a', 'b')).toBe('Command not found: metadata get a b');
});
