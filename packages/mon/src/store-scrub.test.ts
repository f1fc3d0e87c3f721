/** `mon scrub`: the monitors of a quorum find out whether they hold the same. */
import { EMPTY, fromUtf8, utf8 } from '@spirula/encoding';
import { type Peer, SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { FSID, quorum, type ThreeMonitors } from './three-monitors.test-support.ts';

const admin: Peer = { entity: { type: 'client', id: 'admin' }, addrs: [], globalId: 4n };

function ask(mons: ThreeMonitors, name: string, cmd: Readonly<Record<string, unknown>>) {
  const message = { type: 'mon_command', tid: 1n, fsid: FSID, cmd: [JSON.stringify(cmd)], data: EMPTY } as const;
  const session = mons.hear(name, admin, message);
  mons.run(SECOND);
  const reply = mons.said.get(session)!.find((each) => each.type === 'mon_command_ack');
  if (reply?.type !== 'mon_command_ack') throw new Error('no reply');
  return { code: reply.code, text: fromUtf8(reply.data) };
}

/** What the cluster log says of scrubs. */
function scrubLines(mons: ThreeMonitors): string[] {
  mons.run(5 * SECOND);
  const { text } = ask(mons, 'a', { prefix: 'log last', num: 100, level: 'debug', channel: 'cluster' });
  return text.split('\n').filter((line) => /scrub|ScrubResult/i.test(line));
}

test('stores that are the same are found to be', () => {
  const mons = quorum();
  mons.change('a', 5);

  expect(ask(mons, 'c', { prefix: 'mon scrub' }).code).toBe(0);

  expect(scrubLines(mons)).toEqual([
    expect.stringMatching(/scrub ok on 0,1,2: ScrubResult\(keys \{.*osdmap=\d+.*\} crc \{.*osdmap=\d+.*\}\)$/),
  ]);
});

test('one that holds something else is found, and what each holds is said', () => {
  const mons = quorum();
  mons.stop('c');
  mons.disks.get('c')!.apply([{ op: 'put', key: utf8('osdmap\0strange'), value: utf8('rot') }]);
  mons.start('c');
  mons.run(20 * SECOND);

  ask(mons, 'a', { prefix: 'mon scrub' });

  const lines = scrubLines(mons);
  expect(lines[0]).toMatch(/\[ERR\] scrub mismatch$/);
  expect(lines.slice(1).map((line) => /mon\.\d/.exec(line.slice(line.indexOf('[ERR]')))?.[0])).toEqual([
    'mon.0',
    'mon.1',
    'mon.2',
  ]);
});

test('one at a time; what is not answered is given up after mon_scrub_timeout', () => {
  const mons = quorum();
  mons.onTheWay = (message) => (message.type === 'mon_scrub' && message.op === 'result' ? { type: 'ping' } : message);

  expect(ask(mons, 'a', { prefix: 'mon scrub' }).code).toBe(0);
  expect(ask(mons, 'a', { prefix: 'mon scrub' }).code).toBe(-16);

  mons.run(300 * SECOND);
  expect(scrubLines(mons)).toEqual([expect.stringContaining('scrub given up: nothing was heard of ranks 1,2')]);
  expect(ask(mons, 'a', { prefix: 'mon scrub' }).code).toBe(0);
});
