import { AddrType, type EntityAddr } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { EXECUTE, READ, WRITE } from './caps-scanner.ts';
import { type MonAsk, MonCaps } from './mon-caps.ts';

const from = (ip: string): EntityAddr => ({
  type: AddrType.v2,
  nonce: 1,
  family: ip.includes(':') ? 10 : 2,
  ip,
  port: 1,
});
const HERE = from('10.1.2.3');

function may(caps: string, ask: MonAsk, addr: EntityAddr | undefined = HERE): boolean {
  return MonCaps.parse(caps, { type: 'osd', id: '3' }).isCapable(ask, addr);
}

const needs = (service: string, bits: number): MonAsk => ({ service, needs: bits });
const run = (service: string, command: string, bits: number, args: Record<string, string> = {}): MonAsk => ({
  ...{ service, command, needs: bits },
  args: new Map(Object.entries(args)),
});
const RW = READ | WRITE;

test.each([
  ['allow *', run('auth', 'auth ls', RW | EXECUTE), true],
  ['allow *', run('config-key', 'config-key get', READ), true],
  ['allow rwx', run('auth', 'auth ls', RW | EXECUTE), true],
  // Blanket permissions do not reach the keys, which may be secrets.
  ['allow rwx', run('config-key', 'config-key get', READ), false],
  ['allow service config-key r', run('config-key', 'config-key get', READ), true],
  ['allow rw', run('auth', 'auth ls', READ | EXECUTE), false],
  ['allow r', needs('osd', RW), false],
  ['allow r, allow w', needs('osd', RW), true],
  ['allow service osd rw', needs('osd', RW), true],
  ['allow service osd rw', needs('mon', READ), false],
  ['allow service osd r, allow service osd w', needs('osd', RW), true],
  ['allow command "osd out"', run('osd', 'osd out', RW), true],
  ['allow command "osd out"', run('osd', 'osd in', RW), false],
  ['allow command "osd out"', needs('osd', READ), false],
  ['allow command a with x=1', run('mon', 'a', RW, { x: '1', y: '2' }), true],
  ['allow command a with x=1', run('mon', 'a', RW, { y: '1' }), false],
  ['allow command a with x prefix ab', run('mon', 'a', RW, { x: 'abc' }), true],
  ['allow command a with x prefix ab', run('mon', 'a', RW, { x: 'cab' }), false],
  ['allow command a with x regex "[[:digit:]]+"', run('mon', 'a', RW, { x: '42' }), true],
  ['allow command a with x regex "[[:digit:]]+"', run('mon', 'a', RW, { x: '42a' }), false],
  ['allow command a with x regex "["', run('mon', 'a', RW, { x: '[' }), false],
  ['allow command a with x regex ".*"', run('mon', 'a', RW, { x: 'b'.repeat(5000) }), false],
  ['profile osd', needs('osd', RW | EXECUTE), true],
  ['profile osd', needs('mon', RW), false],
  ['profile osd', run('config-key', 'config-key set', RW, { key: 'daemon-private/osd.3/x' }), true],
  ['profile osd', run('config-key', 'config-key set', RW, { key: 'daemon-private/osd.4/x' }), false],
  ['profile nosuch', needs('mon', READ), false],
  ['profile rbd', run('osd', 'osd blocklist', RW, { blocklistop: 'add', addr: '1.2.3.4:0/77' }), true],
  ['profile rbd', run('osd', 'osd blocklist', RW, { blocklistop: 'add', addr: '1.2.3.4' }), false],
  ['profile rbd', run('osd', 'osd blocklist', RW, { blocklistop: 'rm', addr: '1.2.3.4:0/77' }), false],
  ['profile rbd-mirror-peer', run('config-key', 'config-key get', READ, { key: 'rbd/mirror/x' }), true],
  ['profile rbd-mirror-peer', run('config-key', 'config-key get', READ, { key: 'rbd/mirror/peer/x' }), false],
  [
    'profile bootstrap-rbd',
    run('auth', 'auth get-or-create', RW | EXECUTE, {
      ...{ entity: 'client.a', caps_mon: 'profile rbd', caps_osd: 'profile rbd pool=a, profile rbd-read-only pool=b' },
    }),
    true,
  ],
  [
    'profile bootstrap-rbd',
    run('auth', 'auth get-or-create', RW | EXECUTE, {
      ...{ entity: 'client.a', caps_mon: 'profile rbd', caps_osd: 'allow rw' },
    }),
    false,
  ],
  ['profile read-only', needs('osd', READ), true],
  ['profile read-only', needs('osd', WRITE), false],
  ['profile role-definer', run('auth', 'auth rm', RW | EXECUTE), true],
] as const)('%s: %j is allowed: %j', (caps, ask, expected) => {
  expect(may(caps, ask)).toBe(expected);
});

test.each([
  ['10.1.0.0/16', '10.1.2.3', true],
  ['10.1.0.0/16', '10.2.2.3', false],
  ['10.1.2.0/25', '10.1.2.200', false],
  ['10.1.2.3/40', '10.1.2.3', true],
  ['0.0.0.0/0', '9.9.9.9', true],
  ['0.0.0.0/0', 'fe80::1', false],
  ['fe80::/16', 'fe80::1:2', true],
  ['fe80::/16', 'fd80::1:2', false],
  // No network: holds from nowhere.
  ['10.1.2.3', '10.1.2.3', false],
  ['bad', '10.1.2.3', false],
])('a grant for network %s holds from %s: %j', (network, ip, expected) => {
  expect(may(`allow * network ${network}`, needs('mon', READ), from(ip))).toBe(expected);
});

test('from an unknown address no grant for a network holds', () => {
  const caps = MonCaps.parse('allow r network 0.0.0.0/0', { type: 'client', id: 'a' });

  expect(caps.isCapable(needs('mon', READ), undefined)).toBe(false);
});
