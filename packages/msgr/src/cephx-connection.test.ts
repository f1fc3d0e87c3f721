// Whole connections between a client and an OSD under cephx, and what somebody on the path may try.
import { type Bytes, concatBytes, EMPTY, equalBytes, fromHex } from '@spirula/encoding';
import { ConnectionMode } from '@spirula/world';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientAndOsd } from '../../auth/src/cephx.test-support.ts';
import { nodeCrypto } from '../../runtime-node/src/crypto.ts';
import { type ConnectionEvent, MsgrConnection, type OutgoingMessage } from './connection.ts';
import { GcmStream, SecureFrameReader, sealFrame } from './secure-frame.ts';

const addr = { type: 2, nonce: 5, family: 2, ip: '127.0.0.1', port: 6789 } as const;
const { crc, secure } = ConnectionMode;
const { client, osd } = clientAndOsd(nodeCrypto);

interface Ends {
  readonly dialling: MsgrConnection;
  readonly accepting: MsgrConnection;
}

function connect(mode: number): Ends {
  const auth = client.connect(2, 'osd')!;
  const dialling = new MsgrConnection({
    role: {
      name: 'client',
      self: { entity: client.entity, addrs: [{ ...addr, type: 3, port: 0 }], gid: undefined, globalSeq: 1n },
      authenticate: () => ({
        method: auth.method,
        modes: mode === secure ? [secure, crc] : [crc],
        request: () => auth.request(),
        more: (payload) => auth.more(payload),
        done: (done) => auth.done(done),
        refused: (code) => auth.refused(code),
      }),
      targetType: 'osd',
      target: addr,
    },
    crypto: nodeCrypto,
  });
  return { dialling, accepting: accept() };
}

function accept(): MsgrConnection {
  return new MsgrConnection({
    role: {
      name: 'server',
      self: { entity: osd.entity, addrs: [addr], gid: 0n, globalSeq: 1n },
      remote: { ...addr, port: 40000 },
      accept: (type) => osd.accept('public', type),
    },
    crypto: nodeCrypto,
  });
}

/** What each end was told. `onPath` may change what passes. */
function meet(
  { dialling, accepting }: Ends,
  onPath: (bytes: Bytes, from: 'dialling' | 'accepting') => Bytes = (bytes) => bytes,
) {
  const events = { dialling: [] as ConnectionEvent[], accepting: [] as ConnectionEvent[] };
  while (dialling.outputBytes + accepting.outputBytes > 0) {
    const said = onPath(concatBytes(dialling.takeOutput()), 'dialling');
    if (said.length > 0) events.accepting.push(...accepting.feed(said));
    const answered = onPath(concatBytes(accepting.takeOutput()), 'accepting');
    if (answered.length > 0) events.dialling.push(...dialling.feed(answered));
  }
  return events;
}

/** The frame with a tag, one byte of its payload changed and its checksum made right; undefined when it is not there. */
function alter(bytes: Bytes, tag: number, at: number, by: number): Bytes | undefined {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer, copy.byteOffset);
  let frame = copy[0] === 'c'.charCodeAt(0) ? 26 : 0;
  while (frame < copy.length && copy[frame]! <= 6) {
    const length = view.getUint32(frame + 2, true);
    const [start, end] = [frame + 32, frame + 32 + length];
    if (copy[frame] === tag) {
      copy[start + (at % length)]! ^= by;
      view.setUint32(end, nodeCrypto.crc32c(copy.subarray(start, end), 0xffff_ffff) >>> 0, true);
      return copy;
    }
    frame = end + 4;
  }
  return undefined;
}

function message(data: Bytes, front: Bytes = EMPTY): OutgoingMessage {
  return { code: 42, version: 1, compat: 1, priority: 127, tid: 9n, front, data: [data] };
}

describe.each([
  ['crc', crc],
  ['secure', secure],
] as const)('in %s mode', (_, mode) => {
  test('two ends come to know one another, and carry messages of all sizes', () => {
    const ends = connect(mode);
    const events = meet(ends);
    const peer = { entity: client.entity, globalId: 4101n, caps: 'allow *' };

    expect(events.accepting).toMatchObject([{ kind: 'ready', peer }]);
    expect(events.dialling).toMatchObject([{ kind: 'ready', peer: { entity: osd.entity } }]);
    for (const bytes of [0, 1, 15, 16, 47, 48, 49, 10_000]) {
      const [front, data] = [new Uint8Array(bytes).fill(1), new Uint8Array(bytes).fill(2)];
      const length = ends.dialling.sendMessage(message(data, front));
      expect(length).toBe(ends.dialling.outputBytes);
      const [event] = meet(ends).accepting;
      if (event?.kind !== 'message') throw new Error(`${bytes} bytes do not arrive`);
      expect(equalBytes(event.message.front, front) && equalBytes(event.message.data, data)).toBe(true);
    }
  });

  test('a handshake in which anything was altered comes to nothing, be its checksums right', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 4, 5, 6), fc.nat(), fc.integer({ min: 1, max: 255 }), (tag, at, by) => {
        let altered = false;
        const { dialling, accepting } = meet(connect(mode), (bytes) => {
          const changed = altered ? undefined : alter(bytes, tag, at, by);
          altered ||= changed !== undefined;
          return changed ?? bytes;
        });

        expect(altered).toBe(true);
        return ![...dialling, ...accepting].some(({ kind }) => kind === 'ready');
      }),
    );
  });

  test('what was heard of one handshake opens no other', () => {
    const heard: Bytes[] = [];
    meet(connect(mode), (bytes, from) => {
      if (from === 'dialling') heard.push(bytes);
      return bytes;
    });
    const replayed = accept();

    const events = heard.flatMap((bytes) => replayed.feed(bytes));

    expect(events).toMatchObject([{ kind: 'failed' }]);
  });
});

test('who takes secure mode out of what a client asks for is found out', () => {
  // AUTH_REQUEST: method, how many modes, modes: the first becomes crc.
  const events = meet(connect(secure), (bytes) => alter(bytes, 2, 8, secure ^ crc) ?? bytes);

  expect(events.dialling).toMatchObject([{ kind: 'failed', detail: 'the authentication signature does not match' }]);
  expect(events.accepting).toEqual([]);
});

describe('in secure mode', () => {
  function ready(): Ends {
    const ends = connect(secure);
    meet(ends);
    return ends;
  }

  test('a frame that was altered anywhere ends the connection, and is not delivered', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const ends = ready();
        ends.dialling.sendMessage(message(new Uint8Array(100), new Uint8Array(70)));
        const { accepting } = meet(ends, (bytes) => {
          const copy = bytes.slice();
          copy[at % copy.length]! ^= by;
          return copy;
        });

        expect(accepting).toMatchObject([{ kind: 'failed', reason: 'malformed' }]);
      }),
      { numRuns: 50 },
    );
  });

  test('a frame that comes again ends the connection', () => {
    const ends = ready();
    ends.dialling.sendMessage(message(new Uint8Array(100)));
    const { accepting } = meet(ends, (bytes) => concatBytes([bytes, bytes]));

    expect(accepting).toMatchObject([{ kind: 'message' }, { kind: 'failed', reason: 'malformed' }]);
  });

  test('a frame that was left out ends the connection with the next', () => {
    const ends = ready();
    ends.dialling.sendMessage(message(new Uint8Array(100)));
    ends.dialling.takeOutput();
    ends.dialling.sendMessage(message(new Uint8Array(100)));

    expect(meet(ends).accepting).toMatchObject([{ kind: 'failed', reason: 'malformed' }]);
  });

  test('nothing of a message can be read on the path', () => {
    const ends = ready();
    const secret = new TextEncoder().encode('a very secret message');
    ends.dialling.sendMessage(message(secret));

    expect(Buffer.from(concatBytes(ends.dialling.takeOutput())).includes('very secret')).toBe(false);
  });

  test('frames arrive in pieces of any size', () => {
    const key = fromHex('000102030405060708090a0b0c0d0e0f');
    const streams = () => new GcmStream(nodeCrypto, key, key.subarray(0, 12));
    const limits = [41, 1000, 0, 1000];
    fc.assert(
      fc.property(
        fc.array(fc.nat(200), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 90 }),
        (sizes, piece) => {
          const sealing = streams();
          const bytes = concatBytes(
            sizes.flatMap((size) =>
              sealFrame(
                sealing,
                17,
                [
                  { parts: [new Uint8Array(41)] },
                  { parts: [] },
                  { parts: [] },
                  { parts: [new Uint8Array(size).fill(7)] },
                ],
                nodeCrypto.crc32c,
              ),
            ),
          );
          const reader = new SecureFrameReader(
            streams(),
            nodeCrypto.crc32c,
            () => limits,
            (size) => new Uint8Array(size),
          );
          const lengths: number[] = [];
          for (let at = 0; at < bytes.length; at += piece) {
            reader.feed(bytes.subarray(at, at + piece), 0, ({ segments }) => lengths.push(segments[3]!.length) > 0);
          }

          expect(lengths).toEqual(sizes);
        },
      ),
    );
  });
});
