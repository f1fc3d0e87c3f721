import { AuthPurpose, noneAccepting, noneConnecting } from '@spirula/auth';
import { type Bytes, concatBytes, EMPTY, MalformedInput, toHex } from '@spirula/encoding';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { cephCrc32c, readCaptures } from '../../../test/src/captures.ts';
import { nodeCrypto } from '../../runtime-node/src/crypto.ts';
import { type ConnectionEvent, MsgrConnection, type OutgoingMessage } from './connection.ts';
import { Tag } from './frame.ts';
import { FrameOutput } from './frame-output.ts';
import { FrameReader } from './frame-reader.ts';
import { decodeMessageHeader, encodeMessageHeader } from './message-header.ts';

const addr = { type: 2, nonce: 5, family: 2, ip: '127.0.0.1', port: 6789 } as const;
const admin = { type: 'client', id: 'admin' } as const;

function dialling(): MsgrConnection {
  return new MsgrConnection({
    role: {
      name: 'client',
      self: { entity: admin, addrs: [{ ...addr, type: 3, port: 0 }], gid: undefined, globalSeq: 1n },
      authenticate: () => noneConnecting(admin, AuthPurpose.authorizer, 1n),
      targetType: 'osd',
      target: addr,
    },
    crypto: nodeCrypto,
  });
}

function accepting(): MsgrConnection {
  return new MsgrConnection({
    role: {
      name: 'server',
      self: { entity: { type: 'osd', id: '0' }, addrs: [addr], gid: 0n, globalSeq: 1n },
      remote: { ...addr, port: 40000 },
      accept: () => [noneAccepting(({ globalId }) => ({ kind: 'accept', globalId }))],
    },
    crypto: nodeCrypto,
  });
}

function carry(from: MsgrConnection, to: MsgrConnection): ConnectionEvent[] {
  return from.takeOutput().flatMap((chunk) => [...to.feed(chunk)]);
}

function ping(): OutgoingMessage {
  return { code: 2, version: 1, compat: 1, priority: 127, tid: 9n, front: EMPTY, data: [] };
}

function frameBytes(tag: number, ...segments: Bytes[]): Bytes {
  const output = new FrameOutput();
  output.pushFrame(
    tag,
    segments.map((segment) => ({ parts: [segment] })),
    cephCrc32c,
  );
  return concatBytes(output.take());
}

/** A preamble with a right crc that claims these segment lengths. */
function preambleOf(tag: number, lengths: readonly number[]): Bytes {
  const preamble = new Uint8Array(32);
  const view = new DataView(preamble.buffer);
  preamble[0] = tag;
  preamble[1] = lengths.length;
  lengths.forEach((length, i) => {
    view.setUint32(2 + 6 * i, length, true);
  });
  view.setUint32(28, cephCrc32c(preamble.subarray(0, 28), 0), true);
  return preamble;
}

describe('a connection that is ready', () => {
  let client: MsgrConnection;
  let server: MsgrConnection;

  beforeEach(() => {
    client = dialling();
    server = accepting();
    while (client.outputBytes + server.outputBytes > 0) {
      carry(client, server);
      carry(server, client);
    }
  });

  test('carries messages both ways, each with its segments', () => {
    const data = [new Uint8Array(7000).fill(1), new Uint8Array(9).fill(2)];

    client.sendMessage({ ...ping(), code: 42, version: 8, compat: 3, front: new Uint8Array([1, 2]), data });
    server.sendMessage(ping());

    expect(carry(client, server)).toEqual([
      {
        kind: 'message',
        message: {
          code: 42,
          version: 8,
          compat: 3,
          tid: 9n,
          front: new Uint8Array([1, 2]),
          middle: EMPTY,
          data: concatBytes(data),
        },
      },
    ]);
    expect(carry(server, client)).toMatchObject([{ kind: 'message', message: { code: 2, data: EMPTY } }]);
  });

  test('hands data over to be sent without a copy', () => {
    const data = new Uint8Array(4 << 20);

    const length = client.sendMessage({ ...ping(), data: [data] });

    expect(length).toBe(client.outputBytes);
    expect(client.takeOutput().includes(data)).toBe(true);
  });

  test('gives the same events however the bytes are cut', () => {
    client.sendMessage({ ...ping(), front: new Uint8Array(100).fill(3), data: [new Uint8Array(5)] });
    client.sendMessage(ping());
    const sent = concatBytes(client.takeOutput());

    const events = [...sent].flatMap((byte) => [...server.feed(new Uint8Array([byte]))]);

    expect(events.map((event) => event.kind)).toEqual(['message', 'message']);
  });

  test('answers a keepalive with its stamp', () => {
    client.sendKeepalive({ sec: 7, nsec: 8 });

    expect(carry(client, server)).toEqual([]);
    expect(carry(server, client)).toEqual([{ kind: 'keepaliveAck', stamp: { sec: 7, nsec: 8 } }]);
  });

  test('refuses a gigabyte by its claim, before any of it comes', () => {
    const events = server.feed(preambleOf(Tag.message, [41, 0, 0, 1 << 30]));

    expect(events).toEqual([
      {
        kind: 'failed',
        reason: 'malformed',
        detail: 'segment 3 of message at offset 32: claims 1073741824 bytes, at most 134217728 are taken',
      },
    ]);
    expect(server.feed(frameBytes(Tag.keepalive2, new Uint8Array(8)))).toEqual([]);
  });

  test.each([
    ['an unknown tag', frameBytes(99, EMPTY), 'frame tag at offset 32: tag 99 may not come now'],
    ['a handshake frame', frameBytes(Tag.hello, EMPTY), 'frame tag at offset 32: hello may not come now'],
    ['no segment', preambleOf(Tag.ack, []), 'segment count at offset 32: is 0'],
    ['a damaged preamble', new Uint8Array(32).fill(1), 'preamble crc at offset 32: does not match'],
    [
      'a short header',
      frameBytes(Tag.message, new Uint8Array(5)),
      'message seq at offset 0: needs 8 bytes, 5 are left',
    ],
    [
      'a number seen before',
      frameBytes(
        Tag.message,
        encodeMessageHeader({ seq: 0n, tid: 0n, code: 2, priority: 0, version: 1, compat: 1, ack: 0n }),
      ),
      'message 0 follows message 0',
    ],
  ])('ends at %s', (_, bytes, detail) => {
    expect(server.feed(bytes)).toEqual([{ kind: 'failed', reason: 'malformed', detail }]);
  });

  test('drops a frame its sender gave up', () => {
    const header = encodeMessageHeader({ seq: 1n, tid: 0n, code: 2, priority: 0, version: 1, compat: 1, ack: 0n });
    const aborted = frameBytes(Tag.message, header, new Uint8Array(3));
    aborted[aborted.length - 13] = 0x01;

    expect(server.feed(aborted)).toEqual([]);
    expect(server.feed(frameBytes(Tag.message, header))).toMatchObject([{ kind: 'message' }]);
  });
});

test('a banner of another protocol ends the connection at its first byte', () => {
  expect(accepting().feed(new Uint8Array([0x47]))).toEqual([
    { kind: 'failed', reason: 'malformed', detail: 'banner at offset 0: the peer does not speak msgr2' },
  ]);
});

test('no bytes make a connection throw', () => {
  const client = dialling();
  const server = accepting();
  const record: Bytes[] = [];
  while (client.outputBytes + server.outputBytes > 0) {
    const said = concatBytes([EMPTY, ...client.takeOutput()]);
    record.push(said);
    server.feed(said);
    carry(server, client);
  }
  client.sendMessage({ ...ping(), data: [new Uint8Array(30)] });
  const whole = concatBytes([...record, ...client.takeOutput()]);

  fc.assert(
    fc.property(fc.nat(whole.length * 8 - 1), fc.nat(whole.length), (bit, cut) => {
      const damaged = whole.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const victim = accepting();
      const events = [...victim.feed(damaged.subarray(0, cut)), ...victim.feed(damaged.subarray(cut))];
      const failed = events.findIndex((event) => event.kind === 'failed');
      expect(failed === -1 || failed === events.length - 1).toBe(true);
      expect(victim.closed).toBe(failed !== -1);
    }),
  );
});

describe('recorded frames', () => {
  const names = [
    '01-mon-session-auth-none',
    '02-osd-write',
    '04-osd-omap',
    '10-statfs-poolstats',
    '12-osd-tell',
    '13-mgr-command',
  ];
  const frames = names.flatMap(readCaptures).filter((entry) => entry.whole && !entry.summary.startsWith('BANNER'));

  test('are read, and written again to the byte', () => {
    expect(frames.length).toBeGreaterThan(60);
    for (const { bytes, summary } of frames) {
      const reader = new FrameReader(cephCrc32c, () => [1 << 20, 1 << 20, 1 << 20, 1 << 20]);
      reader.feed(bytes, 0, ({ tag, segments }) => {
        const head = tag === Tag.message ? encodeMessageHeader(decodeMessageHeader(segments[0]!)) : segments[0]!;
        expect(toHex(frameBytes(tag, head, ...segments.slice(1))), summary).toBe(toHex(bytes));
        return true;
      });
    }
  });

  test('with a bit flipped are refused', () => {
    fc.assert(
      fc.property(fc.constantFrom(...frames), fc.nat(), ({ bytes }, at) => {
        const damaged = bytes.slice();
        const bit = at % (bytes.length * 8);
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        const reader = new FrameReader(cephCrc32c, () => [1 << 20, 1 << 20, 1 << 20, 1 << 20]);
        let seen = 0;
        const feed = () => reader.feed(damaged, 0, () => Boolean((seen += 1)));
        try {
          feed();
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedInput);
          return;
        }
        // The upper half of the late status has no meaning, nor have the crcs of segments that are not there.
        const last13 = bit >> 3 >= bytes.length - 13;
        expect(seen === 0 || last13).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
