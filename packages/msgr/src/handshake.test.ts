import { AuthPurpose, noneAccepting, noneConnecting } from '@spirula/auth';
import { type Bytes, concatBytes, type EntityAddr, toHex } from '@spirula/encoding';
import { describe, expect, test } from 'vitest';
import { cephCrc32c, readCaptures } from '../../../test/src/captures.ts';
import { nodeCrypto } from '../../runtime-node/src/crypto.ts';
import { type ConnectionEvent, MsgrConnection } from './connection.ts';
import { type Frame, Tag } from './frame.ts';
import { FrameOutput } from './frame-output.ts';
import { FrameReader } from './frame-reader.ts';
import type { ClientRole, ServerRole } from './handshake.ts';
import {
  decodeAuthDone,
  decodeClientIdent,
  decodeHello,
  decodeServerIdent,
  encodeAuthRequest,
  encodeHello,
  FEATURES,
} from './ident.ts';

const admin = { type: 'client', id: 'admin' } as const;

function addr(port: number, nonce = 0, type = 2): EntityAddr {
  return { type, nonce, family: 2, ip: '127.0.0.1', port };
}

function client(overrides: Partial<ClientRole> = {}): ClientRole {
  return {
    name: 'client',
    self: { entity: admin, addrs: [addr(0, 77, 3)], gid: undefined, globalSeq: 1n },
    authenticate: () => noneConnecting(admin, AuthPurpose.authorizer, 4100n),
    targetType: 'osd',
    target: addr(6800, 11),
    ...overrides,
  };
}

function server(overrides: Partial<ServerRole> = {}): ServerRole {
  return {
    name: 'server',
    self: { entity: { type: 'osd', id: '3' }, addrs: [addr(6800, 11)], gid: 3n, globalSeq: 2n },
    remote: addr(40000),
    accept: () => [noneAccepting(({ globalId }) => ({ kind: 'accept', globalId }))],
    ...overrides,
  };
}

function connection(role: ClientRole | ServerRole): MsgrConnection {
  return new MsgrConnection({ role, crypto: nodeCrypto });
}

/** Carries bytes both ways until neither side has more to say. */
function meet(a: MsgrConnection, b: MsgrConnection): { a: ConnectionEvent[]; b: ConnectionEvent[] } {
  const events = { a: [] as ConnectionEvent[], b: [] as ConnectionEvent[] };
  while (a.outputBytes + b.outputBytes > 0) {
    for (const chunk of a.takeOutput()) events.b.push(...b.feed(chunk));
    for (const chunk of b.takeOutput()) events.a.push(...a.feed(chunk));
  }
  return events;
}

function framesOf(bytes: Bytes): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader(cephCrc32c, () => [1 << 20, 1 << 20, 1 << 20, 1 << 20]);
  reader.feed(bytes, 0, (frame) => {
    frames.push(frame);
    return true;
  });
  return frames;
}

function frame(tag: number, payload: Bytes): Bytes {
  const output = new FrameOutput();
  output.pushFrame(tag, [{ parts: [payload] }], cephCrc32c);
  return concatBytes(output.take());
}

describe('two of ours', () => {
  test('end up knowing one another', () => {
    const [a, b] = [connection(client()), connection(server())];

    const events = meet(a, b);

    expect(events.a).toEqual([
      { kind: 'ready', peer: { entity: { type: 'osd', id: '3' }, addrs: [addr(6800, 11)], globalId: 4100n } },
    ]);
    // Beside what the peer says of itself stands from where it really comes.
    expect(events.b).toEqual([
      {
        kind: 'ready',
        peer: { entity: admin, addrs: [addr(0, 77, 3)], socketAddr: addr(40000), globalId: 4100n, features: FEATURES },
      },
    ]);
  });

  test('a monitor gives a client its global id', () => {
    const role = client({ authenticate: () => noneConnecting(admin, AuthPurpose.monitor, 0n) });
    const giving = server({ accept: () => [noneAccepting(() => ({ kind: 'accept', globalId: 4242n }))] });

    const events = meet(connection(role), connection(giving));

    expect(events.a).toMatchObject([{ kind: 'ready', peer: { globalId: 4242n } }]);
  });

  test('a nonce of another run is refused by the listener, an open one is not', () => {
    const stale = meet(connection(client({ target: addr(6800, 10) })), connection(server()));
    const open = meet(connection(client({ target: addr(6800, 0) })), connection(server()));

    expect(stale.b).toMatchObject([{ kind: 'failed', reason: 'refused' }]);
    expect(open.a).toMatchObject([{ kind: 'ready' }]);
  });

  test('another kind of daemon than was dialled is refused', () => {
    const events = meet(connection(client({ targetType: 'mon' })), connection(server()));

    expect(events.a).toEqual([{ kind: 'failed', reason: 'refused', detail: 'dialled a mon, a osd answers' }]);
  });

  test('a daemon may refuse who asks, and the peer learns the errno', () => {
    const refusing = server({ accept: () => [noneAccepting(() => ({ kind: 'refuse', code: -13 }))] });

    const events = meet(connection(client()), connection(refusing));

    expect(events.a).toMatchObject([{ kind: 'failed', reason: 'closed' }]);
    expect(events.b).toEqual([{ kind: 'failed', reason: 'closed', detail: 'client.admin is refused with -13' }]);
  });

  test('who asks for cephx is told of none, and may then ask for that', () => {
    const accepting = connection(server());
    const cephx = encodeAuthRequest({ method: 2, modes: [2, 1], payload: new Uint8Array(3) });
    const none = encodeAuthRequest({ method: 1, modes: [2, 1], payload: client().authenticate()!.request() });
    accepting.feed(concatBytes(connection(client()).takeOutput()));
    accepting.feed(frame(Tag.hello, encodeHello({ entityType: 8, peerAddr: addr(6800) })));
    accepting.takeOutput();

    accepting.feed(frame(Tag.authRequest, cephx));
    const [refusal] = framesOf(concatBytes(accepting.takeOutput()));
    accepting.feed(frame(Tag.authRequest, none));
    const [done] = framesOf(concatBytes(accepting.takeOutput()));

    expect(refusal!.tag).toBe(Tag.authBadMethod);
    expect(toHex(refusal!.segments[0]!)).toBe('02000000a1ffffff01000000010000000100000001000000');
    expect(done!.tag).toBe(Tag.authDone);
  });

  test('a frame out of turn ends the connection', () => {
    const accepting = connection(server());
    accepting.feed(concatBytes(connection(client()).takeOutput()));

    const events = accepting.feed(frame(Tag.message, new Uint8Array(41)));

    expect(events).toEqual([
      { kind: 'failed', reason: 'malformed', detail: 'frame tag at offset 32: message may not come now' },
    ]);
  });
});

/** Both sides of one recorded connection, up to and with the idents. */
function recorded(name: string, number: number) {
  const all = readCaptures(name);
  const id = [...new Set(all.map((entry) => entry.connection))][number];
  const entries = all.filter((entry) => entry.connection === id && !/^[A-Z_]+\(/.test(entry.summary));
  const of = (from: 'client' | 'server') => entries.filter((entry) => entry.from === from).map((entry) => entry.bytes);
  const payload = (from: 'client' | 'server', tag: number) =>
    framesOf(concatBytes(of(from).slice(1))).find((each) => each.tag === tag)!.segments[0]!;
  const clientIdent = decodeClientIdent(payload('client', Tag.clientIdent));
  const serverIdent = decodeServerIdent(payload('server', Tag.serverIdent));
  const globalId = decodeAuthDone(payload('server', Tag.authDone)).globalId;
  const remote = decodeHello(payload('server', Tag.hello)).peerAddr;
  return { of, clientIdent, serverIdent, globalId, remote };
}

/** Frames with the features an ident requires put to none: Ceph's daemons require what is not asked for here. */
function comparable(bytes: Bytes): unknown[] {
  return framesOf(bytes).map(({ tag, segments }) => {
    if (tag === Tag.clientIdent) return { ...decodeClientIdent(segments[0]!), requiredFeatures: 0n };
    if (tag === Tag.serverIdent) return { ...decodeServerIdent(segments[0]!), requiredFeatures: 0n };
    return [tag, toHex(segments[0]!)];
  });
}

const BANNER_BYTES = 26;

describe.each([
  ['a monitor', '01-mon-session-auth-none', 2, 'mon', AuthPurpose.monitor],
  ['an OSD', '02-osd-write', 0, 'osd', AuthPurpose.authorizer],
  ['a manager', '13-mgr-command', 0, 'mgr', AuthPurpose.authorizer],
] as const)('a recorded session with %s', (_, name, number, type, purpose) => {
  const { of, clientIdent, serverIdent, globalId, remote } = recorded(name, number);
  const asked = purpose === AuthPurpose.monitor ? 0n : globalId;
  const clientSelf = { entity: admin, addrs: clientIdent.addrs, globalSeq: clientIdent.globalSeq };
  const serverSelf = { addrs: serverIdent.addrs, gid: serverIdent.gid, globalSeq: serverIdent.globalSeq };

  test('is what our client says, the server answering as recorded', () => {
    const ours = connection(
      client({
        self: { ...clientSelf, gid: type === 'mon' ? clientIdent.gid : undefined },
        authenticate: () => noneConnecting(admin, purpose, asked),
        targetType: type,
        target: clientIdent.target,
      }),
    );

    const events = of('server').flatMap((bytes) => ours.feed(bytes));
    const said = concatBytes(ours.takeOutput());

    expect(events).toMatchObject([{ kind: 'ready', peer: { addrs: serverIdent.addrs, globalId } }]);
    expect(toHex(said.subarray(0, BANNER_BYTES))).toBe(toHex(of('client')[0]!));
    expect(comparable(said.subarray(BANNER_BYTES))).toEqual(comparable(concatBytes(of('client').slice(1))));
  });

  test('is what our server says, the client asking as recorded', () => {
    const ours = connection(
      server({
        self: { ...serverSelf, entity: { type, id: 'x' } },
        remote,
        accept: () => [
          noneAccepting((claim) => {
            expect(claim).toEqual({ entity: admin, globalId: asked });
            return { kind: 'accept', globalId };
          }),
        ],
      }),
    );

    const events = of('client').flatMap((bytes) => ours.feed(bytes));
    const said = concatBytes(ours.takeOutput());

    const { addrs } = clientIdent;
    expect(events).toEqual([
      { kind: 'ready', peer: { entity: admin, addrs, socketAddr: remote, globalId, features: FEATURES } },
    ]);
    expect(comparable(said.subarray(BANNER_BYTES))).toEqual(comparable(concatBytes(of('server').slice(1))));
  });
});
