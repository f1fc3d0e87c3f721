/** What monitors answer for parts of Ceph that are not here; the words are those of a real monitor of 16.2.15. */
import { fromUtf8 } from '@spirula/encoding';
import { describe, expect, test } from 'vitest';
import { Rights } from '../rights.ts';
import type { CommandContext } from './command.ts';
import { commandEntries, runCommand } from './command-table.ts';

const rights = new Rights({ entity: { type: 'client', id: 'admin' }, addrs: [], caps: undefined });

/** None of these commands looks at the cluster. */
function run(command: Readonly<Record<string, unknown>>) {
  const outcome = runCommand(JSON.stringify(command), { rights } as CommandContext);
  return { code: outcome.code, status: outcome.status, output: fromUtf8(outcome.data) };
}

describe('answered as by Ceph where there is no file system', () => {
  test.each([
    [{ prefix: 'fs ls' }, { code: 0, status: '', output: 'No filesystems enabled\n' }],
    [
      { prefix: 'fs ls', format: 'json' },
      { code: 0, status: '', output: '[]\n' },
    ],
    [
      { prefix: 'fs dump', epoch: 99 },
      { code: -2, status: '', output: '' },
    ],
    [
      { prefix: 'fs get', fs_name: 'a' },
      { code: -2, status: "filesystem 'a' not found", output: '' },
    ],
    [
      { prefix: 'fs set', fs_name: 'a' },
      { code: -2, status: "Filesystem not found: 'a'", output: '' },
    ],
    [
      { prefix: 'fs rm', fs_name: 'a' },
      { code: 0, status: "filesystem 'a' does not exist", output: '' },
    ],
    [
      { prefix: 'fs authorize', filesystem: 'a' },
      { code: -22, status: 'filesystem a does not exist.', output: '' },
    ],
    [{ prefix: 'mds stat' }, { code: 0, status: '', output: '' }],
    [{ prefix: 'mds metadata' }, { code: 0, status: '', output: '[]\n' }],
    [
      { prefix: 'mds metadata', who: 'x' },
      { code: -22, status: "MDS named 'x' does not exist, or is not up", output: '{}\n' },
    ],
    [
      { prefix: 'mds ok-to-stop', ids: ['x', 'y'] },
      { code: 0, status: 'should be safe to stop [x,y]', output: '' },
    ],
    [
      { prefix: 'mds rm', gid: 5 },
      { code: 0, status: 'mds gid 5 does not exist', output: '' },
    ],
    [
      { prefix: 'mds repaired', role: '0' },
      { code: -2, status: 'No filesystem selected', output: '' },
    ],
    [
      { prefix: 'mds dump' },
      { code: -95, status: 'command is obsolete; please check usage and/or man page', output: '' },
    ],
  ])('%j', (command, outcome) => {
    expect(run(command)).toEqual(outcome);
  });

  test('the map of file systems is the empty one', () => {
    const { output, status } = run({ prefix: 'fs dump', format: 'json' });

    expect(JSON.parse(output)).toMatchObject({ epoch: 1, default_fscid: -1, standbys: [], filesystems: [] });
    expect(status).toBe('dumped fsmap epoch 1');
    expect(run({ prefix: 'mds compat show' }).output).toMatch(
      /^compat=\{\},rocompat=\{\},incompat=\{1=base v0.20,.*10=snaprealm v2\}\n$/,
    );
  });
});

test('what is for one monitor is not known to the monitors together', () => {
  expect(run({ prefix: 'mon_status' })).toEqual({ code: -22, status: 'unrecognized command', output: '' });
});

test('what is refused is refused with EOPNOTSUPP and a reason', () => {
  // Changes of the monitor map have answers to what is so already.
  const refused = commandEntries.filter(({ description: { sig }, unsupported }) => {
    return unsupported !== undefined && sig[0] !== 'mon';
  });
  expect(refused.length).toBeGreaterThan(30);

  for (const { description, unsupported } of refused) {
    const prefix = description.sig.filter((part) => typeof part === 'string').join(' ');
    expect(run({ prefix }), prefix).toEqual({ code: -95, status: unsupported, output: '' });
  }
});
