import { AddrType, type AddrVec, EMPTY, Errno, utf8 } from '@spirula/encoding';
import type { MgrMap } from '@spirula/maps';
import type { Message, MonCommandAck } from '@spirula/messages';
import { type Config, makeConfig, SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { MgrProxy } from './mgr-proxy.ts';
import type { Request } from './requester.ts';
import { Rights } from './rights.ts';

const COMMANDS = [
  { sig: ['pg', 'ls'], help: '', module: 'pg', perm: 'r', flags: 8 },
  // Monitors have one of this name themselves.
  { sig: ['osd', 'set'], help: '', module: 'osd', perm: 'rw', flags: 8 },
];

function addrOf(port: number): AddrVec {
  return [{ type: AddrType.v2, nonce: 1, family: 2, ip: '127.0.0.1', port }];
}

/** A proxy whose manager is played by the test. */
class Toy {
  readonly proxy: MgrProxy;
  readonly opened: AddrVec[] = [];
  /** Tids of what was sent, by session. */
  readonly sent: { readonly session: number; readonly tid: bigint; readonly line: string }[] = [];
  readonly answers: MonCommandAck[] = [];
  readonly told: string[] = [];
  readonly armed = new Map<string, number>();

  constructor(config: Partial<Config> = {}) {
    this.proxy = new MgrProxy({
      world: {
        config: makeConfig(config),
        clock: {
          now: () => 0,
          wall: () => ({ sec: 0, nsec: 0 }),
          arm: (name, at) => void this.armed.set(name, at),
          disarm: (name) => void this.armed.delete(name),
        },
        net: {
          endpoint: () => [],
          open: (_, { addrs }) => this.opened.push(addrs),
          send: (session, message: Message) => {
            if (message.type === 'mgr_command') this.sent.push({ session, tid: message.tid, line: message.cmd[0]! });
            return 0;
          },
          close: () => {},
          highWater: 1,
        },
      },
      endpoint: 'public',
      commands: () => COMMANDS,
      onCommand: ({ prefix }) => void this.told.push(prefix),
    });
  }

  serveAt(port: number | undefined): void {
    const map = { available: port !== undefined, activeAddrs: port === undefined ? [] : addrOf(port) };
    this.proxy.onMgrMap(map as unknown as MgrMap);
  }

  ask(prefix: string, { caps, isThere = () => true }: { caps?: string; isThere?: () => boolean } = {}): boolean {
    const entity = { type: 'client', id: 'x' } as const;
    const from: Request['from'] = {
      ...{
        entity,
        addrs: [],
        globalId: 1n,
        rights: new Rights({ entity, addrs: [], caps }),
        isForwarded: false,
        isThere,
      },
      reply: (message) => void this.answers.push(message as MonCommandAck),
      done: () => {},
    };
    const cmd = [JSON.stringify({ prefix })];
    return this.proxy.take({ from, message: { type: 'mon_command', tid: 77n, fsid: EMPTY, cmd, data: EMPTY } });
  }

  answer(session: number, tid: bigint, text: string): void {
    const message = { type: 'mgr_command_reply', tid, code: 0, status: 'fine', data: utf8(text) } as const;
    this.proxy.handle({ kind: 'message', session, message });
  }
}

test("a manager's command is answered by the manager, under the number that the client gave it", () => {
  const toy = new Toy();
  toy.serveAt(7000);

  expect(toy.ask('pg ls')).toBe(true);
  const [{ session, tid }] = toy.sent as [Toy['sent'][number]];
  toy.answer(session, tid, 'PGS');

  const cmd = ['{"prefix":"pg ls"}'];
  expect(toy.answers).toEqual([{ type: 'mon_command_ack', tid: 77n, code: 0, status: 'fine', cmd, data: utf8('PGS') }]);
  expect(toy.told).toEqual(['pg ls']);
});

test('what monitors serve themselves, and what nobody knows, is not taken', () => {
  const toy = new Toy();

  expect([toy.ask('osd set'), toy.ask('pg dance')]).toEqual([false, false]);
  expect(toy.told).toEqual([]);
});

test('who may not run a command is refused before the manager hears of it', () => {
  const toy = new Toy();
  toy.serveAt(7000);

  toy.ask('pg ls', { caps: 'allow service osd r' });
  toy.ask('pg ls', { caps: 'allow service pg r' });

  expect(toy.answers).toMatchObject([{ code: Errno.EACCES, status: 'access denied' }]);
  expect(toy.sent).toHaveLength(1);
});

test('a command waits for a manager, and is said again to whoever is active next, but is answered once', () => {
  const toy = new Toy();
  toy.ask('pg ls');
  expect(toy.opened).toEqual([]);

  toy.serveAt(7000);
  toy.serveAt(undefined);
  toy.serveAt(7001);
  expect(toy.sent.map(({ session, tid }) => [session, tid])).toEqual([
    [1, 1n],
    [2, 1n],
  ]);
  // The first is not listened to any more.
  toy.answer(1, 1n, 'LATE');
  toy.answer(2, 1n, 'NEW');
  toy.answer(2, 1n, 'NEW');
  expect(toy.answers.map(({ data }) => data)).toEqual([utf8('NEW')]);
});

test('a session that broke is opened again after a second', () => {
  const toy = new Toy();
  toy.serveAt(7000);
  toy.ask('pg ls');

  toy.proxy.handle({ kind: 'reset', session: 1, reason: 'closed', detail: '' });
  expect([...toy.armed]).toEqual([['mgr proxy reopen', SECOND]]);
  toy.proxy.handle({ kind: 'timer', name: 'mgr proxy reopen' });
  expect(toy.sent).toHaveLength(2);
});

test('beyond its share of bytes a command is refused, unless others were given up', () => {
  // Room for two: each takes 4 bytes and 18 of its line beside 38.
  const toy = new Toy({ mon_client_bytes: 400, mon_mgr_proxy_client_bytes_ratio: 0.31 });
  let isThere = true;
  toy.serveAt(7000);

  for (let i = 0; i < 3; i++) toy.ask('pg ls', { isThere: () => isThere });
  expect(toy.answers).toMatchObject([{ code: Errno.EAGAIN, status: 'hit limit on proxied mgr commands' }]);
  expect(toy.sent).toHaveLength(2);

  isThere = false;
  toy.ask('pg ls');
  expect(toy.sent).toHaveLength(3);
  expect(toy.answers).toHaveLength(1);
});
