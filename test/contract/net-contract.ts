import { type AddrVec, equalBytes } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import type { SessionId } from '@spirula/world';
import { expect } from 'vitest';
import { type ContractCase, type ContractFixture, Recorder } from './contract-fixture.ts';

/** What one daemon says to another here: a number, and so many bytes. */
function numbered(tid: number, bytes = 0): Message {
  const data = new Uint8Array(bytes).fill(tid);
  return { type: 'command', fsid: new Uint8Array(16), tid: BigInt(tid), cmd: [], data };
}

function tids(daemon: Recorder): number[] {
  return daemon.of('message').map(({ message }) => (message.type === 'command' ? Number(message.tid) : -1));
}

/** Two daemons; the first has dialled the second. */
interface Pair {
  readonly a: Recorder;
  readonly b: Recorder;
  readonly toB: SessionId;
}

function dial(from: Recorder, addrs: AddrVec): Promise<SessionId> {
  let session: SessionId = -1;
  return from
    .act(({ net }) => {
      session = net.open('public', { type: 'osd', addrs });
    })
    .then(() => session);
}

async function startPair(fixture: ContractFixture): Promise<Pair> {
  const a = await Recorder.start(fixture, 0);
  const b = await Recorder.start(fixture, 1);
  return { a, b, toB: await dial(a, b.world.net.endpoint('public')) };
}

export const NET_CONTRACT: readonly ContractCase[] = [
  {
    name: 'net: both ends are told who the other is; messages keep their order, both ways',
    async run(fixture) {
      const { a, b, toB } = await startPair(fixture);
      // Before it is open they wait.
      await a.act(({ net }) => {
        for (let tid = 0; tid < 50; tid++) net.send(toB, numbered(tid, tid * 100));
      });
      const accepted = await b.event('accepted');
      await b.event('message', 50);
      await b.act(({ net }) => {
        for (let tid = 0; tid < 50; tid++) net.send(accepted.session, numbered(tid));
      });
      await a.event('message', 50);

      expect(tids(b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
      expect(tids(a)).toEqual(tids(b));
      expect(b.events[0]).toBe(accepted);
      expect(accepted).toMatchObject({ endpoint: 'public', peer: { entity: { type: 'osd', id: '0' } } });
      expect(accepted.peer.addrs).toEqual(a.world.net.endpoint('public'));
      expect(a.events[0]).toMatchObject({ kind: 'opened', session: toB, peer: { entity: { type: 'osd', id: '1' } } });
    },
  },
  {
    name: 'net: what is sent when the session opens comes after what was sent before',
    async run(fixture) {
      const a = await Recorder.start(fixture, 0);
      const b = await Recorder.start(fixture, 1);
      a.onEvent = (event) => {
        if (event.kind === 'opened') a.world.net.send(event.session, numbered(3));
      };
      await a.act(({ net }) => {
        const toB = net.open('public', { type: 'osd', addrs: b.world.net.endpoint('public') });
        for (const tid of [0, 1, 2]) net.send(toB, numbered(tid, 1000));
      });
      await b.event('message', 4);

      expect(tids(b)).toEqual([0, 1, 2, 3]);
    },
  },
  {
    name: 'net: what was sent before a close arrives though the session was never open here',
    async run(fixture) {
      const a = await Recorder.start(fixture, 0);
      const b = await Recorder.start(fixture, 1);
      await a.act(({ net }) => {
        const to = { type: 'osd', addrs: b.world.net.endpoint('public') } as const;
        const silent = net.open('public', to);
        net.close(silent);
        const toB = net.open('public', to);
        for (const tid of [0, 1, 2]) net.send(toB, numbered(tid));
        net.close(toB);
        expect(net.send(toB, numbered(3))).toBe(0);
      });
      await b.event('reset');
      await fixture.wait(5000);

      expect(b.events.map(({ kind }) => kind)).toEqual(['accepted', 'message', 'message', 'message', 'reset']);
      expect(tids(b)).toEqual([0, 1, 2]);
      expect(a.events).toEqual([]);
    },
  },
  {
    name: 'net: a message arrives as it was sent',
    async run(fixture) {
      const { a, b, toB } = await startPair(fixture);
      const sent = numbered(3, 300_000);
      await a.act(({ net }) => void net.send(toB, sent));
      const { message } = await b.event('message');

      expect({ ...message, data: undefined }).toEqual({ ...sent, data: undefined });
      // Bytes by bytes `toEqual` would take seconds.
      expect(message.type === 'command' && sent.type === 'command' && equalBytes(message.data, sent.data)).toBe(true);
    },
  },
  {
    name: 'net: what was sent before a close arrives; the closer hears nothing more, the peer a reset',
    async run(fixture) {
      const { a, b, toB } = await startPair(fixture);
      const { session } = await b.event('accepted');
      await a.event('opened');
      await a.act(({ net }) => {
        for (let tid = 0; tid < 10; tid++) net.send(toB, numbered(tid));
        net.close(toB);
        expect(net.send(toB, numbered(99))).toBe(0);
        net.close(toB);
      });
      const reset = await b.event('reset');
      await b.act(({ net }) => {
        expect(net.send(session, numbered(99))).toBe(0);
      });
      await fixture.wait(5000);

      expect(reset).toMatchObject({ session, reason: 'closed' });
      expect(tids(b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(a.events).toHaveLength(1);
    },
  },
  {
    name: 'net: who closes a session hears nothing of what was under way to it',
    async run(fixture) {
      const { a, b, toB } = await startPair(fixture);
      const { session } = await b.event('accepted');
      await a.event('opened');
      b.onEvent = (event) => {
        if (event.kind === 'message') b.world.net.close(session);
      };
      await a.act(({ net }) => {
        for (let tid = 0; tid < 10; tid++) net.send(toB, numbered(tid, 1000));
      });
      expect(await a.event('reset')).toMatchObject({ session: toB, reason: 'closed' });
      await fixture.wait(5000);

      expect(tids(b)).toEqual([0]);
      expect(b.events.at(-1)!.kind).toBe('message');
    },
  },
  {
    name: 'net: the bytes queued count what was sent before the session opened, then go down again',
    async run(fixture) {
      const { a, b, toB } = await startPair(fixture);
      const queued: number[] = [];
      await a.act(({ net }) => {
        for (let tid = 0; tid < 4; tid++) queued.push(net.send(toB, numbered(tid, 10_000)));
      });
      await b.event('message', 4);
      await fixture.wait(5000);
      await a.act(({ net }) => queued.push(net.send(toB, numbered(4))));

      for (const [i, bytes] of queued.slice(0, 4).entries()) {
        expect(bytes).toBeGreaterThanOrEqual((i + 1) * 10_000);
        expect(bytes).toBeLessThan((i + 1) * 11_000);
      }
      expect(queued[4]).toBeLessThan(1000);
    },
  },
  {
    name: 'net: a daemon of another type is not who was dialled',
    async run(fixture) {
      const a = await Recorder.start(fixture, 0);
      const b = await Recorder.start(fixture, 1);
      let session: SessionId = -1;
      await a.act(({ net }) => {
        session = net.open('public', { type: 'mon', addrs: b.world.net.endpoint('public') });
      });

      expect(await a.event('reset')).toMatchObject({ session, reason: 'refused' });
      expect(b.events).toEqual([]);
    },
  },
  {
    name: 'net: a crash resets the peers’ sessions, and dialling it is refused, never before open returns',
    async run(fixture) {
      const { a, b, toB } = await startPair(fixture);
      await a.event('opened');
      const addrs = b.world.net.endpoint('public');
      await fixture.crash(1);
      expect(await a.event('reset')).toMatchObject({ session: toB, reason: 'closed' });
      const heard = b.events.length;
      const again = await dial(a, addrs);

      expect(await a.event('reset', 2)).toMatchObject({ session: again, reason: 'refused' });
      expect(again).not.toBe(toB);
      expect(b.events).toHaveLength(heard);
    },
  },
  {
    name: 'net: a daemon of another nonce is not who was dialled; nonce 0 takes whoever is there',
    async run(fixture) {
      const a = await Recorder.start(fixture, 0);
      const b = await Recorder.start(fixture, 1);
      const addrs = b.world.net.endpoint('public');
      const wrong = await dial(
        a,
        addrs.map((addr) => ({ ...addr, nonce: addr.nonce ^ 1 })),
      );
      expect(await a.event('reset')).toMatchObject({ session: wrong, reason: 'refused' });
      const any = await dial(
        a,
        addrs.map((addr) => ({ ...addr, nonce: 0 })),
      );

      expect(await a.event('opened')).toMatchObject({ session: any });
      expect(b.of('accepted')).toHaveLength(1);
    },
  },
  {
    name: 'net: each run of a daemon has a nonce of its own, and addresses to be dialled at',
    async run(fixture) {
      const first = (await Recorder.start(fixture, 0)).world.net.endpoint('public');
      await fixture.crash(0);
      const second = (await Recorder.start(fixture, 0)).world.net.endpoint('public');

      for (const addr of [...first, ...second]) expect(addr.nonce).toBeGreaterThan(0);
      expect(second[0]!.nonce).not.toBe(first[0]!.nonce);
    },
  },
  {
    name: 'net: who is refused by authorize gets a reset, and the daemon hears nothing of it',
    async run(fixture) {
      const a = await Recorder.start(fixture, 0);
      const b = await Recorder.start(fixture, 1);
      b.decide = ({ endpoint, entity }) => {
        expect({ endpoint, entity }).toEqual({ endpoint: 'public', entity: { type: 'osd', id: '0' } });
        return { kind: 'refuse', code: -13 };
      };
      const session = await dial(a, b.world.net.endpoint('public'));

      expect(await a.event('reset')).toMatchObject({ session });
      expect(b.events).toEqual([]);
    },
  },
  {
    name: 'net: past highWater a sender waits for drained, which comes when half of it is gone',
    async run(fixture) {
      const { a, b, toB } = await startPair(fixture);
      await a.event('opened');
      let sent = 0;
      await a.act(({ net }) => {
        while (net.send(toB, numbered(sent % 200, 1 << 20)) <= net.highWater) sent += 1;
        sent += 1;
      });
      expect(await a.event('drained')).toEqual({ kind: 'drained', session: toB });
      await b.event('message', sent);

      expect(a.of('drained')).toHaveLength(1);
      expect(tids(b)).toEqual(Array.from({ length: sent }, (_, i) => i % 200));
    },
  },
  {
    name: 'net: past eight times highWater the session is reset',
    async run(fixture) {
      const { a, toB } = await startPair(fixture);
      await a.event('opened');
      await a.act(({ net }) => {
        const message = numbered(1, 4 << 20);
        // In one turn nothing leaves: the peer might as well not read.
        for (let bytes = 0; bytes <= 9 * net.highWater; bytes += 4 << 20) net.send(toB, message);
      });

      expect(await a.event('reset')).toMatchObject({ session: toB, reason: 'overflow' });
    },
  },
];
