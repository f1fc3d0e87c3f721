// Sessions of a real client with a real monitor, with the client's key at hand: all that was proved is proved again here.
import { readFileSync } from 'node:fs';
import { type Bytes, Decoder, fromHex, toHex } from '@spirula/encoding';
import { ConnectionMode } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import {
  decodeAuthenticate,
  decodeMonGreeting,
  decodeResponseHeader,
  decodeServerChallenge,
} from '../../auth/src/cephx-protocol.ts';
import { answerChallenges, unseal } from '../../auth/src/cephx-sealed.ts';
import { decodeTickets } from '../../auth/src/cephx-ticket.ts';
import { parseCryptoKey } from '../../auth/src/crypto-key.ts';
import { nodeCrypto } from '../../runtime-node/src/crypto.ts';
import { type Frame, Tag } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { decodeAuthDone, decodeAuthPayload, decodeAuthRequest } from './ident.ts';
import { SecureFrameReader, sealFrame, secureStreams } from './secure-frame.ts';

interface Recorded {
  readonly key: string;
  readonly sessions: readonly { readonly mode: number; readonly client: string; readonly server: string }[];
}

const url = new URL('../../../test/golden/real/cephx-mon-sessions.json', import.meta.url);
const { key: keyText, sessions } = JSON.parse(readFileSync(url, 'utf8')) as Recorded;
const key = parseCryptoKey(keyText);
const BANNER_BYTES = 26;
const anything = () => [1 << 16, 1 << 16, 1 << 16, 1 << 16];
const allocate = (bytes: number) => new Uint8Array(bytes);

/** The frames of one side up to the one with tag `last`, and where that one ends. */
function framesTo(last: number, bytes: Bytes): { readonly frames: ReadonlyMap<number, Frame>; readonly end: number } {
  const frames = new Map<number, Frame>();
  const end = new FrameReader(nodeCrypto.crc32c, anything).feed(bytes, BANNER_BYTES, (frame) => {
    frames.set(frame.tag, frame);
    return frame.tag !== last;
  });
  return { frames, end };
}

describe.each(sessions)('a recorded session in mode $mode', ({ mode, client: clientHex, server: serverHex }) => {
  const [client, server] = [fromHex(clientHex), fromHex(serverHex)];
  const said = framesTo(Tag.authRequestMore, client);
  const answered = framesTo(Tag.authDone, server);
  const payload = ({ frames }: typeof said, tag: number) => frames.get(tag)!.segments[0]!;
  const challenge = decodeServerChallenge(decodeAuthPayload(payload(answered, Tag.authReplyMore)));
  const request = new Decoder(decodeAuthPayload(payload(said, Tag.authRequestMore)));
  request.u16('cephx request');
  const authenticate = decodeAuthenticate(request);

  /** What the monitor gave, opened with the client's key. */
  function granted() {
    const done = decodeAuthDone(payload(answered, Tag.authDone));
    const from = new Decoder(done.payload);
    const header = decodeResponseHeader(from);
    const [auth] = decodeTickets(from, nodeCrypto, key, undefined);
    const { secret } = auth!.sessionKey;
    const sealed = new Decoder(from.blob('connection secret')).blob('connection secret');
    const connectionSecret = unseal(nodeCrypto, secret, sealed, 'connection secret', (plain) => plain.blob('secret'));
    return { done, header, auth: auth!, secret, connectionSecret };
  }

  test('begins with the client’s name', () => {
    const greeting = new Decoder(decodeAuthRequest(payload(said, Tag.authRequest)).payload);

    expect(greeting.u8('purpose')).toBe(10);
    expect(decodeMonGreeting(greeting)).toEqual({ entity: { type: 'client', id: 'vec' }, globalId: 0n });
  });

  test('answers both challenges as we do', () => {
    const answer = answerChallenges(nodeCrypto, key.secret, challenge, authenticate.clientChallenge);

    expect(toHex(authenticate.answer)).toBe(toHex(answer));
  });

  test('gives a ticket for the monitors, good for three days', () => {
    const { header, auth, done, connectionSecret } = granted();

    expect(header).toEqual({ request: 0x100, status: 0 });
    expect(auth).toMatchObject({ service: 'auth', validForSeconds: 259_200 });
    expect(done.mode).toBe(mode);
    expect(connectionSecret).toHaveLength(mode === ConnectionMode.secure ? 64 : 0);
  });

  test('is signed by each side over all that it heard', () => {
    const { secret, connectionSecret } = granted();
    const [heard, told] = [server.subarray(0, answered.end), client.subarray(0, said.end)];
    const signatures = [nodeCrypto.hmac('sha256', secret, heard), nodeCrypto.hmac('sha256', secret, told)];
    const found: Bytes[] = [];
    for (const [bytes, from, side] of [
      [client, said.end, 'client'],
      [server, answered.end, 'server'],
    ] as const) {
      // What one side sends the other receives.
      const other = side === 'client' ? 'server' : 'client';
      const reader =
        mode === ConnectionMode.secure
          ? new SecureFrameReader(
              secureStreams(nodeCrypto, connectionSecret, other).receive,
              nodeCrypto.crc32c,
              anything,
              allocate,
            )
          : new FrameReader(nodeCrypto.crc32c, anything);
      reader.feed(bytes, from, ({ tag, segments }) => {
        expect(tag).toBe(Tag.authSignature);
        found.push(segments[0]!);
        return false;
      });
    }

    expect(found.map(toHex)).toEqual(signatures.map(toHex));
  });

  if (mode !== ConnectionMode.secure) return;

  test('seals its frames to the byte as we do', () => {
    const { secret, connectionSecret } = granted();
    const signature = nodeCrypto.hmac('sha256', secret, server.subarray(0, answered.end));
    const { send } = secureStreams(nodeCrypto, connectionSecret, 'client');

    const [block] = sealFrame(send, Tag.authSignature, [{ parts: [signature] }], nodeCrypto.crc32c);

    expect(toHex(block!)).toBe(toHex(client.subarray(said.end, said.end + block!.length)));
  });
});
