import { createServer, type Socket, connect as tcpConnect } from 'node:net';
import { AuthPurpose, noneConnecting } from '@spirula/auth';
import type { AddrVec } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import { MsgrConnection } from '@spirula/msgr';
import type { AuthDecision, WorldEvent } from '@spirula/world';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { cephCrc32c } from '../../../test/src/captures.ts';
import { nodeCrypto } from './crypto.ts';
import { NodeNet, type NodeNetConfig } from './net.ts';

type Event = WorldEvent<Message>;

/** A daemon's network, and all that was delivered to the daemon. */
class Station {
  readonly net: NodeNet;
  readonly events: Event[] = [];
  readonly warnings: string[] = [];
  onEvent: (event: Event) => void = () => {};
  #delivering = false;

  constructor(type: 'osd' | 'client' | 'mon', config: Partial<NodeNetConfig> = {}) {
    const quiet = () => {};
    this.net = new NodeNet({
      entity: { type, id: type === 'client' ? 'admin' : '0' },
      ...(type === 'client' ? {} : { gid: 0n }),
      crypto: nodeCrypto,
      auth: () => undefined,
      log: { debug: quiet, info: quiet, warn: (line) => this.warnings.push(line), error: quiet },
      deliver: (event) => {
        expect(this.#delivering).toBe(false);
        this.#delivering = true;
        this.events.push(event);
        this.onEvent(event);
        this.#delivering = false;
      },
      authorize: (): AuthDecision => ({ kind: 'accept', globalId: 7n }),
      ...config,
    });
    stations.push(this);
  }

  async event<K extends Event['kind']>(kind: K, count = 1): Promise<Extract<Event, { readonly kind: K }>> {
    const found = () => this.events.filter((event) => event.kind === kind);
    await vi.waitFor(() => expect(found().length).toBeGreaterThanOrEqual(count), { timeout: 5000, interval: 5 });
    return found()[count - 1] as Extract<Event, { readonly kind: K }>;
  }
}

const stations: Station[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const { net } of stations.splice(0)) net.destroy();
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function osd(config: Partial<NodeNetConfig> = {}): Promise<[Station, AddrVec]> {
  const station = new Station('osd', config);
  return [station, await station.net.bind('public')];
}

function client(config: Partial<NodeNetConfig> = {}): Station {
  const station = new Station('client', config);
  station.net.addClientEndpoint('client');
  return station;
}

function command(data: Uint8Array, tid = 1n): Message {
  return { type: 'command', tid, fsid: new Uint8Array(16), cmd: ['x'], data };
}

function rawSocket(addrs: AddrVec): Socket {
  const socket = tcpConnect(addrs[0]!.port, '127.0.0.1');
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

describe('two daemons', () => {
  test('open, talk both ways in order, and close', async () => {
    const [server, addrs] = await osd();
    const dialling = client();
    const session = dialling.net.open('client', { type: 'osd', addrs });
    for (let i = 0; i < 100; i++) dialling.net.send(session, command(new Uint8Array(i), BigInt(i)));

    expect(dialling.events).toEqual([]);
    const accepted = await server.event('accepted');
    await server.event('message', 100);
    const tids = server.events.flatMap((event) =>
      event.kind === 'message' && event.message.type === 'command' ? [event.message.tid] : [],
    );
    server.net.send(accepted.session, { type: 'ping' });
    const answer = await dialling.event('message');
    dialling.net.close(session);
    const reset = await server.event('reset');

    expect(tids).toEqual(Array.from({ length: 100 }, (_, i) => BigInt(i)));
    expect(accepted).toMatchObject({
      endpoint: 'public',
      peer: { entity: { type: 'client', id: 'admin' }, globalId: 7n },
    });
    expect(dialling.events[0]).toMatchObject({ kind: 'opened', session, peer: { entity: { type: 'osd', id: '0' } } });
    expect(answer.message).toEqual({ type: 'ping' });
    expect(reset).toMatchObject({ session: accepted.session, reason: 'closed' });
    expect(dialling.events.some((event) => event.kind === 'reset')).toBe(false);
  });

  test('carry messages of 4 MiB unharmed', async () => {
    const [server, addrs] = await osd();
    const dialling = client();
    const session = dialling.net.open('client', { type: 'osd', addrs });
    const data = new Uint8Array(4 << 20).map((_, i) => i * 7);
    for (let i = 0; i < 5; i++) dialling.net.send(session, command(data));

    await server.event('message', 5);

    for (const event of server.events) {
      if (event.kind === 'message' && event.message.type === 'command') {
        expect(Buffer.compare(event.message.data, data)).toBe(0);
      }
    }
  });

  test('what was sent before a close arrives, also when the session was still opening', async () => {
    const [server, addrs] = await osd();
    const dialling = client();
    const session = dialling.net.open('client', { type: 'osd', addrs });
    dialling.net.send(session, command(new Uint8Array(1 << 20)));
    dialling.net.close(session);

    await server.event('message');

    expect(dialling.net.send(session, { type: 'ping' })).toBe(0);
    expect(dialling.events).toEqual([]);
  });

  test('a shutdown lets what was sent leave', async () => {
    const [server, addrs] = await osd();
    const dialling = client();
    const session = dialling.net.open('client', { type: 'osd', addrs });
    await dialling.event('opened');
    dialling.net.send(session, command(new Uint8Array(3 << 20)));

    await dialling.net.shutdown();
    await server.event('message');

    expect(dialling.net.stats()).toEqual({ sessions: 0, halfOpen: 0, queuedBytes: 0 });
  });
});

describe('who is not there', () => {
  test('nobody listening is refused', async () => {
    const [server, addrs] = await osd();
    await server.net.shutdown();
    const dialling = client();
    const session = dialling.net.open('client', { type: 'osd', addrs });

    expect(await dialling.event('reset')).toMatchObject({ session, reason: 'refused' });
  });

  test('another run of the daemon at the same address is refused', async () => {
    const [, addrs] = await osd();
    const dialling = client();
    dialling.net.open('client', { type: 'osd', addrs: addrs.map((addr) => ({ ...addr, nonce: addr.nonce ^ 1 })) });

    await dialling.event('reset');

    expect(dialling.events).toMatchObject([{ kind: 'reset', reason: 'refused' }]);
  });

  test('a killed daemon’s peers see a reset', async () => {
    const [server, addrs] = await osd();
    const dialling = client();
    dialling.net.open('client', { type: 'osd', addrs });
    await dialling.event('opened');

    server.net.destroy();

    expect(await dialling.event('reset')).toMatchObject({ reason: 'closed' });
    expect(server.events.some((event) => event.kind === 'reset')).toBe(false);
  });

  test('who is not let in is told so', async () => {
    const [server, addrs] = await osd({ authorize: () => ({ kind: 'refuse', code: -13 }) });
    const dialling = client();
    dialling.net.open('client', { type: 'osd', addrs });

    expect(await dialling.event('reset')).toMatchObject({
      reason: 'closed',
      detail: 'authentication method 1 is refused with -13, allowed: 1',
    });
    expect(server.warnings).toEqual(['session ended: client.admin is refused with -13']);
  });

  test('a hung daemon answers nothing, and all when it goes on', async () => {
    const [server, addrs] = await osd();
    const dialling = client();
    const session = dialling.net.open('client', { type: 'osd', addrs });
    await server.event('accepted');
    server.net.pause();
    dialling.net.send(session, { type: 'ping' });
    const late = dialling.net.open('client', { type: 'osd', addrs });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const heardWhileHung = server.events.length;

    server.net.resume();
    await server.event('message');
    await server.event('accepted', 2);

    expect(heardWhileHung).toBe(1);
    await vi.waitFor(() =>
      expect(dialling.events).toContainEqual(expect.objectContaining({ kind: 'opened', session: late })),
    );
  });
});

describe('bounds', () => {
  test('a range of ports gives the first that is free', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as { port: number };
    const station = new Station('osd');

    const addrs = await station.net.bind('public', { first: port, last: port + 20 });
    await expect(station.net.bind('cluster', port)).rejects.toThrow(`no free port on 127.0.0.1 in ${port}`);
    blocker.close();

    expect(addrs[0]!.port).toBeGreaterThan(port);
  });

  test('bytes that are no msgr2 end their own session only', async () => {
    const [server, addrs] = await osd();
    const dialling = client();
    const session = dialling.net.open('client', { type: 'osd', addrs });
    await server.event('accepted');
    const stranger = rawSocket(addrs);
    stranger.write('GET / HTTP/1.1\r\n\r\n');

    await new Promise((resolve) => stranger.resume().on('close', resolve));
    dialling.net.send(session, { type: 'ping' });
    await server.event('message');

    expect(server.warnings).toEqual(['session ended: banner at offset 0: the peer does not speak msgr2']);
    expect(server.events.map((event) => event.kind)).toEqual(['accepted', 'message']);
  });

  test('a claimed gigabyte ends its own session only', async () => {
    const [server, addrs] = await osd();
    const good = client();
    const session = good.net.open('client', { type: 'osd', addrs });
    await server.event('accepted');
    const bad = rawSocket(addrs);
    const machine = new MsgrConnection({
      role: {
        name: 'client',
        self: { entity: { type: 'client', id: 'bad' }, addrs: good.net.endpoint('client'), gid: 1n, globalSeq: 1n },
        authenticate: () => noneConnecting({ type: 'client', id: 'bad' }, AuthPurpose.authorizer, 1n),
        targetType: 'osd',
        target: addrs[0]!,
      },
      crypto: nodeCrypto,
    });
    bad.on('data', (chunk: Buffer) => {
      machine.feed(chunk);
      for (const bytes of machine.takeOutput()) bad.write(bytes);
      if (machine.ready) bad.write(gigabyteClaim());
    });
    for (const bytes of machine.takeOutput()) bad.write(bytes);

    const reset = await server.event('reset');
    good.net.send(session, { type: 'ping' });
    await server.event('message');

    expect(reset).toMatchObject({
      reason: 'malformed',
      detail: 'segment 3 of message at offset 32: claims 1073741824 bytes, at most 134217728 are taken',
    });
    expect(server.warnings).toEqual([`session ended: ${reset.detail}`]);
  });

  test('a flood of connections that say nothing is held off, and passes', async () => {
    const [server, addrs] = await osd({ bounds: { maxHalfOpen: 50, handshakeTimeoutMs: 100 } });
    // In batches below the listen backlog: beyond it the kernel forgets connections their clients take for open.
    for (let batch = 0; batch < 10; batch++) {
      const silent = Array.from({ length: 200 }, () => rawSocket(addrs));
      await Promise.all(silent.map((socket) => new Promise((resolve) => socket.resume().on('close', resolve))));
    }

    const dialling = client();
    dialling.net.open('client', { type: 'osd', addrs });
    await dialling.event('opened');

    expect(server.net.stats()).toMatchObject({ sessions: 1, halfOpen: 0 });
    expect(server.warnings).toContain('connection refused: 50 connections are in their handshake');
    expect(server.warnings).toContain('session ended: no handshake within 100 ms');
    expect(server.warnings.filter((line) => line.startsWith('connection refused')).length).toBeLessThan(5);
  });

  test('idle connections beyond the limit are refused, and make room when they go', async () => {
    const [server, addrs] = await osd({ bounds: { maxConnections: 20 } });
    const dialling = client();
    const sessions = Array.from({ length: 20 }, () => dialling.net.open('client', { type: 'osd', addrs }));
    await server.event('accepted', 20);
    const late = dialling.net.open('client', { type: 'osd', addrs });

    expect(await dialling.event('reset')).toMatchObject({ session: late, reason: 'closed' });
    dialling.net.close(sessions[0]!);
    await server.event('reset');
    dialling.net.open('client', { type: 'osd', addrs });
    await server.event('accepted', 21);

    expect(server.warnings).toEqual(['connection refused: 20 connections are open']);
  });

  test('a peer that never reads fills its queue to the bound, then is dropped', async () => {
    const [server, addrs] = await osd({ bounds: { highWater: 1 << 20, overflow: 24 << 20 } });
    const dialling = client();
    dialling.net.open('client', { type: 'osd', addrs });
    const { session } = await server.event('accepted');
    dialling.net.pause();
    const block = new Uint8Array(1 << 20);

    let queued = 1;
    for (let i = 0; i < 60 && queued > 0; i++) {
      queued = server.net.send(session, command(block));
      await new Promise((resolve) => setImmediate(resolve));
    }

    expect(await server.event('reset')).toMatchObject({ session, reason: 'overflow' });
    expect(server.warnings[0]).toMatch(/^session ended: \d+ bytes wait, at most 25165824 are kept$/);
    expect(server.net.stats().queuedBytes).toBe(0);
  });

  test('a sender above high water hears when the queue has drained', async () => {
    const [server, addrs] = await osd({ bounds: { highWater: 1 << 20 } });
    const dialling = client();
    dialling.net.open('client', { type: 'osd', addrs });
    const { session } = await server.event('accepted');

    expect(server.net.send(session, command(new Uint8Array(6 << 20)))).toBeGreaterThan(server.net.highWater);

    expect(await server.event('drained')).toMatchObject({ session });
    expect(server.events.filter((event) => event.kind === 'drained').length).toBe(1);
  });

  test('a client that sends what only daemons may is dropped', async () => {
    const [server, addrs] = await osd();
    const dialling = client();
    const session = dialling.net.open('client', { type: 'osd', addrs });
    dialling.net.send(session, { type: 'osd_alive', osd: 1, epoch: 2, want: 2 });

    expect(await server.event('reset')).toMatchObject({
      reason: 'malformed',
      detail: 'client.admin sends osd_alive, which only daemons may',
    });
  });

  test('a monitor that gives no sign of life is given up', async () => {
    const monitor = new Station('mon');
    const addrs = await monitor.net.bind('public');
    const dialling = client({ bounds: { keepaliveMs: 20, keepaliveTimeoutMs: 200 } });
    const session = dialling.net.open('client', { type: 'mon', addrs });
    await monitor.event('accepted');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(dialling.events.map((event) => event.kind)).toEqual(['opened']);

    monitor.net.pause();

    expect(await dialling.event('reset')).toMatchObject({ session, reason: 'timeout' });
  });
});

/** The preamble of a message with a gigabyte of data. */
function gigabyteClaim(): Uint8Array {
  const preamble = new Uint8Array(32);
  const view = new DataView(preamble.buffer);
  preamble[0] = 17;
  preamble[1] = 4;
  view.setUint32(2, 41, true);
  view.setUint32(20, 1 << 30, true);
  view.setUint32(28, cephCrc32c(preamble.subarray(0, 28), 0), true);
  return preamble;
}
