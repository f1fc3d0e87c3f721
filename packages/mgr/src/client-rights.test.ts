import { Errno } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { ClientRights } from './client-rights.ts';
import { runCommand } from './commands/command-table.ts';

const DENIED = /^access denied: does your client key have mgr caps\?/;
/** Whether the manager lets a command be run; without an OSDMap it is answered EAGAIN then. */
function mayRun(caps: string | undefined, args: Record<string, unknown>): boolean {
  const outcome = runCommand(JSON.stringify(args), undefined, new ClientRights(caps));
  if (!('code' in outcome)) throw new Error('the command went on to the monitors');
  if (outcome.code === Errno.EAGAIN) return true;
  expect(outcome).toMatchObject({ code: Errno.EACCES, status: expect.stringMatching(DENIED) });
  return false;
}

const dump = { prefix: 'pg dump' };
const df = { prefix: 'osd df' };
const destroy = { prefix: 'osd destroy', id: 1 };

test.each([
  [undefined, [true, true, true]],
  ['allow *', [true, true, true]],
  ['allow r', [true, true, false]],
  ['allow rw', [true, true, true]],
  ['allow service pg r', [true, false, false]],
  ['allow command "osd destroy" with id=1', [false, false, true]],
  ['allow command "osd destroy" with id=2', [false, false, false]],
  ['allow * network 0.0.0.0/0', [false, false, false]],
  ['profile osd', [false, false, false]],
  ['', [false, false, false]],
  ['bogus', [false, false, false]],
])('caps %j: pg dump, osd df and osd destroy are run: %j', (caps, allowed) => {
  expect([dump, df, destroy].map((args) => mayRun(caps, args))).toEqual(allowed);
});

test('what commands there are is told to everyone', () => {
  const outcome = runCommand('{"prefix": "get_command_descriptions"}', undefined, new ClientRights(''));

  expect(outcome).toMatchObject({ code: 0 });
});

test.each([
  [undefined, true],
  ['allow *', true],
  ['allow rwx', false],
])('caps %j: the manager itself may be told something: %j', (caps, expected) => {
  expect(new ClientRights(caps).allowsAll).toBe(expected);
});
