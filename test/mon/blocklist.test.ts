/** Clients that the OSDs are to refuse; forms as of Ceph 16.2.15. */
import { beforeEach, expect, test } from 'vitest';
import { MonCluster } from './mon-cluster.ts';

let cluster: MonCluster;

beforeEach(() => {
  cluster = new MonCluster().start();
});

const change = (blocklistop: string, addr: string, expire?: number) =>
  cluster.command({ prefix: 'osd blocklist', blocklistop, addr, ...(expire !== undefined && { expire }) });
const listed = () => cluster.command({ prefix: 'osd blocklist ls' }).text;

test('a client is refused, listed and let in again', () => {
  expect(change('add', '10.0.0.1:0/77', 60)).toMatchObject({
    code: 0,
    status: expect.stringMatching(/^blocklisting 10\.0\.0\.1:0\/77 until 20\S+\+0000 \(60 sec\)$/),
  });
  expect(change('add', 'v1:10.0.0.2')).toMatchObject({
    status: expect.stringMatching(/10\.0\.0\.2:0\/0 .*\(3600 sec\)$/),
  });
  expect(listed()).toMatch(/^(10\.0\.0\.[12]:0\/\d+ 20\S+\n){2}$/);
  expect(cluster.command({ prefix: 'osd blacklist ls' }).status).toBe('listed 2 entries');
  expect(change('rm', '10.0.0.1:0/77')).toMatchObject({ code: 0, status: 'un-blocklisting 10.0.0.1:0/77' });
  expect(change('rm', '10.0.0.1:0/77')).toMatchObject({ code: 0, status: "10.0.0.1:0/77 isn't blocklisted" });

  expect(listed()).toMatch(/^10\.0\.0\.2:0\/0 20\S+\n$/);
});

test('all are let in at once, by the older name of the command too', () => {
  change('add', '[::1]:0/5');
  expect(cluster.command({ prefix: 'osd blacklist', blacklistop: 'add', addr: '10.0.0.1' })).toMatchObject({ code: 0 });
  expect(cluster.command({ prefix: 'osd blocklist clear' })).toMatchObject({
    status: ' removed all blocklist entries',
  });

  expect(listed()).toBe('');
});

test('an entry ends in time', () => {
  change('add', '10.0.0.1:0/1', 20);
  change('add', '10.0.0.1:0/2', 2000);
  cluster.run(60);

  expect(listed()).toMatch(/^10\.0\.0\.1:0\/2 20\S+\n$/);
});

test.each(['', 'foo', '10.0.0', '10.0.0.256', '10.0.0.1:99999', '1:2:3'])('%j is no address', (addr) => {
  expect(change('add', addr)).toMatchObject({ code: -22, status: `unable to parse address ${addr}` });
});
