/** What is answered for parts of Ceph that are not here; the words are those of a real manager of 16.2.15. */
import { emptyOsdMap } from '@spirula/maps';
import { makeConfig } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import { ClientRights } from '../client-rights.ts';
import { IoHistory } from '../io-rates.ts';
import { PgMap } from '../pg-map.ts';
import type { CommandOutcome } from './command.ts';
import { commandEntries, runCommand } from './command-table.ts';

const context = {
  map: emptyOsdMap(new Uint8Array(16)),
  pgMap: new PgMap(),
  io: new IoHistory(),
  now: { sec: 0, nsec: 0 },
  config: makeConfig({}),
};

function run(command: Readonly<Record<string, unknown>>): CommandOutcome {
  return runCommand(JSON.stringify(command), context, new ClientRights(undefined)) as CommandOutcome;
}

const NO_ORCHESTRATOR = { code: -2, status: 'No orchestrator configured (try `ceph orch set backend`)', output: '' };

describe('answered as by Ceph where nothing of the kind was set up', () => {
  test.each([
    [{ prefix: 'orch ls' }, NO_ORCHESTRATOR],
    [{ prefix: 'orch', action: 'stop', service_name: 'x' }, NO_ORCHESTRATOR],
    [{ prefix: 'orch apply', service_type: 'mon' }, NO_ORCHESTRATOR],
    [
      { prefix: 'orch set backend', module_name: '' },
      { code: 0, status: '', output: '' },
    ],
    [
      { prefix: 'orch set backend', module_name: 'foo' },
      { code: -22, status: "Module 'foo' not found", output: '' },
    ],
    [{ prefix: 'device light', enable: 'on', devid: 'foo' }, NO_ORCHESTRATOR],
    [
      { prefix: 'device ls', format: 'json' },
      { code: 0, status: '', output: '[]' },
    ],
    [{ prefix: 'device ls-by-host', host: 'a' }, { output: 'DEVICE  DEV  DAEMONS  EXPECTED FAILURE\n' }],
    [
      { prefix: 'device info', devid: 'foo' },
      { code: -2, status: 'device foo not found' },
    ],
    [{ prefix: 'crash ls' }, { code: 0, output: '' }],
    [
      { prefix: 'crash ls', format: 'json' },
      { code: 0, output: '[]\n' },
    ],
    [
      { prefix: 'crash info', id: 'foo' },
      { code: 22, status: 'crash info: foo not found' },
    ],
    [
      { prefix: 'crash prune', keep: 'x' },
      { code: 22, status: 'keep argument must be integer' },
    ],
    [
      { prefix: 'crash json_report', hours: '1' },
      { code: 0, status: '{}' },
    ],
    [
      { prefix: 'fs status', format: 'json' },
      { code: 0, output: '{}\n' },
    ],
    [
      { prefix: 'fs status', fs: 'a' },
      { code: 22, status: 'Invalid filesystem: a' },
    ],
    [
      { prefix: 'fs subvolume ls', vol_name: 'a' },
      { code: -2, status: "FS 'a' not found" },
    ],
    [{ prefix: 'service status' }, { code: 0, output: '{}\n' }],
  ])('%j', (command, outcome) => {
    expect(run(command)).toMatchObject(outcome);
  });

  test('a file system is removed, as far as there is one, only by those who insist', () => {
    const sure = { prefix: 'fs volume rm', vol_name: 'a', 'yes-i-really-mean-it': '--yes-i-really-mean-it' };

    expect(run({ prefix: 'fs volume rm', vol_name: 'a' })).toMatchObject({ code: -1 });
    expect(run(sure)).toMatchObject({ code: -2, status: "volume a doesn't exist" });
  });
});

test('what is refused is refused with EOPNOTSUPP and the reason that its description gives', () => {
  const refused = commandEntries.filter(({ unsupported }) => unsupported !== undefined);
  expect(refused.length).toBeGreaterThan(50);

  for (const { description, unsupported } of refused) {
    const prefix = description.sig.filter((part) => typeof part === 'string').join(' ');
    expect(run({ prefix }), prefix).toEqual({ code: -95, status: unsupported, output: '' });
    expect(description.help).toBe(`refused: ${unsupported}`);
  }
});
