import { AddrType } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { CephConf, parseMonHost } from './ceph-conf.ts';

test('a conf has sections, comments, continued lines and names with blanks or underscores', () => {
  const conf = CephConf.parse(`
; of everyone
[global]
  fsid = 1234  # a comment
  mon_host = [v2:127.0.0.1:3300,\\
v1:127.0.0.1:6789]
[client]
[client.bob]
  fsid = 5678
`);

  expect(conf.get('fsid')).toBe('1234');
  expect(conf.get('fsid', 'client.bob')).toBe('5678');
  expect(conf.get('mon host')).toBe('[v2:127.0.0.1:3300,v1:127.0.0.1:6789]');
  expect(conf.get('nothing')).toBeUndefined();
});

test.each([
  ['[v2:127.0.0.1:23300/0,v1:127.0.0.1:23301/0]', [['127.0.0.1', 23_300]]],
  [
    '[v2:10.0.0.1:3300],[v2:10.0.0.2:3301]',
    [
      ['10.0.0.1', 3300],
      ['10.0.0.2', 3301],
    ],
  ],
  [
    'v2:127.0.0.1:3300 127.0.0.2',
    [
      ['127.0.0.1', 3300],
      ['127.0.0.2', 3300],
    ],
  ],
  [
    '127.0.0.1:1,127.0.0.2:2;127.0.0.3:3',
    [
      ['127.0.0.1', 1],
      ['127.0.0.2', 2],
      ['127.0.0.3', 3],
    ],
  ],
  ['v2:[::1]:3300', [['::1', 3300]]],
])('mon_host = %s', async (monHost, expected) => {
  const mons = await parseMonHost(monHost);

  expect(mons.map(([addr]) => [addr!.ip, addr!.port])).toEqual(expected);
  expect(mons.flat().every(({ type }) => type === AddrType.v2)).toBe(true);
});

test('monitors that speak msgr1 only are none', async () => {
  await expect(parseMonHost('v1:127.0.0.1:6789')).rejects.toThrow('names no monitor that speaks msgr2');
});
