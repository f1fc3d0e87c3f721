/** Entities over the life of a cluster: what it begins with, and that all monitors hold the same. */
import { type EntityAuth, KEY_BYTES, parseKeyring } from '@spirula/auth';
import { fromUtf8, utf8 } from '@spirula/encoding';
import type { MonCommandAck } from '@spirula/messages';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { expectAlike, FSID, NAMES, ThreeMonitors } from './three-monitors.test-support.ts';

const entity = (byte: number, caps: string): EntityAuth => ({
  key: { created: { sec: 1, nsec: 0 }, secret: new Uint8Array(KEY_BYTES).fill(byte) },
  caps: new Map([['mon', caps]]),
});
const keyring = new Map([
  ['mon.', entity(1, 'allow *')],
  ['client.admin', entity(2, 'allow *')],
]);

function run(mons: ThreeMonitors, args: Record<string, unknown>, input = ''): MonCommandAck {
  const peer = { entity: { type: 'client', id: 'admin' }, addrs: [], globalId: 4n } as const;
  const cmd = [JSON.stringify(args)];
  const session = mons.hear('b', peer, { type: 'mon_command', tid: 1n, fsid: FSID, cmd, data: utf8(input) });
  mons.run(3 * SECOND);
  return mons.said.get(session)![0] as MonCommandAck;
}

test('a cluster begins with its keyring, and all monitors know what becomes of it, after restarts too', () => {
  const mons = new ThreeMonitors({ keyring });
  for (const name of NAMES) mons.start(name);
  mons.run(10 * SECOND);
  const exported = () => parseKeyring(fromUtf8(run(mons, { prefix: 'auth export' }).data));
  expect(exported().get('client.admin')).toEqual(keyring.get('client.admin'));
  expect([exported().size, exported().has('mon.')]).toEqual([7, false]);
  expect(fromUtf8(run(mons, { prefix: 'auth get', entity: 'mon.' }).data)).toContain('[mon.]');

  run(mons, { prefix: 'auth caps', entity: 'client.bootstrap-osd', caps: ['mon', 'allow r'] });
  run(mons, { prefix: 'auth rm', entity: 'client.bootstrap-rgw' });
  run(mons, { prefix: 'auth get-or-create', entity: 'osd.0', caps: ['osd', 'allow *'] });
  const before = exported();
  for (const name of NAMES) mons.stop(name);
  for (const name of NAMES) mons.start(name);
  mons.run(30 * SECOND);

  expectAlike(mons);
  expect(exported()).toEqual(before);
  expect(before.get('client.bootstrap-osd')!.caps).toEqual(new Map([['mon', 'allow r']]));
  expect([before.has('osd.0'), before.has('client.bootstrap-rgw')]).toEqual([true, false]);
});

test('what is asked for twice before it is agreed on is made once', () => {
  const mons = new ThreeMonitors({ keyring });
  for (const name of NAMES) mons.start(name);
  mons.run(10 * SECOND);
  const peer = { entity: { type: 'client', id: 'admin' }, addrs: [], globalId: 4n } as const;
  const cmd = [JSON.stringify({ prefix: 'auth get-or-create-key', entity: 'client.new' })];
  const sessions = ['a', 'c'].map((name) =>
    mons.hear(name, peer, { type: 'mon_command', tid: 1n, fsid: FSID, cmd, data: utf8('') }),
  );
  mons.run(3 * SECOND);

  const [one, other] = sessions.map((session) => mons.said.get(session)![0] as MonCommandAck);
  expect(one!.code).toBe(0);
  expect(other!.data).toEqual(one!.data);
});
