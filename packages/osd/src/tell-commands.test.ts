import { AdminSocket, PerfCounters } from '@spirula/admin-socket';
import { DaemonConfig, makeConfig } from '@spirula/config';
import { Errno, fromUtf8 } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { type OsdView, osdCommands } from './tell-commands.ts';

test('a line for the cluster log is written at the level told, and nothing is answered', () => {
  const said: string[] = [];
  const osd = { say: (level, text) => void said.push(`${level}: ${text}`) } as Partial<OsdView> as OsdView;
  const socket = new AdminSocket({
    config: new DaemonConfig(makeConfig(), { cluster: 'ceph', type: 'osd', id: '0' }),
    perf: new PerfCounters({}),
    commands: osdCommands(osd, () => true),
  });
  const ask = (level: string, message: readonly string[]) => {
    const answer = socket.run(JSON.stringify({ prefix: 'cluster_log', level, message }));
    return [answer.code, answer.status, fromUtf8(answer.data)];
  };

  expect(ask('error', ['two', 'words'])).toEqual([0, '', '']);
  expect(ask('WRN', ['x'])).toEqual([0, '', '']);
  expect(said).toEqual(['error: two words', 'warn: x']);
  expect(ask('loud', ['x'])).toEqual([Errno.EINVAL, "unknown level 'loud'", '']);
  expect(ask('constructor', ['x'])).toEqual([Errno.EINVAL, "unknown level 'constructor'", '']);
  expect(ask('error', [])).toEqual([Errno.EINVAL, 'ignoring empty log message', '']);
  expect(said).toHaveLength(2);
});
