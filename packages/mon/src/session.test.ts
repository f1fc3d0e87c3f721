import type { Peer } from '@spirula/world';
import { expect, test } from 'vitest';
import { MonSession } from './session.ts';

const peer: Peer = { entity: { type: 'client', id: 'admin' }, addrs: [], globalId: 1n };
const from = (start: number) => ({ start, once: false });

test('one level of the cluster log is listened to, that which was asked for last', () => {
  const session = new MonSession(1, peer);

  session.subscribe(
    new Map([
      ['osdmap', from(3)],
      ['log-info', from(0)],
    ]),
  );
  session.subscribe(new Map([['log-error', from(7)]]));

  expect(session.subscribed('')).toEqual(['osdmap', 'log-error']);
  expect(session.wanted('log-error')).toBe(7);
});
