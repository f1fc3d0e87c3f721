import { DaemonConfig, makeConfig } from '@spirula/config';
import { Errno, fromUtf8, utf8 } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { adminCommand, say } from './admin-command.ts';
import { AdminSocket } from './admin-socket.ts';
import { PerfCounters } from './perf-counters.ts';

function makeSocket() {
  let ops = 5;
  const values = makeConfig();
  const socket = new AdminSocket({
    config: new DaemonConfig(values, { cluster: 'ceph', type: 'osd', id: '0' }),
    perf: new PerfCounters({ osd: { op: { kind: 'counter', description: 'requests', read: () => ops } } }),
    commands: [adminCommand(['status'], 'show how it is', () => say({ state: 'active' }))],
  });
  const run = (prefix: string, args: object = {}) => {
    const { code, status, data } = socket.run(JSON.stringify({ prefix, ...args }));
    return { code, status, json: data.length === 0 ? undefined : JSON.parse(fromUtf8(data)) };
  };
  return { socket, values, run, count: (more: number) => (ops += more) };
}

// What the admin socket of an OSD 16.2.15 answers.
test.each([
  ['{"prefix":"version","format":"json"}', '{"version":"16.2.15","release":"pacific","release_type":"stable"}'],
  ['{"prefix":"status"}', '{\n    "state": "active"\n}\n'],
  ['version', 'ERROR: (22) Invalid argument\ninvalid json\n'],
  ['{"prefix":"nosuch"}', 'ERROR: (22) Invalid argument\nunknown command prefix nosuch\n'],
  ['{"prefix":"config get"}', 'ERROR: (22) Invalid argument\ninvalid command json\n'],
  ['{"prefix":"config get","var":"osd_heartbeat_grace"}', '{\n    "osd_heartbeat_grace": "20"\n}\n'],
  [
    '{"prefix":"config get","var":"nope"}',
    "ERROR: (2) No such file or directory\nerror getting 'nope': (2) No such file or directory\n",
  ],
  [
    '{"prefix":"config set","var":"osd_objectstore","val":["kstore"]}',
    "ERROR: (1) Operation not permitted\nerror setting 'osd_objectstore' to 'kstore': (1) Operation not permitted\n",
  ],
  ['{"prefix":"perf reset","var":"zzz"}', '{\n    "error": "Not find: zzz"\n}\n'],
])('%s', (request, answer) => {
  expect(fromUtf8(makeSocket().socket.serve(utf8(request)))).toBe(answer);
});

test('an option that is set is in force until it is unset', () => {
  const { run, values } = makeSocket();

  expect(run('config set', { var: 'osd_heartbeat_grace', val: ['21'] })).toMatchObject({
    json: { success: "osd_heartbeat_grace = '21' " },
  });
  expect(values.osd_heartbeat_grace).toBe(21);
  expect(run('config diff get', { var: 'osd_heartbeat_grace' }).json).toEqual({
    diff: { osd_heartbeat_grace: { default: 20, override: 21, final: 21 } },
  });
  expect(run('config unset', { var: 'osd_heartbeat_grace' }).status).toBe("osd_heartbeat_grace = '20' ");
  expect(run('config unset', { var: 'osd_heartbeat_grace' }).status).toBe('');
  expect(values.osd_heartbeat_grace).toBe(20);
});

test('injectargs takes what parses and says what does not', () => {
  const { run, values } = makeSocket();
  const line = '--osd-heartbeat-grace 25 --osd_max_backfills=x --nope=1';

  const { code, status } = run('injectargs', { injected_args: [line] });

  expect(code).toBe(Errno.EINVAL);
  expect(status).toBe(
    "Parse error setting osd_max_backfills to 'x' using injectargs (strict_si_cast: unit prefix not recognized).\n" +
      " failed to parse arguments: --nope=1\nosd_heartbeat_grace = '25' ",
  );
  expect([values.osd_heartbeat_grace, values.osd_max_backfills]).toEqual([25, 1]);
});

test('counters that were reset begin at 0 again', () => {
  const { run, count } = makeSocket();

  run('perf reset', { var: 'all' });
  count(3);
  expect(run('perf dump').json).toEqual({ osd: { op: 3 } });
});
