import { type Bytes, Errno, MalformedInput } from '@spirula/encoding';
import { type AuthAnswer, ConnectionMode } from '@spirula/world';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../runtime-node/src/crypto.ts';
import { clientAndOsd, ToyKeys, TTL_SECONDS } from './cephx.test-support.ts';
import type { CephxCredentials } from './cephx-credentials.ts';
import { acceptMonitor, connectMonitor } from './cephx-mon-shared.ts';
import { generateKey } from './cephx-rotating-secrets.ts';
import { MonAuthExchange } from './cephx-server.ts';

const { crc, secure } = ConnectionMode;

function accepting(osd: CephxCredentials, mode: number = crc) {
  return osd.accept('public', 'client')[0]!.begin(mode);
}

/** What a client says to an OSD, and what comes of it. */
function authorize(client: CephxCredentials, osd: CephxCredentials, mode: number = crc) {
  const auth = client.connect(2, 'osd')!;
  const exchange = accepting(osd, mode);
  const first = auth.request();
  const challenge = exchange.step(first);
  if (challenge.kind !== 'more') return { auth, exchange, said: [first], answer: challenge };
  const second = auth.more(challenge.payload);
  return { auth, exchange, said: [first, second], answer: exchange.step(second) };
}

function done(answer: AuthAnswer) {
  if (answer.kind !== 'done') throw new Error(`it is not done: ${JSON.stringify(answer)}`);
  return answer;
}

describe('a session with a monitor', () => {
  test.each([crc, secure])('gives both sides the same secrets (mode %i)', (mode) => {
    const keys = new ToyKeys(nodeCrypto);
    const exchange = new MonAuthExchange(keys, mode);
    const auth = keys.credentials('client', 'admin').connect(1, 'mon')!;
    const challenge = exchange.step(auth.request());
    const answer = done(exchange.step(auth.more(challenge.kind === 'more' ? challenge.payload : new Uint8Array())));

    const secrets = auth.done({ globalId: answer.peer.globalId, mode, payload: answer.payload });

    expect(secrets).toEqual(answer.secrets);
    expect(secrets!.connectionSecret).toHaveLength(mode === secure ? 64 : 0);
    expect(answer.peer).toEqual({ entity: { type: 'client', id: 'admin' }, globalId: 4101n, caps: 'allow *' });
  });

  test.each([
    ['another key', (keys: ToyKeys) => keys.credentials('client', 'admin', generateKey(nodeCrypto, keys.wall()))],
    ['a name nobody has', (keys: ToyKeys) => keys.credentials('client', 'eve', generateKey(nodeCrypto, keys.wall()))],
  ])('is refused to one with %s', (_, make) => {
    const keys = new ToyKeys(nodeCrypto);
    const credentials = make(keys);

    expect(() => keys.connect(credentials)).toThrow('refused');
    expect(credentials.refusal).toBe(Errno.EACCES);
  });

  test('is refused to an entity that may do nothing at monitors', () => {
    const keys = new ToyKeys(nodeCrypto);
    keys.addEntity('client.mute', '');

    expect(() => keys.connect(keys.credentials('client', 'mute'))).toThrow('may do nothing at monitors');
  });

  test('what was said on another one gets nowhere', () => {
    const keys = new ToyKeys(nodeCrypto);
    const auth = keys.credentials('client', 'admin').connect(1, 'mon')!;
    const [heard, fresh] = [new MonAuthExchange(keys, crc), new MonAuthExchange(keys, crc)];
    const greeting = auth.request();
    const challenge = heard.step(greeting);
    const answer = auth.more(challenge.kind === 'more' ? challenge.payload : new Uint8Array());
    fresh.step(greeting);

    expect(heard.step(answer).kind).toBe('done');
    expect(fresh.step(answer)).toMatchObject({ kind: 'refuse', code: Errno.EACCES });
  });

  test('anew keeps the global id of one who shows its ticket', () => {
    const keys = new ToyKeys(nodeCrypto);
    const client = keys.credentials('client', 'admin');
    keys.connect(client);
    keys.connect(client);

    const { answer } = authorize(client, clientOsd(keys));

    expect(done(answer).peer.globalId).toBe(4101n);
  });

  test('with the global id of another is refused, with that client’s ticket or without', () => {
    const keys = new ToyKeys(nodeCrypto);
    const greeting = keys.credentials('client', 'admin').connect(1, 'mon')!.request();
    const thief = greeting.slice();
    // The last eight bytes are the global id.
    new DataView(thief.buffer, thief.byteOffset).setBigUint64(thief.length - 8, 4101n, true);
    const auth = keys.credentials('client', 'admin').connect(1, 'mon')!;
    const exchange = new MonAuthExchange(keys, crc);
    const challenge = exchange.step(thief);

    const answer = exchange.step(auth.more(challenge.kind === 'more' ? challenge.payload : new Uint8Array()));

    expect(answer).toMatchObject({ kind: 'refuse', code: Errno.EACCES });
  });
});

/** An OSD that has its secrets. */
function clientOsd(keys: ToyKeys): CephxCredentials {
  const osd = keys.credentials('osd', '0');
  keys.renew(osd, keys.connect(osd));
  return osd;
}

describe('a session with a daemon', () => {
  test.each([crc, secure])('is for who holds a ticket, and both prove it (mode %i)', (mode) => {
    const { client, osd } = clientAndOsd(nodeCrypto);

    const { auth, answer } = authorize(client, osd, mode);
    const { peer, payload, secrets } = done(answer);

    expect(auth.done({ globalId: peer.globalId, mode, payload })).toEqual(secrets);
    expect(peer).toEqual({ entity: { type: 'client', id: 'admin' }, globalId: 4101n, caps: 'allow *' });
  });

  test('an authorizer that was heard gets nowhere on another connection', () => {
    const { client, osd } = clientAndOsd(nodeCrypto);
    const { said, answer } = authorize(client, osd);
    const replay = accepting(osd);

    expect(answer.kind).toBe('done');
    expect(replay.step(said[0]!).kind).toBe('more');
    expect(replay.step(said[1]!)).toMatchObject({ kind: 'refuse', code: Errno.EACCES });
  });

  test('a service that does not know the secret cannot answer for one that does', () => {
    const { client, osd } = clientAndOsd(nodeCrypto);
    const other = authorize(client, osd);
    const { auth } = authorize(client, osd);

    const { payload } = done(other.answer);

    expect(() => auth.done({ globalId: 4101n, mode: crc, payload })).toThrow(MalformedInput);
  });

  test('a proof that was altered is not taken', () => {
    const { client, osd } = clientAndOsd(nodeCrypto);
    fc.assert(
      fc.property(fc.nat(31), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const auth = client.connect(2, 'osd')!;
        const exchange = accepting(osd);
        const challenge = exchange.step(auth.request());
        const second = auth.more(challenge.kind === 'more' ? challenge.payload : new Uint8Array()).slice();
        // The last two blocks are the proof. Of the ticket before it, see the tests of whole handshakes.
        second[second.length - 1 - at]! ^= by;

        return exchange.step(second).kind === 'refuse';
      }),
    );
  });

  test('a ticket is taken until its secret has gone, two lives later; then a new one is', () => {
    const { keys, client, osd } = clientAndOsd(nodeCrypto);
    const exchange = keys.connect(osd);
    const outcomes: string[] = [];
    for (let i = 0; i < 5; i++) {
      outcomes.push(authorize(client, osd).answer.kind);
      keys.pass(TTL_SECONDS);
      keys.pass(TTL_SECONDS / 4);
      keys.renew(osd, exchange);
    }

    expect(outcomes[0]).toBe('done');
    expect(outcomes.at(-1)).toBe('refuse');
    expect(outcomes.lastIndexOf('done')).toBeLessThan(outcomes.indexOf('refuse'));
  });

  test('one without a ticket does not even begin', () => {
    expect(new ToyKeys(nodeCrypto).credentials('client', 'admin').connect(1, 'osd')).toBeUndefined();
  });
});

describe('on a session that stands', () => {
  test('tickets and secrets are renewed before they expire, for as long as it lasts', () => {
    const { keys, client, osd } = clientAndOsd(nodeCrypto);
    const [ofClient, ofOsd] = [keys.connect(client), keys.connect(osd)];
    for (let i = 0; i < 100; i++) {
      keys.pass(TTL_SECONDS / 10);
      keys.renew(client, ofClient);
      keys.renew(osd, ofOsd);

      expect(authorize(client, osd).answer.kind, `after ${i} steps`).toBe('done');
    }
  });

  test('nothing is asked for while all is fresh', () => {
    const { keys, client } = clientAndOsd(nodeCrypto);
    const exchange = keys.connect(client);
    keys.pass(TTL_SECONDS / 2);

    expect(keys.renew(client, exchange)).toBe(0);
  });

  test('tickets of somebody else are not given', () => {
    const { keys, client } = clientAndOsd(nodeCrypto);
    keys.addEntity('client.other', 'allow *');
    const other = keys.connect(keys.credentials('client', 'other'));
    keys.connect(client);
    keys.pass(TTL_SECONDS * 0.9);
    const [asked] = client.renewals();

    expect(other.step(asked!)).toMatchObject({ kind: 'refuse', code: Errno.EACCES });
  });

  test('a client serves nobody, and is given no secrets to do so', () => {
    const { keys, client } = clientAndOsd(nodeCrypto);
    const exchange = keys.connect(client);

    expect(exchange.step(Uint8Array.of(0x00, 0x04))).toMatchObject({ kind: 'refuse', code: Errno.EACCES });
  });
});

test('monitors know one another by the key they share, and nobody else', () => {
  const [shared, other] = [generateKey(nodeCrypto, { sec: 1, nsec: 0 }), generateKey(nodeCrypto, { sec: 1, nsec: 0 })];
  const meet = (key: typeof shared) => {
    const auth = connectMonitor(nodeCrypto, key, { sec: 1, nsec: 0 }, [crc]);
    const exchange = acceptMonitor(nodeCrypto, shared, crc);
    const challenge = exchange.step(auth.request());
    return challenge.kind === 'more' ? exchange.step(auth.more(challenge.payload)) : challenge;
  };

  expect(meet(shared)).toMatchObject({ kind: 'done', peer: { entity: { type: 'mon', id: '' } } });
  expect(meet(other)).toMatchObject({ kind: 'refuse', code: Errno.EACCES });
});

describe('whatever is sent', () => {
  /** Neither of them throws anything but MalformedInput. */
  const survives = (step: () => unknown) => {
    try {
      step();
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
    }
    return true;
  };
  const bytes = fc.uint8Array({ maxLength: 300 });
  /** Something that was right, and is not quite any more. */
  const damaged = (right: Bytes) =>
    fc.tuple(fc.nat(right.length - 1), fc.nat(255), fc.nat(right.length)).map(([at, to, end]) => {
      const copy = right.slice(0, Math.max(1, end));
      copy[Math.min(at, copy.length - 1)] = to;
      return copy;
    });

  test('a monitor answers, refuses or calls malformed', () => {
    const keys = new ToyKeys(nodeCrypto);
    const greeting = keys.credentials('client', 'admin').connect(1, 'mon')!.request();
    fc.assert(
      fc.property(fc.oneof(bytes, damaged(greeting)), fc.oneof(bytes, damaged(greeting)), (first, second) => {
        const exchange = new MonAuthExchange(keys, crc);
        return survives(() => exchange.step(first)) && survives(() => exchange.step(second));
      }),
    );
  });

  test('a daemon answers, refuses or calls malformed', () => {
    const { client, osd } = clientAndOsd(nodeCrypto);
    const { said } = authorize(client, osd);
    fc.assert(
      fc.property(fc.oneof(bytes, damaged(said[0]!)), fc.oneof(bytes, damaged(said[1]!)), (first, second) => {
        const exchange = accepting(osd);
        return survives(() => exchange.step(first)) && survives(() => exchange.step(second));
      }),
    );
  });

  test('a client takes what a monitor says for right, or calls it malformed', () => {
    const keys = new ToyKeys(nodeCrypto);
    fc.assert(
      fc.property(bytes, bytes, bytes, (challenge, payload, reply) => {
        const credentials = keys.credentials('client', 'admin');
        const auth = credentials.connect(1, 'mon')!;
        auth.request();
        return (
          survives(() => auth.more(challenge)) &&
          survives(() => auth.done({ globalId: 1n, mode: crc, payload })) &&
          survives(() => credentials.onReply(0, reply))
        );
      }),
    );
  });
});
