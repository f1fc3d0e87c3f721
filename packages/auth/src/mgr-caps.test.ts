import { expect, test } from 'vitest';
import { READ, WRITE } from './caps-scanner.ts';
import { type MgrAsk, MgrCaps } from './mgr-caps.ts';

const RW = READ | WRITE;
const ask = (command: string, needs: number, args: Record<string, string> = {}, module = ''): MgrAsk => ({
  ...{ service: module === '' ? command.split(' ')[0]! : '', module, command, needs },
  args: new Map(Object.entries(args)),
});

test.each([
  ['allow *', ask('pg repair', RW), true],
  ['allow r', ask('pg dump', READ), true],
  ['allow r', ask('pg repair', RW), false],
  ['allow r, allow w', ask('pg repair', RW), true],
  ['allow service pg rw', ask('pg repair', RW), true],
  ['allow service pg rw', ask('osd ok-to-stop', READ), false],
  ['allow module crash r', ask('crash ls', READ, {}, 'crash'), true],
  ['allow module crash r', ask('crash rm', RW, {}, 'crash'), false],
  ['allow module crash with id=1 r', ask('', READ, { id: '2' }, 'crash'), false],
  ['allow module crash with id=1 r', ask('', READ, { id: '1' }, 'crash'), true],
  ['allow module crash with id=1 r', ask('crash ls', READ, {}, 'crash'), true],
  ['allow command "pg repair" with pgid prefix 1.', ask('pg repair', RW, { pgid: '1.7' }), true],
  ['allow command "pg repair" with pgid prefix 1.', ask('pg repair', RW, { pgid: '2.7' }), false],
  ['profile crash', ask('crash post', RW, {}, 'crash'), true],
  ['profile crash', ask('crash rm', RW, {}, 'crash'), false],
  ['profile rbd', ask('rbd task add', RW, {}, 'rbd_support'), true],
  ['profile rbd-read-only', ask('rbd task add', RW, {}, 'rbd_support'), false],
  ['profile rbd', ask('pg dump', READ), false],
  ['profile osd', ask('pg dump', READ), false],
  ['profile read-write', ask('pg repair', RW), true],
  ['allow * network 10.0.0.0/8', ask('pg dump', READ), false],
] as const)('%s: %j is allowed: %j', (caps, asked, expected) => {
  expect(MgrCaps.parse(caps).isCapable(asked, undefined)).toBe(expected);
});
